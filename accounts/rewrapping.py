"""Seals the response team's second factors again, under the newest master key."""

import base64
from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator

from foundations.keys import is_under_newest_master_key

# Where allauth keeps what it had sealed: an app's secret, the seed of recovery codes.
_ENCRYPTED_FIELDS = ("secret", "seed")


def rewrap_second_factors() -> tuple[int, int]:
    """How many were sealed again, and how many there are. Running it twice does no harm.

    Raises SealingError, and TinkError where a secret was sealed by no key there is.
    """
    changed = found = 0
    for authenticator in Authenticator.objects.order_by("pk"):
        found += 1
        again = _rewrapped(authenticator.data)
        if again == authenticator.data:
            continue
        # Unless its owner changed it in this moment: then it is sealed by the newest key.
        unchanged = Authenticator.objects.filter(pk=authenticator.pk, data=authenticator.data)
        changed += unchanged.update(data=again)
    return changed, found


def _rewrapped(data: dict[str, Any]) -> dict[str, Any]:
    again = dict(data)
    for name in _ENCRYPTED_FIELDS:
        ciphertext = data.get(name)
        if ciphertext and not is_under_newest_master_key(base64.b64decode(ciphertext)):
            again[name] = get_adapter().encrypt(get_adapter().decrypt(ciphertext))
    return again
