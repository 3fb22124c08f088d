"""The re-encryption of the response team's second factors under the newest master key."""

import base64
from copy import deepcopy
from typing import Any

from allauth.mfa.models import Authenticator

from accounts.second_factor_secrets import BOUND_TO_USER, decrypt_for, encrypt_for
from foundations.keys import is_under_newest_master_key

# The keys of encrypted values: an app's secret, the recovery codes' seed, the binding of a passkey.
_ENCRYPTED_FIELDS = {"secret", "seed", BOUND_TO_USER}


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
        # Matches no row if its user has just changed or used it. The next run looks at it again.
        unchanged = Authenticator.objects.filter(pk=authenticator.pk, data=authenticator.data)
        unchanged.update(data=rewrapped)
        changed += 1
    return changed, found


def _rewrapped(authenticator: Authenticator) -> dict[str, Any]:
    rewrapped: dict[str, Any] = deepcopy(authenticator.data)
    user = authenticator.user_id
    for values in (rewrapped, rewrapped.get("credential", {})):
        for name in _ENCRYPTED_FIELDS & values.keys():
            if not is_under_newest_master_key(base64.b64decode(values[name])):
                values[name] = encrypt_for(user, decrypt_for(user, values[name]))
    return rewrapped
