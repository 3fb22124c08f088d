"""The response team chooses the columns of an upload beside its first rows, masked."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents import uploads
from incidents.encryption import EXPOSURE
from incidents.importing import mapping
from incidents.importing.placeholders import NULLS
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureFile,
    Incident,
    Upload,
)
from tests.desk_pages import page_text
from tests.importing.test_uploads import sent
from tests.pages.test_narrow_pages import shown

pytestmark = pytest.mark.django_db
State = Upload.State
MEMBERS = (
    "회원번호,이름,메일,휴대폰,주소,등급\n"
    + "".join(
        f"{n},김민지,minji{n}@example.com,010-1234-{n},서울특별시 강남구 {n},골드\n"
        for n in range(1000, 1020)
    )
).encode()

LONG = (
    f"회원번호,{'column_name_' * 12},메일\n"
    + "".join(f"{n}.0,{'서' * 60} {n},-\n" for n in range(20))
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


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> Path:
    """The directory in which workers store a file while they read it."""
    monkeypatch.setattr(uploads, "_IN_MEMORY", tmp_path)
    return tmp_path


def url(action: str, upload: Upload) -> str:
    return reverse(f"admin:incidents_upload_{action}", args=[upload.pk])


def worked(upload: Upload) -> Upload:
    uploads.run_upload(str(upload.pk))
    upload.refresh_from_db()
    return upload


def uploaded(desk: Client, incident: Incident, content: bytes = MEMBERS) -> Upload:
    return worked(sent(desk, incident, content, mapping=""))


def form_of(desk: Client, upload: Upload) -> dict[str, Any]:
    """Returns what a browser posts if the user changes nothing."""
    form = desk.get(url("columns", upload)).context["form"]
    return {bound.html_name: bound.value() for bound in form if bound.value() not in (None, False)}


def test_an_upload_without_a_mapping_waits_for_its_columns(desk, incident):
    upload = uploaded(desk, incident)

    assert upload.state == State.TO_MAP
    page = page_text(desk.get(url("change", upload)))
    assert "Choose what each column means" in page
    assert "100 % e-mail addresses" in page
    assert "Import it" not in page


def test_the_guesses_are_chosen_already_and_no_value_is_shown(desk, incident):
    upload = uploaded(desk, incident)

    page = page_text(desk.get(url("columns", upload)))
    assert [str(value) for name, value in form_of(desk, upload).items() if "column" in name] == [
        *("reference", "name", "email", "phone", "class:physical-addresses", "")
    ]
    assert "m***@e***.com" in page
    assert "서울특별시 강남구" not in page
    for value in ("minji1000@example.com", "김민지", "010-1234-1000"):
        assert value not in page
    assert "<script" not in page.split('id="content-main"')[1]


def test_the_chosen_columns_are_checked_and_then_imported(desk, incident):
    upload = uploaded(desk, incident)
    data = form_of(desk, upload) | {"leaked": ["name", "email"]}

    assert desk.post(url("columns", upload), data).status_code == 302
    upload.refresh_from_db()
    found = mapping.parse(upload.mapping, name="mapping")
    assert found.person.reference == "회원번호"
    assert found.person.contact_leaked == {"name", "email"}
    assert [leak.data_class for leak in found.leaked] == ["physical-addresses"]
    assert LogEntry.objects.filter(change_message__contains="Chose the columns").exists()

    upload = worked(upload)
    page = page_text(desk.get(url("change", upload)))
    assert "20 rows can be taken, 0 rejected" in page
    assert 'reference = "회원번호"' in page
    assert form_of(desk, upload)["leaked"] == ["name", "email"]

    assert desk.post(url("import", upload)).status_code == 302
    assert worked(upload).state == State.IMPORTED
    assert AffectedPerson.objects.count() == 20
    assert not upload.pieces.exists()


def test_the_region_of_numbers_is_chosen(desk, incident):
    rows = "".join(f"{n},花子,h{n}@example.com,090-1234-{n}\n" for n in range(1000, 1010))
    upload = uploaded(desk, incident, f"会員番号,氏名,メール,携帯電話\n{rows}".encode())
    data = form_of(desk, upload)
    assert (incident.phone_region, data["region"]) == ("KR", "KR")

    desk.post(url("columns", upload), data | {"column-3": "phone", "region": "JP"})
    upload = worked(upload)
    assert form_of(desk, upload)["region"] == "JP"
    desk.post(url("import", upload))
    assert worked(upload).state == State.IMPORTED
    found = AffectedPerson.objects.with_contact(
        emails=[], phones=["+819012341000"], incidents=[incident]
    )
    assert found.count() == 1


PARTS = (
    "id,이름,email_id,email_domain,hp1,hp2,hp3\n"
    + "".join(f"M{n},김민지,minji{n},b.example,010,2345,{n}\n" for n in range(1000, 1010))
).encode()


def test_the_columns_of_a_contact_in_parts_are_joined(desk, incident):
    upload = uploaded(desk, incident, PARTS)
    data = form_of(desk, upload)

    alone = {
        name: "" if value in ("email part", "phone part") else value for name, value in data.items()
    }
    for column, why in (("column-2", "has two columns"), ("column-4", "has several columns")):
        page = page_text(desk.post(url("columns", upload), alone | {column: data[column]}))
        assert why in page

    assert desk.post(url("columns", upload), data).status_code == 302
    upload.refresh_from_db()
    person = mapping.parse(upload.mapping, name="mapping").person
    assert (person.email, person.phone) == (("{email_id}@{email_domain}",), ("{hp1}-{hp2}-{hp3}",))


PLACEHOLDERS = (
    "id,이름,메일,메모\n"
    + "".join(f"M{n},김민지,minji{n}@example.com,x{n}\n" for n in range(1000, 1010))
    + "M2000,이서준,없음,벨을 누르세요\nM2001,박지훈,NULL,없음\nM2002,최수아,-,null\n"
).encode()


def test_a_person_ticks_the_texts_that_mean_no_value(desk, incident):
    upload = uploaded(desk, incident, PLACEHOLDERS)
    page = page_text(desk.get(url("columns", upload)))
    assert '"없음" in 2 cells' in page
    assert '"NULL" in 1 cell' in page
    assert "write nulls" not in page  # the form asks for them
    data = form_of(desk, upload)
    assert sorted(data["nulls"]) == ['"NULL"', '"null"']  # those that an import takes for blank

    ticked = data | {"column-3": "class:delivery-notes", "nulls": ['"NULL"', '"없음"', '"-"']}
    assert desk.post(url("columns", upload), ticked).status_code == 302
    upload.refresh_from_db()
    nulls = mapping.parse(upload.mapping, name="mapping").nulls
    assert nulls == NULLS - {"null"} | {"없음", "-"}

    worked(upload)
    assert set(form_of(desk, upload)["nulls"]) == {'"NULL"', '"없음"', '"-"'}
    desk.post(url("import", upload))
    assert worked(upload).state == State.IMPORTED
    assert AffectedPerson.objects.filter(email_reach=AffectedPerson.Reach.MISSING).count() == 3
    notes = [line for line in values_of(incident) if line[0] == "delivery-notes"]
    assert {"null", "벨을 누르세요"} < {text for _, text in notes}
    assert "없음" not in {text for _, text in notes}


def values_of(incident: Incident) -> list[tuple[str, str]]:
    """Returns (slug of the class, value) of every leaked value that is stored."""
    return [(slug, value) for slug, value, *_day in stored_values(incident)]


def stored_values(incident: Incident) -> list[tuple[str, ...]]:
    """Returns (slug of the class, value), with an ISO date if it has one, of every leaked value."""
    slugs = dict(DataClass.objects.values_list("pk", "slug"))
    cipher = incident.cipher()
    rows = Exposure.objects.exclude(ciphertext=None)
    return [
        (slugs[one[0]], *one[1:])
        for row in rows
        for one in cipher.decrypt(
            bytes(row.ciphertext or b""), person=row.person_id, purpose=EXPOSURE
        )
    ]


def test_no_texts_are_offered_where_the_file_has_no_placeholders(desk, incident):
    upload = uploaded(desk, incident)
    assert "Texts that mean" not in page_text(desk.get(url("columns", upload)))

    data = form_of(desk, upload)
    del data["nulls"]
    desk.post(url("columns", upload), data)
    upload.refresh_from_db()
    assert "nulls" not in upload.mapping
    assert desk.post(url("columns", worked(upload)), {**data, "nulls": ["x"]}).status_code == 200


def test_choices_that_make_no_mapping_are_refused(desk, incident):
    upload = uploaded(desk, incident)
    data = form_of(desk, upload)

    page = page_text(desk.post(url("columns", upload), data | {"column-0": ""}))
    assert "lacks reference; write reference" in page
    page = page_text(desk.post(url("columns", upload), data | {"column-1": "reference"}))
    assert "Only one column can be the number of the person." in page
    upload.refresh_from_db()
    assert (upload.state, upload.mapping) == (State.TO_MAP, "")


def test_a_finding_is_loaded_only_with_a_tick_and_a_reason(desk, incident):
    rows = "".join(f"{n},800101-123{n}\n" for n in range(1000, 1020))
    upload = uploaded(desk, incident, f"id,phone\n{rows}".encode())
    data = form_of(desk, upload) | {"column-1": "phone", "leaked": ["phone"]}
    data = {name: value for name, value in data.items() if name != "is_known"}
    desk.post(url("columns", upload), data)
    upload = worked(upload)

    page = page_text(desk.get(url("import", upload)))
    assert "20 of 20 cells hold a resident registration number" in page
    assert desk.post(url("import", upload), {"reason": "They leaked."}).status_code == 200
    assert desk.post(url("import", upload), {"accept-swapped:phone": "on"}).status_code == 200
    upload.refresh_from_db()
    assert upload.state == State.CHECKED

    told = {"accept-swapped:phone": "on", "reason": "They stood in this column."}
    assert desk.post(url("import", upload), told).status_code == 302
    assert worked(upload).state == State.IMPORTED
    assert "They stood in this column." in page_text(desk.get(url("change", upload)))


def test_a_file_of_which_no_row_can_be_taken_is_not_offered_for_import(desk, incident):
    upload = uploaded(desk, incident, b"id,email\n,minji@example.com\n,seojun@example.com\n")
    data = form_of(desk, upload) | {"column-0": "reference"}
    answer = page_text(desk.post(url("columns", upload), data))
    assert "A column is the id of the person: remove the tick at the e-mail" in answer
    del data["is_by_email"]
    desk.post(url("columns", upload), data)
    upload = worked(upload)

    page = page_text(desk.get(url("change", upload)))
    assert "No row can be taken: all 2 are rejected." in page
    assert "Import it" not in page
    assert "Choose the columns" in page


def test_the_page_is_in_korean(desk, incident):
    upload = uploaded(desk, incident)
    desk.cookies["language"] = "ko"

    page = page_text(desk.get(url("columns", upload)))
    assert "100 % 이메일 주소" in page
    assert "회사가 정한 개인 번호" in page
    assert "Say what each column means" not in page


def test_only_importers_choose_columns(desk, incident, importer):
    upload = uploaded(desk, incident)
    importer.groups.set([importer.groups.model.objects.get(name="editor")])

    assert desk.get(url("columns", upload)).status_code == 403
    assert desk.post(url("columns", upload), {}).status_code == 403


def test_a_discarded_upload_has_no_profile(desk, incident):
    upload = uploaded(desk, incident)
    desk.post(url("discard", upload))

    shown = page_text(desk.get(url("columns", upload), follow=True))
    assert "Thrown away. Nothing was changed now." in shown
    assert not upload.pieces.exists()


def test_the_stored_profile_is_encrypted(desk, incident):
    upload = uploaded(desk, incident)

    (piece,) = upload.pieces.filter(kind="profile")
    assert b"example" not in bytes(piece.ciphertext)
    assert "휴대폰".encode() not in bytes(piece.ciphertext)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_pages_fit_320_pixels(desk, incident, language):
    upload = uploaded(desk, incident, LONG)
    desk.cookies["language"] = language
    sources = {name: desk.get(url(name, upload)).text for name in ("columns", "change")}

    widths = {
        name: shown_page.evaluate("document.querySelector('#content-main').scrollWidth")
        for name, shown_page in shown(sources, width=320, height=640)
    }
    assert all(width <= 320 for width in widths.values()), widths


LANGUAGES = (
    "회원번호,이름,메일,language\n"
    + "".join(
        f"{n},김민지,minji{n}@example.com,{'fr' if n % 4 else 'en'}\n" for n in range(1000, 1020)
    )
).encode()


def test_languages_without_a_text_are_decided_beside_their_counts(desk, incident):
    upload = uploaded(desk, incident, LANGUAGES)

    page = page_text(desk.get(url("columns", upload)))
    assert "languages: fr: 15, en: 5" in page
    assert "fr: 15 people. No text in it; they get" in page
    data = form_of(desk, upload)
    refused = page_text(desk.post(url("columns", upload), data))
    assert "Decide what these people get." in refused
    desk.post(url("columns", upload), data | {"language-3-0": "en"})
    upload = worked(upload)

    assert 'languages = { "fr" = "en" }' in upload.mapping
    assert (upload.state, upload.findings, upload.rows_taken) == (State.CHECKED, [], 20)
    desk.post(url("import", upload))
    worked(upload)
    assert set(AffectedPerson.objects.values_list("language", flat=True)) == {"en"}
    assert 'languages = { "fr" = "en" }' in ExposureFile.objects.get().mapping


ORDERS = (
    "회원번호,이름,메일,주문내역,최종주문일,가입일자\n"
    + "".join(
        f"{n},김민지,minji{n}@example.com,커피 {n},2025-05-{n % 20 + 1:02d},2020-01-01\n"
        for n in range(1000, 1020)
    )
    + "1020,이서준,seojun@example.com,커피,2025-13-40,2020-01-01\n"
).encode()
OF_ORDERS = "date of:purchases"


def test_the_date_of_an_order_is_chosen_and_loaded(desk, incident):
    upload = uploaded(desk, incident, ORDERS)
    data = form_of(desk, upload) | {"column-3": "class:purchases", "column-4": OF_ORDERS}

    assert desk.post(url("columns", upload), data).status_code == 302
    upload = worked(upload)
    assert form_of(desk, upload)["column-4"] == OF_ORDERS
    found = mapping.parse(upload.mapping, name="mapping")
    assert found.dates["최종주문일"] == ("date",)
    [purchases] = [leak for leak in found.leaked if leak.data_class == "purchases"]
    assert purchases.date == "최종주문일"
    desk.post(url("import", upload))
    assert worked(upload).state == State.IMPORTED
    days = [day for slug, _, *day in stored_values(incident) if slug == "purchases"]
    # The day of the last row is none.
    assert sorted(days) == [[], *([f"2025-05-{day:02d}"] for day in range(1, 21))]


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"column-3": "", "column-4": OF_ORDERS}, "No column holds the data whose date this is."),
        (
            {"column-3": "class:purchases", "column-4": OF_ORDERS, "column-5": OF_ORDERS},
            "Another column is the date of the same data already.",
        ),
    ],
)
def test_a_date_of_data_that_no_column_holds_and_a_second_date_are_refused(
    desk, incident, columns, why
):
    upload = uploaded(desk, incident, ORDERS)
    page = page_text(desk.post(url("columns", upload), form_of(desk, upload) | columns))
    assert why in page
    upload.refresh_from_db()
    assert upload.state == State.TO_MAP


def test_only_a_column_with_dates_can_be_the_date_of_leaked_data(desk, incident):
    form = desk.get(url("columns", uploaded(desk, incident, ORDERS))).context["form"]
    offers = [OF_ORDERS in str(form[f"column-{place}"]) for place in range(6)]
    assert offers == [False, False, False, False, True, True]
