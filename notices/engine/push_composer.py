"""Makes the push messages of a notice: encrypts its message for one browser after another."""

import logging

from tink import TinkError

from foundations.web_push import WebPushError
from notices.engine import audiences
from notices.engine.composer import COLUMNS, Composer, DueRow
from notices.engine.ledger import Lease, Transition
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import Delivery, Notice
from notices.models.push_subscription import decrypt_address

logger = logging.getLogger(__name__)
State = Delivery.State


def composer_of(notice: Notice) -> "Composer | PushComposer":
    """Returns the composer for the notice's channel."""
    return PushComposer(notice) if notice.channel == Notice.Channel.PUSH else Composer(notice)


class PushComposer:
    """The composer of push messages. A message is the same for all browsers of one language."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._payloads = {each.language: bytes(each.mime) for each in notice.messages.all()}
        self._users: dict[object, int] = {}  # the user by browser

    def rows(self, lease: Lease) -> list[DueRow]:
        """Returns the due rows of the lease's chunk. A row has an address if its browser and its
        user are still subscribed, or its browser is still one of the author's for a test.
        """
        due = list(Delivery.objects.of_chunk(lease.chunk).due().values_list(*COLUMNS))
        browsers = audiences.browsers(self._notice)
        found = {each.pk: each for each in browsers.filter(pk__in=[row[1] for row in due])}
        self._users |= {key: browser.user_id for key, browser in found.items()}
        return [
            DueRow._make((lease.chunk.pk, *row, bytes(address), (), "", False))
            for row in due
            for address in [found[row[1]].address if row[1] in found else b""]
        ]

    def message(self, row: DueRow) -> OutgoingMessage | Transition:
        """Returns the encrypted message, or the transition of a browser that gets none."""
        if not row.contact:
            return Transition(State.SUPPRESSED, LedgerMessages.UNSUBSCRIBED.stored())
        try:
            user_id = self._users[row.recipient]
            address = decrypt_address(row.contact, row.recipient, user_id)
            data = address.encrypt(self._payloads[row.language])
        except (TinkError, WebPushError) as error:
            logger.error("push subscription %s: %s", row.recipient, error)
            return Transition(State.UNREACHABLE, LedgerMessages.DOES_NOT_OPEN.stored())
        topic = f"notice-{self._notice.pk}"
        return OutgoingMessage(
            sender=topic, to=address.endpoint, data=data, delivery_id=row.delivery_id
        )
