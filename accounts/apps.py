from allauth.mfa import apps as mfa
from allauth.usersessions import apps as usersessions
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users and their identity: sign-in by code, step-up, verified addresses and phones."""

    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        # Imported here, because it imports models, which must be loaded first.
        from accounts.audit import sign_ins

        sign_ins.connect()


class SecondFactorConfig(mfa.MFAConfig):
    """The app of allauth.mfa, with names that the desk can translate."""

    default = False  # AccountsConfig is the default config of this package
    verbose_name = _("Second factor")

    def ready(self) -> None:
        super().ready()
        names = self.get_model("authenticator")._meta
        names.verbose_name = _("second factor")
        names.verbose_name_plural = _("second factors")


class SessionListConfig(usersessions.UserSessionsConfig):
    """The app of allauth.usersessions; a sign-in is recorded by `session_list`."""

    default = False

    def ready(self) -> None:
        super().ready()
        from accounts import session_list  # imports models, which must be loaded first

        session_list.connect()
