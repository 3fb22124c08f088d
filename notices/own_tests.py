"""Decides whether a draft is a test that goes only to the person who made it.

Such a test needs no second person: it tells no affected person anything.
"""

from allauth.account.models import EmailAddress

from accounts.models import User, VerifiedPhone
from incidents.encryption import TEST_ADDRESS, EncryptionError
from notices.models import Notice


def is_own_test(notice: Notice, by: User) -> bool:
    """Returns whether `by` made the test and verified each of its addresses or numbers.

    A test by push message goes to the browsers of the person who made it, and to no others.
    """
    if not notice.is_test or notice.created_by_id != by.pk:
        return False
    if notice.channel == Notice.Channel.PUSH:
        return True
    part = "p" if notice.channel == Notice.Channel.SMS else "e"
    try:
        cipher = notice.incident.cipher()
        typed = {
            cipher.decrypt(row.contact, person=row.pk, purpose=TEST_ADDRESS).get(part)
            for row in notice.test_addresses.all()
        }
    except EncryptionError:
        return False
    return bool(typed) and typed <= verified(by, part)


def verified(user: User, part: str) -> set[str]:
    """Returns the user's verified numbers ("p"), or e-mail addresses ("e")."""
    if part == "p":
        return set(VerifiedPhone.objects.filter(user=user).values_list("number", flat=True))
    addresses = EmailAddress.objects.filter(user=user, verified=True)
    return set(addresses.values_list("email", flat=True))
