"""The same people are imported from every format, compression and encoding."""

import csv
import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import zstandard
from django.core.management import CommandError, call_command

import incidents
from incidents.encryption import EXPOSURE
from incidents.importing import examining, loading
from incidents.importing.formats.json_lines import JsonLines
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, Exposure, ExposureFile
from tests.import_factory import import_and_report, read_reject_file

pytestmark = pytest.mark.django_db
SAMPLE = Path(incidents.__file__).parent / "sample"
MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
email = "email"
contact_leaked = ["name", "email"]
[[leaked]]
class = "purchases"
value = "{item} × {qty}"
"""
ROWS = [
    {"id": "7", "name": "김민지", "email": "minji@example.com", "item": "비누, 하나", "qty": "2"},
    {"id": "8", "name": 'Seojun "Jay"', "email": "", "item": "", "qty": ""},
]


def as_csv(encoding: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(ROWS[0]))
    writer.writeheader()
    writer.writerows(ROWS)
    return out.getvalue().encode(encoding)


def as_json_lines() -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()


def found(incident) -> list[tuple[Any, list[Any]]]:
    """Returns the decrypted contact and values of each person, sorted."""
    cipher = incident.cipher()
    return sorted(
        (
            tuple(sorted(person.decrypt_contact().items())),
            [
                cipher.decrypt(row.ciphertext, person=person.pk, purpose=EXPOSURE)
                if row.ciphertext
                else None
                for row in person.exposures.all()
            ],
        )
        for person in AffectedPerson.objects.filter(incident=incident)
    )


@pytest.fixture
def load(incident, tmp_path):
    def load(content: bytes, name: str = "dump", mapping: str = MAPPING) -> ImportProgress:
        path = tmp_path / name
        path.write_bytes(content)
        return import_and_report(path, incident=incident, mapping_text=mapping)

    return load


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstandard.compress])
@pytest.mark.parametrize(
    "content", [as_csv("utf-8"), as_csv("utf-8-sig"), as_csv("cp949"), as_json_lines()]
)
def test_every_format_gives_the_same_people(incident, load, content, pack):
    report = load(pack(content))

    assert (report.rows_read, report.rows_taken, report.people_new) == (2, 2, 2)
    [minji, seojun] = found(incident)
    assert seojun[0] == (("n", 'Seojun "Jay"'),)
    assert minji[0] == (("e", "minji@example.com"), ("n", "김민지"))
    [[[_, purchase]]] = minji[1]
    assert purchase == "비누, 하나 × 2"


def test_zstd_in_several_frames_is_one_file(incident, load):
    half = len(as_csv("utf-8")) // 2
    content = as_csv("utf-8")

    load(zstandard.compress(content[:half]) + zstandard.compress(content[half:]))
    assert len(found(incident)) == 2


@pytest.mark.parametrize("cut", [-1, -5, 20])
def test_zstd_cut_short_is_refused(load, cut):
    packed = zstandard.compress(as_csv("utf-8") + b"9,x,,,\n" * 1000)

    with pytest.raises(ImportRefusedError, match="the zstd data is cut short or damaged"):
        load(packed[:cut], "dump.csv.zst")
    assert not AffectedPerson.objects.exists()


def test_numbers_nulls_and_missing_keys_of_json_are_cells(incident, load):
    load(
        b'{"id": 7, "name": "Minji", "email": null, "item": "soap", "qty": 1.50}\n'
        b"\n"
        b'{"name": "Seojun", "id": "8"}\n'
    )

    [[_, minji], [_, seojun]] = found(incident)
    assert minji[0][0][1] == "soap × 1.50"
    assert seojun == [None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"7,Minji", "not a JSON object"),
        (b'["7"]', "not a JSON object"),
        (b'{"id": "9", "name": "Jiho"', "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b'{"name": "Jiho"}', "missing id"),
        (b'{"id": "9", "name": "\xff"}', "undecodable bytes"),
        (b'{"id": "9", "name": "\\ud800"}', "undecodable bytes"),
    ],
)
def test_a_bad_line_of_json_is_rejected_alone(load, line, reason):
    report = load(as_json_lines() + line + b"\n", "dump.jsonl")

    assert (report.rows_read, report.rows_taken) == (3, 2)
    with report.reject_file.open(encoding="utf-8-sig", newline="") as stream:
        header, row = csv.reader(stream)
    assert header == ["line", "reason", "id", "name", "email", "item", "qty"]
    assert row[:2] == ["3", reason]


def test_rejects_of_json_are_corrected_as_a_spreadsheet(incident, load):
    mapping = 'format = "jsonl"\n' + MAPPING
    report = load(as_json_lines() + b'{"id": "", "name": "Jiho"}\n', "dump.jsonl", mapping)
    corrected = report.reject_file.read_bytes().replace(b"missing id,,", b"missing id,9,")

    assert load(corrected, "corrected.csv", mapping).rows_taken == 1
    assert len(found(incident)) == 3


def test_a_mapping_for_another_format_is_refused(load):
    with pytest.raises(ImportRefusedError, match="says it is jsonl, but it is csv"):
        load(as_csv("utf-8"), mapping='format = "jsonl"\n' + MAPPING)


def test_json_without_a_mapped_key_is_refused(load):
    with pytest.raises(ImportRefusedError, match="dump: its first rows lack id, which"):
        load(b'{"member": "7", "name": "", "email": "", "item": "", "qty": ""}\n')


def test_a_csv_may_begin_with_a_brace(load):
    assert load(as_csv("utf-8").replace(b"qty", b"{qty}"), mapping=MAPPING.split("[[")[0]).rows_read


def read_from_standard_input(monkeypatch, content: bytes, tmp_path, *options: str) -> str:
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    out = io.StringIO()
    words = ["-", "--incident", "hanbit-2025", "--mapping", str(tmp_path / "map.toml"), *options]
    call_command("import_exposures", *words, stdout=out)
    return out.getvalue()


def test_standard_input_is_imported_once_and_leaves_nothing(
    incident, monkeypatch, tmp_path, settings
):
    content = gzip.compress(as_csv("cp949") + b",x,,,\n", mtime=0)
    printed = read_from_standard_input(monkeypatch, content, tmp_path, "--rejects", str(tmp_path))

    assert "Encoding: cp949." in printed
    assert "Rows read 3, taken 2, rejected 1." in printed
    assert Exposure.objects.count() == 2
    assert ExposureFile.objects.get().name == "standard-input"
    assert not list((settings.VAR / "import").iterdir())
    with pytest.raises(CommandError, match="already loaded as standard-input in scope version 1"):
        read_from_standard_input(monkeypatch, content, tmp_path)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="files keep their names elsewhere")
def test_standard_input_has_no_name_on_the_disk_that_could_outlive_its_import(
    incident, monkeypatch, tmp_path, settings
):
    left: list[Path] = []

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            places = (settings.VAR / "import").rglob("*")
            left.extend(at for at in places if at.is_file() and not at.is_symlink())
            return super().read(size)

    monkeypatch.setattr("io.BytesIO", Watched)
    printed = read_from_standard_input(monkeypatch, as_csv("utf-8"), tmp_path)
    assert "taken 2" in printed
    assert left == []


def test_a_bomb_is_unpacked_within_bounded_memory(tmp_path):
    import tracemalloc

    path = tmp_path / "bomb.csv.zst"
    path.write_bytes(zstandard.compress(b"id,name\n" + bytes(300_000_000)))
    tracemalloc.start()
    with pytest.raises(ImportRefusedError, match="more than 300 times its size"):
        examining.examine(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def sample_as_json_lines(file: str, path: Path) -> dict[int, int]:
    """Writes a file of the sample as JSON Lines; returns {first line in the CSV: line in JSON}.

    An incomplete row becomes an incomplete object.
    """
    encoding = {"members": "utf-8-sig", "addresses": "cp949", "orders": "utf-8"}[file]
    dump = next((SAMPLE / "export-2025-11").glob(f"{file}.csv*"))
    opened = gzip.open if dump.suffix == ".gz" else open
    lines: dict[int, int] = {}
    with (
        opened(dump, "rt", encoding=encoding, errors="surrogateescape", newline="") as stream,
        path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as out,
    ):
        reader = csv.reader(stream)
        header = next(reader)
        first = reader.line_num + 1
        for cells in reader:
            row = json.dumps(dict(zip(header, cells, strict=False)), ensure_ascii=False)
            out.write(row + "\n" if len(cells) == len(header) else row[:-2] + "\n")
            lines[first] = len(lines) + 1
            first = reader.line_num + 1
    return lines


@pytest.mark.parametrize("file", ["members", "addresses", "orders"])
def test_the_sample_in_json_lines_is_read_as_it_says(incident, tmp_path, file):
    expected = json.loads((SAMPLE / "export-2025-11" / "expected.json").read_text())
    for name in dict.fromkeys(["members", file]):
        section = expected["address_book" if name == "addresses" else name]
        mapping = (SAMPLE / f"{name}.toml").read_text(encoding="utf-8")
        lines = sample_as_json_lines(name, tmp_path / f"{name}.jsonl")
        loaded = loading.import_file(
            tmp_path / f"{name}.jsonl",
            incident=incident,
            mapping_text=mapping.replace('"csv"', '"jsonl"').replace('"cp949"', '"utf-8"'),
            rejects_path=tmp_path / f"{name}.rejects.csv",
        )
        assert loaded.rows_read == section["rows"]
        path = tmp_path / f"{name}.rejects.csv"
        rows = read_reject_file(path)[1:] if path.exists() else []
        rejected = [[int(line), reason] for line, reason, *_ in rows]
        in_json = {"wrong number of columns": "not a JSON object"}
        assert rejected == [
            [lines[line], in_json.get(reason, reason)] for line, reason in section["rejected"]
        ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('{"$date":{"$numberLong":"-1203465600000"}}', "1931-11-13T00:00:00.000Z"),
        ('{"$date":{"$numberLong":"1763456602123"}}', "2025-11-18T09:03:22.123Z"),
        ('{"$date":1763456602123}', "2025-11-18T09:03:22.123Z"),
        ('{"$date":"2025-11-18T09:03:22.123Z"}', "2025-11-18T09:03:22.123Z"),
        ('{"$date":{"$numberLong":"9223372036854775"}}', "9223372036854775"),
        ('{"$numberLong":"1763456602123"}', "1763456602123"),
    ],
)
def test_a_time_of_mongodb_is_read_as_one(written, read):
    [(_line, cells, defect)] = JsonLines().rows(f'{{"on":{written}}}', 1, ["on"])
    assert (cells, defect) == ([read], "")
