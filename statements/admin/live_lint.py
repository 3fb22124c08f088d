"""The live lint: the findings about a draft, each shown at the field that it is about."""

from collections.abc import Iterable
from typing import Any

from django.forms import BaseInlineFormSet, ModelForm
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from statements import publishing
from statements.findings import Finding
from statements.legal.review import TITLE
from statements.models import Section, StatementVersion

TOP = "top"  # the place of findings that are about no section of the draft
_LIST = "admin/statements/statementversion/finding_list.html"
_GROUPS = "admin/statements/statementversion/findings.html"


class DraftFindings:
    """All findings about a draft, as HTML for each place of its page.

    `sections` are the sections to check; they may be unsaved.
    """

    def __init__(self, version: StatementVersion, sections: list[Section]) -> None:
        self._found = publishing.draft_findings(version, sections)
        self._written = {section.key for section in sections} | {TITLE}

    def of_title(self) -> SafeString:
        """Returns the list for the title's fields; empty without findings."""
        return _listed(finding for finding in self._found if finding.section == TITLE)

    def of_section(self, section: Section) -> SafeString:
        """Returns the list for one section's fields; empty without findings.

        If two sections have the same key, a finding with a quote is shown at the one that holds it.
        """
        about = [finding for finding in self._found if finding.section == section.key]
        return _listed(finding for finding in about if _may_be_in(finding, section))

    def of_the_rest(self) -> SafeString:
        """Returns the findings about the whole text and about sections that do not exist yet."""
        rest = [finding for finding in self._found if finding.section not in self._written]
        if not rest:
            return SafeString()
        return render_to_string(_GROUPS, {"groups": findings_by_section(rest)})

    def blocking(self) -> int:
        """Returns the number of findings that block publishing."""
        return sum(finding.blocks for finding in self._found)


def saved_draft_findings(version: StatementVersion) -> DraftFindings:
    """Returns the findings about the saved draft."""
    return DraftFindings(version, list(version.sections.all()))


def edited_draft_findings(
    form: "ModelForm[StatementVersion]", formset: "BaseInlineFormSet[Any, Any, Any]"
) -> dict[str, Any]:
    """Returns the findings about the unsaved content of the forms.

    `findings` maps the prefix of each section's form, "title" and "top" to HTML. `blocking` is the
    number of findings that block publishing. Saves nothing. An invalid field keeps its saved value.
    """
    form.is_valid(), formset.is_valid()  # validation copies the valid values into the instances
    parts = {
        part.prefix: part.instance
        for part in formset.forms
        if (part.instance.pk or part.has_changed()) and part not in formset.deleted_forms
    }
    sections = sorted(parts.values(), key=lambda section: section.position or 0)
    findings = DraftFindings(form.instance, sections)
    by_place = {prefix: findings.of_section(section) for prefix, section in parts.items()}
    by_place |= {TITLE: findings.of_title(), TOP: findings.of_the_rest()}
    return {"findings": by_place, "blocking": findings.blocking()}


def _may_be_in(finding: Finding, section: Section) -> bool:
    if not finding.quote or not finding.language:
        return True
    texts = (written.get(finding.language) for written in (section.heading, section.body))
    text = " ".join(" ".join(texts).split())
    is_verbatim = " ".join(finding.quote.split()) in text
    others = section.version.sections.filter(key=section.key).exclude(pk=section.pk)
    return is_verbatim or not others.exists()


def _listed(findings: Iterable[Finding]) -> SafeString:
    found = list(findings)
    return render_to_string(_LIST, {"findings": found}) if found else SafeString()


def findings_by_section(findings: list[Finding]) -> list[tuple[str, list[Finding]]]:
    """Returns (section name, findings) pairs: the whole text, the title, then the sections."""
    names = {"": _("The whole text"), TITLE: _("Title")}
    names |= {key.value: str(key.label) for key in Section.Key}
    grouped = {
        name: [finding for finding in findings if finding.section == key]
        for key, name in names.items()
    }
    return [(name, found) for name, found in grouped.items() if found]
