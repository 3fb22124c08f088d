"""Exports the proof of a notice, person by person, and the list of people it did not reach.

Both read the ledger by key, PAGE rows at a time, so that memory use is constant and no query stays
open over millions of rows. Contacts are decrypted only if the caller requests it. The caller checks
that the reader may see them, and records the export.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from foundations.formulas import neutralised
from incidents.encryption import EncryptionError
from incidents.leaks import decrypted_leaks, exposed_rows_of
from incidents.models import AddressChange, AffectedPerson, DataClass, Exposure, PersonMark
from notices.engine.audiences import NOT_REACHED
from notices.message_codes import message_code
from notices.models import Delivery, DeliveryReceipt, LateReport, Letter, Notice, Resend

PAGE = 2_000  # rows
FIRST_KEY = UUID(int=0)
PROOF = (
    *("notice", "person", "code", "statement", "version", "sha256", "channel", "language"),
    *("data_classes", "state", "at", "attempts", "possibly_twice", "reply", "later", "marks"),
)
ESCALATION = (
    *("notice", "person", "language", "state", "at", "reply"),
    *("has_email", "has_phone", "has_postal_address"),
)
CONTACT = ("name", "email", "phone")
Row = dict[str, str]
_NUMBER = re.compile(r"\+[\d-]+")


def proof_fields(*, is_opened: bool) -> tuple[str, ...]:
    """Returns the columns of `proof`."""
    return (*PROOF, *CONTACT) if is_opened else PROOF


def proof(notice: Notice, *, is_opened: bool) -> Iterator[Row]:
    """Yields one row per person, by key: version, data classes, time, state and replies.

    `is_opened` adds name, e-mail and phone. They are "" if the data was shredded or purged.
    """
    slugs = {kind.pk: kind.slug for kind in DataClass.objects.all()}
    notice_columns = {
        "notice": str(notice.pk),
        "statement": _statement(notice),
        "version": str(notice.version.number),
        "sha256": notice.version.hash,
        "channel": notice.channel,
    }
    for page in pages(Delivery.objects.filter(notice=notice)):
        later, marks = _later_of(page), _marks_of(page)
        for delivery in page:
            row = (
                notice_columns
                | _ended(delivery)
                | {
                    "code": message_code(delivery.pk),
                    "data_classes": " ".join(slugs[key] for key in delivery.data_classes),
                    "attempts": str(delivery.attempts),
                    "possibly_twice": _yes(delivery.is_possible_duplicate),
                    "later": later.get(delivery.pk, ""),
                    "marks": marks.get(delivery.recipient, ""),
                }
            )
            yield row | _contact(notice, delivery.person) if is_opened else row


def _statement(notice: Notice) -> str:
    """Returns the slugs of incident and statement. They do not depend on the reader's language."""
    statement = notice.version.statement
    return f"{statement.incident.slug}/{statement.slug}"


def escalation_fields(*, is_opened: bool) -> tuple[str, ...]:
    """Returns the columns of `not_reached`."""
    return (*ESCALATION, *CONTACT, "postal_address") if is_opened else ESCALATION


def not_reached(
    notice: Notice, *, is_opened: bool, states: Sequence[Delivery.State] = NOT_REACHED
) -> Iterator[Row]:
    """Yields one row per delivery that is in one of `states`, with the reason.

    By default these are bounced, suppressed and unreachable, and those whose shared contact got one
    message. Each row states which other ways to
    reach the person the incident's data has. `is_opened` adds name, e-mail, phone and all postal
    addresses that leaked.
    """
    kinds = _address_classes()
    for page in pages(Delivery.objects.filter(notice=notice).ended_as(states)):
        addresses = _addresses_of(notice, page, kinds) if is_opened else {}
        with_address = _with_address(notice, page, kinds)
        for delivery in page:
            row = {"notice": str(notice.pk)} | _ended(delivery) | _ways(notice, delivery.person)
            row["has_postal_address"] = _yes(delivery.recipient in with_address)
            if is_opened:
                row |= _contact(notice, delivery.person)
                row["postal_address"] = " / ".join(addresses.get(delivery.recipient, ()))
            yield row


@dataclass(frozen=True)
class Ways:
    """How many of the people not reached can be reached in another way."""

    other_channel: int  # by telephone if the notice went by e-mail, else by e-mail
    letter: int
    neither: int


def ways(notice: Notice) -> Ways:
    """Counts the other ways to reach people. Reads the row of each person not reached.

    Shredded data has no other way.
    """
    other = {Notice.Channel.EMAIL: "phone_reach", Notice.Channel.SMS: "email_reach"}
    reach = other.get(Notice.Channel(notice.channel), "email_reach")
    kinds = _address_classes()
    exposures = Exposure.objects.not_withdrawn().filter(person=OuterRef("person"))
    rows = (
        Delivery.objects.filter(notice=notice)
        .ended_as(NOT_REACHED)
        .annotate(
            is_usable=Q(**{f"person__{reach}": AffectedPerson.Reach.USABLE}),
            has_address=Exists(exposures.filter(data_classes__overlap=list(kinds))),
        )
    )
    found = rows.aggregate(
        all=Count("pk"),
        other_channel=Count("pk", Q(is_usable=True)),
        letter=Count("pk", Q(has_address=True)),
        any=Count("pk", Q(is_usable=True) | Q(has_address=True)),
    )
    if notice.incident.shredded_at:
        return Ways(0, 0, found["all"])
    return Ways(found["other_channel"], found["letter"], found["all"] - found["any"])


def _ways(notice: Notice, person: AffectedPerson | None) -> Row:
    usable = AffectedPerson.Reach.USABLE
    if person is None or notice.incident.shredded_at:
        return {"has_email": "no", "has_phone": "no"}
    return {
        "has_email": _yes(person.email_reach == usable),
        "has_phone": _yes(person.phone_reach == usable),
    }


def _with_address(notice: Notice, page: Sequence[Delivery], kinds: set[int]) -> set[UUID]:
    """Returns the recipients with a postal address in the leaked data. Decrypts nothing."""
    if notice.incident.shredded_at:
        return set()
    people = [one.person.pk for one in page if one.person is not None]
    rows = Exposure.objects.not_withdrawn().filter(
        person__in=people, data_classes__overlap=list(kinds)
    )
    return set(rows.values_list("person_id", flat=True))


def _address_classes() -> set[int]:
    return set(DataClass.objects.postal_addresses().values_list("pk", flat=True))


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def pages(deliveries: QuerySet[Delivery]) -> Iterator[list[Delivery]]:
    """Yields the deliveries by recipient, PAGE rows at a time, with their people."""
    after = FIRST_KEY
    rows = deliveries.select_related("person").order_by("recipient")
    while page := list(rows.filter(recipient__gt=after)[:PAGE]):
        yield page
        after = page[-1].recipient


def _ended(delivery: Delivery) -> Row:
    return {
        "person": str(delivery.recipient),
        "language": delivery.language,
        "state": delivery.state,
        "at": _time(delivery.ended_at),
        "reply": delivery.reply,
    }


def _time(at: datetime | None) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else ""


def _later_of(page: Sequence[Delivery]) -> dict[int, str]:
    """Returns the late reports, receipts, resends and letters of a page, such as
    "complaint 2025-11-25T…; …", by delivery id.
    """
    found: dict[int, str] = {}
    reports = LateReport.objects.filter(delivery__in=page).order_by("at")
    for report in reports:
        entry = f"{report.kind} {_time(report.at)} {report.server_reply}".strip()
        found[report.delivery_id] = "; ".join(filter(None, [found.get(report.delivery_id), entry]))
    for receipt in DeliveryReceipt.objects.filter(delivery__in=page):
        entry = f"{receipt.state} {_time(receipt.at)} {receipt.words}".strip()
        found[receipt.pk] = "; ".join(filter(None, [found.get(receipt.pk), entry]))
    for resend in Resend.objects.filter(delivery__in=page).order_by("asked_at"):
        entry = _resend_entry(resend)
        key = resend.delivery_id
        found[key] = "; ".join(filter(None, [found.get(key), entry]))
    for letter in Letter.objects.filter(delivery__in=page):
        entry = _letter_entry(letter)
        found[letter.pk] = "; ".join(filter(None, [found.get(letter.pk), entry]))
    return found


def _resend_entry(resend: Resend) -> str:
    """Returns what became of a message that support had sent again."""
    asked = f"sent again {_time(resend.asked_at)} by user {resend.asked_by_id}"
    return f"{asked}, accepted {_time(resend.sent_at)}" if resend.sent_at else f"{asked}, not sent"


def _letter_entry(letter: Letter) -> str:
    """Returns a letter's states, such as "letter exported …, posted …, returned … moved"."""
    states = [f"letter exported {_time(letter.exported_at)}"]
    if letter.posted_on:
        states.append(f"posted {letter.posted_on.isoformat()}")
    if letter.returned_on:
        states.append(f"returned {letter.returned_on.isoformat()} {letter.reason}")
    return ", ".join(states)


def _marks_of(page: Sequence[Delivery]) -> dict[UUID, str]:
    """Returns the marks of the people of a page and that they have new addresses.

    Lifted and ended ones are among them. Reasons and addresses are not.
    """
    people = [one.recipient for one in page]
    marks = PersonMark.objects.filter(person__in=people).order_by("marked_at")
    changes = AddressChange.objects.filter(person__in=people, confirmed_at__isnull=False)
    entries = [(one.person_id, one.kind, one.marked_at, one.lifted_at) for one in marks] + [
        (one.person_id, "new address", one.confirmed_at, one.ended_at)
        for one in changes.order_by("confirmed_at")
    ]
    found: dict[UUID, str] = {}
    for person, kind, since, until in entries:
        entry = f"{kind} {_time(since)}" + (f" to {_time(until)}" if until else "")
        found[person] = "; ".join(filter(None, [found.get(person), entry]))
    return found


def _contact(notice: Notice, person: AffectedPerson | None) -> Row:
    """Decrypts a person's contact data; empty columns if that is not possible."""
    contact: dict[str, str] = {}
    if person is not None and not notice.incident.shredded_at:
        person.incident = notice.incident
        try:
            contact = person.decrypt_contact()
        except EncryptionError:
            contact = {}
    return {
        "name": contact.get("n", ""),
        "email": contact.get("e", ""),
        "phone": contact.get("p", ""),
    }


def _addresses_of(
    notice: Notice, page: Sequence[Delivery], kinds: set[int]
) -> dict[UUID, list[str]]:
    """Returns the postal addresses that leaked of each recipient, as they are in the data."""
    people = {one.person.pk: one.person for one in page if one.person is not None}
    if notice.incident.shredded_at:
        return {}
    found: dict[UUID, list[str]] = {}
    catalogue = {each.pk: each for each in DataClass.objects.all()}
    for key, rows in exposed_rows_of(list(people)).items():
        people[key].incident = notice.incident
        wanted = [row for row in rows if not kinds.isdisjoint(row.data_classes)]
        try:
            leaks = decrypted_leaks(people[key], wanted, catalogue)
        except EncryptionError:
            continue
        found[key] = [
            text for leak in leaks if leak.data_class.pk in kinds for text, _at in leak.values
        ]
    return found


# ---------------------------------------------------------------- file formats


def as_csv(fields: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yields CSV lines with a header. Cells that a spreadsheet would compute are neutralised."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fields)
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _neutralised_cell(row[name]) for name in fields})
        yield _drain(buffer)
    yield _drain(buffer)


def _neutralised_cell(text: str) -> str:
    """Neutralises a cell that a spreadsheet would run, such as "=HYPERLINK(…)".

    Strangers chose names and addresses. Phone numbers in E.164 stay unchanged.
    """
    return text if _NUMBER.fullmatch(text) else neutralised(text)


def _drain(buffer: io.StringIO) -> str:
    """Returns the buffer's content and empties it."""
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def as_json_lines(fields: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yields JSON Lines, one object per person."""
    for row in rows:
        line: dict[str, Any] = {name: row[name] for name in fields}
        yield json.dumps(line, ensure_ascii=False) + "\n"


FORMATS = {"csv": as_csv, "jsonl": as_json_lines}
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
