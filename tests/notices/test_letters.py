"""Letters to people whom a notice did not reach: the files, the states, and the proof."""

import csv
import hashlib
import io
import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import AuditEntry, User
from foundations.shown_text import JOINERS
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import AffectedPerson, PersonMark
from notices import decisions, letter_export, letter_reports
from notices.letter_export import CP949, NOT_PRINTABLE_FIELDS, PrintOrder, one_line
from notices.letter_reports import LetterReportError, LetterReportKind
from notices.message_codes import message_code
from notices.models import Delivery, Letter, Notice
from notices.proof import ledger_export
from tests.desk_pages import notice_url
from tests.notice_factory import delivery_to, draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

ADDRESS = "서울시 송파구 올림픽로 300"
UTF8 = PrintOrder()
POSTED, RETURNED = LetterReportKind.POSTED, LetterReportKind.RETURNED


def addressed(draft, name: str, *addresses: object, **fields: Any) -> AffectedPerson:
    """Returns a person without e-mail address, with these postal addresses."""
    person = exposure_factory.person(draft.incident, name=name, **fields)
    values = [
        ("physical-addresses", *(one if isinstance(one, tuple) else (one,))) for one in addresses
    ]
    file = exposure_factory.file_of(draft.incident)
    exposure_factory.expose(person, file, "names", values=values)
    return person


def closed(draft, approver) -> Notice:
    decisions.approve(draft, by=approver)
    return work(draft)


def letter_rows(notice, order=UTF8) -> list[dict[str, str]]:
    return list(letter_export.letters(notice, order))


def reasons(notice, order=UTF8) -> dict[str, str]:
    """Returns {person: reason} of the second file."""
    return {row["person"]: row["reason"] for row in letter_export.not_printable(notice, order)}


def file_rows(response, encoding="utf-8-sig") -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode(encoding)
    return list(csv.DictReader(io.StringIO(text, newline="")))


def code_of(notice, person) -> str:
    return message_code(delivery_to(notice, person).pk)


def report(notice, kind, text: str | bytes, day=None) -> int:
    data = text.encode() if isinstance(text, str) else text
    day = day or timezone.localdate()
    return letter_reports.record(notice, letter_reports.read_report(data, kind=kind, day=day))


@pytest.fixture
def neighbour(draft) -> AffectedPerson:
    return addressed(draft, "박이웃", ADDRESS)


@pytest.fixture
def ended(draft, neighbour, people, approver, server) -> Notice:
    """A closed notice that did not reach two people, one of them with an address."""
    return closed(draft, approver)


@pytest.fixture
def staff(db) -> dict[str, User]:
    made = {}
    for role in ("auditor", "approver", "support"):
        made[role] = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
        made[role].groups.add(Group.objects.get(name=role))
    return made


# The files


def test_a_letter_has_code_name_address_language_and_check_address(
    ended, neighbour, people, settings
):
    assert letter_rows(ended) == [
        {
            "code": code_of(ended, neighbour),
            "name": "박이웃",
            "address": ADDRESS,
            "language": "ko",
            "check_address": f"{settings.PORTAL_URL}/check/code/{code_of(ended, neighbour)}",
        }
    ]
    assert reasons(ended) == {str(people["neighbour"].pk): "no_address"}


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_the_desk_streams_the_file(client, ended, neighbour, staff, encoding):
    sign_in_to_desk(client, staff["approver"])
    asked = {"file": "letters", "encoding": encoding}
    assert reverse("step_up") in client.post(notice_url("letters", ended), asked)["Location"]
    assert not Letter.objects.exists()
    step_up(client, staff["approver"])
    assert notice_url("letters", ended) in client.get(notice_url("change", ended)).text
    response = client.post(notice_url("letters", ended), asked)
    assert f"charset={encoding}" in response["Content-Type"]
    (row,) = file_rows(response, "utf-8-sig" if encoding == "utf-8" else CP949)
    assert (row["name"], row["address"]) == ("박이웃", ADDRESS)
    entry = LogEntry.objects.filter(user=staff["approver"]).get()
    assert entry.get_change_message() == f"Exported: letters, csv {encoding}, opened."
    asked["file"] = "not-printable"
    (row,) = file_rows(client.post(notice_url("letters", ended), asked))
    assert row["reason"] == "no_address"
    page = client.get(notice_url("letters", ended)).text
    assert "letters exported, not recorded as posted</th><td>1</td>" in page


def test_a_user_who_may_not_open_contacts_gets_no_letters(client, ended, staff):
    for role in ("auditor", "support"):
        sign_in_to_desk(client, staff[role])
        step_up(client, staff[role])
        asked = {"file": "letters", "encoding": "utf-8"}
        assert client.post(notice_url("letters", ended), asked).status_code == 403
        assert client.get(notice_url("letter_reports", ended)).status_code == 403
        assert notice_url("letters", ended) not in client.get(notice_url("change", ended)).text
    assert not Letter.objects.exists()


def test_a_person_gets_one_letter_in_however_many_exports(ended, neighbour):
    assert len(letter_rows(ended)) == 1
    assert letter_rows(ended) == []
    assert len(letter_rows(ended, PrintOrder(is_again=True))) == 1
    report(ended, POSTED, code_of(ended, neighbour))
    assert letter_rows(ended, PrintOrder(is_again=True)) == []


def test_a_letter_is_recorded_before_its_row_leaves(ended, neighbour):
    rows = letter_export.letters(ended, PrintOrder())
    next(rows)
    assert Letter.objects.filter(delivery=delivery_to(ended, neighbour)).exists()


@pytest.mark.parametrize(
    ("name", "addresses", "reason"),
    [
        ("김하나", ["서울시 송파구"], "incomplete"),
        ("김하나", ["서울시 ***로 300"], "incomplete"),
        ("김*나", [ADDRESS], "incomplete"),
        ("", [ADDRESS], "no_name"),
        ("김하나", [ADDRESS, "부산시 해운대구 우동 1"], "several_addresses"),
        (
            "김하나",
            [(ADDRESS, "2020-01-01"), ("부산시 우동 1-1", "2020-01-01")],
            "several_addresses",
        ),
        ("김하나", [], "no_address"),
    ],
)
def test_a_row_without_a_usable_address_is_in_the_second_file(
    draft, approver, server, name, addresses, reason
):
    person = addressed(draft, name, *addresses)
    notice = closed(draft, approver)
    assert letter_rows(notice) == []
    assert reasons(notice) == {str(person.pk): reason}
    assert not Letter.objects.exists()


def test_the_latest_address_is_taken_and_the_first_only_if_asked(draft, approver, server):
    addressed(draft, "김하나", ("옛날시 옛날로 100", "2019-05-01"), (ADDRESS, "2024-05-01"))
    addressed(draft, "김두나", "부산시 해운대구 우동 1", ADDRESS)
    notice = closed(draft, approver)
    assert [row["address"] for row in letter_rows(notice)] == [ADDRESS]
    (row,) = letter_rows(notice, PrintOrder(takes_first=True))
    assert row["address"] == "부산시 해운대구 우동 1"


def test_a_row_that_may_be_of_several_people_is_withheld(draft, approver, server):
    relation = AffectedPerson.Relation.RECIPIENT
    person = addressed(draft, "김하나", ADDRESS, relation=relation)
    file = exposure_factory.file_of(draft.incident)
    exposure_factory.expose(person, file, values=[("names", "박철수")])
    notice = closed(draft, approver)
    assert reasons(notice) == {str(person.pk): "several_people"}


@pytest.mark.parametrize("kind", ["deceased", "restricted"])
def test_a_marked_person_gets_no_letter(ended, neighbour, approver, kind):
    PersonMark.objects.create(
        incident=ended.incident, person=neighbour, kind=kind, reason="x", marked_by=approver
    )
    assert letter_rows(ended) == []
    rows = list(letter_export.not_printable(ended, PrintOrder()))
    (row,) = [row for row in rows if row["person"] == str(neighbour.pk)]
    assert (row["reason"], row["name"], row["address"]) == ("marked", "", "")


def test_a_person_whom_another_notice_reached_gets_no_letter(ended, neighbour, editor):
    later = draft_notice(ended.version, editor, audience="unreached", follows=ended, channel="sms")
    delivery = Delivery.objects.create(
        notice=later,
        recipient=neighbour.pk,
        person=neighbour,
        state="accepted",
        language="ko",
        data_classes=[1],
    )
    assert reasons(ended)[str(neighbour.pk)] == "reached_since"
    Delivery.objects.filter(pk=delivery.pk).update(state="bounced")
    assert len(letter_rows(ended)) == 1


def test_a_follow_up_over_another_channel_makes_no_second_letter(ended, neighbour, editor):
    later = draft_notice(ended.version, editor, audience="unreached", follows=ended, channel="sms")
    common = {"recipient": neighbour.pk, "person": neighbour, "state": "unreachable"}
    Delivery.objects.create(notice=later, language="ko", **common)
    assert len(letter_rows(ended)) == 1
    assert letter_rows(later, PrintOrder(is_again=True)) == []
    assert reasons(later) == {str(neighbour.pk): "has_letter"}
    assert str(neighbour.pk) not in reasons(ended)


@pytest.mark.django_db(transaction=True)
def test_two_exports_at_the_same_time_share_the_people(ended, monkeypatch):
    both, lock = Barrier(2, timeout=20), letter_export.lock_letters

    def lock_together(notice: Notice) -> None:
        both.wait()
        lock(notice)

    def export(_number: int) -> int:
        try:
            return len(letter_rows(ended))
        finally:
            connection.close()

    monkeypatch.setattr(letter_export, "lock_letters", lock_together)
    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(export, range(2))) == [0, 1]


def test_no_letter_follows_an_open_or_a_shredded_notice(ended, draft_alert):
    assert letter_export.letter_objection(ended) == ""
    assert "mandatory" in letter_export.letter_objection(draft_alert)
    ended.closed_at = None
    assert "not ended" in letter_export.letter_objection(ended)
    ended.incident.shred()
    notice = Notice.objects.select_related("incident").get(pk=ended.pk)
    assert "shredded" in letter_export.letter_objection(notice)
    assert set(reasons(notice).values()) == {"not_readable"}


@pytest.fixture
def draft_alert(version, editor) -> Notice:
    return draft_notice(version, editor, kind="alert", topic="scams")


def test_an_open_notice_is_refused_on_the_desk(client, notice, staff):
    sign_in_to_desk(client, staff["approver"])
    step_up(client, staff["approver"])
    answer = client.post(notice_url("letters", notice), {"file": "letters", "encoding": "utf-8"})
    assert "The notice has not ended." in answer.text
    with pytest.raises(CommandError, match="not ended"):
        call_command("export_letters", notice.pk)


def test_a_name_outside_cp949_is_not_lost(draft, approver, server):
    person = addressed(draft, "Nguyễn Thị Hồng", ADDRESS)
    addressed(draft, "김하나", ADDRESS)
    notice = closed(draft, approver)
    order = PrintOrder(encoding="cp949")
    assert [row["name"] for row in letter_rows(notice, order)] == ["김하나"]
    assert reasons(notice, order) == {str(person.pk): "not_in_encoding"}
    data = b"".join(letter_export.not_printable_file(notice, order)).decode("utf-8-sig")
    assert data.splitlines()[0] == ",".join(NOT_PRINTABLE_FIELDS)
    assert "Nguyễn Thị Hồng" in data
    assert [row["name"] for row in letter_rows(notice)] == ["Nguyễn Thị Hồng"]


def test_a_name_that_a_spreadsheet_would_run_is_quoted(draft, approver, server):
    addressed(draft, "=HYPERLINK(1)", ADDRESS)
    notice = closed(draft, approver)
    data = b"".join(letter_export.letters_file(notice, PrintOrder())).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in data


@given(st.text())
def test_a_value_is_one_printable_line(text):
    assert one_line(text).translate(dict.fromkeys(map(ord, JOINERS))).isprintable()


@pytest.mark.parametrize("name", ["علی\u200cرضا", "ශ්\u200dරී", "\ufa19谷", "𠮷野", "👩\u200d🚒"])
def test_a_name_of_any_script_is_printed_as_written(name):
    assert one_line(f" {name}\u200b\n") == name
    assert one_line(f"www\u200c.{name}") == f"www .{name}"  # a joiner has no use after ASCII


def test_decomposed_hangul_and_lines_become_one_line():
    assert (
        one_line("\u1109\u1165\u110b\u116e\u11af\u200b\r\n\r\n올림픽로\u00a0 300 ")
        == "서울, 올림픽로 300"
    )


def test_the_command_writes_the_file(ended, neighbour, capsysbinary):
    call_command("export_letters", ended.pk, "--encoding", "cp949")
    assert ADDRESS in capsysbinary.readouterr().out.decode(CP949)
    call_command("export_letters", ended.pk, "--not-printable")
    assert "no_address" in capsysbinary.readouterr().out.decode("utf-8-sig")
    with pytest.raises(CommandError, match="no notice"):
        call_command("export_letters", 4711)


def test_the_command_writes_a_file_of_its_own_and_says_so_as_json(ended, neighbour, tmp_path):
    path, out = tmp_path / "letters.csv", io.StringIO()
    call_command("export_letters", ended.pk, "--output", str(path), "--json", stdout=out)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    said = {"file": str(path), "bytes": len(content), "sha256": digest}
    assert json.loads(out.getvalue()) == said
    assert ADDRESS in content.decode("utf-8-sig")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(CommandError, match="File exists"):
        call_command("export_letters", ended.pk, "--output", str(path), "--again")
    assert path.read_bytes() == content


def test_a_file_that_cannot_be_written_whole_is_deleted(ended, neighbour, tmp_path, monkeypatch):
    def broken(*_args: object, **_options: object) -> Iterator[bytes]:
        yield b"the first row"
        raise OSError("the disk is full")

    monkeypatch.setattr(letter_export, "letters_file", broken)
    path = tmp_path / "letters.csv"
    with pytest.raises(OSError, match="disk is full"):
        call_command("export_letters", ended.pk, "--output", str(path))
    assert not path.exists()


# What happened to the letters


@pytest.fixture
def code(ended, neighbour) -> str:
    """The code of an exported letter."""
    (row,) = letter_rows(ended)
    return row["code"]


def test_posted_and_returned_letters_are_counted_and_in_the_proof(ended, neighbour, code):
    today = timezone.localdate()
    assert report(ended, POSTED, f"code\n{code}\n") == 1
    assert report(ended, POSTED, f"code\n{code}\n") == 0
    assert report(ended, RETURNED, f"확인 코드,반송 사유\n{code},수취인 불명\n".encode(CP949)) == 1
    letter = Letter.objects.get()
    assert (letter.posted_on, letter.returned_on, letter.reason) == (today, today, "unknown")
    assert dict(letter_export.letter_counts(ended))["letters returned"] == 1
    rows = {row["person"]: row for row in ledger_export.proof(ended, is_opened=False)}
    later = rows[str(neighbour.pk)]["later"]
    assert later.startswith("letter exported 2")
    assert later.endswith(f", posted {today}, returned {today} unknown")


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("{code},eaten by a dog", "Line 1: the reason is unknown."),
        ("{code}\nAAAA-AAAA-AAAA", "Line 2: this is no code of a letter."),
        ("{code},moved\n{code},refused", "Line 2: line 1 has the same code"),
        ("{code}\n{other}", "Line 2: this letter of the notice was not exported."),
        ("", "The file has no letter code."),
        ("{code}", "Line 1: this letter is not recorded as posted."),
        (b"\xff\xff\xff", "neither UTF-8 nor CP949"),
    ],
)
def test_a_report_that_is_not_understood_changes_nothing(ended, people, code, lines, problem):
    if isinstance(lines, str):
        lines = lines.format(code=code, other=code_of(ended, people["minji"]))
    with pytest.raises(LetterReportError) as refused:
        report(ended, RETURNED, lines)
    assert any(problem in one for one in refused.value.problems)
    assert not Letter.objects.exclude(returned_on=None).exists()


def test_a_code_of_another_notice_is_refused(ended, editor, code):
    other = draft_notice(ended.version, editor)
    other.closed_at = ended.closed_at
    with pytest.raises(LetterReportError, match="was not exported"):
        report(other, POSTED, code)


def test_impossible_days_are_refused(ended, code):
    for days, problem in [(1, "in the future"), (-1, "before the end")]:
        with pytest.raises(LetterReportError, match=problem):
            report(ended, POSTED, code, timezone.localdate() + timedelta(days=days))


def test_many_problems_are_shown_shortly(ended):
    with pytest.raises(LetterReportError) as refused:
        report(ended, POSTED, "no code\n" * 100)
    assert len(refused.value.problems) == 21
    assert refused.value.problems[-1] == "And 80 more."


@given(st.binary())
def test_any_bytes_are_read_or_refused(data):
    with suppress(LetterReportError):
        letter_reports.read_report(data, kind=RETURNED, day=timezone.localdate())


def test_the_database_refuses_a_return_without_posting(ended, code):
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.update(returned_on=timezone.localdate(), reason="moved")
    today = timezone.localdate()
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.update(posted_on=today, returned_on=today)


def test_the_account_of_the_portal_may_record_letters(ended, neighbour):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE letters_portal LOGIN")
        call_command("grant_portal_role", "letters_portal", stdout=io.StringIO())
        cursor.execute("SET LOCAL ROLE letters_portal")
    (row,) = letter_rows(ended)
    assert len(letter_rows(ended, PrintOrder(is_again=True))) == 1
    assert report(ended, POSTED, row["code"]) == 1
    assert report(ended, RETURNED, row["code"]) == 1


def test_the_desk_records_a_file(client, ended, staff, code):
    sign_in_to_desk(client, staff["approver"])
    asked = {"kind": "posted", "day": str(timezone.localdate())}
    url = notice_url("letter_reports", ended)
    wrong = client.post(url, asked | {"report": SimpleUploadedFile("a.csv", b"nothing")})
    assert "Line 1: this is no code of a letter." in wrong.text
    file = SimpleUploadedFile("a.csv", code.encode())
    step_up(client, staff["approver"])
    page = client.post(url, asked | {"report": file}, follow=True).text
    assert "1 letter changed." in page
    page = client.get(notice_url("letters", ended)).text
    assert "letters posted, not returned</th><td>1</td>" in page
    entry = LogEntry.objects.filter(user=staff["approver"]).earliest("pk")
    assert entry.get_change_message() == f"Letters posted on {asked['day']}: 1."


def test_the_command_records_a_file(ended, code, tmp_path, capsys):
    file = tmp_path / "posted.csv"
    file.write_text(code)
    day = str(timezone.localdate())
    call_command("record_letters", ended.pk, "posted", str(file), "--day", day)
    assert "1 letters changed" in capsys.readouterr().out
    entry = AuditEntry.objects.get(kind="command", object_id=str(ended.pk))
    assert entry.details == {"what": f"letters posted on {day}", "number": 1}
    with pytest.raises(CommandError, match="No such file"):
        call_command("record_letters", ended.pk, "posted", str(tmp_path / "x"), "--day", day)


# The message check


def test_the_check_page_knows_the_code_of_an_exported_letter(client, ended, neighbour):
    ask = {"text": code_of(ended, neighbour)}
    assert "letter by post" not in client.post("/en/check/answer/", ask).text
    letter_rows(ended)
    page = client.post("/en/check/answer/", ask).text
    assert "We sent a message with this code" in page
    assert "letter by post" in page
