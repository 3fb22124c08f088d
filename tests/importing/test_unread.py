"""Rejected rows: settled by a corrected reject file, or written off by two people."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness import exposure_factory
from harness.exposure_factory import state, write_off_unread
from harness.sign_in import sign_in_to_desk
from incidents import scope_versions, unread
from incidents.desk_page import board_of
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.importing.stopping import NothingTakenError
from incidents.models import ExposureBatch, ExposureFile, Incident, RejectedRow, WriteOff
from incidents.scope_versions import ScopeRefusedError
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "id"
email = "email"
contact_leaked = ["email"]
"""
MESSY = Path(__file__).parent / "messy"


@pytest.fixture
def load(incident, tmp_path):
    """Imports a file with this content and returns its row."""

    def load(content: str, name: str = "members.csv", mapping: str = MAPPING) -> ExposureFile:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        return loading.import_file(path, incident=incident, mapping_text=mapping)

    return load


@pytest.fixture
def rejecting(load) -> ExposureFile:
    """A file with the rejected lines 3 and 4."""
    return load("id,email\n1,minji@example.com\n,seojun@example.com\n,jiho@example.com\n")


def closed(incident: Incident) -> ExposureBatch:
    batch = incident.batches.get()
    scope_versions.close(batch)
    return batch


def my_data(user: User, language: str = "en") -> str:
    client = Client()
    client.force_login(user)
    client.cookies["language"] = language
    return page_text(client.get(f"/{language}/my-data/"))


def test_a_scope_version_with_rejected_rows_is_not_closed(incident, rejecting):
    with pytest.raises(ScopeRefusedError, match=r"2 rejected rows of members\.csv are neither"):
        closed(incident)
    with pytest.raises(CommandError, match="two people write the rows off on the desk"):
        call_command("close_batch", incident.slug)
    assert incident.batches.get().state == ExposureBatch.State.OPEN


def test_the_database_refuses_it_too(incident, rejecting):
    with pytest.raises(IntegrityError, match=r"members\.csv neither read whole nor written off"):
        incident.batches.update(state=ExposureBatch.State.CLOSED)


def test_the_database_refuses_rejected_rows_that_are_not_on_record(incident, rejecting):
    RejectedRow.objects.filter(line=3).delete()

    with pytest.raises(IntegrityError, match=r"members\.csv not loaded whole"):
        incident.batches.update(state=ExposureBatch.State.CLOSED)


def test_corrected_rows_settle_the_rejected_ones(incident, load, rejecting):
    again = load(
        "line,reason,id,email\n3,missing id,2,seojun@example.com\n4,,3,jiho@example.com\n",
        "members.csv.rejects.csv",
    )

    assert again.corrects == rejecting
    assert unread.unread_files(incident.batches.get()) == []
    assert not any(closed(incident).incident.unread())


def test_rows_that_were_removed_or_rejected_again_stay_unread(incident, load, rejecting, tmp_path):
    load(
        "line,reason,id,email\n3,missing id,2,seojun@example.com\n4,missing id,,jiho@example.com\n",
        "members.csv.rejects.csv",
    )

    [file] = unread.unread_files(incident.batches.get())
    assert (file.pk, file.rows) == (rejecting.pk, 1)
    assert unread.reasons_of(rejecting.pk) == [("missing id", 1)]
    next_rejects = (tmp_path / "members.csv.rejects-2.csv").read_text(encoding="utf-8-sig")
    assert next_rejects.splitlines()[1].startswith("4,")  # the line in members.csv
    load(next_rejects.replace(",,", ",3,"), "members.csv.rejects-2.csv")
    assert unread.unread_files(incident.batches.get()) == []


def test_one_rejected_row_of_a_line_keeps_the_line_unread(incident, load, rejecting):
    load(
        "line,reason,id,email\n3,,2,seojun@example.com\n3,,,minsu@example.com\n4,,3,j@example.com\n",
        "members.csv.rejects.csv",
    )

    assert [file.rows for file in unread.unread_files(incident.batches.get())] == [1]


def test_a_line_that_is_loaded_is_refused_a_second_time(load, rejecting):
    load("line,reason,id,email\n3,,2,seojun@example.com\n", "members.csv.rejects.csv")

    with pytest.raises(ImportRefusedError, match=r"line 3 of members\.csv is loaded already with"):
        load("line,reason,id,email\n4,,3,j@example.com\n3,,5,s@example.com\n", "other.csv")


def test_the_name_tells_files_with_the_same_rejected_lines_apart(load, rejecting):
    load("id,email\n11,a@example.com\n,b@example.com\n,c@example.com\n", "former.csv")
    rows = "line,reason,id,email\n3,,2,seojun@example.com\n"

    with pytest.raises(ImportRefusedError, match="several files of hanbit-2025 rejected"):
        load(rows, "corrected.csv")
    assert load(rows, "members.csv.rejects.csv").corrects == rejecting


def test_a_reject_file_without_line_numbers_is_refused(load, rejecting):
    with pytest.raises(ImportRefusedError, match="line 2: the column line of a reject file"):
        load("line,reason,id,email\n,,2,seojun@example.com\n", "members.csv.rejects.csv")


def test_a_file_of_which_nothing_is_taken_fails_and_may_be_loaded_again(incident, load, tmp_path):
    with pytest.raises(NothingTakenError, match=r"none of its 2 rows .*members\.csv\.rejects\.csv"):
        load("id,email\n,seojun@example.com\n,jiho@example.com\n")

    file = ExposureFile.objects.get()
    assert (file.state, file.rows_rejected) == ("failed", 2)
    rejects = tmp_path / "members.csv.rejects.csv"
    assert len(rejects.read_text(encoding="utf-8-sig").splitlines()) == 3
    with pytest.raises(ScopeRefusedError, match="no file is loaded"):
        closed(incident)
    rejects.write_text(rejects.read_text(encoding="utf-8-sig").replace(",,", ",7,", 1))
    loading.import_file(rejects, incident=incident, mapping_text=MAPPING)
    with pytest.raises(ScopeRefusedError, match="1 rejected rows"):
        closed(incident)


def test_the_command_exits_with_an_error_if_nothing_is_taken(incident, tmp_path):
    mapping = tmp_path / "m.toml"
    mapping.write_text(MAPPING)
    (tmp_path / "members.csv").write_text("id,email\n,seojun@example.com\n")

    with pytest.raises(CommandError, match="none of its 1 rows could be taken"):
        call_command(
            "import_exposures", tmp_path / "members.csv", incident=incident.slug, mapping=mapping
        )


def test_a_second_person_writes_off_what_the_first_proposed(incident, rejecting, editor, approver):
    write_off = WriteOff.objects.create(
        file=rejecting, rows=2, reason="Damaged.", proposed_by=editor
    )
    with pytest.raises(ScopeRefusedError):
        closed(incident)
    assert not write_off.confirm(editor)
    with pytest.raises(IntegrityError), transaction.atomic():
        WriteOff.objects.update(confirmed_by=editor, confirmed_at=write_off.proposed_at)

    assert write_off.confirm(approver)
    assert closed(incident).rows_unread == 2


def test_a_write_off_stays(rejecting, incident):
    write_off_unread(incident.batches.get())
    for statement in (
        "DELETE FROM incidents_writeoff",
        "UPDATE incidents_writeoff SET rows = 0",
        "UPDATE incidents_writeoff SET confirmed_at = NULL, confirmed_by_id = NULL",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_failed_file_that_is_written_off_clears_no_one(incident, load, minji):
    load("id,email\n1,other@example.com\n")
    with pytest.raises(ImportRefusedError, match="NUL"):
        load("id,email\n8,seojun@example.com\n9,\0\n", "orders.csv")
    with pytest.raises(ScopeRefusedError, match=r"orders\.csv failed"):
        closed(incident)
    write_off_unread(incident.batches.get())
    closed(incident)

    assert incident.unread() == (0, 1)
    assert "1 file of the leaked data could not be read." in my_data(minji)
    assert "not among" not in my_data(minji)


def test_a_customer_without_a_row_is_not_cleared_by_what_was_read(incident, rejecting, seojun):
    write_off_unread(incident.batches.get())
    closed(incident)

    page = my_data(seojun)
    assert "<h1>Your address is not in what could be read of the leaked data</h1>" in page
    assert "2 rows of the leaked data could not be read." in page
    assert "not among" not in page
    assert "not in it" not in page
    assert "privacy@hanbit.example" in page
    korean = my_data(seojun, "ko")
    assert "<h1>인증하신 주소는 유출 자료 가운데 읽을 수 있었던 부분에 없습니다</h1>" in korean
    assert "행 2개" in korean


def test_a_class_of_others_is_not_cleared_either(incident, load, rejecting, minji):
    state(incident, "entrance-codes", "involved")
    write_off_unread(incident.batches.get())
    closed(incident)

    page = my_data(minji)
    assert "Your e-mail address leaked" in page
    assert "Not in your data" not in page
    assert "yours may have leaked, too" in page


def test_a_later_correction_clears_the_page(incident, load, rejecting, seojun):
    write_off_unread(incident.batches.get())
    closed(incident)
    rows = "line,reason,id,email\n3,,2,other@example.com\n4,,3,jiho@example.com\n"
    load(rows, "members.csv.rejects.csv")
    assert "We do not know yet" in my_data(seojun)
    scope_versions.close(incident.batches.get(number=2))
    assert "not among the leaked data we know" in my_data(seojun)

    exposure_factory.withdraw(incident.batches.get(number=2), "wrong rows")
    assert "not in what could be read" in my_data(seojun)


def test_the_incident_page_says_how_much_was_not_read(incident, rejecting):
    write_off_unread(incident.batches.get())
    closed(incident)

    page = page_text(Client().get(f"/en/incidents/{incident.slug}/"))
    assert "Not complete" in page
    assert "2 rows of the leaked data could not be read." in page


def test_a_file_of_rejects_only_is_refused_and_not_closed(incident, load):
    with pytest.raises(NothingTakenError):
        load("id,email\n,minji@example.com\n,seojun@example.com\n")
    with pytest.raises(ScopeRefusedError):
        closed(incident)


# The desk


def desk(model: str, action: str, *args: object) -> str:
    return reverse(f"admin:incidents_{model}_{action}", args=args)


def test_the_page_of_a_scope_version_says_the_next_step(editors_desk, incident, rejecting):
    batch = incident.batches.get()
    page = page_text(editors_desk.get(desk("exposurebatch", "change", batch.pk)))

    assert "2 rejected rows of members.csv: correct and import the reject file." in page
    assert f"{desk('writeoff', 'add')}?file={rejecting.pk}" in page
    assert "2 rows of the leaked data could not be read." in page


def test_two_people_write_off_on_the_desk(
    editors_desk, client_of_approver, incident, rejecting, seojun
):
    add = f"{desk('writeoff', 'add')}?file={rejecting.pk}"
    assert "missing id" in page_text(editors_desk.get(add))
    editors_desk.post(add, {"file": rejecting.pk, "reason": "The company has no other copy."})
    write_off = WriteOff.objects.get()
    assert (write_off.rows, write_off.confirmed_at) == (2, None)
    confirm = desk("writeoff", "confirm", write_off.pk)
    assert editors_desk.post(confirm).status_code == 403
    close = desk("exposurebatch", "close", incident.batches.get().pk)
    refused = page_text(editors_desk.post(close, {"is_complete": "on"}))
    assert "2 rejected rows of members.csv are neither loaded nor written off" in refused

    assert client_of_approver.post(confirm).status_code == 302
    assert editors_desk.post(close, {"is_complete": "on"}).status_code == 302
    assert incident.batches.get().rows_unread == 2


def test_rows_of_a_closed_version_cannot_be_chosen(editors_desk, incident, rejecting):
    write_off_unread(incident.batches.get())
    closed(incident)

    page = page_text(editors_desk.post(desk("writeoff", "add"), {"file": rejecting.pk}))
    assert WriteOff.objects.count() == 1
    assert "Select a valid choice" in page


@pytest.fixture
def client_of_approver(approver) -> Client:
    client = Client()
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "en"
    return client


# Files that are refused as a whole


def test_the_people_of_a_refused_file_are_not_cleared(incident, load, minji):
    with pytest.raises(ImportRefusedError):
        load("id,name,mail\n1,minji,minji@example.com\n", name="a.csv")
    load("id,email\n2,seojun@example.com\n", name="b.csv")
    with pytest.raises(ScopeRefusedError, match=r"a\.csv"):
        closed(incident)
    assert "not among" not in my_data(minji)
    load("id,email\n1,minji@example.com\n", name="a.csv")
    closed(incident)
    assert incident.is_scope_complete()


def test_a_refused_file_is_loaded_later_with_another_mapping(incident, load):
    content = "id,mail\n1,minji@example.com\n"
    with pytest.raises(ImportRefusedError):
        load(content)
    load(content, mapping=MAPPING.replace('email = "email"', 'email = "mail"'), name="again.csv")
    closed(incident)


def test_a_refusal_is_not_recorded_for_what_is_no_new_file(incident, load, tmp_path):
    load("id,email\n1,minji@example.com\n")
    with pytest.raises(ImportRefusedError):
        load("id,email\n1,minji@example.com\n", name="copy.csv")
    with pytest.raises(ImportRefusedError):
        loading.import_file(tmp_path / "none.csv", incident=incident, mapping_text=MAPPING)
    closed(incident)
    assert ExposureFile.objects.count() == 1


def test_a_file_refused_after_the_closing_is_asked_about_in_the_next_version(incident, load):
    load("id,email\n1,minji@example.com\n")
    closed(incident)
    for _ in range(2):
        with pytest.raises(ImportRefusedError, match="every scope version is closed, so that"):
            load("mail\nx\n", name="other.csv")
    assert incident.is_scope_complete()
    assert ExposureFile.objects.count() == 1
    load("id,email\n2,seojun@example.com\n", name="later.csv")
    second = incident.batches.get(number=2)
    with pytest.raises(ScopeRefusedError, match=r"other\.csv failed and was not loaded since"):
        scope_versions.close(second)
    load("id,email\n3,jiho@example.com\n", name="other.csv")
    scope_versions.close(second)


def test_a_check_records_nothing(incident, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("mail\nx\n")
    with pytest.raises(ImportRefusedError):
        loading.check_file(path, incident=incident, mapping_text=MAPPING)
    assert not ExposureFile.objects.exists()


def test_the_next_step_is_to_settle_rejected_rows_before_the_scope_closes(
    incident, rejecting, editor
):
    batch = incident.batches.get()
    task = board_of(incident).next_task
    assert task
    assert task.url == reverse("admin:incidents_exposurebatch_change", args=[batch.pk])
    assert task.key == f"settle-{batch.pk}"
    write_off_unread(batch)
    task = board_of(incident).next_task
    assert task
    assert task.key == f"close-{batch.pk}"
