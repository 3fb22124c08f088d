"""The pages that an invited person sees: the link of the mail, and the name.

The second factor, the recovery codes and the desk follow.
"""

from allauth.account.utils import perform_login
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import proofs, second_factor
from accounts.models import User
from accounts.proofs import Proof
from accounts.team import invitations
from accounts.team.forms import AcceptInvitationForm
from accounts.team.invitations import InvitationClosedError, InvitedAccountClosedError
from foundations.desk_pages import in_desk_language
from foundations.secret_urls import secret_url

_KEY = "accounts_invitation"


@secret_url
@in_desk_language
def open_link(request: HttpRequest, token: str) -> HttpResponse:
    """Stores the link's token in the session and redirects to an address without it.

    So no later page, referrer or history entry has the token. A GET accepts nothing, because mail
    servers open links.
    """
    if invitations.find(token) is None:
        return _closed(request)
    request.session[_KEY] = token
    return redirect("invitation")


@in_desk_language
def accept_invitation(request: HttpRequest) -> HttpResponse:
    """Asks for the name, gives the roles, and leads on to the second factor."""
    token = request.session.get(_KEY, "")
    invitation = invitations.find(token)
    if invitation is None or invitation.state != invitation.State.SENT:
        return _closed(request)
    form = AcceptInvitationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            user = invitations.accept(token, form.cleaned_data["name"])
        except (InvitationClosedError, InvitedAccountClosedError):
            return _closed(request)
        return _signed_in(request, user)
    context = {"form": form, "invitation": invitation}
    return render(request, "accounts/invitation.html", context)


def _signed_in(request: HttpRequest, user: User) -> HttpResponse:
    """Signs the invited person in, and leads to the set-up of the second factor or to the desk."""
    if request.user.is_authenticated:
        logout(request)  # another person may have been signed in here
    request.session.pop(_KEY, None)
    proofs.record(request, user, Proof.SIGN_IN_CODE)
    has_factor = second_factor.has_second_factor(user)
    following = reverse("admin:index" if has_factor else "mfa_activate_totp")
    response: HttpResponse = perform_login(request, user, email=user.email, redirect_url=following)
    return response


def _closed(request: HttpRequest) -> HttpResponse:
    """Returns the page for a link that does not work, whatever the reason."""
    return render(request, "accounts/invitation_closed.html", status=410)
