"""The desk's forms for duties and reports: confirm, withdraw, draft a report, record a filing."""

from typing import Any

from django import forms
from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from incidents.models import Incident
from statements.legal import regulator_reports as reports
from statements.legal.laws import Duty
from statements.models import DutyConfirmation, RegulatorReport
from statements.withdrawal_reasons import WithdrawalMessages

Verdict = DutyConfirmation.Verdict


class MomentInput(forms.DateTimeInput):
    """An input for a date and time in the portal's time zone, to the minute."""

    def __init__(self) -> None:
        super().__init__(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def final_confirmation(incident: Incident, duty: Duty) -> DutyConfirmation | None:
    """Returns the confirmation that the duty is met or does not apply, or None."""
    live = incident.confirmations.live().filter(duty=duty.id)
    return live.exclude(verdict=Verdict.APPLIES).first()


class ConfirmDutyForm(forms.Form):
    """A person's verdict on a duty in one incident, with the evidence."""

    verdict = forms.ChoiceField(label=gettext_lazy("How it stands"), widget=forms.RadioSelect)
    met_at = forms.DateTimeField(
        label=gettext_lazy("Met on"),
        help_text=gettext_lazy("Only if it is met. In the portal's time zone."),
        required=False,
        widget=MomentInput(),
    )
    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        help_text=gettext_lazy("What shows it, and where it is kept. No data of customers."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(self, *args: Any, incident: Incident, duty: Duty, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident, self.duty, self.by = incident, duty, by
        choices = [Verdict.MET, Verdict.NOT_APPLICABLE]
        if duty.trigger:
            choices.insert(1, Verdict.APPLIES)
        verdict = self.fields["verdict"]
        verdict.choices = [(each.value, each.label) for each in choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Requires a time that is not in the future if the duty is met; else drops the time."""
        cleaned: dict[str, Any] = super().clean() or {}
        met_at = cleaned.get("met_at")
        if cleaned.get("verdict") != Verdict.MET:
            cleaned["met_at"] = None
        elif met_at is None and "met_at" not in self.errors:
            self.add_error("met_at", _("Say since when it is met."))
        elif met_at and met_at > timezone.now():
            self.add_error("met_at", _("This time is in the future."))
        elif met_at and met_at < self.incident.aware_at:
            self.add_error("met_at", _("The company had not become aware by then."))
        return cleaned

    def confirm(self) -> DutyConfirmation | None:
        """Records the confirmation. Returns None if it is refused, with the reason as an error.

        A confirmation that the duty applies is replaced. Any other one must be withdrawn first.
        """
        if not self.is_valid():
            return None
        with transaction.atomic():
            Incident.objects.select_for_update(no_key=True).get(pk=self.incident.pk)
            if final_confirmation(self.incident, self.duty):
                self.add_error(None, _("Somebody confirmed this before. Withdraw that first."))
                return None
            if last := self.incident.confirmations.live().filter(duty=self.duty.id).first():
                reason = WithdrawalMessages.FOLLOWED.stored()
                withdraw_confirmation(last, reason=reason, by=self.by)
            return DutyConfirmation.objects.create(
                incident=self.incident,
                duty=self.duty.id,
                confirmed_by=self.by,
                **self.cleaned_data,
            )


class ConditionsForm(forms.Form):
    """Which of the duties apply whose condition only a person knows. Each has a row.

    A row is left open by default. The evidence of the form counts for each row without its own.
    """

    evidence = forms.CharField(
        label=gettext_lazy("Evidence"),
        help_text=gettext_lazy(
            "For all rows without their own. What shows it, and where it is kept. No data of "
            "customers."
        ),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, *args: Any, incident: Incident, asked: list[Duty], by: User, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.incident, self.asked, self.by = incident, asked, by
        answers = [(each.value, each.label) for each in (Verdict.APPLIES, Verdict.NOT_APPLICABLE)]
        for duty in asked:
            self.fields[f"verdict-{duty.id}"] = forms.ChoiceField(
                label=gettext_lazy("How it stands"),
                choices=[("", gettext_lazy("not known yet")), *answers],
                required=False,
                widget=forms.RadioSelect,
            )
            self.fields[f"evidence-{duty.id}"] = forms.CharField(
                label=gettext_lazy("Its own evidence"),
                required=False,
                widget=forms.TextInput(attrs={"class": "vTextField"}),
            )

    def rows(self) -> list[tuple[Duty, Any, Any]]:
        """Returns each duty with the fields of its verdict and its own evidence."""
        return [
            (each, self[f"verdict-{each.id}"], self[f"evidence-{each.id}"]) for each in self.asked
        ]

    def clean(self) -> dict[str, Any]:
        """Requires a row that is answered, and evidence for each."""
        cleaned: dict[str, Any] = super().clean() or {}
        answered = [each.id for each in self.asked if cleaned.get(f"verdict-{each.id}")]
        if not answered:
            self.add_error(None, _("Answer one row at least."))
        if not cleaned.get("evidence"):
            for key in answered:
                if not cleaned.get(f"evidence-{key}"):
                    self.add_error(f"evidence-{key}", _("Write what shows it."))
        return cleaned

    def confirm(self) -> list[DutyConfirmation]:
        """Records the answered rows. Returns [], with errors in the form, if one is refused."""
        if not self.is_valid():
            return []
        made, cleaned = [], self.cleaned_data
        with transaction.atomic():
            for duty in self.asked:
                if not (verdict := cleaned[f"verdict-{duty.id}"]):
                    continue
                evidence = cleaned[f"evidence-{duty.id}"] or cleaned["evidence"]
                values = {"verdict": verdict, "evidence": evidence}
                form = ConfirmDutyForm(values, incident=self.incident, duty=duty, by=self.by)
                if confirmation := form.confirm():
                    made.append(confirmation)
                    continue
                for errors in form.errors.values():
                    self.add_error(f"verdict-{duty.id}", list(errors))
                transaction.set_rollback(True)
                return []
        return made


class WithdrawConfirmationForm(forms.Form):
    """The reason to withdraw a confirmation. Confirmation and withdrawal stay on record."""

    reason = forms.CharField(
        label=gettext_lazy("Why it is withdrawn"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def withdraw_confirmation(confirmation: DutyConfirmation, *, reason: str, by: User) -> bool:
    """Withdraws a duty confirmation. Returns False if it was withdrawn before."""
    live = DutyConfirmation.objects.live().filter(pk=confirmation.pk)
    return bool(live.update(withdrawn_at=timezone.now(), withdrawn_by=by, withdrawn_reason=reason))


class RegulatorReportForm(forms.ModelForm):
    """The duty that a report meets, its form and authority. The admin page drafts the text."""

    duty = forms.ChoiceField(label=gettext_lazy("Duty"))

    class Meta:
        model = RegulatorReport
        fields = ["incident", "duty", "form", "authority", "text"]
        help_texts = {"authority": gettext_lazy("Its name, in the language of the report.")}
        widgets = {"text": forms.Textarea(attrs={"cols": 90, "rows": 28})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "duty" in self.fields:
            # The blank choice is first, so that a user does not report under the first law by
            # mistake.
            blank = ("", "---------")
            self.fields["duty"].choices = [blank, *_duty_choices()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuses a duty of a law that the incident does not have, and an authority of another."""
        cleaned: dict[str, Any] = super().clean() or {}
        incident = cleaned.get("incident") or getattr(self.instance, "incident", None)
        duty, authority = cleaned.get("duty") or self.instance.duty, cleaned.get("authority")
        if not (isinstance(incident, Incident) and duty and authority):
            return cleaned
        if problem := reports.objection(incident, duty, authority):
            self.add_error(None, problem)
        return cleaned


def _duty_choices() -> list[tuple[str, Any]]:
    text = "{law}, {article}: {name}"
    return [
        (duty.id, format_lazy(text, law=duty.law, article=duty.cited, name=duty.name))
        for duty in reports.report_duties()
    ]


class FileReportForm(forms.Form):
    """When a report was filed with the authority, and under which reference number.

    `shown` is the fingerprint of the report that the page shows. The page posts it as `seen`, so
    that a report that was changed meanwhile is not recorded as filed.
    """

    filed_at = forms.DateTimeField(
        label=gettext_lazy("Filed on"),
        help_text=gettext_lazy("When the authority got it. In the portal's time zone."),
        widget=MomentInput(),
    )
    reference = forms.CharField(
        label=gettext_lazy("The authority's reference number"), max_length=200, required=False
    )

    def __init__(self, *args: Any, report: RegulatorReport, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.report, self.by = report, by
        self.shown = reports.fingerprint(report)

    def clean(self) -> dict[str, Any]:
        """Rejects the form if the report is not the one that the user read."""
        if self.data.get("seen", "") != self.shown:
            raise forms.ValidationError(reports.CHANGED)
        return super().clean() or {}

    def file(self) -> bool:
        """Records the filing. Returns False if it is refused, with the reason as an error."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        try:
            reports.file(self.report, at=data["filed_at"], reference=data["reference"], by=self.by)
        except reports.FilingRefusedError as refused:
            self.add_error(None, str(refused))
            return False
        return True
