"""The views for sign-in, sign-out, step-up and the account."""

from typing import cast
from urllib.parse import urlsplit

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, translate_url
from django.utils.translation import get_language, get_language_from_path, override
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from accounts import codes, early_answers, known_devices, repeated_codes, sign_in, step_up
from accounts.code_pages import code_page, explain_refusals, posted
from accounts.codes import SentCode
from accounts.company_sign_on.offers import offers
from accounts.devices import sessions_of
from accounts.ended_sessions import sign_in_required
from accounts.forms import (
    CloseAccountForm,
    CodeForm,
    ContactForm,
    EndSessionsForm,
    LanguageForm,
    SignInCodeForm,
)
from accounts.models import StaffNumberError, User
from accounts.pending_codes import Purpose
from accounts.step_up import step_up_required
from accounts.typed_contact_pages import question_about
from accounts.waiting_room import with_waiting_room
from foundations.desk_pages import is_desk_page
from foundations.language_switch import set_language_cookie
from foundations.own_origin import is_from_own_page
from foundations.page_parts import render_form_page, render_own_page
from foundations.post_only import post_only
from foundations.session_store import SessionStore
from foundations.unbroken import in_one_line

BORROWED_SECONDS = 15 * 60  # a sign-in on another person's device; the form names the minutes


def _next_url(request: HttpRequest) -> str:
    """Returns the parameter `next` if it is a page of this portal, else ""."""
    return get_next_redirect_url(request) or ""


def _in_page_language(url: str) -> str:
    """Returns a URL of this portal in the active language: it may have changed since `next`."""
    return _translated(url, get_language() or settings.LANGUAGE_CODE) if url else ""


def _translated(url: str, language: str) -> str:
    # A path is resolved in the language that it contains.
    with override(get_language_from_path(urlsplit(url).path) or get_language()):
        return translate_url(url, language)


# Signing in

_sign_in_refusals = explain_refusals(
    Purpose.SIGN_IN, start="account_login", enter="sign_in_code", resend="sign_in_code_again"
)


@_sign_in_refusals
@with_waiting_room
def ask_for_code(request: HttpRequest) -> HttpResponse:
    """Shows the form for the e-mail address or number and sends a code to it.

    The answer is the same for known and unknown addresses and numbers.
    """
    early_answers.raise_early_error(request)
    next_url = _next_url(request)
    form = ContactForm(posted(request))
    if request.user.is_authenticated:
        if form.is_valid():
            _explain_other_address(request, form.cleaned_data["email"])
        return redirect(next_url or settings.LOGIN_REDIRECT_URL)
    question = question_about(request, form, action="account_login", next_url=next_url)
    if question:
        return question
    if form.is_valid():
        contact = form.cleaned_data["email"]
        SentCode.begin(request, Purpose.SIGN_IN, contact=contact, next_url=next_url)
        return early_answers.keep(redirect("sign_in_code"))
    shown_next = _in_page_language(next_url)  # templates compare it with pages of this language
    context = {"form": form, "next_url": shown_next, "sign_on": offers(next_url)}
    return render_form_page(request, "accounts/sign_in.html", context)


def _explain_other_address(request: HttpRequest, contact: str) -> None:
    """Tells a signed-in user who typed another contact why it is not used."""
    user = _signed_in(request)
    if contact not in (user.email, *user.verified_phones()):
        text = _(
            "You are signed in as %(email)s. Sign out first if you want to use another address."
        )
        if not user.email:
            text = _("You are signed in with %(email)s. Sign out first if you want to use another.")
        messages.warning(request, text % {"email": in_one_line(user.shown_contact)})


@csrf_exempt
def ask_from_public_page(request: HttpRequest) -> HttpResponseBase:
    """Begins a sign-in from the form of a public page, which has no CSRF token.

    Sends a code if the browser states that a page of this portal posted the form. Else it shows the
    sign-in page with the address in it, whose button posts it with a token.
    """
    if request.method != "POST":
        return redirect("account_login")
    if is_from_own_page(request):
        return ask_for_code(request)
    return _begin_here(request, is_filled=True)


def _begin_here(request: HttpRequest, **reasons: bool) -> HttpResponse:
    """Shows the sign-in page, with the posted address in its field."""
    form = ContactForm(initial={"email": request.POST.get("email", "")})
    context = {"form": form, "next_url": "", "sign_on": offers(""), **reasons}
    return render_form_page(request, "accounts/sign_in.html", context)


@_sign_in_refusals
def enter_code(request: HttpRequest) -> HttpResponse:
    """Shows the form for the sign-in code and signs the visitor in with the right code."""
    process = SentCode.pending(request, Purpose.SIGN_IN)
    if process is None or request.user.is_authenticated:
        return repeated_codes.answer(request) or _without_code(request)
    process.raise_if_expired()
    process.raise_if_not_sent()
    form = SignInCodeForm(posted(request), process=process)
    try:
        is_right = form.is_valid()
    except codes.CodeUsedError:  # the user pressed the button twice
        return repeated_codes.answer_after_the_first(request) or _without_code(request)
    if is_right:
        return _signed_in_as(request, process, form.cleaned_data["is_borrowed"])
    return _code_entry(request, process, form)


def _code_entry(request: HttpRequest, process: SentCode, form: SignInCodeForm) -> HttpResponse:
    """Shows the form for the code; nearly all visitors come from the request of a code by mail."""
    template, context = "accounts/sign_in_code.html", code_page(process, form)
    if form.is_bound or form.is_by_text or context["wait"]:
        return render(request, template, context)
    return render_own_page(request, template, context, own=["contact", "shown_contact"])


def _without_code(request: HttpRequest) -> HttpResponse:
    """Leads a signed-in user on, and explains to others why no code can be entered."""
    if not request.user.is_authenticated:
        return _begin_here(request, has_no_code=True, is_filled="email" in request.POST)
    if typed_in_tab := request.POST.get("email"):
        _explain_other_address(request, typed_in_tab)
    return redirect("account_login")


def _signed_in_as(request: HttpRequest, process: SentCode, is_borrowed: bool) -> HttpResponse:
    """Signs the visitor in. A device of another person is not remembered, and soon signed out."""
    repeated_codes.begin(request)
    try:
        response = sign_in.complete_sign_in(
            request, contact=process.contact, next_url=_in_page_language(process.next_url)
        )
    except StaffNumberError:
        response = render(request, "accounts/staff_number.html", status=403)
        repeated_codes.remember(request, response)
        return response
    if is_borrowed:
        cast("SessionStore", request.session).end_with_browser(BORROWED_SECONDS)
    else:
        known_devices.remember(request, response, process.contact)
    repeated_codes.remember(request, response)
    return response


@post_only(page="sign_in_code")
@_sign_in_refusals
def send_code_again(request: HttpRequest) -> HttpResponse:
    """Sends a new code to the contact of the pending sign-in."""
    process = SentCode.pending(request, Purpose.SIGN_IN)
    if process is None:
        return _without_code(request)
    if process.send_again():
        messages.success(request, _("We have sent you a new code."))
    return redirect("sign_in_code")


def sign_out(request: HttpRequest) -> HttpResponse:
    """Shows a button for GET. For POST it signs out or cancels an unfinished sign-in."""
    if request.method == "POST":
        logout(request)  # empties the session, which ends an unfinished sign-in as well
        return redirect(_next_url(request) or "home")
    if not request.user.is_authenticated:
        return redirect("home")
    return render(request, "accounts/sign_out.html")


# Step-up

_step_up_refusals = explain_refusals(
    Purpose.STEP_UP, start="step_up", enter="step_up", resend="step_up_send"
)


@sign_in_required()
@_step_up_refusals
def confirm(request: HttpRequest) -> HttpResponse:
    """Asks for a step-up code. GET sends no mail; the button on the page does."""
    process = SentCode.pending(request, Purpose.STEP_UP)
    if process is None:
        context = {
            "next_url": _next_url(request),
            "has_no_code": request.method == "POST",
            "has_passkey": _signed_in(request).has_customers_passkey(),
        }
        return render(request, "accounts/step_up.html", context)
    process.set_next_url(_next_url(request))
    process.raise_if_expired()
    process.raise_if_not_sent()
    form = CodeForm(posted(request), process=process)
    if form.is_valid():
        step_up.record_step_up(request, _signed_in(request))
        return redirect(_in_page_language(process.next_url) or "account")
    return render(request, "accounts/step_up_code.html", code_page(process, form))


@post_only(page="step_up")
@sign_in_required(page="step_up")
@_step_up_refusals
def send_step_up_code(request: HttpRequest) -> HttpResponse:
    """Sends a first or a new step-up code to the user's own address or number."""
    process, contact = SentCode.pending(request, Purpose.STEP_UP), _signed_in(request).contact
    if process:
        process.send_again()
    elif contact:
        next_url = _next_url(request)
        SentCode.begin(request, Purpose.STEP_UP, contact=contact, next_url=next_url)
    else:  # the number belongs to another account since; see UserManager.for_proven_phone
        logout(request)
        return redirect("account_login")
    return redirect("step_up")


# The account


def _signed_in(request: HttpRequest) -> User:
    """Returns the user, in views that require a sign-in."""
    return cast("User", request.user)


@sign_in_required()
def account(request: HttpRequest) -> HttpResponse:
    """Shows the account, and changes its language."""
    form = LanguageForm(posted(request), instance=_signed_in(request))
    if form.is_valid():
        form.save()
        return _go_in_language(reverse("account"), form.cleaned_data["language"])
    user = _signed_in(request)
    context = {
        "form": form,
        "new_device": user.new_devices.first(),
        "has_several_contacts": len(user.verified_emails()) + len(user.verified_phones()) > 1,
    }
    return render(request, "accounts/account.html", context)


@sign_in_required()
def sessions(request: HttpRequest) -> HttpResponse:
    """Lists the sessions of the user, and ends one or all others."""
    user, current_key = _signed_in(request), request.session.session_key
    if request.method == "POST":
        form = EndSessionsForm(request.POST, user=user, current_key=current_key)
        if form.is_valid():
            form.save()
            messages.success(request, _("Signed out there."))
        return redirect("sessions")
    return render(request, "accounts/sessions.html", {"sessions": sessions_of(user)})


@step_up_required
def close_account(request: HttpRequest) -> HttpResponse:
    """Explains which data is deleted and which stays, and deletes the account."""
    user = _signed_in(request)
    form = CloseAccountForm(posted(request), user=User.objects.get(pk=user.pk))
    if form.is_valid():
        logout(request)
        form.save()
        return redirect("account_closed")
    return render(request, "accounts/close_account.html", {"form": form})


def account_closed(request: HttpRequest) -> HttpResponse:
    """Shows that the account is closed. The page is the same for every visitor."""
    return render(request, "accounts/account_closed.html")


# Language


def choose_language(request: HttpRequest) -> HttpResponse:
    """Stores ?language= in a cookie and redirects to the page ?next= in that language.

    It is a link, so that no script is needed. Other sites can link to it, so it changes only the
    cookie; the language of the account has a form. Raises Http404 for a language that neither
    the portal offers nor, on its own pages, the desk.
    """
    language, url = request.GET.get("language", ""), _next_url(request) or reverse("home")
    is_of_desk = is_desk_page(url) and language in settings.DESK_LANGUAGES
    if not is_of_desk and language not in dict(settings.LANGUAGES):
        raise Http404
    return _go_in_language(url, language)


def _go_in_language(url: str, language: str) -> HttpResponse:
    response = redirect(_translated(url, language))
    set_language_cookie(response, language)
    return response
