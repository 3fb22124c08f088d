"""Regulator reports: drafts their text from the incident's facts, records filings, prints them.

docs/legal-checks.md lists the items of each form and how sure each one is.
"""

import hashlib
import json
import re
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from accounts.models import User
from foundations import documents
from foundations.formatting import moment, number
from incidents import phrasing
from incidents.models import Incident, IncidentDataClass
from incidents.scope_counts import counts_of
from statements import markdown
from statements.legal import laws
from statements.models import RegulatorReport, Section, Statement, StatementVersion
from statements.notifications import notifications_of

Form = RegulatorReport.Form
Key = Section.Key
NOT_KNOWN = {"ko": "확인 중입니다.", "en": "Not known yet."}
CHANGED = gettext_lazy("The report was changed while you read. Read it again.")
_READ = ("authority", "text")  # what an editor may change of a draft
HEADING = "## "  # starts a line of a report's text that is a heading


class FilingRefusedError(Exception):
    """Raised when a report cannot be recorded as filed; the message is in the active language."""


def report_duties() -> list[laws.Duty]:
    """Returns the duties that a report to an authority meets."""
    return [duty for duty in laws.all_duties() if duty.kind == "report"]


def objection(incident: Incident, duty_id: str, authority: str) -> str:
    """Returns why a report to this authority does not meet the duty of the incident, or "".

    The duty has to be of a jurisdiction of the incident, and the authority must not be one of
    another jurisdiction only: a report to the ICO does not meet a duty of the European Union. An
    authority that no law file names is accepted. The sentence is in the active language.
    """
    duty = next((each for each in report_duties() if each.id == duty_id), None)
    if duty is None:
        return _("No law file holds this duty any more.")
    if not incident.jurisdictions.filter(jurisdiction=duty.jurisdiction).exists():
        return _("%(law)s is not among the laws of this incident.") % {"law": duty.law}
    others = _laws_of_authority(authority)
    if others and duty.jurisdiction not in {other.jurisdiction for other in others}:
        text = _("This is an authority of another law (%(other)s), so the duty stays unmet.")
        return text % {"other": others[0].law}
    return ""


def _laws_of_authority(authority: str) -> list[laws.Duty]:
    """Returns a duty of each law that names the authority; empty if none does.

    A name inside a longer one that matches does not count: the "Personal Data Protection
    Commission" of Singapore is not the "Data Protection Commission" of Ireland.
    """
    found = [
        (name.casefold(), duty)
        for duty in laws.all_duties()
        for name in duty.authorities
        if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", authority.casefold())
    ]
    return [
        duty
        for name, duty in found
        if not any(name != longer and name in longer for longer, _duty in found)
    ]


def drafted(incident: Incident, form: str) -> str:
    """Returns the text of a new report: the form's items, filled in with what is known.

    The sources are the incident's facts and its current public notice. `form` is a
    RegulatorReport.Form. The text of Form.OTHER is empty.
    """
    if form == Form.OTHER:
        return ""
    items = _gdpr_items(incident) if form == Form.GDPR else _pipc_items(incident)
    return "\n\n".join(f"{HEADING}{heading}\n{text.strip()}" for heading, text in items)


def draft_supplement(report: RegulatorReport, *, by: User) -> tuple[RegulatorReport, bool]:
    """Returns the draft that supplements a filed report, and whether it is new.

    A report has at most one open supplement. A new one gets the next number and a text from the
    current facts.
    """
    first = report.supplements or report
    with transaction.atomic():
        RegulatorReport.objects.select_for_update(no_key=True).get(pk=first.pk)
        drafts = first.supplemented_by.filter(state=RegulatorReport.State.DRAFT)
        if draft := drafts.first():
            return draft, False
        last = first.supplemented_by.aggregate(last=Max("number"))["last"] or 1
        draft = RegulatorReport.objects.create(
            incident=first.incident,
            duty=first.duty,
            form=first.form,
            authority=first.authority,
            supplements=first,
            number=last + 1,
            text=drafted(first.incident, first.form) or first.text,
            created_by=by,
        )
    return draft, True


def fingerprint(report: RegulatorReport) -> str:
    """Returns the SHA-256, in hex, of what a person reads before the report is filed."""
    read = json.dumps([getattr(report, name) for name in _READ])
    return hashlib.sha256(read.encode()).hexdigest()


def file(report: RegulatorReport, *, at: datetime, reference: str, by: User) -> None:
    """Records that the report was filed with the authority. From now on it is immutable.

    `at` is when the authority received it, `reference` is the authority's number or "". Raises
    FilingRefusedError.
    """
    if at > timezone.now():
        raise FilingRefusedError(_("This time is in the future."))
    if at < report.incident.aware_at:
        raise FilingRefusedError(_("The company had not become aware by then."))
    if problem := objection(report.incident, report.duty, report.authority):
        raise FilingRefusedError(problem)
    if not report.text.strip():
        raise FilingRefusedError(_("The report has no text."))
    if report.supplements and not report.supplements.is_filed:
        raise FilingRefusedError(_("File the first report first."))
    if report.supplements and report.supplements.filed_at and at < report.supplements.filed_at:
        raise FilingRefusedError(_("The first report was filed later than this."))
    filed, as_read = RegulatorReport.State.FILED, {name: getattr(report, name) for name in _READ}
    drafts = RegulatorReport.objects.filter(pk=report.pk, state=RegulatorReport.State.DRAFT)
    if not drafts.filter(**as_read).update(
        state=filed, filed_at=at, reference=reference, filed_by=by
    ):
        raise FilingRefusedError(CHANGED if drafts.exists() else _("This report was filed before."))


def document(report: RegulatorReport) -> documents.Document:
    """Returns the report as a document to print, in the language of its form."""
    with override(report.language), timezone.override(report.incident.zone):
        blocks = [*_head(report), *_blocks(report.text)]
        return documents.Document(
            title=_title(report),
            language=report.language,
            footer=f"{report.incident.company} · {_title(report)}",
            made_at=report.filed_at or timezone.now(),
            blocks=blocks,
        )


def _title(report: RegulatorReport) -> str:
    titles = {
        Form.PIPC: _("Report of a personal data leak"),
        Form.GDPR: _("Notification of a personal data breach"),
    }
    title = titles.get(Form(report.form), _("Report to an authority"))
    return (
        title
        if report.number == 1
        else _("%(title)s, supplement %(number)s")
        % {
            "title": title,
            "number": report.number - 1,
        }
    )


def _head(report: RegulatorReport) -> list[documents.Block]:
    rows = [(_("To"), report.authority), (_("From"), str(report.incident.company))]
    if report.filed_at:
        rows.append((_("Filed"), moment(report.filed_at)))
    else:
        rows.append((_("State"), _("Draft, not filed")))
    if report.reference:
        rows.append((_("Reference"), report.reference))
    return [documents.Facts(rows)]


def _blocks(text: str) -> list[documents.Block]:
    """Returns the headings of a report's text and the paragraphs between them."""
    blocks: list[documents.Block] = []
    lines: list[str] = []
    # The empty heading at the end completes the last paragraph.
    for line in [*text.splitlines(), HEADING]:
        if line.startswith(HEADING):
            if paragraph := "\n".join(lines).strip():
                blocks.append(documents.Paragraph(paragraph))
            if heading := line.removeprefix(HEADING).strip():
                blocks.append(documents.Heading(heading))
            lines = []
        else:
            lines.append(line)
    return blocks


# ---------------------------------------------------------------- items of the forms


def _pipc_items(incident: Incident) -> list[tuple[str, str]]:
    """Returns (heading, text) of the leak report's items, in Korean (the PIPC's form; mark B)."""
    with override("ko"), timezone.override(incident.zone):
        notice = _NoticeSections(incident, "ko")
        return [
            ("1. 기관명", str(incident.company)),
            ("2. 정보주체에의 통지 여부", _notification_ko(incident)),
            ("3. 유출된 개인정보의 항목 및 규모", f"{_classes(incident)}\n{_scale_ko(incident)}"),
            (
                "4. 유출된 시점과 그 경위",
                f"{_period_ko(incident)}\n{notice.text(Key.WHEN_AND_HOW)}",
            ),
            (
                "5. 유출에 따른 피해 최소화 대책·조치 및 결과",
                notice.text(Key.MEASURES_TAKEN, Key.RESPONSE_AND_REMEDY),
            ),
            (
                "6. 정보주체가 할 수 있는 피해 최소화 방법 및 구제절차",
                notice.text(Key.SELF_PROTECTION_STEPS, Key.RIGHTS_AND_REMEDIES),
            ),
            ("7. 담당부서·담당자 및 연락처", _contact(incident)),
        ]


def _gdpr_items(incident: Incident) -> list[tuple[str, str]]:
    """Returns (heading, text) of the items of GDPR 33(3), in English (mark R).

    The last item holds the reasons for a delay that 33(1) requires.
    """
    with override("en"), timezone.override(incident.zone):
        notice = _NoticeSections(incident, "en")
        when_and_how = notice.text(Key.WHEN_AND_HOW)
        return [
            (
                "Nature of the breach, categories and approximate numbers (Article 33(3)(a))",
                "\n".join([_period_en(incident), when_and_how, *_scale_en(incident)]),
            ),
            ("Contact point (Article 33(3)(b))", _contact(incident)),
            ("Likely consequences (Article 33(3)(c))", notice.text(Key.LIKELY_CONSEQUENCES)),
            (
                "Measures taken or proposed (Article 33(3)(d))",
                notice.text(Key.MEASURES_TAKEN, Key.RESPONSE_AND_REMEDY),
            ),
            ("Communication to the people concerned (Article 34)", _notification_en(incident)),
            (
                "Reasons for a delay, if this is later than 72 hours (Article 33(1))",
                f"The company became aware on {moment(incident.aware_at)}.",
            ),
        ]


class _NoticeSections:
    """The sections of the incident's newest public notice as plain text, in one language."""

    def __init__(self, incident: Incident, language: str) -> None:
        current = StatementVersion.objects.current().filter(
            statement__incident=incident, statement__kind=Statement.Kind.NOTICE
        )
        version = max(current, key=lambda each: each.published_at or each.created_at, default=None)
        sections = version.sections.all() if version else []
        self._language = language
        self._texts = {each.key: each.body.in_language(language) for each in sections}

    def text(self, *keys: str) -> str:
        """Returns the texts of these sections, one below the other; NOT_KNOWN if all are empty."""
        texts = [markdown.plain(self._texts[key]).strip() for key in keys if self._texts.get(key)]
        return "\n".join(texts) or NOT_KNOWN[self._language]


def _classes(incident: Incident) -> str:
    """Returns the names of the leaked classes with their basis, in the active language."""
    claims = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    names = [
        f"{claim.data_class.name} ({claim.get_basis_display()})"
        for claim in claims.select_related("data_class")
    ]
    return phrasing.joined(names) if names else _("Not known yet.")


def _contact(incident: Incident) -> str:
    lines = [str(incident.department), incident.contact_phone, incident.contact_email]
    return "\n".join(line for line in lines if line)


def _scale_ko(incident: Incident) -> str:
    count, total = incident.reported_count, counts_of(incident).total
    numbers = [] if count is None else [f"계정 {number(count)}개"]
    if total:
        numbers.append(f"지금까지 확인된 정보주체 {number(total.people)}명")
    return f"규모: {', '.join(numbers) or NOT_KNOWN['ko']}"


def _scale_en(incident: Incident) -> list[str]:
    count, total = incident.reported_count, counts_of(incident).total
    numbers = [] if count is None else [f"{number(count)} accounts"]
    if total:
        numbers.append(f"{number(total.people)} people in the data checked so far")
    people = f"Approximate numbers: {', '.join(numbers) or NOT_KNOWN['en']}"
    return [f"Categories of data: {_classes(incident)}", people]


def _period_ko(incident: Incident) -> str:
    begun = date_format(incident.began_on) if incident.began_on else "확인 중"
    ended = date_format(incident.ended_on) if incident.ended_on else "확인 중"
    return f"유출 기간: {begun}부터 {ended}까지\n알게 된 때: {moment(incident.aware_at)}"


def _period_en(incident: Incident) -> str:
    begun = date_format(incident.began_on) if incident.began_on else "not known yet"
    ended = date_format(incident.ended_on) if incident.ended_on else "not known yet"
    return f"Period: from {begun} to {ended}\nBecame aware: {moment(incident.aware_at)}"


def _notification_ko(incident: Incident) -> str:
    notification = _first_notification(incident)
    if notification is None:
        return "아직 통지하지 않았습니다."
    begun, accepted, planned = notification
    return f"{begun}부터 통지했습니다. {planned}명 가운데 {accepted}명의 메일 서버가 받았습니다."


def _notification_en(incident: Incident) -> str:
    notification = _first_notification(incident)
    if notification is None:
        return "Not begun yet."
    begun, accepted, planned = notification
    return f"Begun on {begun}; {accepted} of {planned} messages were accepted for delivery."


def _first_notification(incident: Incident) -> tuple[str, str, str] | None:
    """Returns the start, the accepted and the planned number of the first notice to all people.

    All three are formatted. Returns None before such a notice has begun.
    """
    sent = notifications_of(incident)
    if not sent:
        return None
    first = sent[0]
    return moment(first.begun_at), number(first.accepted), number(first.planned)
