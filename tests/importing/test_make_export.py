"""Synthetic exports, read by a reader that shares no code with their writer."""

import csv
import gzip
import json
import os
import re
import subprocess
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import incidents
from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from benchmarks import make_export
from benchmarks.synthetic import export
from benchmarks.synthetic.blocks import Plan
from benchmarks.synthetic.export import write_export
from harness.product import ROOT
from incidents.importing import loading
from incidents.models import AffectedPerson, Incident

SAMPLE = Path(incidents.__file__).parent / "sample"
SECTIONS = {"members": "members", "addresses": "address_book"}
ENCODINGS = {"members": "utf-8-sig", "addresses": "cp949"}
COLUMNS = {"members": 7, "addresses": 11}
CONFLICT = "conflict: member_id already read with another e-mail"


# The reader


def open_text(path: Path, encoding: str):
    opened = gzip.open if path.suffix == ".gz" else open
    return opened(path, "rt", encoding=encoding, errors="surrogateescape", newline="")


def csv_rows(path: Path, file: str) -> Iterator[tuple[int, list[str], str]]:
    """Yields (first physical line, cells, defect) of each row."""
    with open_text(path, ENCODINGS[file]) as stream:
        reader = csv.reader(stream)
        header = next(reader)
        assert len(header) == COLUMNS[file]
        line = reader.line_num + 1
        for cells in reader:
            yield line, cells, "" if len(cells) == len(header) else "wrong number of columns"
            line = reader.line_num + 1


def rows_of(directory: Path, file: str) -> Iterator[tuple[int, list[str], str]]:
    return csv_rows(directory / f"{file}.csv", file)


def digits(phone: str) -> str:
    """Returns the national number of a Korean mobile number, or all digits of another."""
    return re.sub(r"^82", "0", re.sub(r"\D", "", unicodedata.normalize("NFKC", phone)))


@dataclass
class Found:
    """The people and rejects that an import must find."""

    rows: Counter[str] = field(default_factory=Counter)
    rejected: dict[str, list[list[int | str]]] = field(default_factory=lambda: defaultdict(list))
    members: dict[str, list[str]] = field(default_factory=dict)
    recipients: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    entries_with_recipient: int = 0
    entrance_codes: int = 0
    entries: list[str] = field(default_factory=list)  # member ids, in file order
    repeats: int = 0

    def read(self, directory: Path) -> "Found":
        for file in SECTIONS:
            for line, cells, defect in rows_of(directory, file):
                self.rows[file] += 1
                reason = defect or getattr(self, f"take_{file}")(cells)
                if reason:
                    self.rejected[file].append([line, reason])
        return self

    def take_members(self, cells: list[str]) -> str:
        if not cells[0]:
            return "missing member_id"
        known = self.members.setdefault(cells[0], cells)
        if known[2].strip().lower() != cells[2].strip().lower():
            return CONFLICT
        self.repeats += known is not cells
        return ""

    def take_addresses(self, cells: list[str]) -> str:
        if re.search("[\udc80-\udcff]", "".join(cells)):
            return "undecodable bytes"
        if cells[0] not in self.members:
            return "unknown member_id"
        self.entries.append(cells[0])
        if cells[4]:
            self.recipients[digits(cells[4])].add(cells[3])
            self.entries_with_recipient += 1
        self.entrance_codes += bool(cells[8])
        return ""

    def people(self) -> dict[str, int]:
        emails = [cells[2].strip() for cells in self.members.values()]
        phones = [cells[3] for cells in self.members.values()]
        without = emails.count("")
        usable = sum(re.fullmatch(r"\S+@[\w.]+\.\w+", email) is not None for email in emails)
        return {
            "members": len(self.members),
            "members_mailable": usable,
            "members_without_email": without,
            "members_with_unusable_email": len(emails) - without - usable,
            "members_without_phone": phones.count(""),
            "members_with_unusable_phone": sum(bool(text) and not digits(text) for text in phones),
            "recipients_by_distinct_phone": len(self.recipients),
            "entrance_codes": self.entrance_codes,
        }


def expected_in(directory: Path) -> dict[str, Any]:
    expected: dict[str, Any] = json.loads((directory / "expected.json").read_text(encoding="utf-8"))
    return expected


def assert_as_expected(directory: Path) -> Found:
    found, expected = Found().read(directory), expected_in(directory)
    for file, section in SECTIONS.items():
        assert expected[section]["rows"] == found.rows[file]
        assert expected[section]["rejected"] == found.rejected[file]
    people = found.people()
    assert expected["people"] == {key: people[key] for key in expected["people"]}
    return found


def write(directory: Path, **options) -> Path:
    """Writes a small export; one process does so by default, because it is faster here."""
    processes = options.pop("processes", 0)
    plan = Plan(**{"people": 1_234, "people_per_block": 300, **options})
    write_export(directory, plan, processes=processes)
    return directory


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """An export of several blocks; the last block is not full."""
    return write(tmp_path_factory.mktemp("export") / "new", processes=2)


@pytest.fixture(scope="module")
def found(exported) -> Found:
    return Found().read(exported)


# Content


def test_the_reader_finds_in_the_sample_what_the_sample_expects():
    assert_as_expected(SAMPLE / "export-2025-11")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": 2, "people": 901},
        {"people": 1},
        {"people": 99, "seed": 3},
        {"people": 100, "people_per_block": 100},
        {"people": 3_000, "people_per_block": 10_000, "addresses_per_person": 1.75},
        {"people": 1_700, "people_per_block": 100},
        {"addresses_per_person": 0.5},
        {"addresses_per_person": 20, "people": 300},
        {"seed": 4},
    ],
    ids=str,
)
def test_expected_json_describes_the_files(tmp_path, options):
    assert_as_expected(write(tmp_path, **options))


def test_every_defect_of_the_sample_is_there(found):
    assert {reason for _, reason in found.rejected["members"]} == {
        "missing member_id",
        "wrong number of columns",
        CONFLICT,
    }
    assert {reason for _, reason in found.rejected["addresses"]} == {
        "undecodable bytes",
        "unknown member_id",
    }
    assert found.repeats == 12  # one in each whole hundred
    names, emails, phones, _, states, languages = zip(
        *(cells[1:] for cells in found.members.values()), strict=True
    )
    for name in ('<script>alert("x")</script>', "O'Connor, Seán", "Nguyễn Thị Ánh", ""):
        assert name in names
    assert any(name.startswith("=HYPERLINK(") for name in names)
    assert any(email.endswith("  ") and email.isupper() for email in emails)
    assert any("+rocket@" in email for email in emails)
    for form in ("010-", "010.", "010 ", "+82 10-", "0", "+1 415 ", "０", "+８"):
        assert any(phone.startswith(form) for phone in phones)
    assert {"active", "dormant", "withdrawn"} == set(states)
    assert {"ko", "en"} == set(languages)


def test_the_forms_of_the_files_are_those_of_the_sample(exported):
    members = (exported / "members.csv").read_bytes()
    addresses = (exported / "addresses.csv").read_bytes()

    assert members.startswith(b"\xef\xbb\xbfmember_id,name,")
    assert members.count(b"\r\n") == members.count(b"\n") > 0
    assert b'"\xb9\xe8\xbc\xdb \xc0\xfc\n' in addresses  # a quoted line break in CP949
    assert addresses.endswith(b"\r\n")
    for file, data in (("members", members), ("addresses", addresses)):
        sample = next((SAMPLE / "export-2025-11").glob(f"{file}.csv*"))
        with open_text(sample, ENCODINGS[file]) as stream:
            assert data.decode(ENCODINGS[file], "replace").split()[0] == stream.readline().strip()


def test_unusable_contacts_are_unusable_to_the_portal_too(found):
    for _, _, email, phone, *_ in found.members.values():
        usable = bool(email) and "(at)" not in email
        assert is_usable_email(normalise_email(email)) == usable
        assert (normalise_phone(phone) is not None) == (phone not in ("", "번호 바뀜"))


def test_every_address_ends_in_example(found):
    for cells in found.members.values():
        assert not cells[2] or cells[2].strip().lower().endswith(".example")


def test_contacts_of_members_are_their_own(found):
    emails = Counter(cells[2].strip().lower() for cells in found.members.values() if cells[2])
    mobiles = Counter(digits(cells[3]) for cells in found.members.values() if digits(cells[3]))

    assert set(emails.values()) == set(mobiles.values()) == {1}


def test_a_recipient_has_one_name_in_all_rows(found):
    assert all(len(names) == 1 for names in found.recipients.values())


def test_some_recipients_are_members_or_in_several_address_books(found):
    mobiles = {digits(cells[3]) for cells in found.members.values()}

    assert mobiles & found.recipients.keys()
    assert found.entries_with_recipient > len(found.recipients)


def test_entries_of_a_member_are_spread_over_the_file(found):
    places = defaultdict(list)
    for place, member in enumerate(found.entries):
        places[member].append(place)
    several = [where for where in places.values() if len(where) > 1]
    beside = sum(later - earlier == 1 for where in several for earlier, later in pairwise(where))

    assert set(places) == set(found.members)  # every member has an address
    assert beside < len(found.entries) / 50
    far = [where[-1] - where[0] for where in several]
    assert sum(far) / len(far) > len(found.entries) / 4


def test_some_repeated_rows_are_far_apart(exported):
    first: dict[str, int] = {}
    distances = []
    for line, cells, defect in rows_of(exported, "members"):
        if cells[0] in first and not defect:
            distances.append(line - first[cells[0]])
        elif cells[0]:
            first[cells[0]] = line

    assert distances.count(1) == 18
    assert sum(distance > 500 for distance in distances) == 6


def test_the_requested_averages_are_written(tmp_path):
    found = Found().read(
        write(
            tmp_path,
            people=5_000,
            people_per_block=1_000,
            addresses_per_person=3.3,
        )
    )
    entries = len(found.entries)

    assert entries / 5_000 == pytest.approx(3.3, rel=0.03)
    assert found.entrance_codes / entries == pytest.approx(0.346, abs=0.02)


# Repeatability


def test_the_same_plan_gives_the_same_bytes_in_any_number_of_processes(exported, tmp_path):
    again = write(tmp_path / "again")

    for path in exported.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_another_seed_gives_other_people(exported, tmp_path):
    other = write(tmp_path / "other", seed=7)

    assert (other / "members.csv").read_bytes() != (exported / "members.csv").read_bytes()
    assert (other / "addresses.csv").read_bytes() != (exported / "addresses.csv").read_bytes()


def test_many_rejects_are_counted_but_not_listed(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "LISTED_REJECTS", 30)
    many, all_listed = expected_in(write(tmp_path)), expected_in(exported)

    assert "rejected" not in many["members"]
    assert len(many["address_book"]["rejected"]) <= 30
    for section in SECTIONS.values():
        assert many[section]["rejected_by_reason"] == all_listed[section]["rejected_by_reason"]
        assert many[section]["rejected_by_reason"] == Counter(
            reason for _, reason in all_listed[section]["rejected"]
        )


@pytest.mark.django_db
def test_an_import_finds_what_expected_json_says(exported):
    incident = Incident(slug="synthetic", aware_at=datetime(2025, 11, 18, tzinfo=UTC))
    incident.make_keysets()
    incident.save()
    expected = expected_in(exported)
    for file, section in SECTIONS.items():
        loaded = loading.import_file(
            next(exported.glob(f"{file}.csv*")),
            incident=incident,
            mapping_text=(SAMPLE / f"{file}.toml").read_text(encoding="utf-8"),
            rejects_path=exported.parent / f"{file}.rejects.csv",
        )
        assert loaded.rows_read == expected[section]["rows"]
        with (exported.parent / f"{file}.rejects.csv").open(encoding="utf-8-sig") as stream:
            rejects = [[int(line), reason] for line, reason, *_ in list(csv.reader(stream))[1:]]
        assert rejects == expected[section]["rejected"]

    people = AffectedPerson.objects.filter(incident=incident)
    members = people.filter(relation=AffectedPerson.Relation.MEMBER)
    reach, counts = AffectedPerson.Reach, expected["people"]
    assert members.count() == counts["members"]
    assert members.filter(email_reach=reach.USABLE).count() == counts["members_mailable"]
    assert members.filter(phone_reach=reach.MISSING).count() == counts["members_without_phone"]
    unusable = members.filter(phone_reach=reach.UNUSABLE).count()
    assert unusable == counts["members_with_unusable_phone"]
    assert people.exclude(pk__in=members).count() == counts["recipients_by_distinct_phone"]


# The command


def make(directory: Path, *options: str) -> None:
    make_export.main([str(directory), *options])


def test_command_writes_the_export_and_says_so(tmp_path):
    """As docs/synthetic-exports.md calls it: from a checkout, without any setting."""
    words = [str(tmp_path / "new"), "--people", "150", "--files", "members"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.make_export", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert {path.name for path in (tmp_path / "new").iterdir()} == {
        "members.csv",
        "expected.json",
    }
    assert expected_in(tmp_path / "new")["people"]["members"] == 150
    assert "address_book" not in expected_in(tmp_path / "new")
    assert "members.csv: 158 rows" in done.stdout


def test_directory_that_is_not_empty_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(SystemExit, match="not empty; name another directory"):
        make(tmp_path, "--people", "10")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_file_in_place_of_the_directory_is_refused(tmp_path):
    (tmp_path / "export").write_text("")

    with pytest.raises(SystemExit, match="is a file; name a directory"):
        make(tmp_path / "export", "--people", "10")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--people", "0"], "1 to 100,000,000"),
        (["--people", "200000000"], "1 to 100,000,000"),
        (["--people", "many"], "--people"),
        (["--people", "9", "--addresses-per-person", "0"], "leave the file out"),
        (["--people", "9", "--addresses-per-person", "21"], "at most 20"),
        (["--people", "9", "--files", "members,payments"], "no such file: payments"),
        (["--people", "9", "--format", "xlsx"], "--format"),
    ],
)
def test_invalid_options_are_refused(tmp_path, capsys, options, message):
    with pytest.raises(SystemExit):
        make(tmp_path / "new", *options)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
