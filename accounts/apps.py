from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Who a person is: users, sign-in by code, step-up, verified e-mails and phones."""

    name = "accounts"
