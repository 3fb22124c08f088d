"""The adapters through which allauth asks the portal for its rules."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from accounts import second_factor
from accounts.audit import sign_ins
from accounts.company_sign_on import staff_entry
from accounts.second_factor_secrets import decrypt_for, encrypt_for, owner_of
from foundations import visitor_address

LONGEST_URL = 2_000  # characters of a page of this portal with its query


class AccountAdapter(DefaultAccountAdapter):
    """The account adapter. The portal uses allauth's login pipeline but not its sign-up forms."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Returns False, because a user is created at the first sign-in."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Returns whether `url` is a path of this portal.

        A URL must begin with a slash, because Django's redirects read other strings as URL names. A
        longer one than LONGEST_URL is none: it would be stored in the session of a stranger.
        """
        request: HttpRequest = context.request
        if not url or len(url) > LONGEST_URL:
            return False
        return url.startswith("/") and url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Returns whether allauth must ask for a code again.

        Returns False shortly after this session set up an authenticator app, because the user has
        just typed its code.
        """
        if second_factor.was_set_up_just_now(context.request):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def get_client_ip(self, request: HttpRequest) -> str:
        """Returns the visitor's address; see foundations.visitor_address.

        Raises PermissionDenied if the request has none.
        """
        if visitor_address.came_past_the_proxies(request):
            return str(request.META["REMOTE_ADDR"])
        return str(super().get_client_ip(request))

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Returns the page for a user who may not sign in.

        It may be explicit, because only a reader of the mailbox reaches it.
        """
        sign_ins.refuse(user, "may not sign in")
        return render(request, "accounts/may_not_sign_in.html", status=403)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of second factors, so that a copy of the database reveals none."""

    def encrypt(self, text: str) -> str:
        """Returns `text` encrypted for the signed-in user, who is setting up a second factor.

        Raises PermissionDenied if no user is signed in, and EncryptionError without a master
        keyset.
        """
        user = context.request.user
        if not user.is_authenticated:
            raise PermissionDenied
        return encrypt_for(user.pk, text)

    def is_mfa_enabled(self, user: Any, types: Any = None) -> bool:
        """Returns whether allauth must ask `user` for a second factor of this portal.

        It need not while a request signs in with one that the company's provider asked for. The
        passkeys of a customer are a way to sign in, not a second factor.
        """
        if staff_entry.is_factor_given(context.request, user):
            return False
        if not user.is_staff:
            types = [Authenticator.Type.TOTP]
        return bool(super().is_mfa_enabled(user, types))

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002
        """Returns the name that the form of a new passkey suggests."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return gettext("Passkey %(number)s") % {"number": number}

    def decrypt(self, encrypted_text: str) -> str:
        """Returns the text that `encrypt` was given, for the user whose row has the ciphertext.

        Raises TinkError if it was encrypted for another user, and EncryptionError without a master
        keyset.
        """
        return decrypt_for(owner_of(encrypted_text), encrypted_text)
