"""The re-encryption of the response team's second factors under the newest master key."""

import base64
from typing import Any

from allauth.mfa.models import Authenticator

from accounts.second_factor_secrets import decrypt_for, encrypt_for
from foundations.keys import is_under_newest_master_key

# The keys under which allauth stores encrypted values: an app's secret, the recovery codes' seed.
_ENCRYPTED_FIELDS = ("secret", "seed")


def rewrap_second_factors() -> tuple[int, int]:
    """Encrypts all second factors under the newest master key.

    Returns the number of rows that were encrypted again, and the number of all rows. A second run
    changes nothing. Raises EncryptionError without a master keyset, and TinkError if no key of the
    keyset decrypts a secret.
    """
    changed = found = 0
    for authenticator in Authenticator.objects.order_by("pk"):
        found += 1
        rewrapped = _rewrapped(authenticator)
        if rewrapped == authenticator.data:
            continue
        # Matches no row if the user has just changed it. It is under the newest key then.
        unchanged = Authenticator.objects.filter(pk=authenticator.pk, data=authenticator.data)
        changed += unchanged.update(data=rewrapped)
    return changed, found


def _rewrapped(authenticator: Authenticator) -> dict[str, Any]:
    rewrapped, user = dict(authenticator.data), authenticator.user_id
    for name in _ENCRYPTED_FIELDS:
        ciphertext = rewrapped.get(name)
        if ciphertext and not is_under_newest_master_key(base64.b64decode(ciphertext)):
            rewrapped[name] = encrypt_for(user, decrypt_for(user, ciphertext))
    return rewrapped
