"""Pages that exist in demo mode only: all mails, and the second factors of the staff."""

import time

from allauth.mfa.models import Authenticator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.second_factor_secrets import decrypt_for
from breachportal.demo import app_codes, maildir


def mailbox(request: HttpRequest) -> HttpResponse:
    """Lists the newest mails, of all recipients or of the address in `?to=`."""
    address = request.GET.get("to", "")
    return render(
        request, "demo/mailbox.html", {"address": address, "mails": maildir.newest(address)}
    )


def mail(request: HttpRequest, name: str) -> HttpResponse:
    """Shows one mail as plain text, with its headers."""
    stored = _stored_or_404(name)
    message = stored.message()
    context = {"mail": stored, "message": message, "headers": message.items()}
    return render(request, "demo/mail.html", context | {"text": stored.part("plain")})


def mail_html(_request: HttpRequest, name: str) -> HttpResponse:
    """Returns the HTML part of a mail without scripts and network access, as mail programs do."""
    policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    html = _stored_or_404(name).part("html")
    return HttpResponse(html, headers={"Content-Security-Policy": policy})


def authenticator(request: HttpRequest) -> HttpResponse:
    """Shows the current codes of the authenticator apps of the response team."""
    now = time.time()
    factors = Authenticator.objects.filter(type=Authenticator.Type.TOTP, user__is_staff=True)
    codes = [
        {
            "email": factor.user.email,
            "code": app_codes.code_at(decrypt_for(factor.user_id, factor.data["secret"]), now),
        }
        for factor in factors.select_related("user").order_by("user__email")
    ]
    left = app_codes.PERIOD_SECONDS - int(now) % app_codes.PERIOD_SECONDS
    return render(request, "demo/authenticator.html", {"codes": codes, "seconds_left": left})


def _stored_or_404(name: str) -> maildir.StoredMail:
    stored = maildir.find(name)
    if stored is None:
        raise Http404
    return stored
