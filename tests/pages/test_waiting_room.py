"""The waiting room before the sign-in page."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings as django_settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts import waiting_room
from foundations import latency, page_parts
from harness.sign_in import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
BURST = 10


@pytest.fixture(autouse=True)
def room(settings, monkeypatch):
    """A room that admits a visitor in 1,000 seconds, after a burst of ten."""
    settings.SIGN_INS_PER_SECOND = 0.001  # slow, so that a slow test machine admits none
    monkeypatch.setattr(waiting_room, "BURST_SECONDS", 1_000 * BURST)
    stored = redis.Redis.from_url(settings.REDIS_URL)
    stored.delete(waiting_room._KEY)
    yield stored
    stored.delete(waiting_room._KEY)


def enter(client: Client | None = None, *, address: str = "127.0.0.1") -> str:
    response = (client or visitor()).get(reverse("account_login"), REMOTE_ADDR=address)
    assert response.status_code == 200
    return response.content.decode()


def visitor() -> Client:
    client = Client()
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "en"
    return client


def waits(page: str) -> bool:
    return "You are in the queue" in page


def fill() -> None:
    """Lets as many visitors in as the burst admits."""
    assert not any(waits(enter()) for _number in range(BURST))


def admit(room: redis.Redis, visitors: float) -> None:
    """Lets the time pass in which the room admits `visitors`."""
    room.hincrbyfloat(waiting_room._KEY, "at", -1_000 * visitors)


def test_few_visitors_see_nothing_of_the_room():
    assert 'name="email"' in enter()


def test_when_more_come_than_are_served_they_wait_in_order(room):
    fill()
    first, second = visitor(), visitor()
    assert "You are next." in enter(first)
    assert "1 person is before you" in enter(second)
    admit(room, 1.5)
    assert waits(enter(second))
    assert not waits(enter(first))
    admit(room, 1)
    assert not waits(enter(second))


def test_visitors_wait_in_order_before_a_kept_page(room, settings):
    settings.PUBLIC_PAGE_SECONDS = 60
    page_parts.forget()
    fill()
    assert set(page_parts._first_pages) == {reverse("account_login")}
    first, second = visitor(), visitor()
    assert "You are next." in enter(first)
    assert set(first.cookies) == {django_settings.LANGUAGE_COOKIE_NAME, waiting_room.COOKIE}
    assert "1 person is before you" in enter(second)
    assert room.hget(waiting_room._KEY, "issued") == str(BURST + 2).encode()
    admit(room, 1.5)
    assert waits(enter(second))
    assert not waits(enter(first))
    page_parts.forget()


def test_the_page_names_place_and_minutes_and_reloads_by_itself():
    fill()
    last = [visitor() for _number in range(70)][-1]
    for _number in range(69):
        enter()
    page = enter(last)
    assert "69 people are before you" in page
    assert "It takes about 1,150 minutes." in page
    assert re.search(r'<meta http-equiv="refresh" content="20">', page)


@pytest.mark.parametrize(("ahead", "minutes"), [(0, 1), (120, 1), (121, 2), (60_000, 500)])
def test_minutes_are_rounded_up(settings, ahead, minutes):
    settings.SIGN_INS_PER_SECOND = 2
    assert waiting_room.Place(1, "", ahead, turns=ahead).minutes == minutes


def test_a_place_is_kept_and_cannot_be_improved_by_hand(room):
    fill()
    early = visitor()
    enter(early)
    for _number in range(5):
        enter()
    assert "You are next." in enter(early)
    forged = visitor()
    forged.cookies[waiting_room.COOKIE] = "admitted"
    assert "6 people" in enter(forged)


def test_what_was_typed_is_kept():
    fill()
    client = visitor()
    asked = {"email": "minji@example.com", "next": "/en/my-data/"}
    page = client.post(reverse("account_login"), asked).content.decode()
    assert waits(page)
    assert 'http-equiv="refresh"' not in page  # a reload would lose the typed address
    assert '<input type="hidden" name="email" value="minji@example.com">' in page
    assert page.count('class="button"') == 1  # the way home is the second choice
    assert mail.outbox == []


def test_a_kept_form_goes_on_when_its_turn_has_come(room):
    fill()
    client = visitor()
    asked = {"email": "minji@example.com", "next": ""}
    client.post(reverse("account_login"), asked)
    admit(room, 2)
    code_page = reverse("sign_in_code")
    assert client.post(reverse("account_login"), asked).headers["Location"] == code_page
    assert len(mail.outbox) == 1


def test_an_admitted_visitor_does_not_wait_again(room):
    client = visitor()
    enter(client)
    fill_again = [enter() for _number in range(BURST)]
    assert waits(fill_again[-1])
    assert not waits(enter(client))
    sign_in(client, "minji@example.com", next="")
    assert "_auth_user_id" in client.session


def test_an_admission_ends(room, settings, monkeypatch):
    monkeypatch.setattr(waiting_room, "ADMITTED_SECONDS", 1)
    client = visitor()
    enter(client)
    for _number in range(BURST):
        enter()
    time.sleep(2.1)
    room.hset(waiting_room._KEY, "admitted", "0")
    assert waits(enter(client))


def test_a_signed_in_user_does_not_wait(minji):
    fill()
    client = visitor()
    client.force_login(minji)
    assert client.get(reverse("account_login")).status_code == 302


def test_visitors_at_the_same_moment_get_different_places():
    fill()
    with ThreadPoolExecutor(8) as pool:
        places = list(pool.map(lambda _number: waiting_room._place("", {}), range(40)))
    assert sorted(place.ahead for place in places if place) == list(range(40))


def test_one_network_cannot_make_all_others_wait(room, settings):
    """Before, each GET without a cookie took a place before everyone who came later."""
    settings.CODE_RATES = {**settings.CODE_RATES, "waiting_room": "3/10m/ip,5/10m/site"}
    fill()
    for number in range(12):
        enter(address="198.51.100.7")
        enter(address=f"2001:db8:1:{number:x}::1")  # one /48 network
    late = visitor()
    assert "8 people are before you" in enter(late)
    of_the_network = visitor()
    # 9 and 7 are above the bounds.
    assert "16 people are before you" in enter(of_the_network, address="198.51.100.7")
    admit(room, 10.5)
    assert not waits(enter(late))
    assert waits(enter(of_the_network, address="198.51.100.7"))
    # The first queue is empty. Once it has its burst again, the second has the whole rate.
    admit(room, 15.6 + BURST)
    assert not waits(enter(of_the_network, address="198.51.100.7"))
    fill()


def test_the_second_queue_begins_after_older_places_and_both_admit_the_rate(room, settings):
    settings.CODE_RATES = {**settings.CODE_RATES, "waiting_room": "3/10m/ip"}
    fill()
    for _number in range(8):
        enter(address="198.51.100.8")
    crowded = visitor()
    page = enter(crowded, address="198.51.100.8")
    assert "5 people are before you" in page
    # 3 of the first queue, then its burst and 5 at the whole rate
    assert "It takes about 300 minutes." in page
    for number in range(6):
        enter(address=f"203.0.113.{number}")
    waiting = []
    for passed in (2.5, 4.5):
        admit(room, passed)
        enter(crowded)
        stored = room.hgetall(waiting_room._KEY)
        waiting.append([float(stored[b"admitted"]) - BURST, float(stored[b"second_waiting"])])
    assert waiting == [pytest.approx([2.5, 6], abs=0.1), pytest.approx([6, 5], abs=0.1)]


def test_an_address_above_its_bound_uses_up_no_places_of_its_site(room, settings):
    settings.CODE_RATES = {**settings.CODE_RATES, "waiting_room": "2/10m/ip,4/10m/site"}
    fill()
    for _number in range(6):
        enter(address="192.0.2.1")
    assert "2 people are before you" in enter(address="192.0.2.2")


def test_idle_hours_admit_no_more_than_the_burst(room):
    enter()
    admit(room, 3600)
    assert not any(waits(enter()) for _number in range(BURST))
    assert waits(enter())


def test_a_ticket_of_a_queue_that_redis_forgot_is_replaced(room):
    fill()
    client = visitor()
    enter(client)
    room.delete(waiting_room._KEY)
    assert not waits(enter(client))


def test_without_redis_visitors_are_admitted(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    latency.client.cache_clear()
    try:
        assert not waits(enter())
    finally:
        latency.client.cache_clear()


def test_zero_closes_the_room(settings):
    settings.SIGN_INS_PER_SECOND = 0
    assert not any(waits(enter()) for _number in range(3 * BURST))


def test_redis_holds_no_visitor(room):
    fill()
    enter()
    first = {b"issued", b"admitted", b"at", b"queue"}
    second = {b"second", b"second_waiting", b"after"}
    assert set(room.hgetall(waiting_room._KEY)) == first | second
