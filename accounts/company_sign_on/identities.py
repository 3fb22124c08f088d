"""The accounts at the company's provider that open accounts of the response team."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CompanyIdentity(models.Model):
    """The record that an account at a provider opens an account of the response team.

    The issuer and the subject name it, which never change at the provider. The address is not
    here: it can pass to another person. Customers have no such record.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="company_identities",
    )
    issuer = models.CharField(_("provider"), max_length=500)
    subject = models.CharField(_("account at the provider"), max_length=255)
    bound_at = models.DateTimeField(_("connected"), auto_now_add=True)

    class Meta:
        verbose_name = _("company account")
        verbose_name_plural = _("company accounts")
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="company_identity_opens_one_account"
            ),
            models.UniqueConstraint(
                fields=["issuer", "user"], name="one_company_identity_of_an_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.issuer}"
