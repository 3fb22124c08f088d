"""Sessions on the desk end without work, by their owner or by a superuser; typed text is kept."""

import re
import time

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.team import desk_sessions
from harness.sign_in import sign_in, sign_in_to_desk
from incidents.models import Incident
from tests.desk_pages import desk_url, form_of, page_text

pytestmark = pytest.mark.django_db
BY_A_PERSON = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"}
BY_THE_PAGE = {"Sec-Fetch-Mode": "navigate"}
A_PART_OF_THE_PAGE = {"Sec-Fetch-Mode": "no-cors"}
BY_A_TIMER = {"Sec-Fetch-Mode": "same-origin"}  # static/js/live_part.js
BY_A_TIMER_OF_AN_OLD_BROWSER = {"X-Live-Part": "1"}
BY_A_SCRIPT = {"Sec-Fetch-Mode": "cors"}


@pytest.fixture
def later(monkeypatch):
    """Moves the clock on by minutes."""
    shift = [0.0]
    real = time.time

    def move(minutes: float) -> None:
        shift[0] += minutes * 60

    monkeypatch.setattr("time.time", lambda: real() + shift[0])
    return move


@pytest.fixture
def desk(client: Client, editor: User) -> Client:
    sign_in_to_desk(client, editor)
    assert client.get(desk_url("index"), headers=BY_A_PERSON).status_code == 200
    return client


def is_on_desk(client: Client) -> bool:
    return client.get(desk_url("index"), headers=BY_A_PERSON).status_code == 200


# Without work


def test_a_session_without_work_ends_and_work_extends_it(desk, later):
    for _ in range(3):
        later(29)
        assert is_on_desk(desk)
    later(31)
    response = desk.get(desk_url("index"), headers=BY_A_PERSON)
    assert response.url.startswith(reverse("account_login"))
    assert "_auth_user_id" not in desk.session
    assert "had not worked on the desk" in desk.get(response.url).text


def test_the_setting_changes_the_time_and_0_ends_no_session(desk, later, settings):
    settings.DESK_IDLE_MINUTES = 90
    later(80)
    assert is_on_desk(desk)
    later(91)
    settings.DESK_IDLE_MINUTES = 0
    assert is_on_desk(desk)


def test_a_page_that_reloads_itself_is_no_work(desk, later):
    for _ in range(5):
        later(7)
        desk.get(desk_url("index"), headers=BY_THE_PAGE)
        desk.get(desk_url("jsi18n"), headers=A_PART_OF_THE_PAGE)
        desk.get(desk_url("index"), headers=BY_A_TIMER)
        desk.get(desk_url("index"), headers=BY_A_TIMER_OF_AN_OLD_BROWSER)
    assert not is_on_desk(desk)


def test_a_browser_that_never_marks_a_persons_navigation_keeps_the_session(client, editor, later):
    sign_in_to_desk(client, editor)
    for _ in range(3):  # Safari sends the mode, and no Sec-Fetch-User
        assert client.get(desk_url("index"), headers=BY_THE_PAGE).status_code == 200
        later(20)
    for _ in range(4):
        client.get(desk_url("index"), headers=BY_A_TIMER)
        later(9)
    assert client.get(desk_url("index"), headers=BY_THE_PAGE).status_code == 302


def test_a_script_of_an_open_page_is_work_but_signs_no_one_out(desk, later):
    later(20)
    desk.get(desk_url("index"), headers=BY_A_SCRIPT)
    later(20)
    assert is_on_desk(desk)
    later(31)
    assert desk.post(desk_url("index"), headers=BY_A_SCRIPT).status_code == 401
    assert "_auth_user_id" in desk.session
    assert not is_on_desk(desk)


def test_work_alone_does_not_extend_a_session_beyond_its_longest_time(desk, later):
    for _ in range(12 * 60 // 25):
        later(25)
        assert is_on_desk(desk)
    later(25)
    assert not is_on_desk(desk)


def test_the_pages_of_the_second_factor_end_with_the_session(desk, later):
    later(31)
    response = desk.get(reverse("mfa_index"))
    assert response.url.startswith(reverse("account_login"))


def test_a_customers_session_does_not_end_so_early(client, minji, later):
    sign_in(client, minji.email)
    later(31)
    assert client.get(reverse("account")).status_code == 200


# What was typed


@pytest.fixture
def change_page(incident: Incident) -> str:
    return desk_url("incidents_incident_change", incident.pk)


@pytest.fixture
def typed(desk, change_page, later) -> dict[str, object]:
    """A form with a long text, sent after the session ended."""
    form = form_of(desk.get(change_page))
    text = "First line\r\n\r\n  <b>third</b> & last"
    form = {name: "" if value is None else value for name, value in form.items()}
    form |= {"reason": text}
    later(31)
    response = desk.post(change_page, form, headers=BY_A_PERSON)
    assert response.url.startswith(reverse("account_login"))
    assert "What you typed is kept" in desk.get(response.url).text
    return form


def sent_by_the_page(response) -> dict[str, list[str]]:
    """Returns what the page of the kept form would send."""
    fields: dict[str, list[str]] = {}
    for name, value in response.context["fields"]:
        fields.setdefault(name, []).append(value)
    return fields


def test_a_form_after_the_end_is_offered_to_the_same_person(desk, change_page, typed, editor):
    sign_in_to_desk(desk, editor)
    response = desk.get(change_page, headers=BY_A_PERSON)
    shown = page_text(response)
    assert "Send it now" in shown
    assert "<b>third</b>" not in response.content.decode().replace("&lt;b&gt;", "")
    fields = sent_by_the_page(response)
    assert fields["reason"] == [typed["reason"]]
    assert {name: [str(value)] for name, value in typed.items() if value != ""}.items() <= (
        fields.items()
    )
    desk.post(change_page, fields, headers=BY_A_PERSON)
    assert "Send it now" not in desk.get(change_page, headers=BY_A_PERSON).text


def test_a_kept_form_can_be_discarded(desk, change_page, typed, editor):
    sign_in_to_desk(desk, editor)
    desk.get(f"{desk_url('index')}?kept=discard", headers=BY_A_PERSON)
    assert "Send it now" not in desk.get(change_page, headers=BY_A_PERSON).text


def test_another_person_never_reads_a_kept_form(desk, change_page, typed, approver, editor):
    sign_in_to_desk(desk, approver)
    assert "third" not in desk.get(change_page, headers=BY_A_PERSON).text
    sign_in_to_desk(desk, editor)
    assert "third" not in desk.get(change_page, headers=BY_A_PERSON).text


def test_a_kept_form_needs_the_second_factor(desk, change_page, typed, editor):
    desk.force_login(editor)
    response = desk.get(change_page, headers=BY_A_PERSON)
    assert response.status_code == 302
    assert "third" not in response.text


def test_a_kept_form_is_forgotten_after_an_hour(desk, change_page, typed, editor, later):
    later(61)
    sign_in_to_desk(desk, editor)
    assert "Send it now" not in desk.get(change_page, headers=BY_A_PERSON).text


def test_a_form_is_kept_though_another_tab_ended_the_session(desk, change_page, editor, later):
    later(31)
    assert not is_on_desk(desk)
    desk.post(change_page, {"reason": "typed in the other tab"}, headers=BY_A_PERSON)
    sign_in_to_desk(desk, editor)
    shown = page_text(desk.get(change_page, headers=BY_A_PERSON))
    assert "typed in the other tab" in shown


def test_a_form_without_fields_leads_to_the_first_page(desk, incident, later):
    later(31)
    page = desk_url("incidents_incident_change", incident.pk)
    response = desk.post(page, {}, headers=BY_A_PERSON)
    assert response.url == f"{reverse('account_login')}?next={desk_url('index')}"


def test_a_form_that_is_too_long_is_not_kept(desk, change_page, editor, later):
    later(31)
    long = "x" * (desk_sessions.MOST_CHARACTERS + 1)
    response = desk.post(change_page, {"reason": long}, headers=BY_A_PERSON)
    assert "is kept for an hour" not in desk.get(response.url).text


def test_a_stranger_without_a_session_keeps_no_form(client, incident, change_page):
    client.post(change_page, {"reason": "x"}, headers=BY_A_PERSON)
    assert django_settings.SESSION_COOKIE_NAME not in client.cookies


# Listed and ended


@pytest.fixture
def theirs(approver: User) -> Client:
    client = Client(headers={"user-agent": "Mozilla/5.0 (Windows NT 10.0) Firefox/130.0"})
    sign_in(client, approver.contact)
    client.get(reverse("account"))
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


def test_a_superuser_lists_and_ends_the_sessions_of_another(desk, approver, theirs):
    page = desk_url("accounts_user_sessions", approver.pk)
    assert page in page_text(desk.get(desk_url("accounts_user_change", approver.pk)))
    assert "Firefox on Windows" in page_text(desk.get(page))
    session = UserSession.objects.get(user=approver)
    buttons = re.findall("Sign out there|Sign out everywhere", desk.get(page).text)
    assert buttons == ["Sign out everywhere", "Sign out there"]  # Enter presses the first
    reason = {"reason": "A stolen laptop"}
    assert desk.post(page, {"session": session.pk, **reason}).status_code == 302
    assert not is_signed_in(theirs)
    assert is_on_desk(desk)
    entry = AuditEntry.objects.filter(kind="desk", object_id=str(approver.pk)).first()
    assert entry is not None
    assert "Signed out there. A stolen laptop" in str(entry.details)


def test_a_superuser_ends_all_sessions_also_those_that_are_not_listed(desk, approver, theirs):
    unlisted = Client()
    unlisted.force_login(approver)
    UserSession.objects.filter(user=approver).exclude(
        session_key=theirs.session.session_key
    ).delete()
    desk.post(desk_url("accounts_user_sessions", approver.pk), {"reason": "A stolen laptop"})
    assert not is_signed_in(theirs)
    assert not is_signed_in(unlisted)
    assert is_on_desk(desk)


def test_a_session_of_one_member_is_not_ended_on_the_page_of_another(desk, editor, theirs):
    session = UserSession.objects.get(user__email="approver@breachportal.example")
    page = desk_url("accounts_user_sessions", editor.pk)
    desk.post(page, {"session": session.pk, "reason": "A stolen laptop"})
    assert is_signed_in(theirs)


def test_only_superusers_see_the_sessions_of_others(client, team, approver, theirs):
    page = desk_url("accounts_user_sessions", approver.pk)
    for member in team.values():
        sign_in_to_desk(client, member)
        for answer in (client.get(page), client.post(page)):
            assert answer.status_code == 403
            assert "Firefox" not in answer.text
    assert is_signed_in(theirs)


def test_a_customers_sessions_are_not_shown(desk, minji):
    assert desk.get(desk_url("accounts_user_sessions", minji.pk)).status_code == 404


def test_members_find_their_own_sessions_from_the_desk(desk):
    page = page_text(desk.get(desk_url("index")))
    assert reverse("sessions") in page


def test_a_deactivated_member_is_out_at_once_and_stays_on_record(desk, approver, theirs):
    User.objects.filter(pk=approver.pk).update(is_active=False)
    assert not is_signed_in(theirs)
    page = desk_url("accounts_user_delete", approver.pk)
    assert desk.post(page, {"post": "yes"}).status_code in (200, 403)
    assert User.objects.filter(pk=approver.pk).exists()
