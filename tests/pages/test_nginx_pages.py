"""The shipped nginx site keeps public pages for seconds, and nothing else."""

import os
import re
import signal
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest
from django.conf import settings
from django.test import Client

import tickets.forms
from breachportal.settings import SHIPPED_LANGUAGES
from harness.exposure_factory import expose, file_of, person
from harness.nginx import NGINX, nginx
from harness.product import ROOT, free_port
from incidents.models import Incident
from scams import mail_source
from statements.sample import SLUG
from tests.web_processes import web_processes

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not NGINX, reason="nginx is not installed; run python -m tests.browser"),
]
HOME, CERTIFICATE = "/en/", f"/en/incidents/{SLUG}/certificate/"
# PUBLIC_PAGE_SECONDS in the portal and again in nginx, the renewal, and the rest for a busy machine
MOST_SECONDS = 2 + 2 + 3
QUIET_SECONDS = 15  # docs/running.md


@pytest.fixture
def site(coupang) -> Iterator[str]:
    """The address of the nginx site in front of a web process."""
    with web_processes("--workers 1", PUBLIC_PAGE_SECONDS="2", WEB_THREADS="4") as portal:
        wait_for(f"http://127.0.0.1:{portal}")
        with nginx(portal) as port:
            yield f"http://127.0.0.1:{port}"


def wait_for(url: str) -> None:
    for _try in range(150):
        try:
            httpx.get(f"{url}/healthz")
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the web process does not start")


def suspend_portal() -> list[psutil.Process]:
    """Stops the web process of this test (SIGSTOP), as if it were busy."""
    children = psutil.Process(os.getpid()).children(recursive=True)
    found = [one for one in children if any("granian" in part for part in one.cmdline())]
    for one in found:
        one.send_signal(signal.SIGSTOP)
    return found


def test_readers_do_not_wait_for_a_busy_portal(site):
    assert httpx.get(f"{site}{HOME}").status_code == 200
    suspended = suspend_portal()
    try:
        with httpx.Client(timeout=2) as reader:
            began = time.monotonic()
            answers = [reader.get(f"{site}{HOME}") for _page in range(50)]
            assert time.monotonic() - began < 2
        assert {answer.status_code for answer in answers} == {200}
    finally:
        for one in suspended:
            one.send_signal(signal.SIGCONT)


def test_a_correction_is_shown_in_time(site):
    httpx.get(f"{site}{HOME}")
    Incident.objects.update(title={"ko": "정정", "en": "A correction"})
    began = time.monotonic()
    while "A correction" not in httpx.get(f"{site}{HOME}").text:
        assert time.monotonic() - began < MOST_SECONDS
        time.sleep(0.1)


def test_the_page_of_a_user_is_shown_to_no_other_visitor(site, coupang, minji):
    """Its address is below /incidents/, as those of public pages."""
    expose(person(coupang, email=minji.email), file_of(coupang), "names")
    client = Client()
    client.force_login(minji)
    name = settings.SESSION_COOKIE_NAME
    cookies = {name: client.cookies[name].value}
    own = httpx.get(f"{site}{CERTIFICATE}", cookies=cookies)
    assert own.status_code == 200
    assert minji.email in own.text
    stranger = httpx.get(f"{site}{CERTIFICATE}")
    assert stranger.status_code == 302
    assert minji.email not in stranger.text


@pytest.mark.parametrize("path", [HOME, f"/en/incidents/{SLUG}/", "/en/check/"])
def test_a_visitor_changes_no_kept_page(site, path):
    first = httpx.get(f"{site}{path}")
    strange = httpx.get(
        f"{site}{path}?x=1", headers={"Accept-Language": "de", "Cookie": "sessionid=x"}
    )
    assert strange.content == first.content
    assert "x-accel-expires" not in first.headers
    assert "set-cookie" not in first.headers


def test_the_first_reader_after_a_quiet_time_sees_no_old_page(site):
    httpx.get(f"{site}{HOME}")
    Incident.objects.update(title={"ko": "정정", "en": "A correction"})
    time.sleep(QUIET_SECONDS)
    assert "A correction" in httpx.get(f"{site}{HOME}").text


@pytest.mark.parametrize("host", ["notice.example.com.", "notice.example.com.:443"])
def test_a_host_with_a_dot_at_its_end_leads_to_the_one_whose_forms_are_taken(host):
    with nginx(portal=free_port()) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/ko/?a=b", headers={"Host": host})
        assert answer.status_code == 301
        assert answer.headers["Location"] == "https://notice.example.com/ko/?a=b"
        own = {"Host": "notice.example.com"}
        assert httpx.get(f"http://127.0.0.1:{port}/ko/", headers=own).status_code == 503


def test_plain_http_leads_to_the_portal_whatever_host_a_stranger_names():
    site = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
    _head, over_http, _tls = site.split("server {\n")
    assert re.findall(r"return 301 (.+);", over_http) == ["https://$server_name$request_uri"]


def test_what_customers_write_does_not_reach_the_disk():
    """A body that is larger than the buffer is written to a file of nginx."""
    site = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
    whole, _colon, of_check = site.partition("/check/(answer|report)/$ {")
    [buffer] = re.findall(r"^    client_body_buffer_size (\d+)k;", whole, re.MULTILINE)
    octets = len("%EA%B0%80")  # of a letter of Korean in a form
    assert tickets.forms.MOST_CHARACTERS * octets < int(buffer) * 1024
    [buffer] = re.findall(
        r"^        client_body_buffer_size (\d+)m;", of_check.partition("}")[0], re.MULTILINE
    )
    assert mail_source.MOST_CHARACTERS * octets < int(buffer) * 1024**2
    assert int(buffer) * 1024**2 > mail_source.MOST_FILE_BYTES


def test_public_pages_of_each_language_are_kept_and_copied():
    site = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
    [codes] = re.findall(r"location ~ \^/\(([a-z|-]+)\)/\(incidents", site)
    assert codes.split("|") == list(SHIPPED_LANGUAGES)
