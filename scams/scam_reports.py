"""From a report to a published warning: the draft in one step, publishing by a second person."""

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
QUOTED = 300  # characters of the message that the draft quotes
NAMED = 5  # links and numbers
LANGUAGES = [code for code, _name in settings.LANGUAGES]


def look_at(report: ScamReport) -> bool:
    """Notes that somebody has read it; True the first time."""
    new = ScamReport.objects.filter(pk=report.pk, state=State.NEW)
    return bool(new.update(state=State.SEEN))


def dismiss(report: ScamReport) -> int:
    """Ends this report and the others of the same link or number; returns how many there were."""
    return ScamReport.objects.like(report).waiting().update(state=State.DISMISSED)


def draft_warning(report: ScamReport, *, by: User) -> StatementVersion:
    """The draft of a warning about what was reported, with what it names; made once.

    The warning is an advisory of the company's own: it is checked and published by a second person
    as everything else is. Raises SealingError if the report does not open any more.
    """
    with transaction.atomic():
        report = ScamReport.objects.select_for_update().select_related("incident").get(pk=report.pk)
        if report.warning:
            return publishing.draft_next(report.warning, by=by)
        told = report.decrypt_report()
        statement = _statement(report.incident, by=by)
        draft = publishing.draft_next(statement, by=by)
        _fill(draft, text=told.text, sender=told.sender)
        same = ScamReport.objects.like(report).waiting()
        same.update(state=State.WARNED, warning=statement)
        ScamReport.objects.filter(pk=report.pk).update(state=State.WARNED, warning=statement)
    return draft


def _statement(incident: Incident, *, by: User) -> Statement:
    # One number, one warning. An import refers to the incident until it is loaded.
    Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
    number = incident.statements.filter(slug__startswith="scam-warning-").count() + 1
    statement = Statement.objects.create(
        incident=incident, kind=Statement.Kind.ADVISORY, slug=f"scam-warning-{number}"
    )
    statement.editors.add(by)
    Advisory.objects.create(
        statement=statement,
        issuer_ko=incident.company_ko,
        issuer_en=incident.company_en,
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
        defanged_trace(trace) for trace in message_check.unknown_traces(f"{text}\n{sender}")[:NAMED]
    ]
    for language in LANGUAGES:
        with override(language):
            company = draft.statement.incident.company
            title = _("Scam warning: messages in the name of {company}").format(company=company)
            setattr(draft, f"title_{language}", title)
            setattr(body, f"body_{language}", _what_goes_round(company, named, text))
            setattr(steps, f"body_{language}", _what_to_do())
    draft.save()
    body.save()
    steps.save()


def _what_goes_round(company: str, named: list[str], text: str) -> str:
    parts = [
        _("Customers have shown us a message in the name of {company}. It is not from us.").format(
            company=company
        )
    ]
    if named:
        parts.append(_("It names:"))
        parts.append("\n".join(f"- {literal(name)}" for name in named))
    parts.append(_("It says:"))
    parts.append(_quoted(text))
    return "\n\n".join(parts)


def _what_to_do() -> str:
    address = f"{settings.PORTAL_HOST}/check"
    steps = [
        _("Do not open the link, do not call the number, and do not answer."),
        _("If you have entered a password or a code, change the password."),
        _("If you have paid or given a card number, call your bank."),
        _("Check messages in our name at {address}.").format(address=address),
    ]
    return "\n".join(f"- {step}" for step in steps)


def _quoted(text: str) -> str:
    """The beginning of a message as a Markdown quotation in which nothing is a link or markup."""
    shown = pasted_text.readable(text).strip()
    cut = shown[:QUOTED] + ("…" if len(shown) > QUOTED else "")
    lines = [line.strip() for line in defang(cut).splitlines() if line.strip()]
    return "\n".join(f"> {literal(line)}  " for line in lines)


def literal(text: str) -> str:
    """One line for Markdown, so that every sign of it is only a sign."""
    text = re.sub(r"([\\`*_\[\]<>#&|!~])", r"\\\1", text)
    return re.sub(r"^(\s*\d*)([-+=.)])", r"\1\\\2", text)


def defanged_trace(trace: Trace) -> str:
    """A trace written so that nobody can click it by mistake."""
    return trace.value if trace.kind == TraceKind.NUMBER else defang(trace.value)


def defang(text: str) -> str:
    """`text` with its links and addresses spoilt: evil[.]com."""
    text = re.sub(r"(?i)\bhttp(?=s?:)", "hxxp", text)
    return re.sub(r"(?<=\w)\.(?=[^\W\d])", "[.]", text)


def delete_outdated() -> int:
    """Deletes the reports past their time, whatever became of them; returns how many."""
    deleted, _by_model = ScamReport.objects.outdated().delete()
    return deleted
