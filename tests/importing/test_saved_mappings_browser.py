"""Saved mappings in a real Chromium on a narrow screen: saved, chosen, renamed and deleted."""

# ruff: noqa: F811  the fixtures of another module are parameters

import pytest
from playwright.sync_api import Page, expect

from incidents import uploads
from incidents.models import SavedMapping, Upload
from tests import browser
from tests.accounts.test_team_accounts_browser import check
from tests.desk.test_desk_roles_browser import desk, go  # noqa: F401  fixtures
from tests.importing.test_choose_columns import MEMBERS, places  # noqa: F401  a fixture
from tests.importing.test_saved_mappings import OTHER

# A file, another with other columns, its columns that differ, and a name, in the page's language.
KOREAN = (MEMBERS, OTHER, ("휴대폰", "연락처, 메모"), "회원")
ENGLISH = (
    b"member_id,name,email,mobile,address,grade\n1,Kim,kim@a.example,010-1234-5678,12 Road,gold\n",
    b"member_id,name,email,phone,address,note\n1,Kim,kim@a.example,010-1234-5678,12 Road,-\n",
    ("mobile", "phone, note"),
    "members",
)

pytest_plugins = ["tests.notice_fixtures"]


@pytest.fixture(params=["ko", "en"])
def language(request) -> str:
    return request.param


@pytest.fixture
def width() -> int:
    return 390


def send(page: Page, go, incident, name: str, content: bytes) -> Upload:
    """Uploads a file on the desk, lets a worker check it, and opens the page of its columns."""
    go(page, "incidents_upload_add")
    page.locator("#id_incident").select_option(str(incident.pk))
    field = page.locator("input[type=file]")
    field.set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    browser.follow(page.locator("[name=_save]"))
    upload = Upload.objects.latest("created_at")
    uploads.run_upload(str(upload.pk))
    assert go(page, "incidents_upload_columns", upload.pk) == 200
    return upload


def test_an_importer_saves_chooses_renames_and_deletes_a_mapping(
    desk,
    go,
    team,
    incident,
    language,
):
    first, second, differences, name = KOREAN if language == "ko" else ENGLISH
    with desk(team["importer"]) as page:
        send(page, go, incident, "1.csv", first)
        expect(page.locator("#id_saved")).to_have_count(0)  # none is saved
        page.locator("#id_column-4").select_option("class:delivery-notes")
        page.locator("#id_name").fill(name)
        browser.follow(page.locator("input[type=submit].default"))
        one = SavedMapping.objects.get()

        upload = send(page, go, incident, "2.csv", second)
        page.locator("#id_saved").select_option(str(one.pk))
        browser.follow(page.locator("form[method=get] input[type=submit]"))
        check(page, "saved-mapping", language, "#content-main .fit")
        for columns in differences:
            expect(page.locator(".fit")).to_contain_text(columns)
        expect(page.locator("#id_column-4")).to_have_value("class:delivery-notes")
        browser.follow(page.locator("input[type=submit].default"))
        upload.refresh_from_db()
        assert upload.state == Upload.State.TO_CHECK
        assert "delivery-notes" in upload.mapping

        assert go(page, "incidents_savedmapping_change", one.pk) == 200
        page.locator("#id_name").fill(f"{name} 2026")
        check(page, "saved-mapping-name", language, "#content-main .field-name")
        browser.follow(page.locator("[name=_save]"))
        go(page, "incidents_savedmapping_delete", one.pk)
        expect(page.locator("#content")).to_contain_text(f"{name} 2026")
        browser.follow(page.locator("#content input[type=submit]"))
    assert not SavedMapping.objects.exists()
