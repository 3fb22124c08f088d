"""The retention of an incident in a real Chromium: an editor proposes, an approver decides."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from incidents.models import DataDeletion, Incident, RetentionDecision
from incidents.retention import deletion
from tests import browser
from tests.accounts.test_team_accounts_browser import check
from tests.desk_pages import desk_url
from tests.incidents.test_incident_page_browser import (
    keep_screenshot,
    of_live_server,  # noqa: F401
    opened,
)
from tests.incidents.test_retention import leaked, move_days, today  # noqa: F401

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("of_live_server", "leaked")


def propose_plan(page: Page, incident: Incident, url: str, language: str) -> None:
    page.goto(url + desk_url("incidents_incident_page", incident.pk))
    page.locator(f"a[href='{desk_url('incidents_incident_retention', incident.pk)}']").click()
    page.wait_for_url("**/retention/")
    check(page, "retention-none", language)
    page.locator("a[href$='/retention/propose/plan/']").click()
    page.wait_for_url("**/propose/plan/")
    day = today(incident) + timedelta(days=20)
    page.locator("#id_values_on").fill(day.isoformat())
    page.locator("#id_contacts_on").fill((day + timedelta(days=60)).isoformat())
    page.locator("#id_reason").fill("PIPA 21" if language == "en" else "법 제21조")
    check(page, "retention-propose", language)
    page.locator("form.step input[type=submit]").click()
    page.wait_for_url("**/retentiondecision/*/change/")
    expect(page.locator("form[action$='/confirm/']")).to_have_count(0)
    check(page, "retention-proposed", language)


def confirm(page: Page, decision: RetentionDecision, url: str, language: str) -> None:
    page.goto(url + desk_url("incidents_retentiondecision_change", decision.pk))
    check(page, "retention-confirm", language)
    page.locator("form[action$='/confirm/'] input[type=submit]").click()
    expect(page.locator(".messagelist .success")).to_have_count(1)
    check(page, "retention-confirmed", language)


@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_a_plan_leads_from_two_people_to_the_deletion(
    live_server,
    settings,
    team,
    incident,
    language,
    width,
):
    settings.REENCRYPT_GRACE_SECONDS = 0
    url = live_server.url
    retention = url + desk_url("incidents_incident_retention", incident.pk)
    with browser.chromium() as chromium:
        with opened(chromium, live_server, team["editor"], language, width) as page:
            propose_plan(page, incident, url, language)
        decision = RetentionDecision.objects.get()
        with opened(chromium, live_server, team["approver"], language, width) as page:
            confirm(page, decision, url, language)
            page.goto(retention)
            expect(page.locator("form[action$='/start/']")).to_have_count(0)
            check(page, "retention-planned", language)
            move_days(decision, -20)
            page.goto(retention)
            check(page, "retention-due", language)
            page.locator("form[action$='/start/'] input[type=submit]").click()
            expect(page.locator(".messagelist .success")).to_have_count(1)
            deletion.work(incident.pk)
            page.goto(retention)
            expect(page.locator("form[action$='/start/']")).to_have_count(0)
            keep_screenshot(page, f"retention-record-{width}-{language}")
            # The digest of the key and the command are the same in every language.
            page.locator("tr:has(td.anywhere), p.help").evaluate_all(
                "each => each.forEach(one => one.remove())"
            )
            check(page, "retention-done", language)
        with opened(chromium, live_server, team["editor"], language, width) as page:
            page.goto(url + desk_url("incidents_incident_propose_retention", incident.pk, "hold"))
            check(page, "retention-hold", language)
    record = DataDeletion.objects.get()
    assert record.done_at
    assert record.started_by == team["approver"]
