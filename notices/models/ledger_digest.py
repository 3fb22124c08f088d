"""The digest of a closed notice's ledger, and the digests of its pages."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice


class LedgerDigestPage(models.Model):
    """A few thousand rows of a closed notice's ledger, in the order of their keys, and their hash.

    A page is small enough to locate a change, and the pages are few enough to be read at once.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="ledger_pages")
    number = models.PositiveIntegerField()
    first = models.UUIDField()
    last = models.UUIDField()
    rows = models.PositiveIntegerField()
    # {state: number of rows}
    states = models.JSONField()
    digest = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("page of a ledger")
        verbose_name_plural = _("pages of a ledger")
        constraints = [
            models.UniqueConstraint(fields=["notice", "number"], name="ledger_page_once")
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.number}"


class LedgerDigest(models.Model):
    """The record of a closed notice's ledger: a hash over its pages, chained to the digest before.

    `mac` is keyed, so a writer of the database alone cannot make the digest of another ledger.
    """

    notice = models.OneToOneField(Notice, on_delete=models.PROTECT, related_name="digest")
    rows = models.PositiveBigIntegerField(_("rows"))
    previous = models.CharField(max_length=64, blank=True)
    digest = models.CharField("SHA-256", max_length=64)
    mac = models.CharField(max_length=64)
    digested_at = models.DateTimeField(_("sealed"), auto_now_add=True)

    class Meta:
        verbose_name = _("sealed ledger")
        verbose_name_plural = _("sealed ledgers")

    def __str__(self) -> str:
        return f"{self.notice_id} {self.digest[:12]}"
