"""Signing in and out, and the account's own pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.account.utils import get_next_redirect_url
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils.translation import get_language, get_language_from_path, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import codes, sign_in, step_up
from accounts.codes import EmailedCode, Purpose
from accounts.devices import describe_device
from accounts.forms import CloseAccountForm, CodeForm, EmailForm, EndSessionsForm, LanguageForm
from accounts.models import User
from accounts.step_up import View, step_up_required

_REFUSALS: dict[type[Exception], tuple[str, int]] = {
    codes.TooManyRequestsError: ("429.html", 429),
    codes.NoMoreCodesError: ("accounts/resend_limit.html", 429),
    codes.CodeNotSentError: ("accounts/code_not_sent.html", 503),
    codes.CodeExpiredError: ("accounts/code_expired.html", 410),
    codes.CodeSpentError: ("accounts/code_tries_exhausted.html", 403),
}


def _explain_refusals(*, start: str, enter: str, again: str) -> Callable[[View], View]:
    """Turns what a code was refused for into its page; the others name where to go on."""

    def decorator(view: View) -> View:
        @wraps(view)
        def explained(request: HttpRequest) -> HttpResponseBase:
            try:
                return view(request)
            except codes.CodeUsedError:  # a button pressed twice
                return redirect(start)
            except tuple(_REFUSALS) as error:
                template, status = _REFUSALS[type(error)]
                context = {
                    "start_url": reverse(start),
                    "code_url": reverse(enter),
                    "again_url": reverse(again),
                    "minutes": settings.SIGN_IN_CODE_MINUTES,
                }
                return render(request, template, context, status=status)

        return explained

    return decorator


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _next_url(request: HttpRequest) -> str:
    """`next` if it is a page of this portal, else empty."""
    return get_next_redirect_url(request) or ""


# Signing in

_sign_in_refusals = _explain_refusals(
    start="account_login", enter="sign_in_code", again="sign_in_code_again"
)


@_sign_in_refusals
def ask_for_code(request: HttpRequest) -> HttpResponse:
    """The form with the e-mail address; the same for everyone, whatever is typed."""
    next_url = _next_url(request)
    if request.user.is_authenticated:
        return redirect(next_url or settings.LOGIN_REDIRECT_URL)
    form = EmailForm(_posted(request))
    if form.is_valid():
        email = form.cleaned_data["email"]
        EmailedCode.begin(request, Purpose.SIGN_IN, email=email, next_url=next_url)
        return redirect("sign_in_code")
    return render(request, "accounts/sign_in.html", {"form": form, "next_url": next_url})


@_sign_in_refusals
def enter_code(request: HttpRequest) -> HttpResponse:
    """The form for the code of a sign-in."""
    process = EmailedCode.pending(request, Purpose.SIGN_IN)
    if process is None or request.user.is_authenticated:
        return redirect("account_login")
    process.raise_if_expired()
    form = CodeForm(_posted(request), process=process)
    if form.is_valid():
        return sign_in.finish(request, email=process.email, next_url=process.next_url)
    return render(request, "accounts/sign_in_code.html", {"form": form, "email": process.email})


@require_POST
@_sign_in_refusals
def send_code_again(request: HttpRequest) -> HttpResponse:
    """A new code to the address typed before."""
    process = EmailedCode.pending(request, Purpose.SIGN_IN)
    if process is None:
        return redirect("account_login")
    process.send_again()
    messages.success(request, _("We have sent you a new code."))
    return redirect("sign_in_code")


def sign_out(request: HttpRequest) -> HttpResponse:
    """GET shows a button, POST signs out, or gives up a half-done sign-in."""
    if request.method == "POST":
        logout(request)  # ends a half-done sign-in as well: it empties the session
        return redirect(_next_url(request) or "home")
    if not request.user.is_authenticated:
        return redirect("home")
    return render(request, "accounts/sign_out.html")


# Step-up

_step_up_refusals = _explain_refusals(start="step_up", enter="step_up", again="step_up_send")


@login_required
@_step_up_refusals
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks for a fresh code. A GET sends no mail; the button on the page does."""
    process = EmailedCode.pending(request, Purpose.STEP_UP)
    if process is None:
        return render(request, "accounts/step_up.html", {"next_url": _next_url(request)})
    process.go_on_to(_next_url(request))
    process.raise_if_expired()
    form = CodeForm(_posted(request), process=process)
    if form.is_valid():
        step_up.record_step_up(request, _signed_in(request))
        return redirect(process.next_url or "account")
    return render(request, "accounts/step_up_code.html", {"form": form, "email": process.email})


@require_POST
@login_required
@_step_up_refusals
def send_step_up_code(request: HttpRequest) -> HttpResponse:
    """A code, or a new one, to the user's own address."""
    process = EmailedCode.pending(request, Purpose.STEP_UP)
    if process:
        process.send_again()
    else:
        email, next_url = _signed_in(request).email, _next_url(request)
        EmailedCode.begin(request, Purpose.STEP_UP, email=email, next_url=next_url)
    return redirect("step_up")


# The account


def _signed_in(request: HttpRequest) -> User:
    """The user, for views that only signed-in people reach."""
    return cast("User", request.user)


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The account at a glance, and its language."""
    form = LanguageForm(_posted(request), instance=_signed_in(request))
    if form.is_valid():
        form.save()
        return _go_in_language(reverse("account"), form.cleaned_data["language"])
    return render(request, "accounts/account.html", {"form": form})


@login_required
def sessions(request: HttpRequest) -> HttpResponse:
    """Where this person is signed in, and a way to end it."""
    user, current_key = _signed_in(request), request.session.session_key
    if request.method == "POST":
        form = EndSessionsForm(request.POST, user=user, current_key=current_key)
        if form.is_valid():
            form.save()
            messages.success(request, _("Signed out there."))
        return redirect("sessions")
    return render(request, "accounts/sessions.html", {"sessions": _sessions_of(user)})


def _sessions_of(user: User) -> list[dict[str, Any]]:
    alive = UserSession.objects.purge_and_list(user)
    return [
        {
            "id": session.pk,
            "device": describe_device(session.user_agent),
            "ip": session.ip,
            "began_at": session.created_at,
            "is_current": session.is_current(),
        }
        for session in sorted(alive, key=lambda session: session.created_at, reverse=True)
    ]


@step_up_required
def close_account(request: HttpRequest) -> HttpResponse:
    """Says what goes and what stays, then deletes the account."""
    user = _signed_in(request)
    form = CloseAccountForm(_posted(request), user=User.objects.get(pk=user.pk))
    if form.is_valid():
        logout(request)
        form.save()
        return redirect("account_closed")
    return render(request, "accounts/close_account.html", {"form": form})


def account_closed(request: HttpRequest) -> HttpResponse:
    """The same page for everyone: it says nothing about who came."""
    return render(request, "accounts/account_closed.html")


# Language


def choose_language(request: HttpRequest) -> HttpResponse:
    """Remembers ?language= and shows the page ?next= in it. A link, so that no script is needed.

    Any site can link here, so it changes nothing but the cookie; the account has a form.
    """
    language = request.GET.get("language", "")
    if language not in dict(settings.LANGUAGES):
        raise Http404
    return _go_in_language(_next_url(request) or reverse("home"), language)


def _go_in_language(url: str, language: str) -> HttpResponse:
    # A path is only understood in its own language.
    with override(get_language_from_path(urlsplit(url).path) or get_language()):
        response = redirect(translate_url(url, language))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        samesite="Lax",
    )
    return response
