"""The limits on code mails: strangers neither flood a mailbox nor keep its owner out."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import code_limits, known_devices
from accounts.code_queue import CodeLane
from harness.sign_in import ask_for_code, enter_code, newest_code, sign_in, wrong

pytestmark = pytest.mark.django_db
SIGN_IN = "/en/account/sign-in/"


def browser(address: str = "203.0.113.7", **headers: str) -> Client:
    return Client(REMOTE_ADDR=address, headers={"accept-language": "en", **headers})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def bomb(email: str, *, networks: int, each: int = 5) -> None:
    """Requests codes for one address from many /64 networks of many providers."""
    for network in range(networks):
        for _time in range(each):
            ask_for_code(browser(f"2001:db8:{network:x}::1"), email)


def limit(settings: Any, **rates: str) -> None:
    settings.CODE_RATES = settings.CODE_RATES | rates


# One address


def test_twenty_networks_do_not_flood_a_mailbox(minji):
    bomb(minji.email, networks=20)
    assert len(mail.outbox) <= 11


def test_networks_of_one_customer_of_a_provider_count_together(minji):
    for number in range(20):
        ask_for_code(browser(f"2001:db8:1:{number:x}::1"), minji.email)
    assert len(mail.outbox) == 8


def test_the_owner_signs_in_while_strangers_request_codes(minji):
    bomb(minji.email, networks=20)
    before, owner = len(mail.outbox), browser("198.51.100.1")
    answer = ask_for_code(owner, minji.email)
    assert answer.url == reverse("sign_in_code")
    assert len(mail.outbox) == before
    page = owner.get("/en/account/sign-in/code/").content.decode()
    assert "We have sent no new mail now" in page
    assert "A new mail is possible in 10 minutes." in page or "in 15 minutes" in page
    enter_code(owner, newest_code())
    assert is_signed_in(owner)


def test_the_owner_can_use_a_mail_that_arrives_later(minji):
    bomb(minji.email, networks=20)
    owner = browser("198.51.100.1")
    ask_for_code(owner, minji.email)
    known = browser("198.51.100.9")
    known.cookies[known_devices.COOKIE] = cookie_of(minji.email)
    ask_for_code(known, minji.email)  # a newer mail
    enter_code(owner, newest_code())
    assert is_signed_in(owner)


def test_a_mail_is_sent_from_time_to_time_after_the_daily_limit(minji, settings):
    limit(settings, ask_anywhere="2/d/key", ask_rarely="1/1s/key")
    for number in range(6):
        ask_for_code(browser(f"198.51.100.{number}"), minji.email)
    assert 3 <= len(mail.outbox) < 6


def test_an_unknown_address_gets_the_same_answers(minji):
    pages = []
    for email in (minji.email, "nobody@example.com"):
        bomb(email, networks=20)
        visitor = browser("198.51.100.1")
        answer = visitor.post(SIGN_IN, {"email": email})
        page = visitor.get("/en/account/sign-in/code/").content.decode()
        kept = [line for line in page.splitlines() if "csrf" not in line and "minute" not in line]
        pages.append(
            (answer.status_code, answer.headers["Location"], "\n".join(kept).replace(email, "…"))
        )
    assert pages[0] == pages[1]


def test_a_code_of_another_browser_is_not_accepted_while_mails_are_sent(minji):
    thief, owner = browser("198.51.100.66"), browser("198.51.100.1")
    ask_for_code(thief, minji.email)
    thiefs = newest_code()
    ask_for_code(owner, minji.email)
    if thiefs != newest_code():
        enter_code(thief, newest_code())
        assert not is_signed_in(thief)


def test_guesses_at_the_newest_code_are_limited_by_network_and_altogether(minji, settings):
    limit(settings, ask_anywhere="1/d/key", ask_rarely="1/d/key", guess_newest_anywhere="12/h/key")
    ask_for_code(browser(), minji.email)
    ask_for_code(browser(), minji.email)
    code, statuses = newest_code(), []
    for number in range(5):
        guesser = browser(f"198.51.{number}.1")
        ask_for_code(guesser, minji.email)
        statuses += [enter_code(guesser, wrong(code)).status_code for _time in range(4)]
    assert statuses == [200] * 12 + [429] * 8
    owner = browser("192.0.2.1")
    ask_for_code(owner, minji.email)
    refused = owner.post("/en/account/sign-in/code/", {"code": code})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) <= 3600
    assert f'value="{code}"' in refused.content.decode()  # what was typed is kept


# Devices


def cookie_of(email: str) -> str:
    client = Client()
    sign_in(client, email)
    return client.cookies[known_devices.COOKIE].value


def test_a_device_that_signed_in_before_gets_a_mail_at_once(minji):
    device = browser("198.51.100.1")
    sign_in(device, minji.email)
    device.post(reverse("account_logout"))
    bomb(minji.email, networks=20)
    before = len(mail.outbox)
    ask_for_code(device, minji.email)
    assert len(mail.outbox) == before + 1


def test_the_cookie_of_a_device_holds_no_address_and_signs_no_one_in(minji):
    client = browser()
    sign_in(client, minji.email)
    cookie = client.cookies[known_devices.COOKIE]
    assert "minji" not in cookie.value
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    other = browser()
    other.cookies[known_devices.COOKIE] = cookie.value
    assert other.get(reverse("account")).status_code == 302


@pytest.mark.parametrize("value", ["", "x", "a:b:c", "WyJ4IiwxXQ:1uYhVb:abc"])
def test_a_forged_cookie_is_ignored(minji, value):
    client = browser()
    client.cookies[known_devices.COOKIE] = value
    assert ask_for_code(client, minji.email).status_code == 302


def test_a_device_of_another_user_has_no_advantage(minji, seojun):
    device = browser("198.51.100.1")
    sign_in(device, seojun.email)
    device.post(reverse("account_logout"))
    bomb(minji.email, networks=20)
    before = len(mail.outbox)
    ask_for_code(device, minji.email)
    assert len(mail.outbox) == before


# A carrier's network


def test_a_town_behind_one_address_signs_in(settings):
    for number in range(81):
        client = browser()
        sign_in(client, f"customer{number}@example.com")
        assert is_signed_in(client)


def test_wrong_guesses_behind_a_carrier_refuse_no_neighbour(minji, settings):
    limit(settings, network="50/10m/ip")
    for number in range(15):
        guesser = browser()
        ask_for_code(guesser, f"victim{number}@example.com")
        for _time in range(5):
            enter_code(guesser, wrong(newest_code()))
    neighbour = browser()
    sign_in(neighbour, minji.email)
    assert is_signed_in(neighbour)


def test_right_codes_keep_a_network_out_of_suspicion(settings, rf):
    limit(settings, network="5/10m/ip")
    for number in range(20):
        sign_in(browser(), f"customer{number}@example.com")
    request = rf.post(SIGN_IN, REMOTE_ADDR="203.0.113.7")
    assert code_limits.permit_code(request, "a@example.com").lane == CodeLane.USUAL


def test_a_suspicious_network_waits_behind_others(settings, rf):
    limit(settings, network="5/10m/ip")
    lanes = [
        code_limits.permit_code(rf.post(SIGN_IN), f"victim{number}@example.com").lane
        for number in range(7)
    ]
    assert lanes == [CodeLane.USUAL] * 5 + [CodeLane.SUSPICIOUS] * 2


# The whole portal


def test_the_limit_of_the_portal_says_why_and_when(settings, caplog, editors_desk):
    limit(settings, all_mails="2/m/key")
    for number in range(2):
        ask_for_code(browser(), f"customer{number}@example.com")
    assert "refused" not in editors_desk.get("/admin/").content.decode()
    refused = browser().post(SIGN_IN, {"email": "minji@example.com", "next": "/en/my-data/"})
    page = refused.content.decode()
    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "More codes are being requested right now than we can send." in page
    assert "You can try again in 1 minute." in page
    assert 'name="email" value="minji@example.com"' in page
    assert 'name="next" value="/en/my-data/"' in page
    assert "the limit all_mails is used up" in caplog.text
    assert "minji" not in caplog.text
    assert "Code mails are being refused" in editors_desk.get("/admin/").content.decode()


def test_suspicious_networks_do_not_use_up_the_limit_of_the_portal(settings):
    limit(settings, network="1/10m/ip", suspicious_mails="3/m/key", all_mails="10/m/key")
    statuses = [
        browser().post(SIGN_IN, {"email": f"victim{number}@example.com"}).status_code
        for number in range(6)
    ]
    assert statuses == [302] * 4 + [429] * 2
    refused = browser().post(SIGN_IN, {"email": "minji@example.com"}).content.decode()
    assert "from the network that you use" in refused
    assert ask_for_code(browser("198.51.100.1"), "minji@example.com").status_code == 302


def test_a_known_device_is_not_refused_by_the_limit_of_the_portal(settings, minji):
    device = browser()
    sign_in(device, minji.email)
    device.post(reverse("account_logout"))
    limit(settings, all_mails="0/m/key")
    assert browser().post(SIGN_IN, {"email": minji.email}).status_code == 429
    assert ask_for_code(device, minji.email).status_code == 302


def test_a_code_has_eight_digits():
    ask_for_code(browser(), "minji@example.com")
    assert len(newest_code()) == 8
