"""The operator's commands for imports and keys."""

import json
import os
import re
import subprocess
import sys
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from harness.exposure_factory import decide_withdrawal, write_off_unread
from incidents import encryption
from incidents.management.commands import import_exposures
from incidents.models import AffectedPerson, ExposureBatch, ExposureFile

pytestmark = pytest.mark.django_db
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
contact_leaked = ["name"]
"""


@pytest.fixture
def files(tmp_path):
    """The paths of a dump and its mapping."""
    dump, mapping = tmp_path / "members.csv", tmp_path / "members.toml"
    dump.write_text("member_id,name\n7,김민지\n,박서준\n", encoding="utf-8")
    mapping.write_text(MAPPING, encoding="utf-8")
    return dump, mapping


def run(*words) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


def run_import(files, *more, slug="hanbit-2025") -> str:
    dump, mapping = files
    return run("import_exposures", dump, "--incident", slug, "--mapping", mapping, *more)


def test_an_import_says_what_it_did(incident, files):
    printed = run_import(files)

    assert "Opened scope version 1." in printed
    assert "Encoding: utf-8." in printed
    assert "Rows read 2, taken 1, rejected 1. New people 1, exposures 1." in printed
    assert "members.csv.rejects.csv" in printed
    assert "no address or number" not in printed  # the mapping names no column of contacts
    assert "김민지" not in printed


def test_an_import_says_how_many_rows_have_no_contact(incident, files):
    dump, mapping = files
    rows = ["7,김민지,a@b.example,", "8,유나,,", "9,하나,none,", "10,서준,,02-345-6781"]
    dump.write_text("\n".join(["member_id,name,email,tel", *rows, ""]), encoding="utf-8")
    contacts = '"name"\nemail = "email"\nphone = "tel"\n'
    mapping.write_text(MAPPING.replace('"name"\n', contacts, 1), encoding="utf-8")
    printed = run_import(files)

    assert "2 rows have no address or number that can be used." in printed


def test_a_withdrawn_file_can_be_imported_into_a_later_scope_version(incident, files):
    run_import(files)
    write_off_unread(incident.batches.get())
    call_command("close_batch", incident.slug)
    decide_withdrawal(incident.batches.get(), "a wrong mapping")
    call_command("withdraw_batch", incident.slug, "1")
    printed = run_import(files, "--rejects", files[0].with_name("again.csv"))

    assert "Opened scope version 2." in printed
    assert "Rows read 2, taken 1, rejected 1. New people 1, exposures 1." in printed
    assert [file.state for file in ExposureFile.objects.order_by("pk")] == ["withdrawn", "loaded"]


def test_a_check_reports_what_an_import_would_do(incident, files):
    printed = run_import(files, "--check")

    assert "Rows read 2, can be taken 1, rejected 1." in printed
    assert "  line 3: missing member_id" in printed
    assert "nothing was loaded" in printed
    assert not AffectedPerson.objects.exists()


def test_rejects_batch_and_encoding_may_be_given(incident, files, tmp_path):
    run_import(files, "--batch", 1, "--encoding", "utf-8", "--rejects", tmp_path / "mine.csv")

    assert (tmp_path / "mine.csv").exists()


def test_an_unknown_incident_is_one_line(incident, files):
    with pytest.raises(CommandError, match="nowhere: no such incident; check --incident"):
        run_import(files, slug="nowhere")


def test_a_mapping_that_is_not_there_is_one_line(incident, files, tmp_path):
    with pytest.raises(CommandError, match=r"none.toml: No such file or directory; check"):
        run_import((files[0], tmp_path / "none.toml"))


def test_a_mapping_in_another_encoding_is_one_line(incident, files):
    files[1].write_bytes("# 회원\n".encode("cp949"))

    with pytest.raises(CommandError, match=r"members.toml: not UTF-8 text"):
        run_import(files)


def test_a_refusal_is_one_line(incident, files):
    files[0].write_text("id,name\n7,Minji\n", encoding="utf-8")

    with pytest.raises(CommandError) as caught:
        run_import(files)
    assert str(caught.value).startswith("members.csv, line 1: the header lacks member_id, which")


def test_a_shredded_incident_is_one_line(incident, files):
    incident.shred()

    with pytest.raises(CommandError, match="the data of incident hanbit-2025 is shredded"):
        run_import(files)


def test_a_batch_is_closed(incident, files):
    run_import(files)
    write_off_unread(incident.batches.get())

    assert "Closed scope version 1" in run("close_batch", "hanbit-2025", "--note", "complete")
    batch = incident.batches.get()
    assert (batch.state, batch.note) == (ExposureBatch.State.CLOSED, "complete")


@pytest.fixture
def failed(incident, files):
    """A batch with one loaded file and one, orders.csv, that failed in the middle."""
    run_import(files)
    orders = files[0].with_name("orders.csv")
    orders.write_bytes(b"member_id,name\n8,Seojun\n9,\0\n")
    with pytest.raises(CommandError, match="NUL"):
        run_import((orders, files[1]))
    return orders


def test_a_batch_with_a_failed_file_is_not_closed(incident, failed):
    with pytest.raises(CommandError, match=r"orders.csv failed .* two people write it off"):
        run("close_batch", "hanbit-2025")
    assert not incident.is_scope_complete()


def test_a_file_that_failed_and_was_loaded_later_holds_up_nothing(incident, files, failed):
    failed.write_text("member_id,name\n8,Seojun\n", encoding="utf-8")
    run_import((failed, files[1]))
    write_off_unread(incident.batches.get())

    assert "Closed" in run("close_batch", "hanbit-2025")


def test_a_file_that_failed_after_its_namesake_was_loaded_still_counts(incident, files):
    run_import(files)
    files[0].write_bytes(b"member_id,name\n8,Seojun\n9,\0\n")
    with pytest.raises(CommandError, match="NUL"):
        run_import(files)

    with pytest.raises(CommandError, match=r"members\.csv failed"):
        run("close_batch", "hanbit-2025")


@pytest.mark.parametrize("slug", ["hanbit-2025", "nowhere"])
def test_closing_without_an_open_batch_is_one_line(incident, slug):
    with pytest.raises(CommandError, match="no open scope version"):
        run("close_batch", slug)


def test_a_batch_without_files_is_not_closed(incident):
    incident.batches.create(number=1)

    with pytest.raises(CommandError, match="no file is loaded"):
        run("close_batch", "hanbit-2025")


def test_a_new_master_keyset_works(incident, settings):
    printed = subprocess.run(
        [sys.executable, "-m", "foundations.make_secret", "master-keyset"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},  # no setting exists yet
    ).stdout
    [settings.MASTER_KEYSET] = printed.splitlines()

    assert json.loads(settings.MASTER_KEYSET)["primaryKeyId"]
    assert encryption.new_incident_keysets("new")


def test_progress_says_rate_counts_and_time_left(incident, files, monkeypatch):
    monkeypatch.setattr(import_exposures, "LOG_SECONDS", -1.0)
    printed = StringIO()
    words = ["--incident", "hanbit-2025", "--mapping", str(files[1])]
    call_command("import_exposures", str(files[0]), *words, stdout=StringIO(), stderr=printed)

    assert re.search(r"2 rows, 1 taken, 1 rejected, [\d,]+/s, 0 s left to read", printed.getvalue())
    assert "all read, now merging" in printed.getvalue()


@pytest.fixture
def several(files):
    """Three dumps, members_1 to members_3.csv, and their mapping."""
    dump, mapping = files
    for number in (1, 2, 3):
        path = dump.with_name(f"members_{number}.csv")
        path.write_text(f"member_id,name\n{number},김민지\n", encoding="utf-8")
    dump.unlink()
    return dump.with_name("members_*.csv"), mapping


def test_several_files_are_imported_in_order(incident, several):
    printed = run_import(several)

    assert re.findall(r"members_\d.csv \(\d of 3\)", printed) == [
        "members_1.csv (1 of 3)",
        "members_2.csv (2 of 3)",
        "members_3.csv (3 of 3)",
    ]
    names = ExposureFile.objects.order_by("pk").values_list("name", flat=True)
    assert list(names) == ["members_1.csv", "members_2.csv", "members_3.csv"]
    assert printed.count("taken 1, rejected 0") == 3


def test_a_refused_file_stops_the_files_after_it(incident, several):
    pattern, _ = several
    pattern.with_name("members_2.csv").write_bytes(b"%PDF-1.7")

    with pytest.raises(CommandError) as caught:
        run_import(several)
    assert str(caught.value) == (
        "members_2.csv: a PDF document; ask for the data as CSV or as a spreadsheet"
        " · done before it: members_1.csv · not read: members_3.csv"
    )
    states = dict(ExposureFile.objects.values_list("name", "state"))
    assert states == {"members_1.csv": "loaded", "members_2.csv": "failed"}


def test_json_names_each_loaded_file_with_its_counts_also_before_a_refusal(incident, several):
    pattern, mapping = several
    pattern.with_name("members_3.csv").write_bytes(b"%PDF-1.7")
    words = ("import_exposures", pattern, "--incident", incident.slug, "--mapping", mapping)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command(*map(str, words), "--json", stdout=out)
    files = json.loads(out.getvalue())["files"]
    assert [one["file"] for one in files] == ["members_1.csv", "members_2.csv"]
    counts = {"rows_read": 1, "rows_taken": 1, "rows_rejected": 0, "people_new": 1, "exposures": 1}
    others = {"without_contact": 0, "second_people_without_phone": 0, "reject_file": None}
    of_file = {"file": "members_1.csv", "batch": 1, "encoding": "utf-8"}
    assert files[0] == of_file | counts | others
    later = pattern.with_name("later.csv")
    later.write_text("member_id,name\n70,김민지\n", encoding="utf-8")
    printed = run("import_exposures", later, *words[2:], "--check", "--json")
    [one] = json.loads(printed)["files"]
    assert (one["batch"], one["rows_taken"], ExposureFile.objects.count()) == (0, 1, 3)
    with pytest.raises(CommandError, match="leave --json out"):
        run("import_exposures", pattern.with_name("members_1.csv"), "--draft-mapping", "--json")


def test_arguments_for_several_files_are_checked_first(incident, several, tmp_path):
    with pytest.raises(CommandError, match="several files need a directory"):
        run_import(several, "--rejects", tmp_path / "rejects.csv")
    with pytest.raises(CommandError, match="standard input is imported alone"):
        run("import_exposures", several[0], "-", "--incident", "x", "--mapping", several[1])
    with pytest.raises(CommandError, match="no file matches; check the pattern"):
        run_import((tmp_path / "none_*.csv", several[1]))
    assert not ExposureFile.objects.exists()
