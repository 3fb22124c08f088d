"""Scam reports: marks, dismisses and deletes them, and drafts a warning from one.

A second person publishes the warning.
"""

import re

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.models import User
from incidents.models import Basis, Incident
from scams import message_check, pasted_text
from scams.models import ScamReport
from scams.pasted_text import Trace, TraceKind
from statements import publishing
from statements.models import Advisory, Section, Statement, StatementVersion

State = ScamReport.State
MOST_QUOTED = 300  # characters of the message that the draft quotes
MOST_NAMED = 5  # links, addresses and numbers that the draft names


def mark_seen(report: ScamReport) -> bool:
    """Records that a person has read the report. Returns True the first time."""
    new = ScamReport.objects.filter(pk=report.pk, state=State.NEW)
    return bool(new.update(state=State.SEEN))


def dismiss(report: ScamReport) -> int:
    """Dismisses all waiting reports of the same link or number, this one too; returns how many."""
    return ScamReport.objects.like(report).waiting().update(state=State.DISMISSED)


def draft_warning(report: ScamReport, *, by: User) -> StatementVersion:
    """Drafts a warning about the reported message. Returns its draft if there is a warning already.

    The warning is an advisory that the company issues. Like every version it is reviewed, and a
    second person publishes it. Raises EncryptionError if the report cannot be decrypted any more.
    """
    with transaction.atomic():
        report = ScamReport.objects.select_for_update().select_related("incident").get(pk=report.pk)
        if report.warning:
            return publishing.draft_next(report.warning, by=by)
        content = report.decrypt_report()
        statement = _statement(report.incident, by=by)
        draft = publishing.draft_next(statement, by=by)
        _fill(draft, text=content.text, sender=content.sender)
        alike = ScamReport.objects.like(report).waiting()
        alike.update(state=State.WARNED, warning=statement)
        ScamReport.objects.filter(pk=report.pk).update(state=State.WARNED, warning=statement)
    return draft


def _statement(incident: Incident, *, by: User) -> Statement:
    # Locks the incident, so that each warning gets its own number. The lock allows the foreign-key
    # checks of a running import (FOR NO KEY UPDATE).
    Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
    number = incident.statements.filter(slug__startswith="scam-warning-").count() + 1
    statement = Statement.objects.create(
        incident=incident, kind=Statement.Kind.ADVISORY, slug=f"scam-warning-{number}"
    )
    statement.editors.add(by)
    Advisory.objects.create(
        statement=statement,
        issuer=incident.company,
        issued_on=timezone.localdate(),
        hotline=incident.contact_phone,
        severity=Advisory.Severity.IMPORTANT,
    )
    return statement


def _fill(draft: StatementVersion, *, text: str, sender: str) -> None:
    body = draft.sections.get(key=Section.Key.BODY)
    body.basis = Basis.INVESTIGATION
    steps = Section(
        version=draft,
        key=Section.Key.SELF_PROTECTION_STEPS,
        position=body.position + 1,
        basis=Basis.COMPANY,
    )
    named = [
        defanged_trace(trace)
        for trace in message_check.unknown_traces(f"{text}\n{sender}")[:MOST_NAMED]
    ]
    for language in draft.statement.incident.languages:
        with override(language):
            company = str(draft.statement.incident.company)
            title = _("Scam warning: messages in the name of {company}").format(company=company)
            draft.title |= {language: title}
            body.body |= {language: _warning_body(company, named, text)}
            steps.body |= {language: _protection_steps()}
    draft.save()
    body.save()
    steps.save()


def _warning_body(company: str, named: list[str], text: str) -> str:
    parts = [
        _("Customers have shown us a message in the name of {company}. It is not from us.").format(
            company=company
        )
    ]
    if named:
        parts.append(_("It names:"))
        parts.append("\n".join(f"- {markdown_literal(name)}" for name in named))
    parts.append(_("It says:"))
    parts.append(_quoted(text))
    return "\n\n".join(parts)


def _protection_steps() -> str:
    address = f"{settings.PORTAL_HOST}/check"
    steps = [
        _("Do not open the link, do not call the number, and do not answer."),
        _("If you have entered a password or a code, change the password."),
        _("If you have paid or given a card number, call your bank."),
        _("Check messages in our name at {address}.").format(address=address),
    ]
    return "\n".join(f"- {step}" for step in steps)


def _quoted(text: str) -> str:
    """Returns the beginning of a message as a Markdown quotation without links or markup."""
    readable = pasted_text.readable(text).strip()
    cut = readable[:MOST_QUOTED] + ("…" if len(readable) > MOST_QUOTED else "")
    lines = [line.strip() for line in defang(cut).splitlines() if line.strip()]
    return "\n".join(f"> {markdown_literal(line)}  " for line in lines)


def markdown_literal(text: str) -> str:
    """Escapes one line for Markdown, so that no character of it is markup."""
    text = re.sub(r"([\\`*_\[\]<>#&|!~])", r"\\\1", text)
    return re.sub(r"^(\s*\d*)([-+=.)])", r"\1\\\2", text)


def defanged_trace(trace: Trace) -> str:
    """Returns a trace so that it cannot be clicked by mistake; a number stays as it is."""
    return trace.value if trace.kind == TraceKind.NUMBER else defang(trace.value)


def defang(text: str) -> str:
    """Returns `text` with links and addresses that cannot be followed: evil[.]com."""
    text = re.sub(r"(?i)\bhttp(?=s?:)", "hxxp", text)
    return re.sub(r"(?<=\w)\.(?=[^\W\d])", "[.]", text)


def delete_expired() -> int:
    """Deletes the reports older than settings.SCAM_REPORT_DAYS, in any state; returns how many."""
    deleted, _by_model = ScamReport.objects.expired().delete()
    return deleted
