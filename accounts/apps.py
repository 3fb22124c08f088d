from allauth.mfa import apps as mfa
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who a person is: users, sign-in by code, step-up, verified e-mails and phones."""

    name = "accounts"
    verbose_name = _("Accounts")


class SecondFactorConfig(mfa.MFAConfig):
    """The library's own, under names that the desk can translate."""

    default = False  # of this package, AccountsConfig is
    verbose_name = _("Second factor")

    def ready(self) -> None:
        super().ready()
        names = self.get_model("authenticator")._meta
        names.verbose_name = _("second factor")
        names.verbose_name_plural = _("second factors")
