"""Parts of the desk in a real Chromium, each as the role that does it, with what another may not.

Who may do what, retention and the accounts of the team have modules of their own. The pages are
Korean and narrow; what support and the auditor do is tried in English and wide as well.
"""

import csv
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.desk_api.tokens import ApiToken
from accounts.models import AuditEntry, RightsGrant, User
from breachportal.celery import app
from harness import exposure_factory
from harness.sign_in import newest_code
from incidents import scope_versions, uploads
from incidents.models import (
    AddressChange,
    BatchWithdrawal,
    ExposureBatch,
    ExposureFile,
    FactChange,
    IncidentJurisdiction,
    MessageChoice,
    MessageKind,
    PersonMark,
    Reveal,
    Upload,
)
from notices import tasks
from notices.models import Destination, Notice, Resend
from statements.models import DutyConfirmation, Statement, StatementVersion
from tests import browser
from tests.accounts.test_team_accounts_browser import check, check_words
from tests.desk_pages import desk_url
from tests.incidents.test_incident_page_browser import opened
from tests.notice_factory import delivery_to, draft_notice, work
from tests.statement_factory import complete_draft

pytest_plugins = ["tests.notice_fixtures"]
JOINING = """[person]
relation = "member"
reference = "id"
email = "email"
contact_leaked = ["email"]
"""
NAMES = JOINING.replace("email", "name")
both = pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
Desk = Callable[[User], AbstractContextManager[Page]]
DONE = ".messagelist .success"
TOP = "button => button.getBoundingClientRect().top + scrollY"  # its place on the page


@pytest.fixture
def language() -> str:
    return "ko"


@pytest.fixture
def width() -> int:
    return 390


@pytest.fixture
def desk(live_server, monkeypatch, language, width) -> Iterator[Desk]:
    """Opens a window for a member of the team."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    with browser.chromium() as chromium:
        yield lambda user: opened(chromium, live_server, user, language, width)


@pytest.fixture
def go(live_server) -> Callable[..., int]:
    """Opens a page of the desk by its URL name. Returns the status."""

    def goto(page: Page, name: str, *args: object) -> int:
        answer = page.goto(live_server.url + desk_url(name, *args))
        assert answer
        return answer.status

    return goto


def press(page: Page, selector: str) -> None:
    """Presses a button and waits for the words that say that it is done."""
    browser.follow(page.locator(selector))
    expect(page.locator(DONE)).to_have_count(1)


@both
def test_support_looks_a_customer_up_with_a_reason_and_marks_the_person(
    desk, go, team, notice, people, server, minji, language
):
    work(notice)
    Reveal.objects.create(user=minji, person=people["minji"])
    look_up = "incidents_affectedperson_changelist"
    with desk(team["editor"]) as page:
        assert go(page, look_up) == 403
    with desk(team["support"]) as page:
        go(page, look_up)
        page.locator("#id_asked").fill("Minji@Example.com")
        page.locator("input[type=submit].default").click()
        expect(page.locator(".errorlist li")).to_have_count(1)  # no reason
        assert not AuditEntry.objects.filter(kind="look_up").exists()
        page.locator("#id_reason").fill("7QK2-X9ND")
        page.locator("input[type=submit].default").click()
        expect(page.locator(".results tbody tr")).to_have_count(1)
        inside = page.locator(".results td").last.evaluate("e => e.getBoundingClientRect().right")
        assert inside <= page.evaluate("innerWidth")  # no column is out of sight
        check(page, "look-up", language, "#content-main form")
        page.locator(".results tbody a").click()
        page.wait_for_url("**" + desk_url("incidents_affectedperson_change", people["minji"].pk))
        shown = page.locator("#content-main")
        expect(shown).to_contain_text("250 2.0.0 taken")
        expect(shown).to_contain_text(str(minji.pk))
        expect(shown).not_to_contain_text("김민지")
        page.locator("[name=kind]").select_option("minor")
        page.locator("[name=reason]").fill("ID")
        press(page, "input[type=submit].default")
        check(page, "person", language, "#content-main form")
        page.locator("a[href$='/resend/']").click()
        page.wait_for_url("**/resend/")
        page.locator("[name=reason]").fill("7QK2-X9ND")
        check(page, "resend", language, "#content-main form")
        press(page, "input[type=submit].default")
        expect(page.locator("#content-main")).to_contain_text(team["support"].email)
    assert PersonMark.objects.get().marked_by == team["support"]
    assert Resend.objects.get().asked_by == team["support"]
    found = AuditEntry.objects.filter(kind="look_up").get()
    assert (found.actor_id, found.details) == (
        team["support"].pk,
        {"found": 1, "reason": "7QK2-X9ND"},
    )
    assert delivery_to(notice, people["minji"]).state == "accepted"


@both
def test_the_address_of_a_person_asks_for_a_reason_and_conditions_are_on_one_page(
    desk, go, team, people, incident, language
):
    with desk(team["support"]) as page:
        go(page, "incidents_affectedperson_change", people["minji"].pk)
        page.locator("#id_look_up-reason").fill("7QK2-X9ND")
        check(page, "reason", language)
        page.locator("input[type=submit].default").click()
        expect(page.locator("[name=kind]")).to_have_count(1)
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    with desk(team["approver"]) as page:
        go(page, "statements_dutyconfirmation_conditions", incident.pk)
        page.locator("#id_evidence").fill("1")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        laws = page.locator("fieldset p .help")  # their names stay as they are
        laws.evaluate_all("all => all.forEach(each => each.remove())")
        check(page, "conditions", language)
        press(page, "input[type=submit].default")
    assert DutyConfirmation.objects.get().verdict == "applies"


def cut_off(page: Page) -> int:
    """Returns how many cells of the page's tables are out of sight on the right."""
    cells = page.locator("#content .results td")
    return int(
        cells.evaluate_all(
            "all => all.filter(each => each.getBoundingClientRect().right > innerWidth).length"
        )
    )


@both
def test_the_auditor_searches_filters_and_exports_the_trail(
    desk, go, team, people, language, tmp_path: Path
):
    trail = "accounts_auditentry_changelist"
    with desk(team["support"]) as page:
        assert go(page, trail) == 403
        go(page, "incidents_affectedperson_changelist")
        page.locator("#id_asked").fill("nobody@example.com")
        page.locator("#id_reason").fill("7QK2-X9ND")
        browser.follow(page.locator("input[type=submit].default"))
    with desk(team["auditor"]) as page:
        go(page, "index")
        page.locator(f"#content-main a[href='{desk_url(trail)}']").first.click()
        page.wait_for_url("**" + desk_url(trail))
        check(page, "trail", language, ".trail-search")
        assert cut_off(page) == 0
        rows = page.locator(".results tbody tr")
        assert rows.evaluate_all("all => Math.max(...all.map(row => row.offsetHeight))") < 400
        page.locator("#id_who").fill(team["support"].email)
        page.locator("#id_kind").select_option("look_up")
        page.locator("input[type=submit].default").click()
        expect(page.locator(".results tbody tr")).to_have_count(1)
        row = page.locator(".results tbody tr")
        expect(row).to_contain_text("7QK2-X9ND")
        expect(row).not_to_contain_text("nobody@")
        with page.expect_download() as download:
            page.locator("button[name=format][value=csv]").click()
        download.value.save_as(tmp_path / "trail.csv")
        with (tmp_path / "trail.csv").open(encoding="utf-8-sig") as file:
            assert [line["kind"] for line in csv.DictReader(file)] == ["look_up"]
        page.locator(".results tbody a").click()
        page.wait_for_url("**/auditentry/*/change/")
        page.get_by_role("row", name="postgres").evaluate("row => row.remove()")
        check(page, "trail-entry", language)
        go(page, trail)
        page.locator("#id_kind").select_option("export")
        page.locator("input[type=submit].default").click()
        expect(page.locator(".results tbody tr")).to_have_count(1)


def test_a_fact_changes_once_another_person_has_seen_the_difference(
    desk, go, team, incident, language
):
    with desk(team["editor"]) as page:
        go(page, "incidents_incident_change", incident.pk)
        check(page, "incident-facts", language, "#content h1")
        page.locator("[name=contact_phone]").fill("1577-7011")
        page.locator("[name=reason]").fill("…")
        page.locator("[name=_save]").click()
        expect(page.locator(".messagelist li")).to_have_count(1)
        change = FactChange.objects.get()
        go(page, "incidents_factchange_change", change.pk)
        expect(page.locator("form[action$='/withdraw/']")).to_have_count(1)
        expect(page.locator("form[action$='/confirm/']")).to_have_count(0)
        check(page, "fact-proposed", language, "#content .module table")
    with desk(team["importer"]) as page:
        go(page, "incidents_factchange_change", change.pk)
        expect(page.locator("form[action$='/confirm/']")).to_have_count(0)
    with desk(team["approver"]) as page:
        go(page, "incidents_factchange_change", change.pk)
        expect(page.locator("#content td strong")).to_have_text("1577-7011")
        press(page, "form[action$='/confirm/'] input[type=submit]")
        check(page, "fact-confirmed", language, DONE)
    incident.refresh_from_db()
    assert incident.contact_phone == "1577-7011"


def test_each_person_chooses_what_to_be_told(desk, go, team, language):
    with desk(team["support"]) as page:
        go(page, "incidents_incident_messages")
        page.locator(f"[name=kinds][value={MessageKind.CLOCK}]").uncheck()
        press(page, "input[type=submit].default")
        check(page, "messages", language)
        expect(page.locator(f"[name=kinds][value={MessageKind.CLOCK}]")).not_to_be_checked()
    choice = MessageChoice.objects.get()
    assert (choice.user, MessageKind.CLOCK in choice.kinds) == (team["support"], False)


def test_an_approver_reads_what_a_server_said_and_lets_its_destination_go_on(
    desk, go, team, version, language
):
    now = timezone.now()
    sent = {"approved_by": team["approver"], "approved_at": now, "planned_at": now, "planned": 9}
    notice = draft_notice(version, team["editor"], state=Notice.State.PAUSED, **sent)
    Destination.objects.create(
        notice=notice,
        name="naver.com",
        stopped_at=now,
        stopped_for="refused",
        reply="421 4.7.0 4131",
    )
    with desk(team["editor"]) as page:
        go(page, "notices_notice_change", notice.pk)
        expect(page.get_by_role("rowheader", name="naver.com")).to_be_visible()
        expect(page.locator("form[action$='/destination/']")).to_have_count(0)
    with desk(team["approver"]) as page:
        page.clock.install()
        go(page, "notices_notice_change", notice.pk)
        expect(page.locator("#content")).to_contain_text("421 4.7.0 4131")
        check(page, "destination", language, "#content .results caption")
        progress_moves_by_itself(page, notice)
        go(page, "notices_notice_change", notice.pk)
        press(page, "form[action$='/destination/'] input[type=submit]")
    assert not Destination.objects.filter(stopped_at__isnull=False).exists()


def progress_moves_by_itself(page: Page, notice: Notice) -> None:
    """Checks that new figures and states come without a reload, and that the focus stays."""
    page.evaluate("window.isNotReloaded = true")
    button = page.locator("form[action$='/destination/'] input[type=submit]")
    button.focus()
    part = page.locator("[data-live]")
    for accepted, state in ((4, Notice.State.PAUSED), (7, Notice.State.SENDING)):
        Notice.objects.filter(pk=notice.pk).update(accepted=accepted, state=state)
        page.clock.fast_forward(5_000)
        expect(part.locator(f"progress[value='{accepted}']")).to_have_count(1)
        expect(button).to_be_focused()
    now = timezone.now()
    rows = Notice.objects.filter(pk=notice.pk)
    part.locator("form[action$='/pause/'] input[type=submit]").focus()
    rows.update(state=Notice.State.PAUSED)  # a key pressed on "Pause" must not mean "Go on"
    page.clock.fast_forward(5_000)
    expect(part.locator("form[action$='/resume/'] input[type=submit]")).to_have_count(1)
    expect(part.locator("form input:focus")).to_have_count(0)
    rows.update(state=Notice.State.CLOSED, accepted=9, closed_at=now)
    page.clock.fast_forward(5_000)
    expect(part).to_have_count(0)
    assert page.evaluate("window.isNotReloaded")
    rows.update(state=Notice.State.PAUSED, closed_at=None)


def test_a_page_that_renews_itself_does_not_move_under_a_press(desk, go, team, notice):
    with desk(team["approver"]) as page:
        page.clock.install()
        go(page, "notices_notice_change", notice.pk)
        page.locator("form[action$='/pause/'] input[type=submit]").hover()
        page.mouse.down()
        Notice.objects.filter(pk=notice.pk).update(problem="421 4.7.0")
        with page.expect_response("**/progress/"):
            page.clock.fast_forward(5_000)
        page.wait_for_timeout(200)  # in this time the page would have moved
        expect(page.locator("#live-part")).not_to_contain_text("421 4.7.0")
        page.mouse.up()
        expect(page.locator(DONE)).to_have_count(1)
    assert Notice.objects.get().state == Notice.State.PAUSED


def test_pages_of_work_that_goes_on_renew_themselves(
    desk, go, team, incident, draft, people, settings
):
    settings.NOTICE_COUNT_AT_ONCE = 2
    ExposureFile.objects.update(rows_taken=3)
    who = {"incident": incident, "by": team["importer"]}
    upload = Upload.objects.create(**who, name="a.csv", size=1, sha256="0" * 64)
    Notice.objects.filter(pk=draft.pk).update(dry_run_asked_at=timezone.now())
    with desk(team["importer"]) as page:
        renews_itself(page, go, ("incidents_upload_change", upload.pk))
        Upload.objects.update(state="refused")
        page.clock.fast_forward(3_000)
        expect(page.locator("#live-part .errornote")).to_be_visible()
        expect(page.locator("[data-live]")).to_have_count(0)
        assert page.evaluate("window.isNotReloaded")
    with desk(team["approver"]) as page:
        renews_itself(page, go, ("notices_notice_approve", draft.pk))
        tasks.count_audience(draft.pk)
        page.clock.fast_forward(5_000)
        expect(page.locator("input[name=people]")).to_be_visible()
        expect(page.locator("[data-live]")).to_have_count(0)
        assert page.evaluate("window.isNotReloaded")


def renews_itself(page: Page, go: Callable[..., int], place: tuple[object, ...]) -> None:
    """Opens a page that renews a part of itself."""
    page.clock.install()
    go(page, *place)
    expect(page.locator("#live-part[data-live]")).to_have_count(1)
    page.evaluate("window.isNotReloaded = true")


@both
def test_two_people_record_a_new_address_and_one_ends_it(desk, go, team, people, language):
    row = people["minji"]
    with desk(team["importer"]) as page:
        assert go(page, "incidents_affectedperson_address", row.pk) == 403
    with desk(team["support"]) as page:
        look_up_reason(page, go, "incidents_affectedperson_change", row.pk)
        page.locator("a[href$='/address/']").click()
        page.locator("#id_address").fill("minji@new.example")
        page.locator("#id_reason").fill("ID")
        check(page, "address", language, "#content-main form")
        press(page, "input[type=submit].default")
        change = AddressChange.objects.get()
        expect(page.locator("form[action$='/confirm/']")).to_have_count(0)
        check(page, "address-proposed", language, "#content .results")
    with desk(team["approver"]) as page:
        look_up_reason(page, go, "incidents_addresschange_change", change.pk)
        press(page, "form[action$='/confirm/'] input[type=submit]")
        page.locator("a[href$='/end/']").click()
        page.locator("#id_reason").fill("wrong")
        check(page, "address-end", language, "#content-main form")
        press(page, "input[type=submit].default")
        go(page, "incidents_addresschange_end", change.pk)
        said = page.locator(".messagelist .info")
        expect(said).to_contain_text(team["approver"].email)
        check(page, "address-ended", language, ".messagelist")


def look_up_reason(page: Page, go: Callable[..., int], name: str, key: object) -> None:
    """Opens a page of a customer, which asks for the reason first."""
    go(page, name, key)
    page.locator("[name=look_up-reason]").fill("7QK2-X9ND")
    page.locator("input[type=submit].default").click()
    expect(page.locator("[name=look_up-reason]")).to_have_count(0)


def test_a_second_person_imports_what_an_importer_may_not_and_confirms_its_withdrawal(
    desk, go, team, incident, language
):
    file = {"name": "24.csv", "mimeType": "text/csv", "buffer": b"id,email\n1,own@example.com\n"}
    first = SimpleUploadedFile("1.csv", "id,name\n1,김민지\n".encode())
    with desk(team["importer"]) as page:
        who = {"incident": incident, "by": team["importer"]}
        loaded(uploads.store_upload(first, **who, mapping=NAMES, encoding=""))
        go(page, "incidents_upload_add")
        page.locator("#id_incident").select_option(str(incident.pk))
        page.locator("#id_mapping").fill(JOINING)
        page.locator("input[type=file]").set_input_files(file)
        browser.follow(page.locator("[name=_save]"))
        upload = Upload.objects.latest("created_at")
        uploads.run_upload(str(upload.pk))
        go(page, "incidents_upload_change", upload.pk)
        expect(page.locator("a[href$='/discard/']")).to_have_count(1)
        expect(page.locator("a[href$='/import/']")).to_have_count(0)
        check(page, "upload-joins", language, "#content .remark")
        assert go(page, "incidents_upload_import", upload.pk) == 403
    with desk(team["approver"]) as page:
        board = ("incidents_incident_page", incident.pk)
        follow_task(page, go, board, "incidents_upload_change", upload.pk)
        browser.follow(page.locator("#content a[href$='/import/']"))
        press(page, "input[type=submit].default")
        uploads.run_upload(str(upload.pk))
        upload.refresh_from_db()
        assert upload.state == Upload.State.IMPORTED
        batch = ExposureBatch.objects.get()
        scope_versions.close(batch)
        with desk(team["importer"]) as theirs:
            go(theirs, "incidents_exposurebatch_withdraw", batch.pk)
            theirs.locator("#id_reason").fill("24")
            theirs.locator("[name=public_reason][value=other]").check()
            check(theirs, "withdraw", language)
            press(theirs, "input[type=submit].default")
            proposal = BatchWithdrawal.objects.get()
            go(theirs, "incidents_batchwithdrawal_change", proposal.pk)
            expect(theirs.locator("form[action$='/confirm/']")).to_have_count(0)
        follow_task(page, go, board, "incidents_batchwithdrawal_change", proposal.pk)
        press(page, "form[action$='/confirm/'] input[type=submit]")
    batch.refresh_from_db()
    assert batch.state == ExposureBatch.State.WITHDRAWN


@pytest.mark.parametrize(("language", "width"), [("ko", 1280), ("en", 1280)])
def test_the_files_of_a_scope_version_fit_on_a_small_screen_of_a_desk(desk, go, team, incident):
    file = exposure_factory.file_of(incident)
    named = {"name": "members-2025-11-18-part-03-of-12.csv.gz", "finished_at": timezone.now()}
    rows = {"rows_read": 33_673_817, "rows_taken": 33_671_204, "rows_rejected": 2_613}
    ExposureFile.objects.filter(pk=file.pk).update(state="loaded", **named, **rows)
    with desk(team["importer"]) as page:
        go(page, "incidents_exposurebatch_change", file.batch_id)
        cells = page.locator(".inline-group td, .inline-group th")
        rightmost = cells.evaluate_all(
            "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
        )
        assert rightmost <= page.locator("#content-main").evaluate(
            "main => main.getBoundingClientRect().right"
        )


def loaded(upload: Upload) -> None:
    """Checks and imports an upload, as a worker and its importer do."""
    uploads.run_upload(str(upload.pk))
    upload.refresh_from_db()
    assert uploads.want_import(upload)
    uploads.run_upload(str(upload.pk))


def follow_task(
    page: Page, go: Callable[..., int], board: tuple[object, ...], name: str, key: object
) -> None:
    """Opens the page of an incident, and the page of an object by what waits there."""
    go(page, *board)
    browser.follow(page.locator(f".incident-boards a[href='{desk_url(name, key)}']").first)


def test_two_superusers_give_rights_and_shred(desk, go, team, incident, editor, approver, language):
    grant = RightsGrant.objects.create(user=team["support"], is_superuser=True, asked_by=editor)
    shred = ("incidents_incident_shred", incident.pk)
    with desk(editor) as page:
        go(page, "accounts_rightsgrant_change", grant.pk)
        expect(page.locator("form[action$='/withdraw/']")).to_have_count(1)
        expect(page.locator("form[action$='/confirm/']")).to_have_count(0)
        go(page, *shred)
        page.locator("#id_slug").fill(incident.slug)
        press(page, "input[type=submit].default")
        go(page, *shred)
        expect(page.locator("#id_slug")).to_have_count(0)
    with desk(team["approver"]) as page:
        assert go(page, *shred) == 403
    with desk(approver) as page:
        go(page, "accounts_rightsgrant_change", grant.pk)
        press(page, "form[action$='/confirm/'] input[type=submit]")
        go(page, *shred)
        page.locator("#id_slug").fill(incident.slug)
        press(page, "input[type=submit].default")
    grant.refresh_from_db()
    incident.refresh_from_db()
    assert grant.confirmed_by == approver
    assert incident.shredded_at


def test_the_form_of_a_notice_shows_what_matters_and_counts_whom_it_goes_to(
    desk, go, team, version, people, language
):
    with desk(team["editor"]) as page:
        go(page, "notices_notice_add")
        said, topic = page.locator("[data-audience]"), page.locator(".field-topic")
        page.locator("#id_version").select_option(str(version.pk))
        page.locator("#id_kind").select_option("mandatory")
        expect(said).to_contain_text("2")
        expect(topic).to_be_hidden()
        page.locator("#id_audience").select_option("batch")
        expect(page.locator(".field-batch")).to_be_visible()
        expect(page.locator(".field-follows")).to_be_hidden()
        page.locator("#id_kind").select_option("alert")
        page.locator("#id_audience").select_option("everybody")
        page.locator("#id_topic").select_option("scams")
        expect(said).to_contain_text("0")
        page.locator("#id_kind").select_option("mandatory")
        expect(topic).to_be_hidden()
        expect(said).to_contain_text("2")
        check(page, "notice-form", language, "[data-audience]")
        page.route("**/audience/?*", lambda route: route.abort())
        page.locator("#id_channel").select_option("sms")
        expect(said).to_be_empty()  # the number was that of the e-mails
        page.locator("#id_channel").select_option("email")
        browser.follow(page.locator("[name=_save]"))
        expect(page.locator("#live-part")).to_contain_text("2")
    assert Notice.objects.get().topic == ""  # the field that was hidden is empty


def test_one_press_saves_a_test_notice_right_after_its_addresses_are_typed(
    desk, go, team, version, people
):
    """Leaving the field must not move the page: a button that moves away takes no press."""
    with desk(team["editor"]) as page:
        go(page, "notices_notice_add")
        page.locator("#id_version").select_option(str(version.pk))
        page.locator("#id_kind").select_option("mandatory")
        page.locator("#id_audience").select_option("test")
        said = page.locator("[data-audience]")
        expect(said).not_to_be_empty()
        place, asked = page.locator("[name=_save]").evaluate(TOP), []
        page.on("request", lambda request: asked.append(request.url))
        page.locator("#id_test_addresses").fill(team["editor"].email)
        page.locator("#id_test_addresses").evaluate("field => field.blur()")
        assert (page.locator("[name=_save]").evaluate(TOP), asked) == (place, [])
        page.locator("#id_test_addresses").press_sequentially(" ")
        browser.follow(page.locator("[name=_save]"))
    assert Notice.objects.get().audience == "test"


def test_an_approver_returns_a_draft_and_its_author_reads_why(desk, go, team, version, language):
    draft = draft_notice(version, team["editor"])
    with desk(team["editor"]) as page:
        assert go(page, "notices_notice_approve", draft.pk) == 403
    with desk(team["approver"]) as page:
        go(page, "notices_notice_change", draft.pk)
        browser.follow(page.locator("#content a[href$='/return/']"))
        page.locator("#id_comment").fill("24 < 48")
        check(page, "notice-return", language)
        press(page, "input[type=submit].default")
    with desk(team["editor"]) as page:
        go(page, "notices_notice_change", draft.pk)
        expect(page.locator("#content")).to_contain_text("24 < 48")


@pytest.fixture
def lacking(team, incident) -> StatementVersion:
    """A draft notice of the editor without a section that Korean law demands."""
    exposure_factory.state(incident, "names", "involved", basis="confirmed")
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = complete_draft(statement, team["editor"])
    draft.sections.filter(key="self_protection_steps").delete()
    return draft


WAIVE = "statements_statementversion_waive"
NOT_APPROVERS = ("importer", "editor", "support", "auditor")


def test_only_an_approver_waives_a_duty_and_withdraws_the_waiver(desk, go, team, lacking, language):
    for role in NOT_APPROVERS:
        with desk(team[role]) as page:
            assert is_forbidden(page, go, WAIVE, lacking.pk), role
    with desk(team["approver"]) as page:
        go(page, "statements_statementversion_publish", lacking.pk)
        browser.follow(page.locator("#content a[href$='/waive/']"))
        page.locator("#id_reason_ko").fill("다른 통지에 있습니다.")
        page.locator("#id_reason_en").evaluate("field => field.required = false")
        browser.follow(page.locator("input[type=submit].default"))
        expect(page.locator(".errorlist li")).to_have_count(1)  # English is missing
        page.locator("#id_reason_en").fill("24")
        check(page, "waive", language)
        press(page, "input[type=submit].default")
        expect(page.locator("#content-main")).to_contain_text(team["approver"].email)
        check(page, "waived", language, ".messagelist")
    rule = lacking.waivers.get().rule
    withdraw = ("statements_statementversion_withdraw_waiver", lacking.pk, rule)
    for role in NOT_APPROVERS:
        with desk(team[role]) as page:
            assert is_forbidden(page, go, *withdraw), role
    assert lacking.waivers.exists()
    with desk(team["approver"]) as page:
        go(page, "statements_statementversion_publish", lacking.pk)
        browser.follow(page.locator("#content a[href$='/withdraw/']"))
        page.locator("#id_reason").fill("24")
        check(page, "waiver-withdraw", language)
        press(page, "input[type=submit].default")
        expect(page.locator("#content-main .errornote")).to_have_count(1)  # it blocks again
    assert not lacking.waivers.exists()


def test_who_wrote_a_draft_may_not_waive_its_duty_as_an_approver(desk, go, team, lacking, language):
    team["editor"].groups.add(*team["approver"].groups.all())
    with desk(team["editor"]) as page:
        go(page, WAIVE, lacking.pk)
        page.locator("#id_reason_ko").fill("24")
        page.locator("#id_reason_en").fill("24")
        browser.follow(page.locator("input[type=submit].default"))
        expect(page.locator(".errorlist li")).to_have_count(1)
        check(page, "waive-refused", language, ".errorlist")
    assert not lacking.waivers.exists()


def test_a_text_field_of_a_statement_has_all_its_rows_on_a_phone(desk, go, team, lacking):
    with desk(team["editor"]) as page:
        go(page, "statements_statementversion_change", lacking.pk)
        fields = page.locator("textarea[name$='-body_ko']:visible")  # not the template of a new one
        heights = fields.evaluate_all("all => all.map(each => each.offsetHeight)")
        assert heights
        assert min(heights) > 150


def is_forbidden(page: Page, go: Callable[..., int], name: str, *args: object) -> bool:
    """Returns whether the desk refuses the page to this person, by its address and as a form."""
    go(page, "index")
    token = page.locator("#logout-form [name=csrfmiddlewaretoken]").input_value()
    posted = page.evaluate(
        """async ([address, token]) => (await fetch(address, {
            method: "POST",
            body: new URLSearchParams({csrfmiddlewaretoken: token, reason: "24"}),
        })).status""",
        [desk_url(name, *args), token],
    )
    return (go(page, name, *args), posted) == (403, 403)


def test_each_role_reads_the_state_of_the_portal_and_has_it_examined(desk, go, team, language):
    cache.clear()
    try:
        with desk(team["support"]) as page:
            page.clock.install()
            go(page, "index")
            page.locator(f"#user-tools a[href='{desk_url('health')}']").click()
            page.wait_for_url("**" + desk_url("health"))
            check_words(page, "health", language, "#content-main thead")
            assert cut_off(page) == 0
            page.evaluate("window.isNotReloaded = true")
            cache.set("health:examined", [0, [("disk", "fault", "Found just now.", "")]])
            page.clock.fast_forward(30_000)
            expect(page.locator("#live-part dl")).to_contain_text("Found just now.")
            assert page.evaluate("window.isNotReloaded")
            page.locator(f"form[action='{desk_url('examine')}'] input[type=submit]").click()
            expect(page.locator(".messagelist li")).to_have_count(1)
    finally:
        app.control.purge()


def test_a_superuser_makes_a_token_that_reads_until_it_is_revoked(
    desk, go, team, editor, live_server, language
):
    read = partial(_read, live_server.url + "/api/desk/v1/incidents")
    with desk(team["approver"]) as page:
        assert go(page, "accounts_apitoken_add") == 403
    with desk(editor) as page:
        go(page, "accounts_apitoken_add")
        browser.follow(page.locator("main form button").first)  # a fresh code comes by mail
        page.locator("input[name=code]").fill(newest_code())
        browser.follow(page.locator("main form button").first)
        page.locator("#id_label").fill("SOC")
        page.locator("input[type=submit].default").click()
        secret = page.locator("#content-main code").first.inner_text()
        check(page, "token-made", language, "#content-main p:first-child")
        assert read(page, secret) == 200
        page.locator(f"a[href='{desk_url('accounts_apitoken_change', _token().pk)}']").click()
        expect(page.locator("#content")).not_to_contain_text(secret)
        page.locator("#id_reason").fill("24")
        press(page, "form[action$='/revoke/'] input[type=submit]")
        check(page, "token-revoked", language, DONE)
        assert read(page, secret) == 401
    assert len(mail.outbox) == 1


def _token() -> ApiToken:
    return ApiToken.objects.get()


def _read(url: str, page: Page, secret: str) -> int:
    return page.request.get(url, headers={"Authorization": f"Bearer {secret}"}).status
