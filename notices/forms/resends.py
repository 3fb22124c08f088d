"""The desk's form to have a message sent again."""

from typing import Any

from django.utils.translation import gettext_lazy

from accounts.desk_look_ups import LookUpReasonForm
from accounts.models import User
from notices import resends
from notices.ledger_messages import LedgerMessages, translate_ledger_message
from notices.models import Delivery


class ResendForm(LookUpReasonForm):
    """The reason why a message is sent again. `objection` says why it cannot be, or is "";
    `is_suppressed` is whether an entry of the suppression list is why.
    """

    def __init__(self, *args: Any, delivery: Delivery, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = gettext_lazy("Reason to send it again")
        self.delivery, self.by = delivery, by
        why = resends.objection(delivery, by=by)
        self.objection = translate_ledger_message(why)
        self.is_suppressed = why.startswith(LedgerMessages.HELD_BACK.stored(source_words=""))

    def act(self) -> bool:
        """Has the message sent again. Returns False, with an error in the form, if refused."""
        if not self.is_valid():
            return False
        try:
            resends.ask(self.delivery, by=self.by, reason=self.cleaned_data["reason"])
        except resends.ResendRefusedError as refused:
            self.add_error(None, translate_ledger_message(str(refused)))
            return False
        return True
