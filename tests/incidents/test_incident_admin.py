"""Incidents at the response desk."""

import hashlib
import html
import logging
import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from harness.exposure_factory import class_id, expose, file_of, person, state, write_off_unread
from harness.sign_in import sign_in_to_desk
from incidents import scope_versions
from incidents.encryption import KeysetShreddedError
from incidents.models import (
    AffectedPerson,
    DataClass,
    ExposureBatch,
    ExposureFile,
    Incident,
    RejectedRow,
    Shredding,
)
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db


def helper(*permissions: str) -> User:
    """Returns a staff user with only these permissions."""
    user = User.objects.create_user("helper@breachportal.example", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def helpdesk(client):
    """Signs in a staff user with only the given permissions, in English."""

    def signed_in(*permissions: str):
        sign_in_to_desk(client, helper(*permissions))
        client.cookies["language"] = "en"
        return client

    return signed_in


def url(model: str, action: str, *args: object) -> str:
    return reverse(f"admin:incidents_{model}_{action}", args=args)


def loaded(incident: Incident, *, number: int = 1, batch_state: str = "open") -> ExposureBatch:
    file = file_of(incident, number=number, state=batch_state)
    file.state, file.rows_read, file.rows_taken = ExposureFile.State.LOADED, 12, 10
    file.rows_rejected, file.finished_at = 2, incident.aware_at
    file.save()
    RejectedRow.objects.bulk_create(
        RejectedRow(file=file, line=line, reason="bad date") for line in (3, 7)
    )
    return file.batch


NEW_INCIDENT = {
    "slug": "dalbit-2026",
    "languages": "ko,en",
    "default_language": "ko",
    "company_ko": "달빛상점",
    "company_en": "Dalbit Store",
    "title_ko": "달빛상점 개인정보 유출",
    "title_en": "Dalbit Store data leak",
    "summary_ko": "유출되었습니다.",
    "summary_en": "Data leaked.",
    "aware_at_0": "2026-01-05",
    "aware_at_1": "09:00:00",
    "department_ko": "개인정보보호팀",
    "department_en": "Privacy team",
    "phone_region": "KR",
    "time_zone": "Asia/Seoul",
    "shared_contact_bound": "3",
    "jurisdictions-TOTAL_FORMS": "1",
    "jurisdictions-INITIAL_FORMS": "0",
    "jurisdictions-0-jurisdiction": "KR",
    "jurisdictions-0-standing": "applies",
    "class_states-TOTAL_FORMS": "1",
    "class_states-INITIAL_FORMS": "0",
    "class_states-0-state": "involved",
    "class_states-0-basis": "company",
}


def test_a_new_incident_can_encrypt_at_once(editors_desk):
    form = NEW_INCIDENT | {"class_states-0-data_class": class_id("names")}
    assert editors_desk.post(url("incident", "add"), form).status_code == 302
    incident = Incident.objects.get(slug="dalbit-2026")
    minji = person(incident, name="김민지", email="minji@example.com")
    assert minji.decrypt_contact() == {"n": "김민지", "e": "minji@example.com"}
    assert incident.class_states.get().data_class.slug == "names"
    assert incident.jurisdictions.get().jurisdiction == "KR"


def test_the_slug_of_an_incident_stays_since_its_keysets_are_bound_to_it(editors_desk, incident):
    page = page_text(editors_desk.get(url("incident", "change", incident.pk)))
    assert url("incident", "shred", incident.pk) in page
    assert 'name="slug"' not in page
    assert 'name="title_en"' in page


def test_an_incident_shows_its_scope_versions(editors_desk, incident):
    loaded(incident)
    page = page_text(editors_desk.get(url("incident", "change", incident.pk)))
    assert "1: open: files may be loaded (10 rows taken, 2 rejected)" in page


@pytest.mark.parametrize("model", ["incident", "dataclass", "exposurebatch"])
def test_nothing_is_deleted_on_the_desk(editors_desk, incident, model):
    pk = {
        "incident": incident.pk,
        "dataclass": class_id("names"),
        "exposurebatch": loaded(incident).pk,
    }[model]
    assert editors_desk.post(url(model, "delete", pk), {"post": "yes"}).status_code == 403


@pytest.fixture
def second(approver) -> Client:
    """A second superuser's client at the desk, in English."""
    client = Client()
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "en"
    return client


def seen_by(client, incident: Incident) -> dict[str, str]:
    """Returns the form data of the shredding page, with the slug typed in."""
    shown = client.get(url("incident", "shred", incident.pk))
    return {"slug": incident.slug, "seen": shown.context["seen"]}


def test_shredding_needs_two_superusers_who_type_the_slug(
    editors_desk, second, editor, approver, incident
):
    shred = url("incident", "shred", incident.pk)
    fingerprint = hashlib.sha256(incident.data_keyset).hexdigest()
    assert "becomes unreadable" in page_text(editors_desk.get(shred))
    assert f"({incident.slug})" in page_text(
        editors_desk.get(shred)
    )  # the text that has to be typed
    assert "This is not the slug" in page_text(editors_desk.post(shred, {"slug": "another"}))
    assert not Shredding.objects.exists()
    assert editors_desk.post(shred, seen_by(editors_desk, incident)).status_code == 302
    assert 'name="slug"' not in page_text(
        editors_desk.get(shred)
    )  # the requester cannot confirm it
    again = page_text(editors_desk.post(shred, seen_by(editors_desk, incident)))
    assert "another superuser has to do it" in again
    assert not Incident.objects.filter(shredded_at__isnull=False).exists()

    asked = "editor@breachportal.example asked to shred the data on"
    assert asked in page_text(second.get(shred))
    assert asked in page_text(second.get(url("incident", "change", incident.pk)))
    form = seen_by(second, incident)
    assert second.post(shred, form).status_code == 302

    incident.refresh_from_db()
    assert incident.shredded_at
    with pytest.raises(KeysetShreddedError):
        incident.cipher()
    messages = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert [entry[:5] for entry in messages] == ["Asked", "Shred"]
    after = page_text(second.post(shred, form))
    assert "shredded already" in after
    for copy in ("old row of the table", "write-ahead log", "replicas", "backups", "processes"):
        assert copy in after
    assert 'name="slug"' not in page_text(second.get(shred))
    record = Shredding.objects.get()
    assert (record.asked_by, record.done_by) == (editor, approver)
    assert record.data_fingerprint == fingerprint
    page = page_text(second.get(url("incident", "change", incident.pk)))
    assert fingerprint in page
    assert shred not in page


def test_two_requests_at_once_shred_nothing(editors_desk, second, incident):
    shred = url("incident", "shred", incident.pk)
    theirs = seen_by(second, incident)  # read before the first request
    editors_desk.post(shred, seen_by(editors_desk, incident))

    assert "Read the page again" in page_text(second.post(shred, theirs))

    incident.refresh_from_db()
    assert incident.shredded_at is None


@pytest.mark.parametrize("is_own", [True, False], ids=["who asked", "who was to do it"])
def test_a_request_to_shred_can_be_taken_back(editors_desk, second, incident, is_own):
    shred = url("incident", "shred", incident.pk)
    back = url("incident", "take_shred_request_back", incident.pk)
    editors_desk.post(shred, seen_by(editors_desk, incident))
    theirs = seen_by(second, incident)
    client = editors_desk if is_own else second
    assert back in page_text(client.get(shred))
    assert client.get(back).status_code == 405

    assert "Took back the request" in page_text(client.post(back, follow=True))

    assert not Shredding.objects.exists()
    assert "Read the page again" in page_text(second.post(shred, theirs))
    assert "No request to shred the data stands" in page_text(client.post(back, follow=True))
    incident.refresh_from_db()
    assert incident.shredded_at is None


def test_a_finished_shredding_cannot_be_taken_back(editors_desk, second, incident):
    shred = url("incident", "shred", incident.pk)
    editors_desk.post(shred, seen_by(editors_desk, incident))
    second.post(shred, seen_by(second, incident))
    editors_desk.post(url("incident", "take_shred_request_back", incident.pk))
    assert Shredding.objects.get().done_at


def test_a_request_to_shred_is_valid_for_a_day(editors_desk, second, approver, incident):
    shred = url("incident", "shred", incident.pk)
    editors_desk.post(shred, seen_by(editors_desk, incident))
    Shredding.objects.update(asked_at=timezone.now() - timedelta(hours=25))

    second.post(shred, seen_by(second, incident))

    incident.refresh_from_db()
    assert incident.shredded_at is None
    assert Shredding.objects.get().asked_by == approver


def test_the_record_of_a_shredding_stays_as_it_is(incident):
    incident.shred()
    record = Shredding.objects.get()

    for change in [
        lambda: Shredding.objects.update(data_fingerprint="0" * 64),
        lambda: Shredding.objects.update(done_at=timezone.now()),
        lambda: Shredding.objects.all().delete(),
    ]:
        with pytest.raises(IntegrityError, match="is on record"), transaction.atomic():
            change()
    Shredding.objects.update(people=1, purged_at=timezone.now())
    assert Shredding.objects.get().data_fingerprint == record.data_fingerprint


def test_one_person_cannot_shred_alone(incident, editor):
    Shredding.objects.create(incident=incident, asked_by=editor)

    with pytest.raises(IntegrityError, match="shredding_takes_two"), transaction.atomic():
        incident.shred(by=editor)


def test_only_a_superuser_shreds(helpdesk, incident):
    client = helpdesk("change_incident", "view_incident")
    assert "/shred/" not in page_text(client.get(url("incident", "change", incident.pk)))
    for page in ("shred", "take_shred_request_back"):
        response = client.post(url("incident", page, incident.pk), {"slug": incident.slug})
        assert response.status_code == 403
    incident.refresh_from_db()
    assert incident.shredded_at is None


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_desk_names_incidents_scope_versions_and_classes_in_words(
    editors_desk, incident, language
):
    editors_desk.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    batch = ExposureBatch.objects.create(incident=incident, number=1)
    names = DataClass.objects.get(slug="names")
    with override(language):
        shown = {
            reverse("admin:incidents_incident_change", args=[incident.pk]): str(incident.title),
            reverse("admin:incidents_exposurebatch_change", args=[batch.pk]): str(batch),
            reverse("admin:incidents_dataclass_change", args=[names.pk]): str(names.name),
        }
    assert str(incident.title) in str(batch)
    for url, words in shown.items():
        page = editors_desk.get(url).content.decode()
        assert f"<h2>{words}</h2>" in page
        assert 'rel="icon"' in page


def test_a_scope_version_shows_its_files_and_counts(editors_desk, incident):
    batch = loaded(incident)
    page = page_text(editors_desk.get(url("exposurebatch", "change", batch.pk)))
    assert url("exposurebatch", "close", batch.pk) in page
    assert "members.csv" in page
    assert 'name="state"' not in page
    assert (
        page_text(editors_desk.get(url("exposurebatch", "changelist"))).count(
            incident.title.get("en")
        )
        >= 1
    )


def test_large_numbers_are_grouped(editors_desk, helpdesk, incident):
    batch = loaded(incident)
    counts = {"rows_read": 33_700_012, "rows_taken": 33_700_000, "rows_rejected": 12}
    ExposureFile.objects.update(**counts)
    Incident.objects.update(reported_count=33_700_000)
    version = page_text(editors_desk.get(url("exposurebatch", "change", batch.pk)))
    assert "33,700,012" in version
    assert '"field-taken">33,700,000<' in page_text(
        editors_desk.get(url("exposurebatch", "changelist"))
    )
    incident_page = page_text(editors_desk.get(url("incident", "change", incident.pk)))
    assert "(33,700,000 rows taken, 12 rejected)" in incident_page
    assert 'value="33700000"' in incident_page  # editable, so without separators
    readers = page_text(helpdesk("view_incident").get(url("incident", "change", incident.pk)))
    assert re.search(r'"readonly">\s*33,700,000\s*<', readers)


def test_closing_asks_whether_everything_is_loaded(editors_desk, incident):
    batch = loaded(incident)
    close = url("exposurebatch", "close", batch.pk)
    shown = page_text(editors_desk.get(close))
    assert "10 rows are taken, 2 rejected. Rejected rows that no later file corrects: 2." in shown
    assert f"Close: {batch}" in html.unescape(page_text(editors_desk.get(close)))
    page_text(editors_desk.post(close, {}))
    write_off_unread(batch)
    assert not incident.is_scope_complete()
    assert editors_desk.post(close, {"is_complete": "on"}).status_code == 302
    assert incident.is_scope_complete()
    again = editors_desk.post(close, {"is_complete": "on"})
    assert again.url == url("exposurebatch", "change", batch.pk)


def test_a_scope_version_without_a_loaded_file_does_not_close(editors_desk, incident):
    batch = file_of(incident, state="open").batch
    page = page_text(
        editors_desk.post(url("exposurebatch", "close", batch.pk), {"is_complete": "on"})
    )
    assert "no file is loaded" in page
    assert not incident.is_scope_complete()


def failed(batch: ExposureBatch, name: str) -> None:
    """Makes a file of the batch with a failed import."""
    file = file_of(batch.incident, number=batch.number)
    ExposureFile.objects.filter(pk=file.pk).update(name=name, state=ExposureFile.State.FAILED)


def test_a_scope_version_with_a_failed_file_does_not_close(editors_desk, incident):
    batch = loaded(incident)
    failed(batch, "orders.csv")
    close = url("exposurebatch", "close", batch.pk)
    assert "orders.csv failed and was not loaded since" in page_text(editors_desk.get(close))
    assert "orders.csv failed" in page_text(editors_desk.post(close, {"is_complete": "on"}))
    assert not incident.is_scope_complete()
    write_off_unread(batch)
    assert editors_desk.post(close, {"is_complete": "on"}).status_code == 302
    assert incident.is_scope_complete()


def test_a_failed_file_that_was_loaded_later_does_not_count(editors_desk, incident):
    batch = file_of(incident, state="open").batch
    failed(batch, "members.csv")
    loaded(incident)
    write_off_unread(batch)
    close = url("exposurebatch", "close", batch.pk)
    assert "members.csv failed" not in page_text(editors_desk.get(close))
    assert editors_desk.post(close, {"is_complete": "on"}).status_code == 302


def test_a_file_that_fails_after_the_page_was_read_is_reported(editors_desk, incident):
    batch = loaded(incident)
    close = url("exposurebatch", "close", batch.pk)
    page_text(editors_desk.get(close))
    failed(batch, "orders.csv")
    assert "orders.csv" in page_text(editors_desk.post(close, {"is_complete": "on"}))
    assert not incident.is_scope_complete()


def test_each_scope_version_offers_only_its_next_steps(editors_desk, incident):
    for number, batch_state, offered in (
        (1, "withdrawn", ()),
        (2, "closed", ("withdraw",)),
        (3, "open", ("close", "withdraw")),
    ):
        batch = file_of(incident, number=number, state=batch_state).batch
        page = page_text(editors_desk.get(url("exposurebatch", "change", batch.pk)))
        for step in ("close", "withdraw"):
            assert (url("exposurebatch", step, batch.pk) in page) == (step in offered)


def test_the_withdraw_page_counts_people_and_explains_the_effect(editors_desk, incident):
    batch = loaded(incident)
    write_off_unread(batch)
    scope_versions.close(batch)
    withdraw = url("exposurebatch", "withdraw", batch.pk)
    shown = page_text(editors_desk.get(withdraw))
    assert "It holds 10 rows about 0 people." in shown
    assert "not known yet whether their data leaked" in shown
    second = loaded(incident, number=2)
    write_off_unread(second)
    scope_versions.close(second)
    page = page_text(editors_desk.get(withdraw))
    assert "People whom only this version names then read" in page
    assert "entries have no contact, they read that we cannot say" in page


@pytest.mark.parametrize("action", ["close", "withdraw"])
def test_staff_with_view_permission_cannot_change_a_scope_version(helpdesk, incident, action):
    batch = loaded(incident)
    client = helpdesk("view_exposurebatch")
    assert f"/{action}/" not in page_text(client.get(url("exposurebatch", "change", batch.pk)))
    response = client.post(
        url("exposurebatch", action, batch.pk), {"reason": "x", "is_complete": "on"}
    )
    assert response.status_code == 403
    batch.refresh_from_db()
    assert batch.state == ExposureBatch.State.OPEN


@pytest.mark.parametrize("typed", [" Minji@Example.com ", "010 1234-5678"])
def test_support_finds_the_rows_of_an_address_and_sees_no_value(helpdesk, incident, typed, caplog):
    client = helpdesk("view_affectedperson")
    minji = person(incident, name="김민지", email="minji@example.com", phone="010-1234-5678")
    expose(
        minji, file_of(incident), "names", values=[("physical-addresses", "부산광역시 해운대구")]
    )
    expose(minji, file_of(incident, number=2, state="withdrawn"), values=[("passwords", "1234")])
    other = person(incident, relation=AffectedPerson.Relation.RECIPIENT, phone="010-9999-8888")

    with caplog.at_level(logging.INFO):
        page = page_text(
            client.post(url("affectedperson", "changelist"), {"asked": typed, "reason": "x"})
        )
    assert str(minji.pk) in page
    assert str(other.pk) not in page
    assert "<div>Name</div><div>Address</div>" in page
    assert "2: withdrawn" in page
    for private in ("김민지", "부산", "1234</", "Password"):
        assert private not in page
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.object_repr) == (str(minji.pk), str(minji.pk))
    assert str(minji.pk) in caplog.text
    assert "minji@" not in caplog.text.lower()


def test_the_look_up_page_lists_and_counts_no_people(editors_desk, incident):
    person(incident, email="minji@example.com")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = page_text(editors_desk.get(url("affectedperson", "changelist")))
    assert "minji" not in page
    assert not [query for query in queries if "incidents_affectedperson" in query["sql"]]


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("nobody@example.com", "No row of any incident was found."),
        ("not an address", "This is no e-mail address, phone number or message code."),
        ("", "This field is required."),
    ],
)
def test_a_look_up_reports_that_it_found_nothing(editors_desk, incident, typed, answer):
    page = page_text(
        editors_desk.post(url("affectedperson", "changelist"), {"asked": typed, "reason": "x"})
    )
    assert answer in page
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("are_numbers", [True, False])
def test_support_finds_a_member_by_the_number_where_references_are_such(
    helpdesk, incident, are_numbers
):
    Incident.objects.update(has_member_numbers=are_numbers)
    key = incident.cipher().person_id("member", "M-1001")
    AffectedPerson.objects.filter(pk=person(incident, name="김민지").pk).update(id=key)
    answer = helpdesk("view_affectedperson").post(
        url("affectedperson", "changelist"), {"asked": " M-1001 ", "reason": "x"}
    )
    assert (str(key) in page_text(answer)) is are_numbers
    assert ("This is no e-mail" in page_text(answer)) is not are_numbers


def test_a_look_up_with_the_wrong_master_keyset_shows_an_error_message(editors_desk, incident):
    Incident.objects.update(data_keyset=b"sealed by another master")
    page = page_text(
        editors_desk.post(
            url("affectedperson", "changelist"), {"asked": "a@example.com", "reason": "x"}
        )
    )
    assert "does not open with this master keyset" in page
    editors_desk.cookies["language"] = "ko"
    page = page_text(
        editors_desk.post(
            url("affectedperson", "changelist"), {"asked": "a@example.com", "reason": "x"}
        )
    )
    assert "데이터 키셋이 지금의 마스터 키셋으로 열리지 않습니다." in page


def test_staff_without_the_permission_do_not_look_up(helpdesk, incident):
    client = helpdesk("view_incident")
    assert client.get(url("affectedperson", "changelist")).status_code == 403


def test_customers_do_not_find_the_desk(client, minji, incident):
    client.force_login(minji)
    for page in (
        url("incident", "changelist"),
        url("affectedperson", "changelist"),
        url("incident", "shred", incident.pk),
    ):
        assert client.get(page).status_code == 404


def test_a_class_is_edited_but_keeps_its_slug(editors_desk, incident):
    state(incident, "names", "involved")
    page = page_text(editors_desk.get(url("dataclass", "change", class_id("names"))))
    assert 'name="slug"' not in page
    assert 'name="actions_ko"' in page
