from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who a person is: users, sign-in by code, step-up, verified e-mails and phones."""

    name = "accounts"
    verbose_name = _("Accounts")
