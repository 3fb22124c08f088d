"""Counts a notice's people by provider group. Addresses are encrypted, so that a large audience is
estimated from a sample: the primary keys of people are a PRF, and the first ones are random people.
"""

from collections import Counter
from collections.abc import Iterator

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

    `people` is the size of an audience that is larger than the sample; None: it is not known, and
    the sample is returned.
    """
    found = Counter(group_of(destination_of(address)) for address in _addresses(notice))
    sampled = sum(found.values())
    scale = people / sampled if people and sampled >= SAMPLE else 1
    return {group: round(number * scale) for group, number in found.most_common()}


def _addresses(notice: Notice) -> Iterator[str]:
    if not notice.is_mandatory:
        subscribers = audiences.subscribers(notice).order_by("pk")
        yield from subscribers.values_list("user__email", flat=True)[:SAMPLE]
        return
    reachable = audiences.people(notice).filter(email_reach=AffectedPerson.Reach.USABLE)
    decryptor = BulkDecryptor(*notice.incident.keysets())
    for key, contact in reachable.order_by("pk").values_list("pk", "contact")[:SAMPLE]:
        try:
            yield decryptor.decrypt(bytes(contact), person=key, purpose=CONTACT).get("e", "@")
        except EncryptionError:
            continue
