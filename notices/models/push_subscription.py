"""Push subscriptions: the browsers to which a user's alerts are pushed, too."""

import uuid
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from foundations.keys import master_keyset
from foundations.web_push import PushAddress
from notices.models.subscription import AlertSubscription


class PushSubscriptionQuerySet(models.QuerySet["PushSubscription"]):
    """Push subscriptions by the alerts that they get."""

    def of_topic(self, incident_id: int, topic: str) -> "PushSubscriptionQuerySet":
        """Selects the browsers of active users who subscribe to the topic's alerts now."""
        subscribed = AlertSubscription.objects.live().filter(
            user=OuterRef("user"), incident=incident_id, topic=topic
        )
        return self.filter(Exists(subscribed), user__is_active=True)


class PushSubscription(models.Model):
    """One browser of a user. Which alerts it gets is in the user's alert subscriptions.

    The row is deleted when the user or the push service ends it, and with the account. The address
    is encrypted under the master keyset, because it shows which service and browser a person uses.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="push_subscriptions"
    )
    # A keyed hash of the endpoint: a browser has one row.
    endpoint_index = models.UUIDField(unique=True, editable=False)
    address = models.BinaryField(editable=False)  # ciphertext of a PushAddress
    subscribed_at = models.DateTimeField(_("subscribed"), auto_now_add=True)

    objects = PushSubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("push subscription")
        verbose_name_plural = _("push subscriptions")

    def __str__(self) -> str:
        return str(self.pk)

    def encrypt_address(self, address: PushAddress) -> None:
        """Encrypts `address` into this row. Raises EncryptionError without a master keyset."""
        self.address = encrypt_for(self.pk, self.user_id, address.as_json())

    def decrypt_address(self) -> PushAddress:
        """Returns the address. Raises TinkError if the ciphertext is that of another row."""
        return decrypt_address(bytes(self.address), self.pk, self.user_id)


def encrypt_for(key: uuid.UUID, user_id: int, text: bytes) -> bytes:
    """Returns `text` encrypted for one push subscription of a user."""
    return bytes(master_keyset().encrypt(text, _bound_to(key, user_id)))


def decrypt_for(key: uuid.UUID, user_id: int, ciphertext: bytes) -> bytes:
    """Returns the text that was encrypted for this row. Raises TinkError for any other."""
    return bytes(master_keyset().decrypt(ciphertext, _bound_to(key, user_id)))


def decrypt_address(ciphertext: bytes, key: uuid.UUID, user_id: int) -> PushAddress:
    """Returns the address of a row. Raises TinkError."""
    return PushAddress.from_json(decrypt_for(key, user_id, ciphertext))


def _bound_to(key: uuid.UUID, user_id: Any) -> bytes:
    return f"push subscription {key} of user {user_id}".encode()
