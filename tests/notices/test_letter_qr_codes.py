"""The QR code of each letter: what a telephone reads in it, and the page that it opens."""

import io
import struct
import tarfile
import zlib
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import AuditEntry, User
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import AffectedPerson
from notices import letter_export, letter_qr_codes
from notices.letter_export import PrintOrder
from notices.models import Letter, Notice
from tests.desk_pages import notice_url
from tests.notices.test_letters import ADDRESS, addressed, closed, code_of, letter_rows

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
CODE = "7QK2-X9ND-4HTB"


@pytest.fixture
def decoder() -> ModuleType:
    """ZXing, which many programs of telephones use."""
    return pytest.importorskip("zxingcpp", reason="`make setup` installs it")


@pytest.fixture
def letters(draft, people, approver, server) -> Notice:
    """A closed notice with two people to whom a letter can be printed."""
    addressed(draft, "박이웃", ADDRESS)
    addressed(draft, "최아래", ADDRESS)
    return closed(draft, approver)


def rows_of_pixels(image: bytes) -> list[bytes]:
    """Returns the rows of a black and white PNG a byte a pixel."""
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", image[16:26])
    assert (depth, colour) == (1, 0)
    start = image.index(b"IDAT")
    (size,) = struct.unpack(">I", image[start - 4 : start])
    packed = zlib.decompress(image[start + 4 : start + 4 + size])
    line = 1 + (width + 7) // 8
    lines = [packed[line * at : line * (at + 1)] for at in range(height)]
    above, shown = bytes(line - 1), []
    for kind, *content in lines:
        assert kind in (0, 2)  # 2: the difference from the row above
        above = bytes(
            (one + kind // 2 * old) % 256 for one, old in zip(content, above, strict=True)
        )
        shown.append(above)
    bits = ["".join(f"{byte:08b}" for byte in row)[:width] for row in shown]
    return [bytes(255 * int(bit) for bit in row) for row in bits]


def read_by_telephone(decoder: ModuleType, image: bytes) -> str:
    rows = rows_of_pixels(image)
    pixels = memoryview(b"".join(rows)).cast("B", (len(rows), len(rows[0])))
    [found] = decoder.read_barcodes(pixels)
    assert found.ec_level in ("M", "Q", "H")
    return str(found.text)


def test_a_telephone_reads_the_address_of_the_letters_answer(decoder, settings):
    for host in ("https://x.example", "https://portal.a-company-with-a-long-name.example.co.kr"):
        settings.PORTAL_URL = host
        read = read_by_telephone(decoder, letter_qr_codes.qr_image(CODE))
        assert read == f"{host}/check/code/{CODE}"


def test_the_image_has_a_quiet_zone_of_four_modules():
    rows = rows_of_pixels(letter_qr_codes.qr_image(CODE))
    quiet = 4 * letter_qr_codes._PIXELS
    assert len(rows) == len(rows[0])
    for side in (rows, list(map(bytes, zip(*rows, strict=True)))):
        assert set(b"".join([*side[:quiet], *side[-quiet:]])) == {255}
        assert 0 in side[quiet]


def test_the_address_of_a_row_opens_the_answer_in_the_readers_language(letters):
    [row, _other] = letter_rows(letters)
    path = urlsplit(row["check_address"]).path
    assert row["code"] in path
    for language, sent in (
        ("ko", "이 확인 코드로 보낸 메시지가 있습니다"),
        ("en", "We sent a message with this code"),
    ):
        page = Client().get(path, headers={"accept-language": language}, follow=True)
        assert page.redirect_chain[-1][0] == f"/{language}{path}/"
        assert "letter by post" in page.text or language == "ko"
        assert sent in page.text
        assert "no-store" in page["Cache-Control"]
        assert page["Referrer-Policy"] == "strict-origin"
        assert not page.cookies


@pytest.mark.parametrize("code", ["7QK2-X9ND-4HTB", "x", "%00", "../" * 5, "7" * 5000])
def test_a_code_that_is_none_of_ours_gets_no_record(code):
    page = Client().get(f"/en/check/code/{code}/", follow=True)
    if page.status_code == 200:
        assert "We have no record" in page.text
    else:
        assert page.status_code in (400, 404)


def test_too_many_answers_to_codes_are_refused(settings):
    settings.PROOF_RATES = {"message_check": "2/m/ip"}
    shown = [Client().get(f"/en/check/code/{CODE}/").status_code for _ in range(3)]
    assert shown == [200, 200, 429]


def test_the_command_writes_an_image_for_each_row(letters, tmp_path, capsysbinary, decoder):
    call_command("export_letters", letters.pk, "--qr", str(tmp_path))
    lines = capsysbinary.readouterr().out.decode("utf-8-sig").splitlines()[1:]
    images = {one.stem: one.read_bytes() for one in tmp_path.iterdir()}
    assert sorted(images) == sorted(line.split(",")[0] for line in lines)
    assert len(images) == 2
    for code, image in images.items():
        assert read_by_telephone(decoder, image).endswith(f"/check/code/{code}")


def test_a_wrong_folder_is_refused_before_a_letter_is_recorded(letters, tmp_path, capsysbinary):
    (tmp_path / "earlier.png").touch()
    for folder in (tmp_path, tmp_path / "none", tmp_path / "earlier.png"):
        with pytest.raises(CommandError, match="is not an empty directory"):
            call_command("export_letters", letters.pk, "--qr", str(folder))
    with pytest.raises(CommandError, match="leave out --qr"):
        call_command("export_letters", letters.pk, "--not-printable", "--qr", str(tmp_path))
    assert not Letter.objects.exists()


def test_the_desk_gives_the_images_of_letters_exported_and_not_posted(client, letters, decoder):
    approver = User.objects.create_user("approver@hanbit.example", is_staff=True)
    approver.groups.add(Group.objects.get(name="approver"))
    sign_in_to_desk(client, approver)
    step_up(client, approver)
    assert not images_of(client, letters)
    codes = [row["code"] for row in letter_rows(letters)]
    images = images_of(client, letters)
    assert sorted(images) == sorted(f"{code}.png" for code in codes)
    assert read_by_telephone(decoder, images[f"{codes[0]}.png"]).endswith(codes[0])
    first = Letter.objects.order_by("pk").first()
    assert first
    Letter.objects.filter(pk=first.pk).update(posted_on="2026-01-01")
    assert len(images_of(client, letters)) == 1
    entry = AuditEntry.objects.filter(kind=AuditEntry.Kind.EXPORT).order_by("-pk")[0]
    assert (entry.details["what"], entry.details["opened"]) == ("qr-codes", False)


def images_of(client: Client, notice: Notice) -> dict[str, bytes]:
    asked = {"file": "qr-codes", "encoding": "utf-8"}
    response: Any = client.post(notice_url("letters", notice), asked)
    content = b"".join(response.streaming_content)
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {one.name: archive.extractfile(one) for one in archive}
        return {name: file.read() for name, file in files.items() if file}


def test_the_images_hold_nothing_about_the_person(letters):
    letter_rows(letters)
    content = b"".join(letter_qr_codes.archive(letters))
    for person in AffectedPerson.objects.filter(incident=letters.incident):
        assert str(person.pk).encode() not in content
    assert "박이웃".encode() not in content


def test_the_archive_is_read_page_by_page(letters, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(letter_qr_codes, "_PAGE", 1)
    letter_rows(letters)
    with django_assert_num_queries(3):
        assert sum(1 for _block in letter_qr_codes.archive(letters)) == 3


def test_a_letter_is_recorded_once_with_its_image(letters, tmp_path):
    assert sum(1 for _ in letter_export.letters_file(letters, PrintOrder(), qr=tmp_path)) > 2
    assert Letter.objects.count() == 2
    assert {one.stem for one in tmp_path.iterdir()} == {
        code_of(letters, one.delivery.person) for one in Letter.objects.all()
    }
