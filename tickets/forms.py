"""The forms of tickets that customers fill in; desk_forms has those of support."""

from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext

from accounts.models import User
from foundations.languages import default_language
from incidents.models import Incident
from tickets import correspondence
from tickets.answer_periods import AnswerPromise, promise_for
from tickets.correspondence import TooManyTicketsError
from tickets.models import Ticket, TicketMessage

MOST_CHARACTERS = 4_000
# The kinds of a ticket in a customer's words.
PLAIN_KINDS = [
    (Ticket.Kind.QUESTION, gettext_lazy("I have a question")),
    (Ticket.Kind.ACCESS, gettext_lazy("Show me which data you have about me (access)")),
    (Ticket.Kind.RECTIFICATION, gettext_lazy("Correct my data (correction)")),
    (Ticket.Kind.ERASURE, gettext_lazy("Delete my data (deletion)")),
    (Ticket.Kind.OBJECTION, gettext_lazy("Stop using my data (objection)")),
    (Ticket.Kind.COMPLAINT, gettext_lazy("I want to complain")),
]
# What the form begins with for a customer whose claim was refused (incidents.address_claims).
CLAIM = {
    "kind": Ticket.Kind.ACCESS,
    "text": gettext_lazy(
        "I no longer have the address or number under which you know me. I have a message of yours "
        "with a code. Please tell me how I can show that the data is mine."
    ),
}
TOO_LONG = gettext_lazy("Write at most %(limit_value)s characters; these are %(show_value)s.")


class PlainTextField(forms.CharField):
    """A text of several lines. A line end counts as one character, however the browser sends it."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        attrs = {"rows": rows, "dir": "auto", "autocomplete": "off"}
        kwargs.setdefault("widget", forms.Textarea(attrs=attrs))
        kwargs.setdefault("max_length", MOST_CHARACTERS)
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> str:
        """Returns the text with line ends of one character, without outer spaces."""
        text = super().to_python(value)
        return str(text).replace("\r\n", "\n").replace("\r", "\n")


class _KeyedForm(forms.Form):
    """A form that does its work once, also if it is sent twice: by the key in it."""

    key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("key", uuid4())

    def clean_key(self) -> UUID:
        """Returns the key; a new one if the browser sent none, or that of another message."""
        key: UUID | None = self.cleaned_data["key"]
        return key if key and not self._is_of_another(key) else uuid4()

    def refuse_for(self, wait_seconds: int) -> None:
        """Adds the error that the customer wrote too often. What was typed stays in the form."""
        minutes = -(-wait_seconds // 60)
        text = ngettext(
            "You have written often. Your text is still here: send it in %(n)s minute.",
            "You have written often. Your text is still here: send it in %(n)s minutes.",
            minutes,
        )
        self.add_error(None, text % {"n": minutes})

    def _is_of_another(self, key: UUID) -> bool:
        raise NotImplementedError


class AskForm(_KeyedForm):
    """A customer's question, request or complaint about one incident."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What do you want?"),
        choices=PLAIN_KINDS,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what you want.")},
    )
    text = PlainTextField(
        label=gettext_lazy("What should the company know?"),
        help_text=gettext_lazy(
            "Do not write passwords, card numbers or codes. At most 4,000 characters."
        ),
        rows=8,
        error_messages={
            "required": gettext_lazy("Write what you want to ask or say."),
            "max_length": TOO_LONG,
        },
    )

    def __init__(self, *args: Any, user: User, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.incident = user, incident

    def promises(self) -> list[tuple[list[str], AnswerPromise]]:
        """Returns the kinds with the same law, and until when each is answered."""
        found: dict[tuple[Any, ...], tuple[list[str], AnswerPromise]] = {}
        for kind in Ticket.Kind:
            promise = promise_for(self.incident, kind, timezone.now())
            same = (promise.due_on, *promise.periods)
            found.setdefault(same, ([], promise))[0].append(str(kind.label))
        return sorted(found.values(), key=lambda one: not one[1].periods)

    def save(self) -> Ticket | None:
        """Opens the ticket. Returns None, with an error in the form, if too many wait."""
        data = self.cleaned_data
        try:
            return correspondence.ask(
                self.user,
                self.incident,
                kind=data["kind"],
                text=data["text"],
                language=get_language() or default_language(),
                key=data["key"],
            )
        except TooManyTicketsError:
            most = settings.TICKETS_WAITING
            text = ngettext(
                "%(n)s question of yours waits for an answer. Add to it, or wait for its answer.",
                "%(n)s questions of yours wait for an answer. Add to one of them, or wait for an "
                "answer.",
                most,
            )
            self.add_error(None, text % {"n": most})
            return None

    def _is_of_another(self, key: UUID) -> bool:
        return TicketMessage.objects.filter(pk=key).exclude(ticket__user=self.user).exists()


class WriteAgainForm(_KeyedForm):
    """A customer's further message in a ticket."""

    text = PlainTextField(
        label=gettext_lazy("Write again"),
        help_text=gettext_lazy(
            "Do not write passwords, card numbers or codes. At most 4,000 characters."
        ),
        rows=6,
        error_messages={
            "required": gettext_lazy("Write what you want to ask or say."),
            "max_length": TOO_LONG,
        },
    )

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket = ticket

    def save(self) -> None:
        """Adds the message to the ticket."""
        data = self.cleaned_data
        correspondence.write_again(self.ticket, text=data["text"], key=data["key"])

    def _is_of_another(self, key: UUID) -> bool:
        return TicketMessage.objects.filter(pk=key).exclude(ticket=self.ticket).exists()
