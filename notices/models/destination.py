"""Destinations: the mail providers and domains that a notice goes to, and how they take it."""

from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice

SMS = "SMS"  # the destination of all text messages
# Domains of one provider are one destination. Every other domain is a destination of its own.
_PROVIDERS = {
    "naver.com": ("naver.com",),
    "kakao.com": ("daum.net", "hanmail.net", "kakao.com"),
    "nate.com": ("nate.com", "empas.com"),
    "gmail.com": ("gmail.com", "googlemail.com"),
    "icloud.com": ("icloud.com", "me.com", "mac.com"),
    "outlook.com": (
        "outlook.com",
        "outlook.kr",
        "hotmail.com",
        "live.com",
        "live.co.kr",
        "msn.com",
    ),
    "yahoo.com": ("yahoo.com", "yahoo.co.jp", "ymail.com", "aol.com"),
}
PROVIDER_OF_DOMAIN = {
    domain: provider for provider, domains in _PROVIDERS.items() for domain in domains
}


def domain_of(address: str) -> str:
    """Returns the domain of an e-mail address, or the host of a push service's https URL; "" for a
    telephone number.
    """
    if address.startswith("https://"):
        return (urlsplit(address).hostname or "").lower()
    return address.rpartition("@")[2].lower() if "@" in address else ""


def destination_of(address: str) -> str:
    """Returns the name of the destination of an e-mail address: the provider's first domain, or the
    address's own; SMS for a telephone number; the host of a push service.
    """
    domain = domain_of(address) or SMS
    return PROVIDER_OF_DOMAIN.get(domain, domain)


class Destination(models.Model):
    """The counts of one notice's messages to one destination, and whether the send to it is
    stopped.

    The counts are for the automatic pause (engine/guards.py) and not for the proof: acceptances are
    added from time to time, and a worker that dies loses some. `refused` counts people, each once.
    """

    class StoppedFor(models.TextChoices):
        """The reason of an automatic stop."""

        BOUNCES = "bounces", _("too many messages bounced")
        REFUSED = "refused", _("it refuses us, not the recipients")
        COMPLAINTS = "complaints", _("too many people called the message spam")

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="destinations"
    )
    name = models.CharField(_("destination"), max_length=255)
    accepted = models.BigIntegerField(db_default=0)
    bounced = models.BigIntegerField(db_default=0)
    refused = models.BigIntegerField(db_default=0)
    complaints = models.BigIntegerField(db_default=0)
    # The counts when a person last let it go on. Only later ones can stop it again.
    watched_accepted = models.BigIntegerField(db_default=0)
    watched_bounced = models.BigIntegerField(db_default=0)
    watched_refused = models.BigIntegerField(db_default=0)
    watched_complaints = models.BigIntegerField(db_default=0)
    stopped_at = models.DateTimeField(_("stopped"), null=True)
    stopped_for = models.CharField(
        _("reason"), max_length=10, choices=StoppedFor.choices, db_default=""
    )
    reply = models.CharField(_("the server's reply"), max_length=500, db_default="")

    class Meta:
        verbose_name = _("destination")
        verbose_name_plural = _("destinations")
        constraints = [
            models.UniqueConstraint(fields=["notice", "name"], name="one_destination_a_notice")
        ]
        indexes = [
            # read in each turn of a worker
            models.Index(
                fields=["notice"],
                condition=Q(stopped_at__isnull=False),
                name="stopped_destinations",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.name}"
