"""The subscriptions of browsers to push messages: adding, ending, and encrypting them again."""

from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import User
from foundations.keys import is_under_newest_master_key
from foundations.web_push import PushAddress
from notices.models import Chunk, Delivery, PushSubscription
from notices.models.push_subscription import decrypt_for, encrypt_for

MOST_BROWSERS = 10  # of one user; the oldest ends
GONE = (404, 410)  # RFC 8030, 7.3: the push service ended the subscription


def add_browser(user: User, address: PushAddress) -> PushSubscription:
    """Adds a browser of `user`, or replaces its row. Raises WebPushError for an unusable address.

    A browser that another user subscribed before is theirs no more, because several people may use
    it one after another.
    """
    address.check(settings.WEB_PUSH_HOSTS)
    index = _index(address.endpoint)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # serialises two browsers
        _lock(index)
        PushSubscription.objects.filter(endpoint_index=index).delete()
        added = PushSubscription(user=user, endpoint_index=index)
        added.encrypt_address(address)
        added.save(force_insert=True)
        newest = user.push_subscriptions.order_by("-subscribed_at")[:MOST_BROWSERS]
        user.push_subscriptions.exclude(pk__in=list(newest.values_list("pk", flat=True))).delete()
    return added


def renew_browser(address: PushAddress, *, old_endpoint: str, old_auth: str) -> bool:
    """Replaces the address of a browser whose push service gave it another one.

    The secret `old_auth` of the earlier address, which only the browser and this portal know, is
    the proof. Returns False without it, and for an endpoint that is not known. The row keeps its
    key, so that a push alert on its way reaches the browser. Raises WebPushError for an unusable
    address.
    """
    address.check(settings.WEB_PUSH_HOSTS)
    with transaction.atomic():
        rows = PushSubscription.objects.select_for_update()
        row = rows.filter(endpoint_index=_index(old_endpoint)).first()
        if row is None or not constant_time_compare(row.decrypt_address().auth, old_auth):
            return False
        index = _index(address.endpoint)
        _lock(index)
        PushSubscription.objects.filter(endpoint_index=index).exclude(pk=row.pk).delete()
        row.endpoint_index = index
        row.encrypt_address(address)
        row.save(update_fields=["endpoint_index", "address"])
    return True


def end_browser(user: User, key: UUID) -> bool:
    """Ends the subscription of one browser of `user`. Returns False if it had ended before."""
    deleted, _by_model = user.push_subscriptions.filter(pk=key).delete()
    return bool(deleted)


def end_gone(chunk: Chunk) -> None:
    """Deletes the subscriptions of a chunk that the push service does not know any more."""
    replies = [str(status) for status in GONE]
    unreachable = Delivery.objects.of_chunk(chunk).filter(state=Delivery.State.UNREACHABLE)
    gone = unreachable.filter(reply__in=replies)
    PushSubscription.objects.filter(pk__in=gone.values("recipient")).delete()


def rewrap_push_subscriptions() -> tuple[int, int]:
    """Encrypts all addresses under the newest master key; returns (rows changed, rows found).

    A second run changes nothing. Raises EncryptionError without a master keyset, and TinkError if
    no key of the keyset decrypts an address.
    """
    changed = found = 0
    rows = PushSubscription.objects.order_by("pk").values_list("pk", "user_id", "address")
    for key, user_id, address in rows.iterator():
        found += 1
        ciphertext = bytes(address)
        if is_under_newest_master_key(ciphertext):
            continue
        again = encrypt_for(key, user_id, decrypt_for(key, user_id, ciphertext))
        changed += PushSubscription.objects.filter(pk=key, address=ciphertext).update(address=again)
    return changed, found


def _lock(index: UUID) -> None:
    """Serialises two users who add one browser, until the transaction ends."""
    with connection.cursor() as cursor:
        key = f"notices.browsers:{index}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def _index(endpoint: str) -> UUID:
    mac = salted_hmac("notices.browsers", endpoint, algorithm="sha256").digest()
    return UUID(bytes=mac[:16])
