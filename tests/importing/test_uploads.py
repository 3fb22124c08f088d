"""Uploads through the desk: checked, imported by a worker, and never stored unencrypted."""

import errno
import gzip
import html
import logging
import os
import re
import subprocess
import time
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, DataError, OperationalError, connection, connections
from django.db.utils import DatabaseErrorWrapper
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from accounts.audit.actors import acting
from accounts.models import User
from breachportal.celery import app
from foundations.formatting import moment
from foundations.process_pool import workers
from harness.sign_in import sign_in_to_desk, step_up
from incidents import scope_versions, uploads
from incidents.desk_parts import incident_parts
from incidents.forms import MAPPING_EXAMPLE
from incidents.importing import loading, stopping
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import File, ImportRefusedError, refusing_read_errors
from incidents.importing.refusals import RefusalMessages
from incidents.importing.row_messages import RejectMessages, translate_reject
from incidents.importing.stopping import ImportStoppedError
from incidents.models import (
    AffectedPerson,
    BatchWithdrawal,
    ExposureFile,
    Incident,
    Upload,
    UploadPiece,
)
from incidents.scope_versions import incident_lock
from tests.database import conninfo
from tests.desk_pages import page_text
from tests.korean_messages import in_korean
from tests.queue_worker import queue_worker

pytestmark = pytest.mark.django_db
State = Upload.State
ADD = "/admin/incidents/upload/add/"
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
contact_leaked = ["name", "email"]
"""
MEMBERS = (
    "member_id,name,email\n1,김민지,minji@example.com\n2,박서준,seojun@example.com\n,이지호,\n"
).encode()


@pytest.fixture
def importer(db) -> User:
    user = User.objects.create_user("importer@hanbit.example", is_staff=True)
    user.groups.add(user.groups.model.objects.get(name="importer"))
    return user


@pytest.fixture
def desk(client, importer) -> Client:
    sign_in_to_desk(client, importer)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def places(tmp_path, monkeypatch) -> Path:
    """The directory in which workers store a file while they read it."""
    monkeypatch.setattr(uploads, "_IN_MEMORY", tmp_path)
    return tmp_path


def send(
    client: Client,
    incident: Incident,
    content: bytes = MEMBERS,
    *,
    name: str = "members.csv",
    **fields: str,
):
    data = {
        "incident": incident.pk,
        "content": SimpleUploadedFile(name, content),
        "mapping": MAPPING,
        "encoding": "",
        **fields,
    }
    return client.post(ADD, data)


def sent(client: Client, incident: Incident, content: bytes = MEMBERS, **fields: str) -> Upload:
    response = send(client, incident, content, **fields)
    assert response.status_code == 302, html.unescape(response.content.decode())
    return Upload.objects.latest("created_at")


def url(action: str, upload: Upload) -> str:
    return reverse(f"admin:incidents_upload_{action}", args=[upload.pk])


def page(client: Client, upload: Upload) -> str:
    return page_text(client.get(url("change", upload)))


def worked(upload: Upload) -> Upload:
    uploads.run_upload(str(upload.pk))
    upload.refresh_from_db()
    return upload


def test_a_check_shows_counts_and_first_errors_and_imports_nothing(desk, incident, places):
    upload = worked(sent(desk, incident))

    assert (upload.state, upload.rows_read, upload.rows_taken, upload.rows_rejected) == (
        State.CHECKED,
        3,
        2,
        1,
    )
    shown = page(desk, upload)
    assert "<div>4: missing member_id</div>" in shown
    assert "2 rows can be taken, 1 rejected. Nothing is loaded yet" in shown
    assert "Import it" in shown
    assert not AffectedPerson.objects.exists()
    assert not list(places.iterdir())


def test_a_checked_upload_is_imported_and_its_content_deleted(desk, incident, places):
    upload = worked(sent(desk, incident))
    assert desk.post(url("import", upload)).status_code == 302

    upload = worked(upload)

    assert upload.state == State.IMPORTED
    assert AffectedPerson.objects.count() == 2
    file = ExposureFile.objects.get()
    assert (upload.file, file.name, file.rows_rejected) == (file, "members.csv", 1)
    assert "Close the scope version once all its files are loaded" in page(desk, upload)
    assert not upload.pieces.filter(kind="content").exists()
    assert not list(places.iterdir())


def test_nothing_is_imported_unchecked(desk, incident, places):
    upload = sent(desk, incident)

    answer = desk.post(url("import", upload), follow=True)

    assert "Nothing was changed now." in answer.content.decode()
    upload.refresh_from_db()
    assert upload.state == State.TO_CHECK


def test_the_rejected_rows_are_downloaded_by_importers_alone(
    desk, incident, places, editor, importer, caplog
):
    upload = worked(sent(desk, incident))
    desk.post(url("import", upload))
    upload = worked(upload)

    asked = desk.get(url("rejects", upload))
    assert asked["Location"].startswith(reverse("step_up"))
    step_up(desk, importer)
    with caplog.at_level(logging.INFO):
        response = desk.get(url("rejects", upload))
    got = b"".join(response.streaming_content).decode("utf-8-sig")
    assert got.splitlines()[1] == "4,missing member_id,,이지호,"
    assert "attachment" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    assert f"user {importer.pk} downloaded the rejects of upload {upload.pk}" in caplog.text
    assert LogEntry.objects.filter(change_message__contains="Downloaded").exists()

    helper = User.objects.create_user("helper@hanbit.example", is_staff=True)
    helper.groups.add(helper.groups.model.objects.get(name="auditor"))
    other = Client()
    sign_in_to_desk(other, helper)
    step_up(other, helper)
    for action in ("rejects", "import", "discard"):
        assert other.get(url(action, upload)).status_code == 403
    assert other.get(ADD).status_code == 403


def test_the_reasons_in_the_rejected_rows_are_in_the_readers_language(
    desk, incident, places, importer
):
    """The file with Korean reasons comes back as a correction."""
    upload = worked(sent(desk, incident))
    desk.post(url("import", upload))
    worked(upload)
    step_up(desk, importer)
    desk.cookies["language"] = "ko"
    got = b"".join(desk.get(url("rejects", upload)).streaming_content).decode("utf-8-sig")
    assert got.splitlines()[:2] == [
        "line,reason,member_id,name,email",
        "4,member_id 값이 없음,,이지호,",
    ]
    corrected = got.replace(",,이지호", ",3,이지호").encode("utf-8-sig")
    again = worked(sent(desk, incident, corrected, name="members.rejects.csv"))
    assert (again.state, again.rows_taken) == (State.CHECKED, 1)


def test_the_page_of_a_scope_version_leads_to_the_reject_file_and_to_the_corrected_one(
    desk, incident
):
    upload = worked(sent(desk, incident))
    desk.post(url("import", upload))
    worked(upload)
    batch = incident.batches.get()
    shown = page_text(desk.get(reverse("admin:incidents_exposurebatch_change", args=[batch.pk])))
    assert "1 rejected row of members.csv: correct and import the reject file." in shown
    assert f'<a href="{url("change", upload)}">The reject file is on' in shown
    assert f'<a href="{ADD}?incident={incident.pk}">Load the corrected one.</a>' in shown
    Upload.objects.get().pieces.filter(kind="rejects").delete()
    shown = page_text(desk.get(reverse("admin:incidents_exposurebatch_change", args=[batch.pk])))
    assert "Load the corrected one." not in shown


# A file that adds to people of other files


FIRST = "member_id,name,email\n1,김민지,\n2,박서준,seojun@example.com\n".encode()
OWN = 'phone = "phone"\ncontact_leaked = ["name", "email", "phone"]'
WITH_PHONE = MAPPING.replace('contact_leaked = ["name", "email"]', OWN)
ONLY_KNOWN = """
[person]
relation = "member"
reference = "member_id"
known = true
[[leaked]]
class = "physical-addresses"
value = "{address}"
"""


def member(role: str) -> User:
    user = User.objects.create_user(f"second-{role}@hanbit.example", is_staff=True)
    user.groups.add(user.groups.model.objects.get(name=role))
    return user


def imported(desk: Client, incident: Incident, content: bytes, **fields: str) -> Upload:
    upload = worked(sent(desk, incident, content, **fields))
    desk.post(url("import", upload))
    return worked(upload)


@pytest.mark.parametrize(
    ("second", "mapping", "people"),
    [
        ("member_id,name,email\n1,,evil@example.com\n", MAPPING, 1),
        ("member_id,name,email\n1,김민지,evil@example.com\n2,,seojun@example.com\n", MAPPING, 1),
        ("member_id,name,email\n2,,seojun@example.com; evil@example.com\n", MAPPING, 1),
        ("member_id,name,email,phone\n2,박서준,,010-1234-5601\n", WITH_PHONE, 1),
        ("member_id,name,email\n2,박서준,\n", MAPPING, 1),
        ("member_id,address\n1,Seoul\n2,Busan\n", ONLY_KNOWN, 2),
        ("member_id,address\n1,Seoul\n2,\n8,\n9,Busan\n", ONLY_KNOWN, 1),
        ("member_id,address\n8,\n9,Busan\n", ONLY_KNOWN, 0),
        (
            "member_id,name,email\n2,박서준,seojun@example.com\n3,이지호,jiho@example.com\n",
            MAPPING,
            0,
        ),
        ("member_id,name,email\n2,박서준,evil@example.com\n3,,x@example.com\n", MAPPING, 0),
    ],
)
def test_a_file_that_adds_to_people_of_other_files_takes_a_second_person(
    desk, incident, places, second, mapping, people
):
    """Otherwise one importer opens the data of a stranger to an address of their own."""
    imported(desk, incident, FIRST)
    before = AffectedPerson.objects.count()
    upload = worked(sent(desk, incident, second.encode(), name="second.csv", mapping=mapping))
    assert upload.people_joined == people, upload.refusal
    refused = desk.post(url("import", upload)).status_code == 403
    assert refused == bool(people)
    if not people:
        return
    assert "a second person imports it" in page(desk, upload)
    assert worked(upload).state == State.CHECKED
    assert AffectedPerson.objects.count() == before
    other = Client()
    sign_in_to_desk(other, member("approver"))
    other.cookies["language"] = "en"
    shown = other.get(url("import", upload))
    assert "Files that are loaded: members.csv" in page_text(shown)
    assert other.post(url("import", upload)).status_code == 200  # nothing was read
    assert other.post(url("import", upload), {"seen": shown.context["seen"]}).status_code == 302
    assert worked(upload).state == State.IMPORTED


def test_a_contact_of_people_whose_own_file_was_withdrawn_takes_a_second_person(
    desk, incident, places, importer
):
    """The withdrawal emptied the contact, and another file still holds values of the person."""
    imported(desk, incident, FIRST)
    first = ExposureFile.objects.get().batch
    scope_versions.close(first)
    later = worked(
        sent(desk, incident, b"member_id,address\n1,Seoul\n", name="v.csv", mapping=ONLY_KNOWN)
    )
    uploads.want_import(later)
    assert worked(later).state == State.IMPORTED
    rows = scope_versions.rows_taken(first)
    second = member("approver")
    BatchWithdrawal.objects.create(
        batch=first, reason="x", public_reason="wrong_file", rows=rows, proposed_by=importer
    ).confirm(second)
    scope_versions.withdraw(first)
    evil = b"member_id,name,email\n1,,evil@example.com\n2,,two@example.com\n"
    assert worked(sent(desk, incident, evil, name="e.csv")).people_joined == 1


def test_who_uploads_such_a_file_never_imports_it(desk, importer, incident, places):
    importer.groups.add(importer.groups.model.objects.get(name="approver"))
    imported(desk, incident, FIRST)
    second = b"member_id,name,email\n1,,evil@example.com\n"
    upload = worked(sent(desk, incident, second, name="second.csv"))
    answer = desk.post(url("import", upload), {"seen": upload.changed_at.isoformat()})
    assert answer.status_code == 403
    assert "another person has to import it" in answer.content.decode()
    shown = page(desk, upload)
    assert "another person has to import it" in shown
    assert url("import", upload) not in shown


def test_the_second_person_of_such_a_file_refuses_it_by_throwing_it_away(desk, incident, places):
    known = worked(sent(desk, incident, FIRST))
    approver = Client()
    sign_in_to_desk(approver, member("approver"))
    assert url("discard", known) not in page(approver, known)
    assert approver.post(url("discard", known)).status_code == 403
    uploads.want_import(known)
    worked(known)
    second = b"member_id,name,email\n1,,evil@example.com\n"
    upload = worked(sent(desk, incident, second, name="second.csv"))
    assert url("discard", upload) in page(approver, upload)
    assert approver.post(url("discard", upload)).status_code == 302
    upload.refresh_from_db()
    assert upload.state == State.DISCARDED


def test_who_chose_the_columns_of_such_a_file_never_imports_it(desk, incident, places):
    """An approver could otherwise call a column of own addresses that of the addresses."""
    imported(desk, incident, FIRST)
    second = b"member_id,name,email\n1,,evil@example.com\n"
    upload = worked(sent(desk, incident, second, name="second.csv"))
    chooser, other = member("approver"), member("editor")
    other.groups.set(chooser.groups.all())
    profile = uploads.profile_of(upload)
    assert profile
    with acting(chooser):
        assert uploads.want_check(upload, f"{upload.mapping}# again", profile.choices)
    upload = worked(upload)
    task = next(each for each in incident_parts(incident).tasks if str(upload.pk) in each.key)
    assert [task.may(user) for user in (chooser, other)] == [False, True]
    answers = []
    for user in (chooser, other):
        client = Client()
        sign_in_to_desk(client, user)
        answer = client.post(url("import", upload), {"seen": upload.changed_at.isoformat()})
        answers.append(answer.status_code)
    assert answers == [403, 302]


def test_a_file_that_was_checked_again_meanwhile_is_not_imported(desk, incident, places):
    read = worked(sent(desk, incident))
    again = Upload.objects.get(pk=read.pk)
    profile = uploads.profile_of(again)
    assert profile
    assert uploads.want_check(again, again.mapping, profile.choices)
    again = worked(again)
    assert (again.state, again.people_joined) == (read.state, read.people_joined)
    assert not uploads.want_import(read)
    assert uploads.want_import(again)


def test_the_page_says_when_a_file_that_waits_is_thrown_away(desk, incident, places):
    upload = worked(sent(desk, incident))
    Upload.objects.update(changed_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC))
    shown = page(desk, upload)
    assert re.search("the file is thrown away on [^<]*2 March 2026", shown)
    Upload.objects.update(state=State.IMPORTED)
    assert "is thrown away" not in page(desk, upload)


def test_a_file_is_not_imported_if_others_with_its_people_were_loaded_since_its_check(
    desk, incident, places
):
    second = b"member_id,name,email\n1,,evil@example.com\n"
    upload = worked(sent(desk, incident, second, name="second.csv"))
    assert upload.people_joined == 0
    imported(desk, incident, FIRST)
    desk.post(url("import", upload))
    upload = worked(upload)
    assert upload.state == State.REFUSED
    assert "other files with people of this one were loaded" in upload.refusal
    assert not AffectedPerson.objects.filter(
        email_index=incident.cipher().email_index("evil@example.com")
    ).exists()


def test_the_board_asks_another_person_to_import_such_a_file(desk, incident, places, importer):
    imported(desk, incident, FIRST)
    upload = worked(sent(desk, incident, b"member_id,name,email\n1,,a@b.example\n", name="b.csv"))
    task = next(each for each in incident_parts(incident).tasks if str(upload.pk) in each.key)
    assert task.may(member("approver"))
    assert not task.may(importer)
    assert task.message_kind


def test_the_columns_are_taken_from_an_earlier_file(desk, incident, places, importer):
    waiting = sent(desk, incident, name="unread.csv")
    assert waiting.name not in page_text(desk.get(ADD))  # nothing was imported with its columns
    first = imported(desk, incident, MEMBERS)
    named = f"{first.name} ({incident}, {moment(first.created_at)})"  # names of files repeat
    assert named in page_text(desk.get(ADD))
    again = {"mapping": "", "as_before": str(first.pk)}
    both = send(desk, incident, name="both.csv", as_before=str(first.pk))
    assert "not both" in page_text(both)
    more = b"member_id,name,email\n8,Jun,jun@example.com\n"
    upload = worked(sent(desk, incident, more, name="more.csv", **again))
    assert (upload.mapping, upload.state, upload.rows_taken) == (first.mapping, State.CHECKED, 1)
    other = worked(sent(desk, incident, b"a,b\n1,2\n", name="other.csv", **again))
    assert other.state == State.REFUSED


def test_customers_find_no_uploads(minji, client, incident, desk):
    upload = sent(desk, incident)
    stranger = Client()
    stranger.force_login(minji)
    for address in (ADD, url("change", upload), url("rejects", upload)):
        assert stranger.get(address).status_code == 404


def test_an_upload_is_stored_nowhere_unencrypted(desk, incident, places, caplog):
    upload = sent(desk, incident)

    pieces = b"".join(bytes(piece.ciphertext) for piece in UploadPiece.objects.all())
    assert pieces
    for private in ("민지".encode(), b"minji@", b"member_id"):
        assert private not in pieces
    assert "minji@" not in page(desk, upload)
    assert "minji@" not in caplog.text


def test_a_workers_file_is_its_own_alone_and_only_while_it_reads(
    desk, incident, places, monkeypatch
):
    upload = sent(desk, incident)
    seen: list[tuple[int, int]] = []

    def look(path: Path, **_options: object) -> None:
        seen.append((path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777))
        raise KeyboardInterrupt

    monkeypatch.setattr(loading, "check_file", look)
    with pytest.raises(KeyboardInterrupt):
        uploads.run_upload(str(upload.pk))

    assert seen == [(0o600, 0o700)]
    assert not list(places.iterdir())


@pytest.mark.parametrize("remove", [uploads.remove_leftovers, uploads.sweep])
def test_the_file_of_a_killed_worker_is_removed_by_the_next(places, remove):
    living = places / f"{uploads._prefix()}{os.getpid()}-x"
    killed = places / f"{uploads._prefix()}999999999-x"
    for directory in (living, killed):
        directory.mkdir()
        (directory / "members.csv").write_bytes(MEMBERS)

    remove()

    assert list(places.iterdir()) == [living]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b.csv", ".hidden", "..", "탈\n취.csv", "가" * 255]
)
def test_a_file_name_cannot_leave_the_directory(name):
    harmless = uploads._harmless(name)
    assert harmless
    assert not set(harmless) & set("/\n")
    assert not harmless.startswith(".")
    assert len(harmless.encode()) <= 200


@pytest.mark.parametrize(
    "name",
    ["rejects.csv", "source", "members.rejects.csv", f"{'가' * 251}.csv", f"{'각' * 251}.csv"],
)
def test_a_file_with_any_name_is_imported(desk, incident, places, name):
    """A Korean syllable has 3 bytes, or 9 from macOS; a file name may have 255."""
    name = unicodedata.normalize("NFD", name) if "각" in name else name

    upload = worked(sent(desk, incident, name=name))
    assert (upload.state, upload.refusal) == (State.CHECKED, "")
    desk.post(url("import", upload))
    upload = worked(upload)

    assert (upload.state, upload.refusal) == (State.IMPORTED, "")
    assert (upload.rows_taken, upload.rows_rejected) == (2, 1)
    assert b"".join(uploads.rejects_of(upload)).decode("utf-8-sig").splitlines() == [
        "line,reason,member_id,name,email",
        "4,missing member_id,,이지호,",
    ]
    assert not list(places.iterdir())


def test_a_file_of_which_nothing_is_taken_is_refused_with_its_rejected_rows(desk, incident, places):
    upload = worked(sent(desk, incident, b"member_id,name,email\n,Minji,\n"))
    desk.post(url("import", upload))
    upload = worked(upload)

    assert (upload.state, upload.rows_read, upload.rows_rejected) == (State.REFUSED, 1, 1)
    shown = page(desk, upload)
    assert "none of its 1 rows could be taken, so it is not loaded" in shown
    assert "Download the rejected rows" in shown
    assert b"2,missing member_id" in b"".join(uploads.rejects_of(upload))
    assert not upload.pieces.filter(kind="content").exists()
    assert not list(places.iterdir())


def test_a_refused_file_shows_the_reason_and_is_deleted(desk, incident, places):
    upload = worked(sent(desk, incident, b"<html><table></table></html>"))

    assert upload.state == State.REFUSED
    shown = page(desk, upload)
    before_details = shown[: shown.index("SHA-256")]
    assert "an HTML page, whatever its name says" in before_details
    assert not upload.pieces.exists()


@pytest.mark.parametrize(
    ("name", "content", "stored", "translated"),
    [
        (
            "members.csv.gz",
            gzip.compress(b"%PDF-1.7"),
            RefusalMessages.PDF.stored(
                place_words=RefusalMessages.INSIDE.stored(file="members.csv.gz", compression="gzip")
            ),
            "members.csv.gz의 gzip 압축 안: PDF 문서입니다.",
        ),
        (
            "members.csv",
            b"id,name\n1,Minji\n",
            RefusalMessages.HEADER_LACKS.stored(
                file="members.csv", columns="member_id, email", mapping_words="mapping"
            ),
            "members.csv 1번째 줄: 열 대응표에 적힌 열이 머리글에 없습니다: member_id, email.",
        ),
        (
            "members.csv.gz",
            b"\x1f\x8bnot gzip at all",
            "members.csv.gz: the gzip data is cut short or damaged; fetch it again",
            "members.csv.gz: gzip 압축이 중간에 끊겼거나 손상되었습니다. 다시 받으십시오.",
        ),
    ],
)
def test_the_reason_of_a_refused_file_is_in_the_readers_language(
    desk, incident, places, name, content, stored, translated
):
    upload = worked(sent(desk, incident, content, name=name))

    assert upload.refusal == stored  # stored in English
    desk.cookies["language"] = "ko"
    shown = page(desk, upload)
    assert shown.count(translated) == 2  # at the top, and in the details
    assert stored not in shown
    desk.cookies["language"] = "en"
    assert page(desk, upload).count(stored) == 2


MEMBERS_WITH_DATES = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]
[dates]
joined_on = "date"
"""
BAD_MEMBERS = (
    b"id,name,email,phone,joined_on\n"
    b"1,Minji,minji@example.com,010-1234-5678,2025-11-18\n"
    b"1,Minji,other@example.com,010-1234-5678,2025-11-18\n"
    b"1,Minji,minji@example.com,010-9876-5432,2025-11-18\n"
    b"2,Seojun\n"
    b'3,"Ji"ho,,,\n'
    b"4,Ji\rho,,,\n"
    b"5,\xff,,,\n" + "6,지호,,,\n8,민지,,,\n".encode() + b",Jiho,,,\n"
    b"7,Jiho,,,yesterday\n2.02511E+15,Jiho,,,\nTotal,,,,\n"
)
_ID = '[person]\nrelation = "member"\nreference = "id"\n'
_NAMED = f'{_ID}name = "name"\ncontact_leaked = ["name"]\n'
_TELEPHONE = '[person]\nrelation = "recipient"\nphone = "id"\ncontact_leaked = ["phone"]\n'
OTHER_FILES = [
    (b'{"id": "1", "name": "Minji"}\n[1]\n{"id": 2, "id": 3}\n{"id": [4]}\n{"id": 5}\n', _ID),
    ("id,name\n1,김민지\n2,박서준\n".encode("cp949") + "3,최수\n".encode(), _NAMED),
    (
        "id,name\n1,Günter\n2,Jürgen\n".encode("cp1252") + "3,Müller\n".encode(),
        f'encoding = "windows-1252"\n{_NAMED}',
    ),
    (b"id\n010-1234-5678\nnobody\n", _TELEPHONE),
    (
        b"id,name,email\n1,Jiho,jiho@b.example\n2,Minji,minji@b.example\nred,Bicycle,\n",
        f'{_NAMED}email = "email"\n',
    ),
    (b"no,id\n1,fr\n2,ko\n", _ID.replace('"id"', '"no"\nlanguage = "id"')),
    (b"id\nnobody\n", f"{_ID}known = true\n"),
    (b"id,name\n1,Jiho\n2,Se\\qo\n", f"escape = '\\'\n{_NAMED}"),
    (
        (
            b'id,name,at\nguest,Jiho,2025-01-01\n"1\n2",Jiho,2025-01-01\n3,Jiho,yesterday\n'
            b"4,Minji,2025-01-01\n4,Seojun,2025-01-01\n"
        ),
        f'strict = true\n{_NAMED}[dates]\nat = "date"\n',
    ),
]


def test_every_reason_for_a_rejected_row_is_shown_in_the_readers_language(desk, incident, places):
    desk.cookies["language"] = "ko"
    found = set()
    for content, mapping in [(BAD_MEMBERS, MEMBERS_WITH_DATES), *OTHER_FILES]:
        upload = worked(sent(desk, incident, content, mapping=mapping))
        assert upload.state == State.CHECKED, upload.refusal
        shown = page(desk, upload)
        for line, reason in upload.first_rejects:
            found.add(reason)
            assert f"<div>{line}: {in_korean(reason, translate_reject)}</div>" in shown
            assert reason not in shown
    # The column of references holds one line, and no e-mail address can move into it alone.
    reasons = set(RejectMessages) - {RejectMessages.ROWS_INSIDE, RejectMessages.MOVED}
    assert found == {reason.stored(column="id", encoding="windows-1252") for reason in reasons}


def test_a_wrong_mapping_is_refused_in_the_readers_language(desk, incident):
    desk.cookies["language"] = "ko"

    wrong = MAPPING.replace("contact_leaked", "contact_leked")
    response = send(desk, incident, mapping=wrong)

    assert "열 대응표, [person]: contact_leaked 키가 없습니다." in response.content.decode()


def test_numbers_are_grouped_and_sorted_as_numbers(desk, incident, places):
    for number in (9, 1_234_567, 80):
        upload = sent(desk, incident)
        counts = {"rows_taken": number, "rows_read": number + 1, "size": 7_654_321}
        Upload.objects.filter(pk=upload.pk).update(**counts)
    listed = reverse("admin:incidents_upload_changelist")
    text = desk.get(listed).content.decode()
    [order] = re.findall(r'column-rows_taken">.*?href="\?o=([\d.-]+)"', text, re.DOTALL)

    text = desk.get(f"{listed}?o={order}").content.decode()
    assert re.findall(r'"field-rows_taken">([^<]*)<', text) == ["9", "80", "1,234,567"]
    largest = page(desk, Upload.objects.get(rows_taken=1_234_567))
    assert "1,234,568" in largest
    assert "7,654,321" in largest


def test_an_invalid_mapping_is_refused_before_anything_is_stored(desk, incident):
    response = send(desk, incident, mapping="[person")

    assert response.status_code == 200
    assert "mapping: not TOML" in response.text
    assert "Choose the file again: nothing was kept of it." in response.text
    assert not Upload.objects.exists()


def test_the_example_beside_the_mapping_field_is_valid(desk, incident):
    assert html.escape(MAPPING_EXAMPLE) in desk.get(ADD).text
    content = b"member_id,name,email,phone\n1,Minji,minji@example.com,010-1234-5678\n"
    assert send(desk, incident, content, mapping=MAPPING_EXAMPLE).status_code == 302


def test_the_upload_of_a_killed_worker_is_processed_again_at_the_next_sweep(desk, incident, places):
    upload = worked(sent(desk, incident))
    uploads.want_import(upload)
    Upload.objects.update(state=State.IMPORTING, changed_at=timezone.now())

    assert uploads.sweep() == [str(upload.pk)]
    assert worked(upload).state == State.IMPORTED
    assert AffectedPerson.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_upload_is_tried_again_at_the_next_sweep_after_its_worker_lost_the_database(
    desk, incident, places, monkeypatch
):
    upload, check_file = sent(desk, incident), loading.check_file

    def cut_off(*words: Any, **options: Any) -> ImportProgress:
        assert uploads.sweep() == []  # a worker has it
        with psycopg.connect(conninfo(), autocommit=True) as other:
            pid = connection.connection.info.backend_pid
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        return check_file(*words, **options)

    monkeypatch.setattr(loading, "check_file", cut_off)
    with pytest.raises((OperationalError, ImportStoppedError)):
        uploads.run_upload(str(upload.pk))
    connection.close()  # as after each task

    monkeypatch.undo()
    assert uploads.sweep() == [str(upload.pk)]
    assert worked(upload).state == State.CHECKED


@pytest.fixture
def other_worker(desk, incident) -> Iterator[Upload]:
    """An upload whose lock another session holds."""
    upload = sent(desk, incident)
    with psycopg.connect(conninfo(), autocommit=True) as other:
        lock = [uploads.LOCK_SPACE, uploads._lock_key(upload.pk)]
        other.execute("SELECT pg_try_advisory_lock(%s, %s)", lock)
        yield upload


@pytest.mark.django_db(transaction=True)
def test_an_upload_stays_with_its_worker_however_long_that_takes(other_worker, monkeypatch):
    before = timezone.now() - timedelta(hours=2)
    Upload.objects.update(state=State.CHECKING, changed_at=before)
    assert uploads.sweep() == []
    # The worker may take the upload while the sweep runs.
    monkeypatch.setattr(uploads, "held_keys", lambda _space: [])
    assert uploads.sweep() == []


@pytest.mark.django_db(transaction=True)
def test_a_second_worker_does_nothing(other_worker, places):
    assert worked(other_worker).state == State.TO_CHECK


def test_an_import_killed_after_its_commit_is_not_repeated(desk, incident, places):
    upload = worked(sent(desk, incident))
    uploads.want_import(upload)
    assert worked(upload).state == State.IMPORTED
    Upload.objects.update(state=State.TO_IMPORT)
    uploads._keep_pieces(upload, UploadPiece.Kind.CONTENT, iter([MEMBERS]))

    assert worked(upload).state == State.IMPORTED
    assert ExposureFile.objects.count() == 1


def work_elsewhere(upload: Upload) -> None:
    uploads.run_upload(str(upload.pk))
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_an_upload_waits_while_another_file_is_imported(desk, incident, places):
    upload = sent(desk, incident)
    with incident_lock(incident):
        other = Thread(target=work_elsewhere, args=[upload])
        other.start()
        other.join()
    upload.refresh_from_db()
    assert upload.state == State.TO_CHECK
    assert worked(upload).state == State.CHECKED


def test_an_old_upload_is_deleted(desk, incident, places):
    upload = worked(sent(desk, incident))
    Upload.objects.update(changed_at=timezone.now() - uploads.CONTENT_RETENTION - timedelta(1))

    uploads.sweep()

    upload.refresh_from_db()
    assert upload.state == State.DISCARDED
    assert not upload.pieces.exists()


def test_discarding_an_upload_deletes_all_its_content(desk, incident, places):
    upload = worked(sent(desk, incident))

    assert desk.post(url("discard", upload)).status_code == 302

    assert not UploadPiece.objects.exists()
    upload.refresh_from_db()
    assert upload.state == State.DISCARDED


@pytest.mark.parametrize("who", ["stranger", "customer", "auditor"])
def test_a_large_body_is_read_from_importers_alone(desk, incident, minji, who):
    client = Client(enforce_csrf_checks=True)
    if who == "customer":
        client.force_login(minji)
    if who == "auditor":
        auditor = User.objects.create_user("auditor@hanbit.example", is_staff=True)
        auditor.groups.add(auditor.groups.model.objects.get(name="auditor"))
        sign_in_to_desk(client, auditor)

    response = send(client, incident, b"x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1))

    assert response.status_code == 413
    assert not Upload.objects.exists()


def test_an_importer_sends_more_than_a_form_and_less_than_the_limit(desk, incident, places):
    rows = b"".join(b"%d,Minji %d,m%d@example.com\n" % (n, n, n) for n in range(120_000))
    content = b"member_id,name,email\n" + rows
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < len(content) < settings.UPLOAD_MAX_BYTES

    upload = sent(desk, incident, content)
    assert upload.size == len(content)
    assert b"".join(uploads._opened_pieces(upload, UploadPiece.Kind.CONTENT)) == content

    too_much = settings.UPLOAD_MAX_BYTES + settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1
    assert desk.post(ADD, headers={"content-length": str(too_much)}).status_code == 413


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_checks_and_imports(desk, incident):
    app.control.purge()
    with queue_worker("import"):
        upload = sent(desk, incident)
        wait_for(upload, State.CHECKED)
        assert desk.post(url("import", upload)).status_code == 302
        wait_for(upload, State.IMPORTED)
    assert AffectedPerson.objects.count() == 2
    connections.close_all()


def wait_for(upload: Upload, state: str) -> None:
    deadline = time.monotonic() + 60
    while upload.state != state:
        assert time.monotonic() < deadline, (upload.state, upload.refusal)
        time.sleep(0.1)
        upload.refresh_from_db()


def test_a_celery_child_runs_a_process_pool_in_itself():
    """Celery's child processes are daemons, which cannot start processes."""

    def child() -> None:
        with workers(2) as pool:
            assert list(pool.map(str, [1, 2])) == ["1", "2"]

    process = get_context("fork").Process(target=child, daemon=True)
    process.start()
    process.join(30)
    assert process.exitcode == 0


@pytest.mark.parametrize("error", [ValueError, DataError])  # DataError: the same the next time
def test_an_internal_error_is_shown_without_a_value(
    desk, incident, places, monkeypatch, caplog, error
):
    def fail(*_args: object, **_options: object) -> None:
        raise error("minji@example.com")

    monkeypatch.setattr(loading, "check_file", fail)
    upload = worked(sent(desk, incident))

    assert (upload.state, upload.refusal) == (
        State.REFUSED,
        "members.csv: an error of the portal; tell who runs it",
    )
    assert f"upload {upload.pk} failed: {error.__name__}" in caplog.text
    assert "minji@" not in caplog.text


@pytest.mark.parametrize(
    ("cause", "is_tried_again"),
    [
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.ProgramLimitExceeded, False),
        (psycopg.errors.TooManyConnections, True),
        (psycopg.errors.ReadOnlySqlTransaction, True),
        (psycopg.errors.DiskFull, True),
        (psycopg.errors.DeadlockDetected, True),
        (psycopg.OperationalError, True),  # without an SQLSTATE: the connection
    ],
)
def test_an_error_about_the_state_of_the_database_is_tried_again_for_an_hour(
    desk, incident, places, monkeypatch, cause, is_tried_again
):
    def fail(*_args: object, **_options: object) -> None:
        with DatabaseErrorWrapper(connection):
            raise cause

    monkeypatch.setattr(loading, "check_file", fail)
    upload = sent(desk, incident)
    if is_tried_again:
        for _run in range(2):
            with pytest.raises(DatabaseError):
                uploads.run_upload(str(upload.pk))
            assert uploads.sweep() == [str(upload.pk)]
        Upload.objects.update(first_failed_at=timezone.now() - uploads.TRIED_FOR)
    upload = worked(upload)
    assert upload.state == State.REFUSED
    assert upload.refusal == "members.csv: an error of the portal; tell who runs it"


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
def test_a_full_disk_of_the_worker_is_no_refusal(desk, incident, places, monkeypatch, tmp_path):
    upload = sent(desk, incident)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tmp_path], check=True)
    try:
        (tmp_path / "uploads").mkdir()
        with suppress(OSError):
            (tmp_path / "full").write_bytes(b"x" * (1 << 20))
        monkeypatch.setattr(uploads, "_IN_MEMORY", tmp_path / "none")
        with override_settings(VAR=tmp_path):
            with pytest.raises(OSError, match="No space left on device"):
                uploads.run_upload(str(upload.pk))
            assert uploads.sweep() == [str(upload.pk)]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    assert worked(upload).state == State.CHECKED


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
def test_a_file_that_can_never_fit_in_memory_is_refused_at_once(desk, incident, places):
    upload = sent(desk, incident)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", places], check=True)
    try:
        Upload.objects.filter(pk=upload.pk).update(size=5000)
        upload = worked(upload)
    finally:
        subprocess.run(["umount", places], check=True)
    assert (upload.state, upload.refusal) == (State.REFUSED, "members.csv: No space left on device")


@pytest.mark.parametrize(
    ("number", "may_pass"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EIO, False)]
)
def test_a_refusal_that_a_full_disk_caused_may_pass(number, may_pass):
    file = File(Path("members.csv"), "")
    with pytest.raises(ImportRefusedError) as refused, refusing_read_errors(file):
        raise OSError(number, os.strerror(number))
    assert stopping.may_pass(refused.value) is may_pass


def test_the_hour_begins_anew_with_the_next_step(desk, incident, places):
    upload = worked(sent(desk, incident))
    Upload.objects.update(first_failed_at=timezone.now())
    assert uploads.want_import(upload)
    upload.refresh_from_db()
    assert upload.first_failed_at is None
