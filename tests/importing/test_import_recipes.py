"""Each recipe for the export of a common product loads an export with that product's header."""

import csv
import re
from pathlib import Path

import pytest

from incidents.importing import drafting, loading, mapping, previewing
from incidents.models import AffectedPerson, DataClass, Exposure, Incident
from tests.importing.test_file_kinds import workbook

pytestmark = pytest.mark.django_db
DOCS = Path(__file__).parents[2] / "docs"
RECIPES = (DOCS / "import-recipes.md").read_text(encoding="utf-8")
# Cells of two people, by the name of a column. Other columns are blank.
CELLS = {
    "e-mail": ["minji@example.com", "seojun@example.com"],
    "phone": ["+82 10-1234-5678", "010-1234-5679"],
    "time": ["2025-11-18 09:00:00", "2025-11-19T09:00:00.000Z"],
    "first": ["Minji", "Seojun"],
    "last": ["Kim", "Park"],
    "name": ["Minji Kim", "Seojun Park"],
    "id": ["7001", "7002"],
    "ip": ["198.51.100.7", "2001:db8::7"],
}
COLUMNS = {
    **dict.fromkeys(["email", "Email", "Email Address", "user_email"], CELLS["e-mail"]),
    **dict.fromkeys(["Phone", "MobilePhone", "Phone Number"], CELLS["phone"]),
    **dict.fromkeys(["created_at", "CreatedDate", "OPTIN_TIME"], CELLS["time"]),
    **dict.fromkeys(["user_ip", "OPTIN_IP"], CELLS["ip"]),
    **dict.fromkeys(["firstname", "First Name", "FirstName"], CELLS["first"]),
    **dict.fromkeys(["lastname", "Last Name", "LastName"], CELLS["last"]),
    **dict.fromkeys(["Name", "username"], CELLS["name"]),
    **dict.fromkeys(["Customer ID", "user_id"], CELLS["id"]),
    "Username": ["minji", ""],
    "user_regdate": ["1136214245", ""],
    "Id": ["0035g00000AbCdEAAV", "0035g00000AbCdeAAV"],
    "EUID": ["a1b2c3d4e5", "a1b2c3d4e6"],
    "password_hash": ["$argon2id$v=19$m=65536", "d41d8cd98f00b204:salt:1"],
    "user_password": ["$2y$10$abcdefghijk", "$H$9abcdefghijk"],
    "dob": ["1990-03-05", ""],
    "user_birthday": [" 5- 3-1990", ""],
    "Birthday": ["03/05", ""],
    "Birthdate": ["1990-03-05", ""],
    "Default Address Address1": ["Teheran-ro 1", ""],
    "Default Address Zip": ["06133", ""],
    "City": ["Seoul", "Busan"],
    "MailingStreet": ["Teheran-ro 1\nFlat 2", ""],
    "Address": ["Teheran-ro 1  Seoul  06133  KR", ""],
    "user_lang": ["en", "ko"],
    "이메일": CELLS["e-mail"],
    "휴대폰": ["010-1234-5678", "010-1234-5679"],
    "고객번호": ["7001", "7002"],
    "이름": ["김민지", "박서준"],
    "우편번호": ["06133", "04524"],
    "주소": ["서울특별시 강남구 테헤란로 1", "서울특별시 중구 세종대로 110"],
    "가입일": ["2025-11-18", ""],
}


def sections() -> list[tuple[str, str, str]]:
    """Returns (product, header line, mapping) of each recipe."""
    found = re.findall(
        r"^## (.+?)\n.*?```\n(.+?)\n```\n```toml\n(.+?)```", RECIPES, re.MULTILINE | re.DOTALL
    )
    return [(product, header, text) for product, header, text in found]


def export(directory: Path, product: str, header: str) -> Path:
    """Writes an export of two people: a spreadsheet or CSV, as the product writes it."""
    names = next(csv.reader([header]))
    rows = [[COLUMNS.get(name, ["", ""])[row] for name in names] for row in (0, 1)]
    if "xlsx" in product:
        path = directory / "export.xlsx"
        path.write_bytes(workbook([names, *rows]))
        return path
    path = directory / "export.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([names, *rows])
    return path


@pytest.mark.parametrize(("product", "header", "text"), sections(), ids=lambda text: text[:12])
def test_the_mapping_loads_an_export_with_the_products_header(
    incident, tmp_path, product, header, text
):
    path = export(tmp_path, product, header)

    file = loading.import_file(path, incident=incident, mapping_text=text)

    assert (file.rows_taken, file.rows_rejected) == (2, 0), product
    for address in CELLS["e-mail"]:
        found = AffectedPerson.objects.with_contact(
            emails=[address], phones=[], incidents=Incident.objects.all()
        )
        assert found.count() == 1
    wanted = mapping.parse(text, name=product).classes()
    ids = {one for exposure in Exposure.objects.all() for one in exposure.data_classes}
    classes = set(DataClass.objects.filter(pk__in=ids).values_list("slug", flat=True))
    assert classes >= wanted - {"support-tickets", "phone-numbers"}


@pytest.mark.parametrize(("product", "header", "text"), sections(), ids=lambda text: text[:12])
def test_the_draft_knows_the_products_header(tmp_path, product, header, text):
    path = export(tmp_path, product, header)

    draft = drafting.draft(previewing.preview(path), DataClass.objects.all())
    wanted = mapping.parse(text, name=product)
    if wanted.person.reference in wanted.person.email:
        assert "# confirm: no column of ids" in draft
    found = mapping.parse(draft, name="draft")
    assert found.person.email == wanted.person.email
    assert found.person.name == wanted.person.name
    assert found.person.reference == wanted.person.reference
    assert {leak.data_class for leak in found.leaked} >= {
        leak.data_class for leak in wanted.leaked
    } - {"support-tickets", "phone-numbers"}


def test_six_products_and_spreadsheets_have_a_recipe():
    assert [product for product, *_ in sections()] == [
        *("Magento 2 and Adobe Commerce", "Shopify", "WooCommerce"),
        *("Salesforce", "Mailchimp", "phpBB", "A plain spreadsheet (xlsx)"),
    ]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda path: path.name)
def test_every_mapping_in_the_documents_is_one(page):
    for text in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        if "[person]" in text:
            assert mapping.parse(text, name=page.name).classes()
