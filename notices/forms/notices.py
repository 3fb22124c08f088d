"""The desk's forms for notices: to draft, approve and cancel one, to decide doubts, to look up."""

import uuid
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.desk_look_ups import LookUpReasonForm, typed_field
from accounts.models import User, VerifiedPhone
from incidents.desk_look_ups import UnreadableInputError, people_of
from incidents.encryption import TEST_ADDRESS, EncryptionError
from notices import decisions, message_codes, message_templates
from notices.engine import sending_plans
from notices.ledger_messages import translate_ledger_message
from notices.models import AlertSubscription, Delivery, Notice, TestAddress
from statements.forms.duties import MomentInput

MOST_TEST_ADDRESSES = 100
LONGEST_WAIT = timedelta(days=14)  # from the draft to the start of its sending
DECIDED_MEANWHILE = gettext_lazy(
    "Nothing was done: somebody decided about these messages meanwhile."
)


def plan_choices() -> list[tuple[str, str]]:
    """Returns the choices of sending plans: the one of the settings, none, and each plan."""
    named = [(key, str(entry.name)) for key, entry in sending_plans.plans().items()]
    usual = dict(named).get(settings.NOTICE_PLAN, _("no plan"))
    default = _("by the settings: {name}").format(name=usual)
    return [("", default), (sending_plans.NO_PLAN, _("no plan")), *named]


class NoticeForm(forms.ModelForm):
    """The form of a new notice: which version goes to which audience over which channel."""

    test_addresses = forms.CharField(
        label=gettext_lazy("Test addresses"),
        required=False,
        help_text=gettext_lazy(
            "For a test only, one address or number a line. Each gets the message in every "
            "language, marked as a test. A test by push message goes to your own browsers, in your "
            "language."
        ),
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    begins_at = forms.DateTimeField(
        label=gettext_lazy("Not sent before"),
        required=False,
        help_text=gettext_lazy(
            "In the portal's time zone. Left empty, it is sent at once after the approval."
        ),
        widget=MomentInput(),
    )

    sending_plan = forms.ChoiceField(
        label=gettext_lazy("Sending plan"),
        required=False,
        choices=plan_choices,
        help_text=gettext_lazy(
            "E-mail only: how many messages each provider gets in an hour or a day. The approval "
            "page shows when the last people get theirs."
        ),
    )

    class Meta:
        model = Notice
        fields = [
            *("version", "kind", "topic", "channel", "audience", "batch", "follows"),
            *("begins_at", "ramp", "sending_plan"),
        ]
        help_texts = {
            "topic": gettext_lazy("For alerts only."),
            "batch": gettext_lazy("For the audience of a scope version only."),
            "follows": gettext_lazy("For the audience that a notice did not reach only."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("channel", "audience", "ramp"):
            if name in self.fields:
                self.fields[name].required = False
        if "audience" in self.fields:  # the weekly mail is made by a task
            audience = cast("forms.TypedChoiceField", self.fields["audience"])
            choices = Notice.Audience.choices
            audience.choices = [each for each in choices if each[0] != Notice.Audience.WEEKLY]

    def clean(self) -> dict[str, Any]:
        """Requires a topic of alerts only; sets the incident to that of the version."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind, topic = cleaned.get("kind"), cleaned.get("topic")
        if kind == Notice.Kind.MANDATORY and topic:
            self.add_error("topic", _("A mandatory notice goes to all affected: leave this empty."))
        if kind == Notice.Kind.ALERT and not topic:
            self.add_error("topic", _("Choose which subscribers get the alert."))
        if version := cleaned.get("version"):
            self.instance.incident = version.statement.incident
            self._check_audience(cleaned)
        return cleaned

    def _check_audience(self, cleaned: dict[str, Any]) -> None:
        """Requires the fields of the chosen audience, and refuses those of other audiences."""
        audience, incident = cleaned.get("audience"), self.instance.incident
        self._check_channel(cleaned)
        has_plan = cleaned.get("sending_plan") not in (None, "", sending_plans.NO_PLAN)
        if has_plan and cleaned.get("channel") != Notice.Channel.EMAIL:
            self.add_error("sending_plan", _("Only e-mail has a sending plan."))
        alert_audiences = (Notice.Audience.EVERYBODY, Notice.Audience.TEST)
        if cleaned.get("kind") == Notice.Kind.ALERT and audience not in alert_audiences:
            self.add_error("audience", _("An alert goes to its subscribers, or is a test."))
        for name, owner in (
            ("batch", Notice.Audience.BATCH),
            ("follows", Notice.Audience.UNREACHED),
        ):
            chosen = cleaned.get(name)
            if (audience == owner) != (chosen is not None):
                error = _("Leave this empty.") if chosen else _("Choose one.")
                self.add_error(name, error)
            elif chosen is not None and chosen.incident_id != incident.pk:
                self.add_error(name, _("It belongs to another incident."))
        self._check_test_addresses(cleaned)
        if audience == Notice.Audience.TEST and cleaned.get("begins_at"):
            self.add_error("begins_at", _("A test is sent at once: leave this empty."))

    def _check_test_addresses(self, cleaned: dict[str, Any]) -> None:
        """Requires addresses for a test, except by push message, and refuses them otherwise."""
        is_typed = bool(cleaned.get("test_addresses"))
        is_test = cleaned.get("audience") == Notice.Audience.TEST
        if is_test and cleaned.get("channel") == Notice.Channel.PUSH:
            if is_typed:
                error = _("A test by push message goes to your own browsers: leave this empty.")
                self.add_error("test_addresses", error)
        elif is_test != is_typed:
            self.add_error("test_addresses", _("Type them for a test, and for nothing else."))

    def _check_channel(self, cleaned: dict[str, Any]) -> None:
        """Refuses push messages that are no alert."""
        is_alert = cleaned.get("kind") == Notice.Kind.ALERT
        if cleaned.get("channel") == Notice.Channel.PUSH and not is_alert:
            self.add_error("channel", _("Push messages are for alerts to subscribers only."))

    def clean_channel(self) -> str:
        """Returns the channel; e-mail by default."""
        return self.cleaned_data.get("channel") or Notice.Channel.EMAIL

    def clean_audience(self) -> str:
        """Returns the audience; all affected people or subscribers by default."""
        return self.cleaned_data.get("audience") or Notice.Audience.EVERYBODY

    def clean_begins_at(self) -> datetime | None:
        """Rejects a time that is over, or is more than LONGEST_WAIT ahead."""
        begins_at: datetime | None = self.cleaned_data["begins_at"]
        now = timezone.now()
        if begins_at and begins_at <= now:
            raise forms.ValidationError(_("This time is over."))
        if begins_at and begins_at > now + LONGEST_WAIT:
            text = _("At most %(days)s days ahead: people have to be told soon.")
            raise forms.ValidationError(text % {"days": LONGEST_WAIT.days})
        return begins_at

    def clean_ramp(self) -> str:
        """Returns the ramp; by the number of people by default."""
        return self.cleaned_data.get("ramp") or Notice.Ramp.BY_SIZE

    def clean_test_addresses(self) -> list[str]:
        """Returns the normalised addresses or numbers, without duplicates."""
        lines = self.cleaned_data["test_addresses"].splitlines()
        typed = [line for line in lines if line.strip()]
        if len(typed) > MOST_TEST_ADDRESSES:
            raise forms.ValidationError(_("At most 100 addresses."))
        is_sms = self.cleaned_data.get("channel") == Notice.Channel.SMS
        found = [_number(line) if is_sms else _email(line) for line in typed]
        if not all(found) and is_sms:
            raise forms.ValidationError(_("One of the lines is not a phone number."))
        if not all(found):
            raise forms.ValidationError(_("One of the lines is not an e-mail address."))
        return list(dict.fromkeys(found))

    def save_test_addresses(self) -> None:
        """Encrypts and stores the test addresses of the saved notice, one row per language."""
        cipher = self.instance.incident.cipher()
        part = "p" if self.instance.channel == Notice.Channel.SMS else "e"
        for address in self.cleaned_data["test_addresses"]:
            for language in self.instance.incident.languages:
                key = uuid.uuid4()
                contact = cipher.encrypt({part: address}, person=key, purpose=TEST_ADDRESS)
                TestAddress.objects.create(
                    id=key, notice=self.instance, language=language, contact=contact
                )


def _email(line: str) -> str:
    email = normalise_email(line)
    return email if is_usable_email(email) else ""


def _number(line: str) -> str:
    return normalise_phone(line) or ""


class PlanForm(forms.Form):
    """The form that gives a notice another sending plan."""

    sending_plan = forms.ChoiceField(
        label=gettext_lazy("Sending plan"), required=False, choices=plan_choices
    )


class GroupedIntegerField(forms.IntegerField):
    """An integer that may be typed with grouping commas, as the page shows it."""

    def to_python(self, value: Any) -> int | None:
        """Removes the commas before it parses the number."""
        return super().to_python(value.replace(",", "") if isinstance(value, str) else value)


class ApproveForm(forms.Form):
    """The form by which the second person approves a notice by typing the number of people.

    If the audience is not counted yet (`people` is None), they type the notice's id instead. `seen`
    is the fingerprint of the messages that were shown, so that a change after that is refused.
    `shown` is that of what the page shows now, also when it is shown again after a refusal.
    """

    seen = forms.CharField()

    people = GroupedIntegerField(
        label=gettext_lazy("To approve, type the number of people"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(
        self, *args: Any, notice: Notice, by: User, people: int | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.notice, self.by, self.expected = notice, by, people
        self.shown = message_templates.fingerprint(decisions.messages_of_draft(notice))
        if people is None:
            self.fields["people"].label = _("To approve without a count, type the notice's number")

    def clean_people(self) -> int:
        """Returns the typed number; refuses it if it is not the current number of people."""
        typed: int = self.cleaned_data["people"]
        if self.expected is None and typed != self.notice.pk:
            raise forms.ValidationError(_("This is not the notice's number."))
        if self.expected is not None and typed != self.expected:
            raise forms.ValidationError(_("This is not the number of people it goes to now."))
        return typed

    def approve(self) -> bool:
        """Approves the notice. Returns False, with an error in the form, if that is refused."""
        if not self.is_valid():
            return False
        try:
            seen = self.cleaned_data["seen"]
            decisions.approve(self.notice, by=self.by, people=self.expected, seen=seen)
        except decisions.ApprovalRefusedError as refusal:
            self.add_error(None, str(refusal))
            return False
        return True


class CancelForm(forms.Form):
    """The form that cancels a notice permanently.

    The user types the notice's id, unless the notice is a draft.
    """

    number = forms.IntegerField(
        label=gettext_lazy("To cancel it, type the number of this notice"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, notice: Notice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notice = notice
        if notice.state == Notice.State.DRAFT:
            del self.fields["number"]
        else:
            self.fields["number"].help_text = _("Its number is %(number)s.") % {"number": notice.pk}

    def clean_number(self) -> int:
        """Returns the typed id; refuses that of another notice."""
        typed: int = self.cleaned_data["number"]
        if typed != self.notice.pk:
            raise forms.ValidationError(_("This is not the notice's number."))
        return typed


class ReturnForm(forms.Form):
    """The form that returns a draft to the person who made it, with a comment."""

    comment = forms.CharField(
        label=gettext_lazy("What has to change"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class DoubtForm(forms.Form):
    """The form by which a person decides about messages in doubt."""

    AGAIN, TOLD = "again", "told"

    deliveries = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": gettext_lazy("Choose the messages."),
            "invalid_choice": DECIDED_MEANWHILE,
        },
    )
    decision = forms.ChoiceField(
        label=gettext_lazy("What is to be done"),
        choices=[
            (AGAIN, gettext_lazy("Send them again: they may then have arrived twice")),
            (TOLD, gettext_lazy("Count them as told: they stand in the other side's log")),
        ],
        widget=forms.RadioSelect,  # no default, because neither decision can be undone
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def __init__(self, *args: Any, notice: Notice, by: User, shown: list[int], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.notice, self.by = notice, by
        choices = cast("forms.TypedMultipleChoiceField", self.fields["deliveries"])
        choices.choices = [(key, key) for key in shown]

    def decide(self) -> int:
        """Applies the decision. Returns the number of messages it changed.

        Returns 0, with an error in the form, if the form is invalid or another person has decided
        about these messages.
        """
        if not self.is_valid():
            return 0
        chosen, reason = self.cleaned_data["deliveries"], self.cleaned_data["reason"]
        if self.cleaned_data["decision"] == self.AGAIN:
            changed = decisions.send_again(self.notice, chosen)
        else:
            changed = decisions.count_as_notified(self.notice, chosen, by=self.by, reason=reason)
        if not changed:
            self.add_error("deliveries", DECIDED_MEANWHILE)
        return changed

    def decision_message(self, number: int) -> str:
        """Returns the desk message about a decision that changed `number` messages."""
        again = ngettext("%(n)s message is sent again.", "%(n)s messages are sent again.", number)
        told = ngettext("%(n)s message counts as told.", "%(n)s messages count as told.", number)
        text = again if self.cleaned_data["decision"] == self.AGAIN else told
        return text % {"n": f"{number:,}"}


class DeliveryLookUpForm(LookUpReasonForm):
    """The form that finds what a person was sent, by all that finds people, or as a subscriber."""

    asked = typed_field(gettext_lazy("E-mail, phone, member number or message code"))
    field_order = ["asked", "reason"]

    def clean(self) -> dict[str, Any]:
        """Finds the deliveries: adds {"deliveries": rows}, those of the newest notice first."""
        cleaned: dict[str, Any] = super().clean() or {}
        typed = cleaned.get("asked")
        if not typed or self.errors:
            return cleaned
        delivery_id = message_codes.delivery_of_code(typed)
        wanted = Q(pk=delivery_id) if delivery_id is not None else self._by_address(typed)
        return {**cleaned, "deliveries": self._rows(wanted)}

    def _by_address(self, typed: str) -> Q:
        try:
            people = people_of(typed)
        except UnreadableInputError:
            self.add_error("asked", _("This is no e-mail address, phone number or message code."))
            return Q(pk__in=[])
        except EncryptionError as error:
            self.add_error(None, translate_ledger_message(str(error)))
            return Q(pk__in=[])
        # Each side is a list of keys, so that each has its index; a join would read the ledger.
        phones = VerifiedPhone.objects.filter(number=normalise_phone(typed) or "")
        users = [
            *User.objects.filter(email=normalise_email(typed)).values_list("pk", flat=True),
            *phones.values_list("user", flat=True),
        ]
        subscriptions = AlertSubscription.objects.filter(user__in=users)
        return Q(person__in=[person.pk for person in people]) | Q(
            subscription__in=list(subscriptions.values_list("pk", flat=True))
        )

    @staticmethod
    def _rows(wanted: Q) -> QuerySet[Delivery]:
        rows = Delivery.objects.filter(wanted)
        return rows.select_related("notice__version__statement__incident").order_by("-notice", "pk")
