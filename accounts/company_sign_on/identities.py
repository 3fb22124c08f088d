"""The accounts at the company's provider that open accounts of the response team."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import DueMail, may_be_tried


class CompanyIdentityQuerySet(models.QuerySet["CompanyIdentity"]):
    """Company accounts by state."""

    def connected(self) -> "CompanyIdentityQuerySet":
        """Returns the company accounts that open an account of the team."""
        return self.filter(removed_at=None)

    def barred(self) -> "CompanyIdentityQuerySet":
        """Returns the removed connections that may not be made again."""
        return self.filter(removed_at__isnull=False, allowed_at=None)

    def to_mail(self) -> "CompanyIdentityQuerySet":
        """Returns the rows about whose newest change the member got no mail yet."""
        return self.filter(may_be_tried(), mailed_at=None, user__email__isnull=False)


class CompanyIdentity(DueMail):
    """The record that an account at a provider opens an account of the response team, or did.

    The issuer and the subject name it, which never change at the provider. The address is not
    here: it can pass to another person. Customers have no such record.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.PROTECT,  # accounts of the team are never deleted
        related_name="company_identities",
    )
    issuer = models.CharField(_("provider"), max_length=500)
    subject = models.CharField(_("account at the provider"), max_length=255)
    bound_at = models.DateTimeField(_("connected"), auto_now_add=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("removed by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
    )
    removed_at = models.DateTimeField(_("removed"), null=True)
    allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("allowed again by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
    )
    allowed_at = models.DateTimeField(_("allowed again"), null=True)
    mailed_at = models.DateTimeField(_("mail to the member"), null=True)

    objects = CompanyIdentityQuerySet.as_manager()

    class Meta:
        verbose_name = _("company account")
        verbose_name_plural = _("company accounts")
        default_permissions = ("view",)
        ordering = ["-bound_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"],
                condition=models.Q(removed_at=None),
                name="company_identity_opens_one_account",
            ),
            models.UniqueConstraint(
                fields=["issuer", "user"],
                condition=models.Q(removed_at=None),
                name="one_company_identity_of_an_account",
            ),
            models.CheckConstraint(
                condition=models.Q(removed_at=None, removed_by=None)
                | models.Q(removed_at__isnull=False, removed_by__isnull=False),
                name="company_identity_removed_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(allowed_at=None, allowed_by=None)
                | models.Q(
                    allowed_at__isnull=False, allowed_by__isnull=False, removed_at__isnull=False
                ),
                name="company_identity_allowed_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.issuer}"
