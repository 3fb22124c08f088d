"""Domains that one provider sees as one share a destination: by name, and by MX records."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundations import latency
from notices import mail_exchangers
from notices.destinations import destination_of
from notices.dns_records import DnsRecords
from notices.engine.throttling import DestinationLimiter
from notices.mail_exchangers import MailExchangers
from notices.provider_groups import GROUP_NAMES, OTHER, group_of, provider_of_exchangers
from tests.local_server import serving
from tests.notice_factory import affected, work
from tests.notices.test_check_mail_domain import NameServer

pytest_plugins = ["tests.notice_fixtures"]


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("minji@hanmail.net", "kakao.com"),
        ("minji@Daum.NET", "kakao.com"),
        ("minji@hotmail.co.kr", "outlook.com"),
        ("minji@ymail.com", "yahoo.com"),
        ("minji@yahoo.co.jp", "yahoo.co.jp"),  # another company
        ("minji@ezweb.ne.jp", "au.com"),
        ("minji@web.de", "gmx.net"),
        ("minji@126.com", "163.com"),
        ("minji@notgmail.com", "notgmail.com"),
        ("minji@gmail.com.example", "gmail.com.example"),
        ("+821012345678", "SMS KR"),
    ],
)
def test_domains_of_one_provider_are_one_destination(address, name):
    assert destination_of(address) == name


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        (["aspmx.l.google.com", "alt1.aspmx.l.google.com."], "gmail.com"),
        (["SMTP.GOOGLE.COM"], "gmail.com"),
        (["hanbit-example.mail.protection.outlook.com"], "microsoft365"),
        (["hanbit-example.p-v1.mx.microsoft"], "microsoft365"),
        (["hotmail-de.olc.protection.outlook.com"], "outlook.com"),
        (["kr1-aspmx1.worksmobile.com", "kr1-aspmx2.worksmobile.com"], "naverworks"),
        (["mx-eu.mail.am0.yahoodns.net"], "yahoo.com"),
        (["mx.evilgoogle.com"], None),
        (["aspmx.l.google.com", "mx.hanbit.example"], None),  # two systems: neither's limits hold
        (["google.com.hanbit.example"], None),
        ([""], None),  # the null MX of RFC 7505
        ([], None),
    ],
)
def test_the_exchangers_of_a_company_tell_its_provider(hosts, name):
    assert provider_of_exchangers(hosts) == name


@given(st.lists(st.text(max_size=40), max_size=4))
def test_whatever_the_dns_returns_names_a_known_provider_or_none(hosts):
    assert provider_of_exchangers(hosts) in (None, *GROUP_NAMES)


def test_a_destination_without_a_provider_is_in_the_group_of_others():
    assert group_of("naver.com") == "naver.com"
    assert group_of("hanbit.example") == OTHER


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    for domain in ("company.example", "other.example"):
        latency.client().delete(mail_exchangers.KEY.format(domain))
    with NameServer() as running, serving(running):
        running.zone[("company.example.", "MX")] = ["1 aspmx.l.google.com."]
        yield running


def exchangers(server: NameServer, *, seconds: float = 2) -> MailExchangers:
    records = DnsRecords("127.0.0.1", server.server_address[1], seconds=seconds)
    return MailExchangers(records)


def eventually(known: MailExchangers, domain: str, name: str) -> None:
    deadline = time.monotonic() + 10
    while known.destination(domain) != name:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_company_becomes_its_providers_once_the_dns_answered(name_server):
    known = exchangers(name_server)
    assert known.destination("company.example") == "company.example"  # does not wait
    eventually(known, "company.example", "gmail.com")
    name_server.is_failing = True
    another = exchangers(name_server)  # of another worker: Redis has the answer
    another.destination("company.example")
    eventually(another, "company.example", "gmail.com")


def test_without_dns_a_domain_stays_its_own_and_nothing_waits(name_server, monkeypatch):
    name_server.is_failing = True
    monkeypatch.setattr(mail_exchangers, "FAILED_SECONDS", 0.05)
    known = exchangers(name_server, seconds=0.2)
    started_at = time.monotonic()
    for number in range(5_000):
        assert known.destination(f"company{number}.example") == f"company{number}.example"
    assert time.monotonic() - started_at < 30  # one wait for each would take 1,000
    assert known._waiting.qsize() <= mail_exchangers.MOST_WAITING


def test_a_domain_is_asked_about_again_after_the_dns_did_not_answer(name_server, monkeypatch):
    monkeypatch.setattr(mail_exchangers, "FAILED_SECONDS", 0.05)
    name_server.is_failing = True
    known = exchangers(name_server, seconds=0.2)
    known.destination("company.example")
    time.sleep(0.5)
    assert known.destination("company.example") == "company.example"
    name_server.is_failing = False
    eventually(known, "company.example", "gmail.com")


def test_the_rate_of_one_domain_holds_for_all_of_its_provider(settings):
    settings.NOTICE_RATES = {"daum.net": 1.0, "kakao.com": 5.0, "*": 100.0}
    latency.client().delete("notices:rate:kakao.com")
    limiter = DestinationLimiter()
    taken = [limiter.take_token(destination_of(f"a@{name}")) for name in ("daum.net", "kakao.com")]
    assert taken == [True, False]
    assert all(limiter.take_token("SMS KR") for _ in range(1_000))  # "*" is for mail


def test_the_rate_of_the_text_gateway_is_shared_by_all_countries(settings):
    settings.NOTICE_RATES = {"sms": 1.0}
    latency.client().delete("notices:rate:SMS")
    limiter = DestinationLimiter()
    assert [limiter.take_token(f"SMS {region}") for region in ("KR", "US")] == [True, False]


def test_addresses_of_one_provider_share_a_rate_in_a_send(notice, people, server, settings):
    settings.NOTICE_RATES = {"daum.net": 1.0}
    settings.NOTICE_SLICE_SECONDS = 1
    latency.client().delete("notices:rate:kakao.com")
    file = people["minji"].exposures.first().file
    for number in range(6):
        domain = ("daum.net", "hanmail.net", "kakao.com")[number % 3]
        affected(file, "고객", f"customer{number}@{domain}")
    work(notice)
    assert notice.accepted <= 2 + 3
