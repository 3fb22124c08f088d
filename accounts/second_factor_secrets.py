"""The encryption of the secrets of second factors: an app's secret, the recovery codes' seed.

The primary key of the user is the associated data. A secret that is copied to the row of another
user is therefore not accepted there: a person who can write to the database could otherwise give a
known secret to any member of the response team.
"""

import base64

from allauth.mfa.models import Authenticator
from django.db.models import Q

from foundations.keys import master_keyset

# The key, in the credential of a passkey, of the text that binds it to its user.
BOUND_TO_USER = "bound_to_user"


def encrypt_for(user_pk: int, text: str) -> str:
    """Returns `text` encrypted for this user with the master keyset, in base64.

    Raises EncryptionError without a master keyset.
    """
    ciphertext = master_keyset().encrypt(text.encode(), _bound_to(user_pk))
    return base64.b64encode(ciphertext).decode()


def decrypt_for(user_pk: int, encrypted_text: str) -> str:
    """Returns the text that was encrypted for this user.

    Raises TinkError if it was encrypted for another user or under another keyset, and
    EncryptionError without a master keyset.
    """
    ciphertext = base64.b64decode(encrypted_text)
    return bytes(master_keyset().decrypt(ciphertext, _bound_to(user_pk))).decode()


def owner_of(encrypted_text: str) -> int:
    """Returns the primary key of the user whose row has this ciphertext.

    Ciphertexts are unique. Raises Authenticator.DoesNotExist if no row has it, and
    Authenticator.MultipleObjectsReturned if it was copied.
    """
    has_it = Q(data__secret=encrypted_text) | Q(data__seed=encrypted_text)
    return int(Authenticator.objects.filter(has_it).values_list("user_id", flat=True).get())


def _bound_to(user_pk: int) -> bytes:
    return f"second factor of user {user_pk}".encode()
