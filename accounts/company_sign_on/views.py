"""The pages of the sign-in with the company's provider, for the response team and customers."""

import logging
from typing import Any

from allauth.account.utils import get_next_redirect_url, perform_login
from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts import known_devices, new_devices, second_factor
from accounts.audit import acts, sign_ins
from accounts.company_sign_on import connections, limits, member_numbers, requests, staff_entry
from accounts.company_sign_on.connections import UnknownIdentityError
from accounts.company_sign_on.offers import STAFF
from accounts.company_sign_on.providers import Provider, SignOnError, provider_for
from accounts.company_sign_on.staff_entry import FirstUse
from accounts.company_sign_on.tokens import SignedOn
from accounts.models import AuditEntry, User
from accounts.sign_in import is_new_to
from accounts.team import invitations
from accounts.team.invitations import InvitationClosedError, InvitedAccountClosedError
from foundations.desk_pages import in_desk_language
from foundations.rate_limits import too_many_requests

_REFUSED_PAGE = "accounts/company_sign_on_refused.html"

logger = logging.getLogger(__name__)


@never_cache
@require_GET
def begin(request: HttpRequest, audience: str) -> HttpResponse:
    """Sends the browser to the provider. Answers 429 if there are too many sign-ins."""
    provider = _provider(audience)
    next_url = get_next_redirect_url(request) or ""
    if wait := limits.wait_of(request):
        return _too_many(request, provider, wait, next_url)
    try:
        return redirect(requests.begin(request, provider, audience, next_url))
    except SignOnError as error:
        return _refused(request, provider, error, audience, next_url)


@never_cache
@require_GET
def complete(request: HttpRequest, audience: str) -> HttpResponse:
    """Receives the browser from the provider, and signs the person in.

    Who began is not limited again. Answers 429 to too many others.
    """
    provider = _provider(audience)
    begun = requests.take(request, audience)
    if begun is None:
        if wait := limits.wait_of(request):
            return _too_many(request, provider, wait)
        error = SignOnError("this browser began no sign-in")
        return _refused(request, provider, error, audience)
    with override(begun.language):
        try:
            who = requests.complete(request, provider, begun)
            if audience == STAFF:
                return _enter_desk(request, who, begun.next_url)
            return _enter_as_customer(request, who, begun.next_url)
        except SignOnError as error:
            return _refused(request, provider, error, audience, begun.next_url)


@never_cache
@require_http_methods(["GET", "POST"])
@in_desk_language
def connect(request: HttpRequest) -> HttpResponse:
    """Asks at the first use whether the account at the provider may open the desk from now on.

    After the confirmation the person signs in with the second factor and returns to this page,
    which connects the account then. Without the second factor nothing is connected.
    """
    provider, first = _provider(STAFF), staff_entry.waiting(request)
    if first is None:
        return redirect("admin:index")
    try:
        if first.confirmed_by is not None:
            return _connect_if_proven(request, first)
        if request.method == "POST":
            user = _user_to_connect(first.who)
            return _sign_in_for_first_use(request, user, first.who)
    except SignOnError as error:
        staff_entry.forget(request)
        return _refused(request, provider, error, STAFF)
    context = {"name": provider.name, "email": first.who.email}
    return render(request, "accounts/desk/connect_company_account.html", context)


def _provider(audience: str) -> Provider:
    provider = provider_for(audience)
    if provider is None:
        raise Http404
    return provider


def _enter_desk(request: HttpRequest, who: SignedOn, next_url: str) -> HttpResponse:
    """Signs a known member of the team in; at the first use, asks for the confirmation."""
    if user := connections.known_user(who):
        _leave(request)
        if who.has_second_factor:
            staff_entry.accept_factor(request, user)
        return _sign_in_staff(request, user, next_url or reverse("admin:index"))
    if not who.email:
        raise UnknownIdentityError("the provider does not confirm the address")
    staff = _member(who.email)
    if staff is None and not invitations.open_for(who.email):
        raise UnknownIdentityError("no account of the team has this address")
    connections.refuse_first_use(who, staff)
    staff_entry.keep(request, who)
    return redirect("company_sign_on_connect")


def _member(email: str) -> User | None:
    return User.objects.filter(email=email, is_staff=True, is_active=True).first()


def _user_to_connect(who: SignedOn) -> User:
    """Returns the member of the team with the confirmed address, by invitation if it is new."""
    user = _member(who.email)
    connections.refuse_first_use(who, user)  # it may be removed since the question
    if user:
        return user
    try:
        return invitations.accept_proven(who.email, who.name or who.email)
    except (InvitationClosedError, InvitedAccountClosedError) as error:
        raise UnknownIdentityError("no account of the team has this address") from error


def _sign_in_for_first_use(request: HttpRequest, user: User, who: SignedOn) -> HttpResponse:
    """Signs in the person who confirmed the first use, with an own second factor if there is one.

    A factor of the provider replaces no own one here: until the account is connected, its address
    alone says whose it is.
    """
    _leave(request)
    staff_entry.keep(request, who, confirmed_by=user)
    if who.has_second_factor and not second_factor.has_second_factor(user):
        staff_entry.accept_factor(request, user)
    return _sign_in_staff(request, user, reverse("company_sign_on_connect"))


def _connect_if_proven(request: HttpRequest, first: FirstUse) -> HttpResponse:
    """Connects the account for the member who confirmed it, once the second factor is given."""
    user: Any = request.user
    if user.is_authenticated and user.pk != first.confirmed_by:
        raise SignOnError("another person is signed in")
    if not admin.site.has_permission(request):
        return redirect_to_login(request.path, reverse("admin:login"))
    staff_entry.forget(request)
    try:
        connections.bind(first.who, user)
    except UnknownIdentityError:
        _leave(request)  # the provider's factor may have signed the person in
        raise
    return redirect("admin:index")


def _sign_in_staff(request: HttpRequest, user: User, next_url: str) -> HttpResponse:
    """Signs the member of the team in. The portal's own second factor follows, unless the
    request has one of the provider that the settings accept.
    """
    if not (user.is_active and user.is_staff):
        sign_ins.refuse(user, "company sign-on: may not sign in")
        raise SignOnError("the account may not sign in")
    acts.record(AuditEntry.Kind.SIGN_IN, by=user, about=user, step="company sign-on")
    return _performed(request, user, email=user.email or "", next_url=next_url)


def _enter_as_customer(request: HttpRequest, who: SignedOn, next_url: str) -> HttpResponse:
    """Signs a customer in as the owner of the address that the provider confirms.

    It is no fresh code: step-up sends one before values are shown in full. An account of the
    response team does not open so. The member number that the provider states opens rows, too.
    """
    if not who.email:
        raise SignOnError("the provider does not confirm the address")
    user = User.objects.for_proven_email(who.email, language=None)
    if user.is_or_was_on_team():
        sign_ins.refuse(user, "company sign-on of customers")
        raise SignOnError("a member of the team signs in at the desk")
    if not user.is_active:
        raise SignOnError("the account may not sign in")
    _leave(request)
    member_numbers.keep(user.pk, who.email, who.issuer, who.member_number)
    return _performed(request, user, email=who.email, next_url=next_url)


def _leave(request: HttpRequest) -> None:
    """Ends the session of who was signed in in this browser: it may be another person."""
    if request.user.is_authenticated:
        logout(request)


def _performed(request: HttpRequest, user: User, *, email: str, next_url: str) -> HttpResponse:
    """Signs in. A sign-in on a device that is new to the account is recorded, and mailed."""
    is_new_device = is_new_to(request, user)
    response: HttpResponse = perform_login(
        request, user, email=email, redirect_url=next_url or None
    )
    if request.user.is_authenticated:
        if is_new_device:
            new_devices.record(request, user.pk)
        known_devices.remember(request, response, email)
    return response


def _refused(
    request: HttpRequest, provider: Provider, error: SignOnError, audience: str, next_url: str = ""
) -> HttpResponse:
    """Returns the page that says that the sign-in failed, and offers the code instead."""
    logger.warning("company sign-on of %s refused: %s", audience, error)
    if isinstance(error, UnknownIdentityError):
        acts.record(AuditEntry.Kind.REFUSED, by=None, reason=f"company sign-on: {error}")
    context: dict[str, Any] = {"name": provider.name, "next_url": next_url}
    return render(request, _REFUSED_PAGE, context, status=403)


def _too_many(
    request: HttpRequest, provider: Provider, wait_seconds: int, next_url: str = ""
) -> HttpResponse:
    """Returns the page that says that very many sign in, and offers the code instead."""
    context = {"name": provider.name, "next_url": next_url}
    return too_many_requests(request, wait_seconds, context, template=_REFUSED_PAGE)
