"""What the desk asks for around a notice."""

import logging
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.contacts import normalise_email
from accounts.models import User
from incidents.forms import LookUpForm
from notices import messages, sending
from notices.models import Delivery, Notice

logger = logging.getLogger(__name__)


class NoticeForm(forms.ModelForm):
    """Chooses what is said, and to whom."""

    class Meta:
        model = Notice
        fields = ["version", "kind", "topic"]
        help_texts = {"topic": gettext_lazy("For alerts only.")}

    def clean(self) -> dict[str, Any]:
        """A mandatory notice has no topic, an alert has one; the incident is the version's."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind, topic = cleaned.get("kind"), cleaned.get("topic")
        if kind == Notice.Kind.MANDATORY and topic:
            self.add_error("topic", _("A mandatory notice goes to all affected: leave this empty."))
        if kind == Notice.Kind.ALERT and not topic:
            self.add_error("topic", _("Choose which subscribers get the alert."))
        if version := cleaned.get("version"):
            self.instance.incident = version.statement.incident
        return cleaned


class ApproveForm(forms.Form):
    """The second person types how many people it goes to, and it goes."""

    people = forms.IntegerField(
        label=gettext_lazy("To approve, type the number of people"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        localize=True,
    )

    def __init__(self, *args: Any, notice: Notice, by: User, people: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notice, self.by, self.expected = notice, by, people

    def clean_people(self) -> int:
        """The number the page showed, unless it changed meanwhile."""
        typed: int = self.cleaned_data["people"]
        if typed != self.expected:
            raise forms.ValidationError(_("This is not the number of people it goes to now."))
        return typed

    def approve(self) -> bool:
        """Approves the notice; False, with the reason as an error, if that is refused."""
        if not self.is_valid():
            return False
        try:
            sending.approve(self.notice, by=self.by)
        except sending.ApprovalRefusedError as refused:
            self.add_error(None, str(refused))
            return False
        return True


class DeliveryLookUpForm(forms.Form):
    """Finds what somebody was sent, by the address or the message code they give."""

    asked = forms.CharField(
        label=gettext_lazy("E-mail address, phone number or message code"),
        help_text=gettext_lazy("As the customer gives it. The look-up is recorded with your name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )

    def clean(self) -> dict[str, Any]:
        """Finds: {"deliveries": rows, newest notice first}."""
        typed = self.cleaned_data.get("asked", "")
        code = messages.delivery_of_code(typed)
        wanted = Q(pk=code) if code is not None else self._by_address(typed)
        return {"deliveries": self._rows(wanted)}

    def _by_address(self, typed: str) -> Q:
        people = LookUpForm({"address": typed})
        if not people.is_valid():
            self.add_error(
                "asked", _("This is neither an address, nor a phone number, nor a message code.")
            )
            return Q(pk__in=[])
        return Q(person__in=people.person_ids()) | Q(
            subscription__user__email=normalise_email(typed)
        )

    @staticmethod
    def _rows(wanted: Q) -> QuerySet[Delivery]:
        rows = Delivery.objects.filter(wanted)
        return rows.select_related("notice__version__statement__incident").order_by("-notice", "pk")
