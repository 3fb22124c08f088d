"""Member numbers that the customers' provider confirmed at a sign-in.

A number belongs to the address that the provider confirmed with it, and so to the account that has
the address. See docs/decisions/0073.
"""

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import models, transaction

MOST_CHARACTERS = 100


class MemberNumber(models.Model):
    """The member number of the person with an address. It counts while the user has the address."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="member_numbers"
    )
    email = models.EmailField(unique=True)
    issuer = models.CharField(max_length=500)
    number = models.CharField(max_length=MOST_CHARACTERS)
    confirmed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "number"], name="member_number_of_one_address"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)


def keep(user_id: int, email: str, issuer: str, number: str) -> None:
    """Stores the number that the provider confirmed together with the user's address `email`.

    The newest confirmation counts: the number leaves another address, and an earlier number this
    one. Without a number ("") the address has none from now on.
    """
    with transaction.atomic():
        kept = {"user_id": user_id, "email": email, "issuer": issuer, "number": number}
        if number and MemberNumber.objects.filter(**kept).exists():
            return
        earlier = models.Q(email=email) | models.Q(issuer=issuer, number=number)
        MemberNumber.objects.filter(earlier).delete()
        if number:  # of two sign-ins at the same moment the first stays
            MemberNumber.objects.bulk_create([MemberNumber(**kept)], ignore_conflicts=True)


def issuer_that_counts() -> str:
    """Returns the issuer of the settings whose numbers count; "" if they name no claim for them."""
    provider = settings.COMPANY_SIGN_ON.get("customers") or {}
    return str(provider["issuer"]) if provider.get("member_claim") else ""


def numbers_of(user_id: int, *, email: str = "") -> list[str]:
    """Returns the member numbers of a user that the provider of the settings confirmed.

    With `email` only the number that it confirmed with this address of the user. Makes no query if
    the settings name no claim with the number.
    """
    issuer = issuer_that_counts()
    if not issuer:
        return []
    addresses = EmailAddress.objects.filter(user=user_id, verified=True).values("email")
    addresses = addresses.filter(email=email) if email else addresses
    own = MemberNumber.objects.filter(user=user_id, email__in=addresses)
    return list(own.filter(issuer=issuer).values_list("number", flat=True))
