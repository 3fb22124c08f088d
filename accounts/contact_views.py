"""The pages on which a signed-in user proves a further address or number."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts import joining, sign_in
from accounts.code_pages import code_page, explain_refusals, posted
from accounts.codes import SentCode
from accounts.contacts import is_phone, readable_contact
from accounts.ended_sessions import sign_in_required
from accounts.forms import CodeForm, ContactForm
from accounts.further_contacts import (
    LastContactError,
    OtherAccountError,
    SecondAccountError,
    account_of,
    add_contact,
    remove_contact,
)
from accounts.look_up_key import LookUpKey
from accounts.models import User
from accounts.pending_codes import Purpose
from accounts.second_factor import end_other_sessions
from accounts.step_up import fresh_code_required
from accounts.typed_contact_pages import question_about
from foundations.post_only import post_only

_refusals = explain_refusals(
    Purpose.NEW_CONTACT,
    start="new_contact",
    enter="new_contact_code",
    resend="new_contact_code_again",
)


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_code_required
@_refusals
def new_contact(request: HttpRequest) -> HttpResponse:
    """Asks for an address or number, and sends a code to it.

    A fresh code of the user's own contact comes first: with an open browser alone, a stranger
    could otherwise add a way in.
    """
    form = ContactForm(posted(request))
    if question := question_about(request, form, action="new_contact"):
        return question
    if form.is_valid():
        contact = form.cleaned_data["email"]
        SentCode.begin(request, Purpose.NEW_CONTACT, contact=contact, next_url="")
        return redirect("new_contact_code")
    return render(request, "accounts/new_contact.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@sign_in_required()
@_refusals
def new_contact_code(request: HttpRequest) -> HttpResponse:
    """Takes the code, and adds the address or number to the account."""
    process = SentCode.pending(request, Purpose.NEW_CONTACT)
    if process is None:
        return redirect("new_contact")
    process.raise_if_expired()
    process.raise_if_not_sent()
    form = CodeForm(posted(request), process=process)
    if form.is_valid():
        return _added(request, process.contact)
    return render(request, "accounts/new_contact_code.html", code_page(process, form))


def _added(request: HttpRequest, contact: str) -> HttpResponse:
    user = request.user
    assert isinstance(user, User)  # noqa: S101  # sign_in_required
    try:
        add_contact(user, contact)
    except SecondAccountError:
        joining.begin(request, user, contact)
        return redirect("join_accounts")
    except OtherAccountError:
        messages.error(
            request, _("This has an account of its own. Sign out, and sign in with it instead.")
        )
        return redirect("account")
    messages.success(request, _("Added. “My data” shows what belongs to it, too."))
    return redirect("account")


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_code_required
def join_accounts(request: HttpRequest) -> HttpResponse:
    """Says what happens if the two accounts become one, and joins them on POST.

    Both contacts are proven then: the own one by a fresh code, the other by the code before.
    """
    user, contact = cast("User", request.user), joining.pending(request)
    other = account_of(user, contact) if contact else None
    if other is None:
        return redirect("new_contact")
    if request.method != "POST":
        context = {
            "contact": readable_contact(contact),
            "is_number": is_phone(contact),
            "ends_keys": LookUpKey.objects.valid().filter(user__in=[user, other]).exists(),
        }
        return render(request, "accounts/join_accounts.html", context)
    joining.forget(request)
    if request.POST.get("join") != "1":
        if is_phone(contact):
            add_contact(user, contact, leaves_account=True)
            messages.success(request, _("Added. “My data” shows what belongs to it, too."))
        return redirect("account")
    return _joined(request, user, other, contact)


def _joined(request: HttpRequest, user: User, other: User, contact: str) -> HttpResponse:
    try:
        account = joining.join(user, other)
    except joining.NotJoinableError:
        return redirect("account")
    if account != user:  # the session was of the account that is gone
        logout(request)
        response = sign_in.complete_sign_in(
            request, contact=contact, next_url=reverse("account"), is_known_device=True
        )
    else:
        response = redirect("account")
    messages.success(request, _("Your two accounts are one now."))
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_code_required
def remove_contact_page(request: HttpRequest) -> HttpResponse:
    """Lists the addresses and numbers of the account, and removes the chosen one on POST.

    Ends the other sessions: a thief of the mailbox or the phone may have opened one with it.
    """
    user = cast("User", request.user)
    contacts = [*user.verified_emails(), *user.verified_phones()]
    if request.method == "POST":
        posted = request.POST.get("contact", "")
        try:
            remove_contact(user, posted if posted in contacts else "")
        except LastContactError:
            messages.error(request, _("This is your only address or number here."))
            return redirect("remove_contact")
        end_other_sessions(request, user)
        done = _(
            "Removed. You cannot sign in with it any more, and your other devices are signed out."
        )
        messages.success(request, done)
        return redirect("account")
    context = {"contacts": [(one, readable_contact(one)) for one in contacts]}
    return render(request, "accounts/remove_contact.html", context)


@post_only(page="new_contact_code")
@sign_in_required(page="new_contact")
@_refusals
def new_contact_code_again(request: HttpRequest) -> HttpResponse:
    """Sends a new code to the address or number that is being added."""
    process = SentCode.pending(request, Purpose.NEW_CONTACT)
    if process is None:
        return redirect("new_contact")
    if process.send_again():
        messages.success(request, _("We have sent you a new code."))
    return redirect("new_contact_code")
