"""A button that is pressed twice sends one mail, and each tab goes on with its own address."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import redis
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import double_presses
from harness.sign_in import ask_for_code, enter_code, newest_code, step_up, wrong
from tests import browser

pytestmark = pytest.mark.django_db
PHONE = {"user-agent": "Mozilla/5.0 (iPhone)"}


@pytest.fixture(autouse=True)
def _a_busy_machine(monkeypatch):
    monkeypatch.setattr(
        double_presses, "SECONDS", 600
    )  # the presses of a test can take ten seconds


def phone() -> Client:
    return Client(headers=PHONE)


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def enter_code_in_tab(client: Client, email: str, code: str):
    return client.post(reverse("sign_in_code"), {"code": code, "email": email})


@pytest.mark.parametrize("shown", [0, 1])
def test_two_presses_before_a_session_send_one_mail_that_works_in_both(shown):
    tabs = [phone(), phone()]  # the home page sets no cookie, so each answer begins a session
    answers = [ask_for_code(tab, "minji@example.com") for tab in tabs]
    assert {answer.url for answer in answers} == {reverse("sign_in_code")}
    assert len(mail.outbox) == 1
    page = tabs[shown].get(reverse("sign_in_code")).text
    assert "minji@example.com" in page
    assert enter_code(tabs[shown], newest_code()).url == reverse("my_data")
    assert is_signed_in(tabs[shown])


@pytest.mark.django_db(transaction=True)
def test_presses_at_the_same_moment_send_one_mail():
    together = Barrier(4)

    def press(_number: int) -> Client:
        together.wait(timeout=10)
        client = phone()
        try:
            ask_for_code(client, "minji@example.com")
            return client
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        clients = list(threads.map(press, range(4)))
    assert len(mail.outbox) == 1
    enter_code(clients[-1], newest_code())
    assert is_signed_in(clients[-1])


def test_two_presses_in_one_session_send_one_mail():
    client = phone()
    ask_for_code(client, "minji@example.com")
    ask_for_code(client, "minji@example.com")
    assert len(mail.outbox) == 1
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_send_a_new_code_pressed_twice_sends_one_more():
    client = phone()
    ask_for_code(client, "minji@example.com")
    for _ in range(2):
        client.post(reverse("sign_in_code_again"), {"email": "minji@example.com"})
    assert len(mail.outbox) == 2
    enter_code(client, newest_code())
    assert is_signed_in(client)


def test_step_up_pressed_twice_sends_one_mail(minji):
    client = phone()
    client.force_login(minji)
    for _ in range(2):
        client.post(reverse("step_up_send"), {"next": reverse("account")})
    # The second one is "Send a new code" of the page that the first one opened.
    assert len(mail.outbox) <= 2
    assert client.post(reverse("step_up"), {"code": newest_code()})["Location"] == reverse(
        "account"
    )


def test_another_browser_and_another_network_are_no_second_press():
    ask_for_code(phone(), "minji@example.com")
    ask_for_code(Client(HTTP_USER_AGENT="Mozilla/5.0 (Android)"), "minji@example.com")
    ask_for_code(Client(headers=PHONE, REMOTE_ADDR="198.51.100.7"), "minji@example.com")
    ask_for_code(phone(), "seojun@example.com")
    assert len(mail.outbox) == 4


def test_a_press_after_the_time_sends_a_new_mail(settings):
    stored = redis.Redis.from_url(settings.REDIS_URL)
    for number in range(2):
        ask_for_code(phone(), "minji@example.com")
        assert len(mail.outbox) == number + 1
        [mark] = stored.keys("*double-press:*")
        assert 0 < stored.ttl(mark) <= double_presses.SECONDS
        stored.delete(mark)


def test_who_signs_in_twice_in_ten_seconds_gets_a_mail_each_time():
    for number in (1, 2):
        client = phone()
        ask_for_code(client, "minji@example.com")
        enter_code(client, newest_code())
        assert is_signed_in(client)
        assert len(mail.outbox) == number


def test_second_presses_give_no_more_guesses_than_a_code_has():
    ask_for_code(phone(), "minji@example.com")
    code = newest_code()
    answers = []
    for _ in range(6):
        thief = phone()
        ask_for_code(thief, "minji@example.com")
        answers += [enter_code(thief, wrong(code)).status_code for _ in range(4)]
    assert len(mail.outbox) == 1
    assert answers[:10] == [200] * 10
    assert set(answers[10:]) == {429}


def test_two_tabs_with_two_addresses_each_go_on_with_their_own():
    client = phone()
    ask_for_code(client, "minji@example.com")
    code = newest_code()
    ask_for_code(client, "seojun@example.com")
    assert client.session["sign_in_code"]["contact"] == "seojun@example.com"
    enter_code_in_tab(client, "minji@example.com", code)
    assert is_signed_in(client)
    answer = enter_code_in_tab(client, "seojun@example.com", newest_code())
    page = client.get(answer.url, follow=True).text
    assert "minji@example.com 주소로 로그인되어 있습니다" in page


def test_a_tab_with_the_other_tabs_code_is_refused_and_shows_its_own_address():
    client = phone()
    ask_for_code(client, "minji@example.com")
    ask_for_code(client, "seojun@example.com")
    page = enter_code_in_tab(client, "minji@example.com", newest_code())
    assert page.status_code == 200
    assert 'name="email" value="minji@example.com"' in page.text
    assert "seojun" not in page.text
    assert not is_signed_in(client)


def test_a_new_code_goes_to_the_address_of_the_tab():
    client = phone()
    ask_for_code(client, "minji@example.com")
    ask_for_code(client, "seojun@example.com")
    client.post(reverse("sign_in_code_again"), {"email": "minji@example.com"})
    assert mail.outbox[-1].to == ["minji@example.com"]
    assert "minji@example.com" in client.get(reverse("sign_in_code")).text


def test_a_new_code_after_an_expired_one_goes_to_the_address_of_the_tab():
    client = phone()
    ask_for_code(client, "minji@example.com")
    ask_for_code(client, "seojun@example.com")
    session = client.session
    session["sign_in_code_others"] = [session["sign_in_code_others"][0] | {"at": 0}]
    session.save()
    page = enter_code_in_tab(client, "minji@example.com", "12345678")
    assert page.status_code == 410
    assert 'name="email" value="minji@example.com"' in page.text


def test_a_session_keeps_few_addresses():
    client = phone()
    for number in range(9):
        ask_for_code(client, f"p{number}@example.com")
    assert len(client.session["sign_in_code_others"]) == 3


def test_step_up_is_untouched_by_other_addresses(minji):
    client = phone()
    client.force_login(minji)
    step_up(client, minji)
    assert "sign_in_code" not in client.session


@pytest.fixture
def window(transactional_db, coupang, live_server, monkeypatch):
    """A browser on a phone, and the address of the home page."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with browser.chromium() as chrome:
        context = chrome.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
        yield context, f"{live_server.url}/en/"


def test_a_double_click_on_the_home_page_sends_one_mail_that_signs_in(window, minji):
    context, home = window
    page = context.new_page()
    page.goto(home)
    page.get_by_label("Your e\u2011mail address").fill(minji.email)
    page.get_by_role("button", name="Send me a code").dblclick()
    page.wait_for_url("**/code/")
    page.get_by_label("The eight digits").fill(newest_code())
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/my-data/")
    assert len(mail.outbox) == 1


def test_two_tabs_of_a_browser_sign_in_with_their_own_addresses(window, minji, seojun):
    context, home = window
    tabs, codes = [context.new_page() for _ in range(2)], []
    for tab, person in zip(tabs, (minji, seojun), strict=True):
        tab.goto(home)
        tab.get_by_label("Your e\u2011mail address").fill(person.email)
        tab.get_by_role("button", name="Send me a code").click()
        tab.wait_for_url("**/code/")
        codes.append(newest_code())
    tabs[0].get_by_label("The eight digits").fill(codes[0])
    tabs[0].get_by_role("button", name="Sign in").click()
    tabs[0].wait_for_url("**/my-data/")
    assert minji.email in tabs[0].content()
    assert seojun.email not in tabs[0].content()
