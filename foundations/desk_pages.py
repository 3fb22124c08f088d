"""The language of the desk's pages, which differs from those of the portal (decision 0087)."""

from collections.abc import Callable
from functools import cache, wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

from foundations.languages import desk_language, shorter_codes

View = Callable[..., HttpResponseBase]


def desk_language_of(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that shows the desk in a language of settings.DESK_LANGUAGES.

    The catalogues of the other languages hold customers' messages only. It must come after Django's
    LocaleMiddleware.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if is_desk_page(request.path_info):
            _activate(request)
        return get_response(request)

    return middleware


def in_desk_language(view: View) -> View:
    """Decorator of a page of the team that is not below the desk's address."""

    @wraps(view)
    def in_language(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        _activate(request)
        return view(request, *args, **kwargs)

    return in_language


def is_desk_page(path: str) -> bool:
    """Returns whether the path belongs to a page of the desk."""
    return path.startswith(_desk_path(settings.ROOT_URLCONF))


@cache
def _desk_path(_urls: str) -> str:
    return reverse("admin:index")


def _activate(request: HttpRequest) -> None:
    language = _chosen_language(request)
    translation.activate(language)
    request.LANGUAGE_CODE = language


def _chosen_language(request: HttpRequest) -> str:
    """Returns the desk's language that the visitor chose, else one that the browser accepts.

    The choice is in the path or the cookie. Django itself considers the portal's languages only.
    """
    accepted = trans_real.parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = [
        translation.get_language_from_path(request.path_info) or "",
        request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""),
        *(code for code, _q in accepted),
    ]
    codes = (code for each in wanted for code in shorter_codes(each))
    spoken = (code for code in codes if code in settings.DESK_LANGUAGES)
    return next(spoken, None) or desk_language(translation.get_language() or "")
