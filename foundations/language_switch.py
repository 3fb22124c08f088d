"""The language switch of a page with a form: it keeps what was typed, without a script.

Each button of the switch belongs to the page's form (`form="typed-form"`) and posts it to the same
page in another language. The middleware shows that page as for GET, with the typed text in its
fields: nothing is sent, checked or stored, and no URL holds the text. A page of GET cannot hold it,
because a public page has the same bytes for every reader.
"""

from collections.abc import Callable

from django.conf import settings
from django.forms import BoundField, FileInput, PasswordInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template import Context, Library
from django.utils.safestring import SafeString
from django.utils.translation import get_language_from_path

from foundations.own_origin import is_from_own_page
from foundations.rate_limits import seconds_to_wait

register = Library()
TO_LANGUAGE = "to_language"  # the name of the switch's buttons
# Their name on the answer to a form. The form is posted again, so that the answer stays.
IN_LANGUAGE = "in_language"
_NOT_TYPED = {TO_LANGUAGE, "csrfmiddlewaretoken"}


def keep_typed(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers a button of the switch with the page as for GET, and its typed text.

    The language is stored in its cookie. Without typed text, the response is a redirect to the
    page; also if another site posted the form, so that no site fills in a field here. A button
    named IN_LANGUAGE posts the form as any other button does.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        language, is_answer = _chosen_language(request)
        if not language:
            return get_response(request)
        if is_answer:
            response = get_response(request)
        elif _may_keep(request):
            request.typed_text = request.POST  # type: ignore[attr-defined]
            request.method, request.POST = "GET", QueryDict()
            response = get_response(request)
            response.headers["Cache-Control"] = "private, no-store"
            response.headers.pop("X-Accel-Expires", None)
        else:
            response = HttpResponseRedirect(request.get_full_path())
            response.status_code = 303
        set_language_cookie(response, language)
        return response

    return middleware


def _chosen_language(request: HttpRequest) -> tuple[str, bool]:
    """Returns the language of the pressed button, and whether the form is to be answered again.

    The language is "" if the request has another purpose.
    """
    language = get_language_from_path(request.path_info) if request.method == "POST" else None
    for name in (TO_LANGUAGE, IN_LANGUAGE):
        if language and request.POST.get(name) == language:
            return language, name == IN_LANGUAGE
    return "", False


def _may_keep(request: HttpRequest) -> bool:
    is_typed = any(
        text.strip()
        for name, texts in request.POST.lists()
        for text in texts
        if name not in _NOT_TYPED
    )
    return (
        is_typed
        and is_from_own_page(request)
        and not seconds_to_wait(request, "language_switch", by_user=False)
    )


def typed_text(request: HttpRequest) -> QueryDict | None:
    """Returns what was typed in the page's form before the language changed, else None."""
    typed: QueryDict | None = getattr(request, "typed_text", None)
    return typed


@register.simple_tag(takes_context=True)
def field_input(context: Context, field: BoundField) -> SafeString:
    """Renders the input of a form's field, with what was typed before the language changed.

    A field that the posted form did not have is as in a new page.
    """
    typed = typed_text(context["request"]) if "request" in context else None
    widget = field.field.widget
    if typed is None or field.form.is_bound or isinstance(widget, PasswordInput | FileInput):
        return field.as_widget()
    field.initial = widget.value_from_datadict(typed, {}, field.html_name)
    return field.as_widget()


def set_language_cookie(response: HttpResponse, language: str) -> None:
    """Stores the choice of a language in the visitor's browser."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
