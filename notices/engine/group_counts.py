"""Counts a notice's people by provider group. Addresses are encrypted, so that a large audience is
estimated from a sample: the primary keys of people are a PRF, and the first ones are random people.
"""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

from incidents.bulk_encryption import BulkDecryptor
from incidents.encryption import CONTACT, EncryptionError
from incidents.models import AffectedPerson
from notices.destinations import destination_of
from notices.engine import audiences
from notices.models import Notice
from notices.provider_groups import group_of

SAMPLE = 5_000  # people; a group of 10 % is then known to about one part in 25


def count_groups(notice: Notice, *, people: int | None) -> dict[str, int]:
    """Returns the number of people of an e-mail notice by group, the largest group first.

    `people` is the size of the audience; a large one is estimated. None: the size is not known, and
    the groups of at most SAMPLE people are returned.
    """
    share = min(2 * SAMPLE / people, 1.0) if people else 1.0
    found = Counter(group_of(destination_of(address)) for address in _addresses(notice, share))
    sampled = sum(found.values())
    scale = people / sampled if people and sampled and (share < 1 or sampled == SAMPLE) else 1
    return {group: round(number * scale) for group, number in found.most_common()}


def _addresses(notice: Notice, share: float) -> Iterator[str]:
    """Yields at most SAMPLE addresses of people whose keys are in the first `share` of all keys.
    The range keeps the query small.
    """
    if not notice.is_mandatory:
        subscribers = audiences.subscribers(notice).filter(user__email__isnull=False)
        for email in subscribers.order_by("pk").values_list("user__email", flat=True)[:SAMPLE]:
            yield email or "@"
        return
    keys = audiences.ALL_KEYS
    if share < 1:
        keys = keys._replace(last=UUID(int=int(keys.last.int * share)))
    reachable = audiences.people(notice, keys).filter(email_reach=AffectedPerson.Reach.USABLE)
    decryptor = BulkDecryptor(*notice.incident.keysets())
    for key, contact in reachable.order_by("pk").values_list("pk", "contact")[:SAMPLE]:
        try:
            yield decryptor.decrypt(bytes(contact), person=key, purpose=CONTACT).get("e", "@")
        except EncryptionError:
            continue
