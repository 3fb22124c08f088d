"""The desk's forms for drafts: publish a draft, waive a rule that blocks it, withdraw a waiver."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.models import User
from foundations.localized_fields import LocalizedTextFormField, show_languages
from statements import publishing
from statements.findings import Finding
from statements.legal import review
from statements.models import StatementVersion


class PublishForm(forms.Form):
    """A second person publishes the draft as this page showed it.

    `seen` is the fingerprint of what was shown, so that a change after that is refused. `shown` is
    that of what the page shows now, also when it is shown again after a refusal.
    """

    seen = forms.CharField()

    def __init__(self, *args: Any, version: StatementVersion, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version, self.by = version, by
        self.refused: list[Finding] = []
        self.shown = publishing.fingerprint(version)

    def publish(self) -> bool:
        """Publishes the version. Returns False if it is refused; `refused` holds the findings."""
        if not self.is_valid():
            return False
        try:
            publishing.publish(self.version, by=self.by, seen=self.cleaned_data["seen"])
        except publishing.PublishingRefusedError as refused:
            self.refused = refused.findings
            return False
        return True


class WaiveForm(forms.Form):
    """A second person waives a duty or lint rule for a draft. The reason is published."""

    rule = forms.ChoiceField(label=gettext_lazy("What is waived"))
    reason = LocalizedTextFormField(label=gettext_lazy("Why it is waived"), is_long=True)

    def __init__(self, *args: Any, version: StatementVersion, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version, self.by = version, by
        self.rules = review.waivable(version)
        show_languages(self, version.statement.incident.languages)
        self.fields["rule"].choices = list(self.rules.items())  # type: ignore[attr-defined]

    def waive(self) -> bool:
        """Records the waiver. Returns False if it is refused, with the reasons as errors."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        try:
            publishing.waive(self.version, rule=data["rule"], reason=data["reason"], by=self.by)
        except publishing.PublishingRefusedError as refused:
            self.add_error(None, [str(finding.why) for finding in refused.findings])
            return False
        return True


class WithdrawWaiverForm(forms.Form):
    """The reason to withdraw a waiver. Waiver and withdrawal stay on record."""

    reason = forms.CharField(
        label=gettext_lazy("Why it is withdrawn"), widget=forms.Textarea(attrs={"rows": 3})
    )
