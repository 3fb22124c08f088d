"""Two hosts that share nothing but PostgreSQL and Redis behave as one portal."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client

from accounts import waiting_room
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident
from statements.models import StatementVersion
from tests.pages.test_no_leaks import Visitor, code_in
from tests.running.database_proxy import DatabaseProxy
from tests.smtp_server import SmtpServer
from tests.web_hosts import WebHost, two_web_hosts

ROOT = Path(__file__).parents[2]
SIGN_IN, CODE, MY_DATA = "/en/account/sign-in/", "/en/account/sign-in/code/", "/en/my-data/"
KEPT_SECONDS = 1 + 2  # PUBLIC_PAGE_SECONDS of the hosts, and the rest for a busy machine


@pytest.fixture(scope="module")
def mails() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="module")
def running_hosts(django_db_setup, mails, tmp_path_factory) -> Iterator[tuple[WebHost, WebHost]]:
    mail_server = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(mails.port)}
    with two_web_hosts(tmp_path_factory.mktemp("hosts"), None, **mail_server) as pair:
        yield pair


@pytest.fixture
def hosts(transactional_db, running_hosts) -> tuple[WebHost, WebHost]:
    return running_hosts


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get(MY_DATA).url.path == MY_DATA


def wait_for(is_so, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def test_a_code_that_was_asked_for_on_one_host_is_entered_on_the_other(hosts, mails):
    a, b = hosts
    visitor = a.visitor()
    visitor.post(SIGN_IN, email="minji@example.com")
    b.visit(visitor).post(CODE, code=code_in(mails, "minji@example.com"))
    assert is_signed_in(visitor)
    assert is_signed_in(a.visit(visitor))
    b.visit(visitor).post("/en/account/sign-out/", page=MY_DATA)
    assert not is_signed_in(a.visit(visitor))


def test_the_tries_of_a_code_count_on_both_hosts_together(hosts, mails):
    a, b = hosts
    visitor = a.visitor()
    visitor.post(SIGN_IN, email="seojun@example.com")
    code = code_in(mails, "seojun@example.com")
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for number in range(5):
        (a, b)[number % 2].visit(visitor).post(CODE, code=wrong)
    b.visit(visitor).post(CODE, code=code)
    assert not is_signed_in(visitor)


def test_mails_to_one_address_count_on_both_hosts_together(hosts, mails):
    """Five in ten minutes at the requests of one network."""
    for number in range(8):
        visitor = hosts[number % 2].visitor()
        visitor.http.headers["User-Agent"] = f"browser {number}"  # not one that presses twice
        visitor.post(SIGN_IN, email="jiwoo@example.com")
    wait_for(lambda: len(mails.to("jiwoo@example.com")) >= 5, 10, "five mails")
    time.sleep(1)
    assert len(mails.to("jiwoo@example.com")) == 5


def test_the_limits_on_work_count_on_both_hosts_together(hosts, coupang):
    """30 checks of certificate codes a minute from one network."""
    visitor, statuses = hosts[0].visitor(), []
    for number in range(32):
        hosts[number % 2].visit(visitor)
        statuses.append(visitor.get(f"/en/certificates/AAAA-{number:04d}/").status_code)
    assert statuses[:30] == [404] * 30
    assert statuses[30:] == [429] * 2


def test_a_correction_that_is_published_on_one_host_is_soon_on_the_other(hosts, correction):
    a, b = hosts
    page = correction.statement.get_absolute_url().replace("/ko/", "/en/")
    before = {host: host.visitor().get(page).text for host in hosts}
    assert before[a] == before[b]
    approver = correction.statement.versions.get(number=1).approved_by
    assert publish(desk_of(a, approver), correction).status_code == 200
    correction.refresh_from_db()
    assert correction.is_published
    began = time.monotonic()
    for host in hosts:
        wait_for(
            lambda host=host: all(  # every process of the host
                host.visitor().get(page).text != before[host] for _request in range(10)
            ),
            KEPT_SECONDS - (time.monotonic() - began),
            "the correction",
        )


def desk_of(host: WebHost, staff) -> Visitor:
    """Returns a member of the response team who is signed in to the desk on this host."""
    client = Client()
    sign_in_to_desk(client, staff)
    visitor = host.visitor()
    for name, cookie in client.cookies.items():
        visitor.http.cookies.set(name, cookie.value, domain="127.0.0.1")
    return visitor


def publish(desk: Visitor, version: StatementVersion):
    url = f"/admin/statements/statementversion/{version.pk}/publish/"
    found = re.search(r'name="seen" value="([^"]+)"', desk.get(url).text)
    assert found
    return desk.post(url, seen=found[1])


def test_an_old_page_stays_only_on_the_host_without_a_database(transactional_db, coupang, tmp_path):
    proxy = DatabaseProxy()
    with two_web_hosts(tmp_path, of_a={"DATABASE_URL": proxy.url}) as (a, b):
        readers = [host.visitor() for host in (a, b) for _process in range(8)]
        for reader in readers:
            assert reader.get("/en/").status_code == 200
        proxy.cut()
        Incident.objects.update(title={"ko": "정정", "en": "A correction"})
        wait_for(lambda: "A correction" in b.visitor().get("/en/").text, 5, "the correction on B")
        time.sleep(1.5)
        answer = a.visitor().get("/en/")
        assert answer.status_code == 200
        assert "A correction" not in answer.text
        proxy.restore()
        wait_for(
            lambda: all("A correction" in a.visitor().get("/en/").text for _page in range(6)),
            15,
            "the correction on A",
        )


def test_a_visitor_keeps_the_place_in_the_waiting_room_on_both_hosts(transactional_db, tmp_path):
    queue = redis.Redis.from_url(django_settings.REDIS_URL)
    queue.delete(waiting_room._KEY)
    with two_web_hosts(tmp_path, SIGN_INS_PER_SECOND="1") as (a, b):
        queue.hset(waiting_room._KEY, mapping={"issued": 1000, "admitted": 0, "at": time.time()})
        queue.hset(waiting_room._KEY, "queue", "test")
        first, second = a.visitor(), b.visitor()
        places = [place(first), place(second)]
        assert places[1] <= places[0] + 1
        moved = [place(b.visit(first)), place(a.visit(second))]
        assert [0 <= before - after < 60 for before, after in zip(places, moved, strict=True)] == [
            True,
            True,
        ]
        assert queue.hget(waiting_room._KEY, "issued") == b"1002"
    queue.delete(waiting_room._KEY)


def place(visitor: Visitor) -> int:
    """Returns the visitor's place in the queue, which the page shows."""
    found = re.search(r"([\d,]+) (?:people are|person is) before you", visitor.get(SIGN_IN).text)
    assert found
    return int(found[1].replace(",", ""))


def test_a_notice_reaches_each_person_once_if_a_worker_host_dies():
    """Two worker hosts, each with a beat; all processes of one are killed in the middle."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.drills", "host"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PEOPLE": "1000", "SEED": "1"},
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 drills held" in done.stdout
