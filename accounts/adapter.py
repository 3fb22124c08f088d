"""What allauth asks of us."""

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from accounts import second_factor
from foundations.keys import master_keyset


class AccountAdapter(DefaultAccountAdapter):
    """Nobody signs up through allauth's own forms; its login pipeline and second factor we use."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never: an account begins with a sign-in."""
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Only paths of this portal. Anything else Django would take for a page's name."""
        request: HttpRequest = context.request
        return (url or "").startswith("/") and url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Not for an authenticator app that this session has just set up: its code was typed."""
        if second_factor.was_set_up_just_now(context.request):
            return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:  # noqa: ARG002
        """Only the reader of the mailbox gets this far, so it may be said plainly."""
        return render(request, "accounts/may_not_sign_in.html", status=403)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of authenticator apps sealed: a copy of the database opens no desk."""

    def encrypt(self, text: str) -> str:
        """Under the master keyset."""
        return base64.b64encode(master_keyset().encrypt(text.encode(), b"second factor")).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What `encrypt` was given."""
        ciphertext = base64.b64decode(encrypted_text)
        return bytes(master_keyset().decrypt(ciphertext, b"second factor")).decode()
