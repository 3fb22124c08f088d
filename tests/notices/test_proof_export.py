"""The export of the proof, person by person, and the record of each export."""

import csv
import io
import json
import logging
from datetime import datetime

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk, step_up
from notices import decisions
from notices.message_codes import envelope_sender, message_code
from notices.models import Notice
from notices.proof import ledger_export
from notices.returned_mail import bounces
from tests.desk_pages import notice_url
from tests.notice_factory import affected, delivery_to, work, work_again
from tests.returned_mail import bounce
from tests.smtp_server import DROP

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")


@pytest.fixture
def closed(notice, server) -> Notice:
    return work(notice)


@pytest.fixture
def staff(db) -> dict[str, User]:
    made = {}
    for role in ("auditor", "approver", "support"):
        made[role] = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
        made[role].groups.add(Group.objects.get(name=role))
    return made


def rows_of(response) -> list[dict[str, str]]:
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def enter(client, user) -> None:
    sign_in_to_desk(client, user)
    step_up(client, user)


def test_the_proof_shows_what_each_person_was_sent_and_when(client, closed, people, staff):
    enter(client, staff["auditor"])
    rows = rows_of(client.post(notice_url("proof", closed), {"format": "csv"}))
    assert len(rows) == closed.planned == 3
    minji = next(row for row in rows if row["person"] == str(people["minji"].pk))
    delivery = delivery_to(closed, people["minji"])
    assert delivery.ended_at
    statement = closed.version.statement
    assert minji["statement"] == f"{statement.incident.slug}/{statement.slug}"
    assert minji["sha256"] == closed.version.hash
    assert minji["data_classes"] == "names phone-numbers"
    assert minji["state"] == "accepted"
    assert minji["reply"] == "250 2.0.0 taken"
    assert minji["code"] == message_code(delivery.pk)
    assert datetime.fromisoformat(minji["at"]) == delivery.ended_at.replace(microsecond=0)
    assert "email" not in minji


def test_a_late_bounce_is_in_the_proof(closed, people):
    bounces.receive(envelope_sender(delivery_to(closed, people["minji"]).pk), bounce())
    rows = {row["person"]: row for row in ledger_export.proof(closed, is_opened=False)}
    assert rows[str(people["minji"].pk)]["later"].startswith("bounce 2")
    assert rows[str(people["seojun"].pk)]["later"] == ""


def test_only_an_approver_decrypts_addresses_and_it_is_recorded(client, closed, staff, caplog):
    enter(client, staff["auditor"])
    asked = {"format": "csv", "is_opened": "on"}
    assert "minji" not in str(rows_of(client.post(notice_url("proof", closed), asked)))
    enter(client, staff["approver"])
    with caplog.at_level(logging.INFO):
        rows = rows_of(client.post(notice_url("proof", closed), asked))
    assert "minji@example.com" in {row["email"] for row in rows}
    entry = LogEntry.objects.filter(user=staff["approver"]).get()
    assert entry.get_change_message() == "Exported: proof, csv, opened."
    assert "minji" not in caplog.text


def test_it_asks_for_a_fresh_code_first(client, closed, staff):
    sign_in_to_desk(client, staff["auditor"])
    for name in ("proof", "not_reached"):
        answer = client.post(notice_url(name, closed), {"format": "csv"})
        assert answer.status_code == 302
        assert reverse("step_up") in answer["Location"]


def test_support_and_customers_export_nothing(client, closed, staff, minji):
    enter(client, staff["support"])
    for name in ("proof", "not_reached"):
        assert client.post(notice_url(name, closed), {"format": "csv"}).status_code == 403
    client.force_login(minji)
    assert client.post(notice_url("proof", closed), {"format": "csv"}).status_code == 404


def test_the_list_of_people_not_reached_has_the_data_for_a_letter(
    client, draft, people, approver, server, staff
):
    file = exposure_factory.file_of(draft.incident, number=2)
    values = [("physical-addresses", "서울시 송파구 올림픽로 300")]
    exposure_factory.expose(people["neighbour"], file, values=values)
    decisions.approve(draft, by=approver)
    closed = work(draft)
    enter(client, staff["approver"])
    page = client.get(notice_url("not_reached", closed)).text
    assert '<th scope="row">not reachable over this channel</th><td>1</td>' in page
    assert f"audience=unreached&amp;follows={closed.pk}" in page
    row = rows_of(
        client.post(notice_url("not_reached", closed), {"format": "csv", "is_opened": "on"})
    )
    assert [(one["name"], one["postal_address"]) for one in row] == [
        ("박이웃", "서울시 송파구 올림픽로 300")
    ]


def test_the_page_counts_the_other_ways_to_reach_people(
    client, draft, people, approver, server, staff, settings
):
    file = exposure_factory.file_of(draft.incident, number=2)
    for number, address in enumerate(["서울시 송파구", "서울시 강남구", ""]):
        person = exposure_factory.person(
            draft.incident, name=f"이웃{number}", phone=f"010-1234-567{number}"
        )
        values = [("physical-addresses", address)] if address else []
        exposure_factory.expose(person, file, "names", values=values)
    decisions.approve(draft, by=approver)
    closed = work(draft)
    enter(client, staff["approver"])
    page = client.get(notice_url("not_reached", closed)).text
    assert "Not reached, with a usable telephone number</th><td>3</td>" in page
    assert "Not reached, with a postal address that leaked</th><td>2</td>" in page
    assert "Not reached, with neither</th><td>1</td>" in page  # the neighbour
    rows = rows_of(client.post(notice_url("not_reached", closed), {"format": "csv"}))
    ways = sorted((row["has_email"], row["has_phone"], row["has_postal_address"]) for row in rows)
    assert ways == [("no", "no", "no"), ("no", "yes", "no"), *[("no", "yes", "yes")] * 2]
    assert "송파구" not in str(rows)
    settings.NOTICE_COUNT_AT_ONCE = 3
    assert "They are too many" in client.get(notice_url("not_reached", closed)).text


def test_a_shredded_incident_has_no_way_left_to_reach_people(closed):
    assert ledger_export.ways(closed) == ledger_export.Ways(0, 0, 1)
    closed.incident.shred()
    notice = Notice.objects.select_related("incident").get(pk=closed.pk)
    (row,) = ledger_export.not_reached(notice, is_opened=True)
    assert (row["has_phone"], row["has_postal_address"], row["phone"]) == ("no", "no", "")
    assert ledger_export.ways(notice) == ledger_export.Ways(0, 0, 1)


def test_people_in_doubt_have_a_separate_list(client, notice, people, server, staff, capsys):
    for _ in range(2):  # a person decides about the second doubt
        server.reply_next("message", "minji@example.com", DROP)
    work(notice)
    closed = work_again(notice)
    assert delivery_to(closed, people["minji"]).state == "in_doubt"
    enter(client, staff["auditor"])
    page = client.get(notice_url("not_reached", closed)).text
    assert '<th scope="row">in doubt</th><td>1</td>' in page
    asked = {"format": "csv", "whom": "in-doubt"}
    answer = client.post(notice_url("not_reached", closed), asked)
    assert f'filename="in-doubt-{closed.pk}.csv"' in answer["Content-Disposition"]
    assert [row["person"] for row in rows_of(answer)] == [str(people["minji"].pk)]
    others = rows_of(client.post(notice_url("not_reached", closed), {"format": "csv"}))
    assert str(people["minji"].pk) not in {row["person"] for row in others}
    entry = LogEntry.objects.filter(user=staff["auditor"]).earliest("pk")
    assert entry.get_change_message() == "Exported: in-doubt, csv, without contacts."
    call_command("export_proof", closed.pk, "--in-doubt")
    assert str(people["minji"].pk) in capsys.readouterr().out


def test_a_name_that_a_spreadsheet_would_run_is_quoted(draft, incident, approver, server):
    affected(exposure_factory.file_of(incident), '=HYPERLINK("http://evil.example")', "", "names")
    decisions.approve(draft, by=approver)
    work(draft)
    fields = ledger_export.escalation_fields(is_opened=True)
    text = "".join(ledger_export.as_csv(fields, ledger_export.not_reached(draft, is_opened=True)))
    assert "\"'=HYPERLINK" in text


@pytest.mark.parametrize("start", ["=", "@", "-", "+", "＝", "＠", "\t=", "\n="])
def test_no_cell_begins_as_a_formula(start):
    rows = [{"name": f"{start}1+1", "phone": "+82-10-1234-5678"}]
    text = "".join(ledger_export.as_csv(("name", "phone"), rows))
    read = next(iter(csv.DictReader(io.StringIO(text, newline=""))))
    assert read == {"name": f"'{start}1+1", "phone": "+82-10-1234-5678"}


def test_memory_and_queries_do_not_grow_with_each_person(closed, monkeypatch):
    monkeypatch.setattr(ledger_export, "PAGE", 1)
    with CaptureQueriesContext(connection) as paged:
        assert len(list(ledger_export.proof(closed, is_opened=True))) == 3
    monkeypatch.setattr(ledger_export, "PAGE", 100)
    with CaptureQueriesContext(connection) as whole:
        assert len(list(ledger_export.proof(closed, is_opened=True))) == 3
    assert len(whole) <= 9 < len(paged)


def test_the_command_writes_json_lines(closed, people, capsys):
    call_command("export_proof", closed.pk, format="jsonl")
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["person"] for row in rows} == {str(person.pk) for person in people.values()}
    call_command("export_proof", closed.pk, "--not-reached", "--open")
    assert "박이웃" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no notice"):
        call_command("export_proof", 4711)


def test_a_shredded_incident_still_proves_without_addresses(closed):
    closed.incident.shred()
    notice = Notice.objects.select_related("incident").get(pk=closed.pk)
    rows = list(ledger_export.proof(notice, is_opened=True))
    assert len(rows) == 3
    assert {row["email"] for row in rows} == {""}
