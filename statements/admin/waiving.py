"""Publishing a draft, and waiving what keeps it from being published: forms of the desk."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from notices.models import Section, StatementVersion
from statements import publishing
from statements.findings import Finding
from statements.legal import checking


class WaiveForm(forms.Form):
    """A second person lets a draft pass against a duty, and says why for all to read."""

    rule = forms.ChoiceField(label=gettext_lazy("What is waived"))
    reason_ko = forms.CharField(
        label=gettext_lazy("Why (Korean)"), widget=forms.Textarea(attrs={"rows": 3})
    )
    reason_en = forms.CharField(
        label=gettext_lazy("Why (English)"), widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, version: StatementVersion, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version, self.by = version, by
        self.rules = checking.waivable(version)
        self.fields["rule"].choices = list(self.rules.items())  # type: ignore[attr-defined]

    def waive(self) -> bool:
        """Records the waiver; False, with what is wrong as errors, if that is refused."""
        if not self.is_valid():
            return False
        data = self.cleaned_data
        reason = {"ko": data["reason_ko"], "en": data["reason_en"]}
        try:
            publishing.waive(self.version, rule=data["rule"], reason=reason, by=self.by)
        except publishing.PublishingRefusedError as refused:
            self.add_error(None, [str(finding.why) for finding in refused.findings])
            return False
        return True


class WithdrawWaiverForm(forms.Form):
    """Takes a waiver back; both stay on record."""

    reason = forms.CharField(
        label=gettext_lazy("Why it is withdrawn"), widget=forms.Textarea(attrs={"rows": 3})
    )


def by_section(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """The findings under the name of their section, in the order of sections; title first."""
    names = {"": _("The whole text"), checking.TITLE: _("Title")}
    names |= {key.value: str(key.label) for key in Section.Key}
    grouped = {
        name: [finding for finding in findings if finding.section == key]
        for key, name in names.items()
    }
    return [(name, found) for name, found in grouped.items() if found]
