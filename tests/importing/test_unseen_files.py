"""Files of kinds that were not tried before: each is read rightly, or refused for what it is."""

import os
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from harness import exposure_factory
from incidents import scope_versions
from incidents.models import AffectedPerson, ExposureFile
from incidents.scope_versions import ScopeRefusedError
from tests.importing import unseen_files, unseen_mixtures
from tests.importing.binary_spreadsheets import compound_file
from tests.importing.more_messy_files import CELLS, GOOD, HEADER, csv, xlsx
from tests.importing.test_more_messy_files import MAPPING, check
from tests.importing.test_unread_contacts import shown_to

pytestmark = pytest.mark.django_db
ENCRYPTED = compound_file("EncryptedPackage", b"\x13" * 64)
CASES = [
    *unseen_files.PRODUCTS,
    *unseen_files.DATABASES,
    *unseen_files.ARCHIVES,
    *unseen_files.SPREADSHEETS,
    *unseen_files.TEXTS,
    *unseen_files.MAPPINGS,
    *unseen_mixtures.ENCODINGS,
    *unseen_mixtures.ROWS,
    *unseen_mixtures.JSONS,
    *unseen_mixtures.SPREADSHEETS,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)


@pytest.fixture
def send(incident, tmp_path):
    """A function that imports a file by the command; returns what was printed or refused."""

    def run(path: Path, *options: str, mapping: str = MAPPING) -> str:
        written = tmp_path / "map.toml"
        written.write_text(mapping, encoding="utf-8")
        words = [str(path), "--incident", incident.slug, "--mapping", str(written), *options]
        out = StringIO()
        try:
            call_command("import_exposures", *words, stdout=out)
        except CommandError as error:
            return str(error)
        return out.getvalue()

    return run


@pytest.mark.parametrize("text", unseen_files.NOT_TOML)
def test_a_text_that_is_no_mapping_is_refused_by_one_line(tmp_path, send, text):
    path = tmp_path / "members.csv"
    path.write_bytes(csv())

    refusal = send(path, mapping=text)
    assert refusal.startswith("map.toml: not TOML: ")
    assert "\n" not in refusal


def test_each_sheet_of_a_workbook_is_loaded_once(incident, tmp_path, send):
    path = tmp_path / "two.xlsx"
    path.write_bytes(xlsx(CELLS[:4], [CELLS[0], *CELLS[4:]]))

    assert "several sheets" in send(path)
    for sheet in ("S1", "S2"):
        assert "taken 3" in send(path, mapping=f'sheet = "{sheet}"\n{MAPPING}')
        assert "already loaded" in send(path, mapping=f'sheet = "{sheet}"\n{MAPPING}')

    assert AffectedPerson.objects.count() == 6
    scope_versions.close(incident.batches.get())


def test_a_refused_sheet_is_not_settled_by_another_sheet(incident, tmp_path, send):
    path = tmp_path / "two.xlsx"
    path.write_bytes(xlsx(CELLS[:4], [CELLS[0], *CELLS[4:]]))
    wrong = MAPPING.replace('"mobile"', '"handy"')

    assert "lacks handy" in send(path, mapping=f'sheet = "S1"\n{wrong}')
    assert "taken 3" in send(path, mapping=f'sheet = "S2"\n{MAPPING}')
    with pytest.raises(ScopeRefusedError, match=r"two\.xlsx \(S1\) failed"):
        scope_versions.close(incident.batches.get())

    assert "taken 3" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


@pytest.mark.parametrize(
    ("mapping", "refusal"),
    [
        (MAPPING, "several sheets"),
        (f'sheet = "S3"\n{MAPPING}', "no sheet is named 'S3'"),
        ("[person]\n", "relation"),
    ],
)
def test_a_workbook_that_is_refused_counts_until_each_sheet_is_loaded(
    incident, tmp_path, send, mapping, refusal
):
    path = tmp_path / "two.xlsx"
    path.write_bytes(xlsx(CELLS[:4], [CELLS[0], *CELLS[4:]]))

    assert refusal in send(path, mapping=mapping)
    assert "taken 3" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    with pytest.raises(ScopeRefusedError, match=r"two\.xlsx \(S2\) failed"):
        scope_versions.close(incident.batches.get())

    assert "taken 3" in send(path, mapping=f'sheet = "S2"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


@pytest.mark.parametrize("refused", [ENCRYPTED, xlsx(CELLS)[:600]])
def test_a_sheet_of_a_workbook_that_could_not_be_opened_settles_no_other(
    incident, tmp_path, send, refused
):
    path = tmp_path / "two.xlsx"
    path.write_bytes(refused)
    assert "two.xlsx" in send(path)
    path.write_bytes(xlsx(CELLS[:4], [CELLS[0], *CELLS[4:]]))

    assert "taken 3" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    with pytest.raises(ScopeRefusedError, match=r"two\.xlsx \(S2\) failed"):
        scope_versions.close(incident.batches.get())

    assert "taken 3" in send(path, mapping=f'sheet = "S2"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


def test_only_the_sheet_that_the_mapping_named_is_missing(incident, tmp_path, send):
    path = tmp_path / "two.xlsx"
    path.write_bytes(ENCRYPTED)
    assert "two.xlsx" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    path.write_bytes(xlsx(CELLS[:4], [["notes"], ["x"]]))

    assert "taken 3" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


def test_a_mistyped_sheet_fails_no_sheet_that_is_loaded(incident, tmp_path, send):
    path = tmp_path / "two.xlsx"
    path.write_bytes(xlsx(CELLS[:4], [CELLS[0], *CELLS[4:]]))

    assert "taken 3" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    assert "several sheets" in send(path)
    assert "no sheet is named" in send(path, mapping=f'sheet = "S22"\n{MAPPING}')
    assert "taken 3" in send(path, mapping=f'sheet = "S2"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


def test_a_loaded_file_does_not_fail_by_a_wrong_mapping(incident, tmp_path, send):
    path = tmp_path / "members.csv"
    path.write_bytes(csv())

    assert "taken 6" in send(path)
    assert "lacks handy" in send(path, mapping=MAPPING.replace('"mobile"', '"handy"'))
    scope_versions.close(incident.batches.get())


def test_a_corrected_workbook_of_one_sheet_settles_the_sheet_of_its_name(incident, tmp_path, send):
    path = tmp_path / "members.xlsx"
    path.write_bytes(xlsx([CELLS[0], *([["", "x", "", ""]] * 3)], [["notes"]]))
    assert "none of its 3 rows" in send(path, mapping=f'sheet = "S1"\n{MAPPING}')
    (tmp_path / "members.xlsx.rejects.csv").unlink()
    path.write_bytes(xlsx(CELLS))
    assert "taken 6" in send(path)
    scope_versions.close(incident.batches.get())


def test_a_workbook_of_one_sheet_may_rename_it(incident, tmp_path, send):
    path = tmp_path / "members.xlsx"
    path.write_bytes(xlsx([CELLS[0], *([["", "x", "", ""]] * 3)]))
    assert "none of its 3 rows" in send(path)
    (tmp_path / "members.xlsx.rejects.csv").unlink()
    path.write_bytes(xlsx([["notes"]], CELLS))
    assert "taken 6" in send(path, mapping=f'sheet = "S2"\n{MAPPING}')
    scope_versions.close(incident.batches.get())


def test_a_file_whose_name_is_no_text_is_refused_by_one_line(incident, tmp_path, send):
    """An archive of Windows, unpacked on Linux, has names in CP949."""
    path = tmp_path / os.fsdecode("회원.csv".encode("cp949"))
    path.write_bytes(csv())

    for options in ((), ("--check",)):
        assert send(path, *options).endswith(
            r"\xbf\xf8.csv: the name of the file is no UTF-8 text; rename it"
        )

    renamed = path.rename(tmp_path / "members.csv")
    assert "taken 6" in send(renamed)
    scope_versions.close(incident.batches.get())
    assert ExposureFile.objects.filter(state=ExposureFile.State.LOADED).count() == 1


def test_a_column_of_contacts_that_is_not_used_can_be_accepted(tmp_path, send):
    path = tmp_path / "members.csv"
    rows = [f"{row},sales{place}@b.example" for place, row in enumerate(GOOD)]
    path.write_bytes(csv(rows, header=f"{HEADER},seller"))

    assert "unused:seller" in send(path)
    assert '--accept "unused:seller"' in send(path, "--check")
    assert "taken 6" in send(path, "--accept", "unused:seller")


def test_a_person_with_another_contact_in_each_version_is_never_cleared(incident, tmp_path, send):
    def load(name: str, *rows: str) -> None:
        path = tmp_path / name
        path.write_bytes(csv(rows) if rows else path.read_bytes())
        send(path)
        batch = incident.batches.get(state="open")
        exposure_factory.write_off_unread(batch)
        scope_versions.close(batch)

    load("first.csv", *GOOD)
    load("second.csv", "1001,김민준,other@b.example,", "1007,한지민,jimin@b.example,")
    assert "user1@naver.example" in shown_to("user1@naver.example")
    assert "not in what could be read" in shown_to("other@b.example")

    exposure_factory.withdraw(incident.batches.get(number=1))
    assert "not in what could be read" in shown_to("other@b.example")
    assert "한지민" in shown_to("jimin@b.example")

    load("second.csv.rejects.csv")
    assert "other@b.example" in shown_to("other@b.example")
    assert "김민준" not in shown_to("user1@naver.example")
    assert "not among the leaked data" in shown_to("stranger@b.example")
