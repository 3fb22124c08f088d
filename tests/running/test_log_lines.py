"""The log says when a notice starts and ends, with times that have an offset."""

import http.client
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.log import configure_logging

from foundations.logs import Line
from foundations.secret_urls import POLICY
from harness.nginx import NGINX, nginx
from harness.product import ROOT, free_port
from notices import decisions
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]


def test_approval_and_end_of_a_notice_are_logged(draft, people, approver, server, caplog):
    caplog.set_level(logging.INFO)
    decisions.approve(draft, by=approver)
    work(draft)
    lines = [line for line in caplog.messages if line.startswith(f"notice {draft.pk}: ")]
    assert lines[0].endswith(f"user {approver.pk} approved it, and its sending starts")
    assert lines[-1].endswith("every recipient has an end state")


def test_a_time_has_an_offset(settings):
    line = settings.LOGGING["formatters"]["line"]
    formatter = Line(line["format"], line["datefmt"])
    record = logging.LogRecord("portal", logging.INFO, "", 1, "started", None, None)
    assert re.match(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} INFO portal", formatter.format(record)
    )


@pytest.mark.django_db
def test_a_host_that_a_stranger_chose_fills_no_log(capfd, settings):
    configure_logging("logging.config.dictConfig", settings.LOGGING)
    assert Client().get("/en/", headers={"host": "evil.example"}).status_code == 400
    assert "evil.example" not in capfd.readouterr().err


SITE = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
NOT_LOGGED = re.findall(r'^    "?~(\S+?)"? 0;$', SITE, re.MULTILINE)
FREE_TEXT = re.compile(r"<(str|path):\w+>")


def with_free_text(
    resolver: URLResolver | None = None, before: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Yields each route of visitors and customers that ends in a text, and its pattern."""
    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from with_free_text(each, route)
        elif FREE_TEXT.search(route) and not route.startswith("admin/"):
            yield route, each


def test_no_log_has_the_code_of_a_text_message_that_was_typed_without_a_language():
    line = logging.LogRecord("django.request", 30, "", 1, "Not Found: /stop/7QK2-X9ND", (), None)
    assert "7QK2" not in Line().format(line)


@pytest.mark.parametrize(("route", "pattern"), [*with_free_text()])
def test_no_log_has_the_secret_in_an_address(route, pattern):
    path = FREE_TEXT.sub("IjE6c2VjcmV0 1234 5678", f"/{route}")  # Django decodes it
    line = logging.LogRecord("django.request", 30, "", 1, "Not Found: %s", (path,), None)
    shown = Line().format(line)
    assert not re.search("IjE6c2VjcmV0|1234|5678", shown)
    for written in (path, path.upper()):
        assert [one for one in NOT_LOGGED if re.search(one, written)]
    assert "<str:" not in route or pattern.callback.has_secret_url


def test_the_addresses_that_end_in_a_secret_are_known():
    routes = " ".join(route for route, _pattern in with_free_text())
    names = ("certificates/", "unsubscribe/", "stop/", "reminder/end/", "invitation/", "account/")
    for name in (*names, "check/code/"):
        assert f"{name}<" in routes


@pytest.mark.django_db
def test_a_page_whose_address_is_a_secret_is_no_referer():
    """The request of its style sheet would carry the secret into the logs of a proxy."""
    response = Client().get("/en/certificates/7QK2-X9ND-4HTB-90FC-WZ6M/")
    assert response["Referrer-Policy"] == POLICY
    assert "http_referer" not in SITE


SECRETS = (
    *("/en/stop/SECRET%00/", "/en/stop/SECRET%zz/", "/EN/Stop/SECRET/"),
    "/en/language/?language=ko&next=/en/unsubscribe/SECRET/",
    "/en/language/?language=ko&next=%2Fen%2Funsubscribe%2FSECRET%2F",
)
# A stranger could keep any request out of the log by its query.
NOT_HIDDEN = ("/en/", "/admin/?/stop/x", "/admin/#/stop/x", "/language/?x=1")


@pytest.mark.skipif(not NGINX, reason="nginx is not installed; run python -m tests.browser")
def test_nginx_does_not_log_what_it_refuses_itself():
    """A mail program may break a percent sign of a link; nginx has no path of such an address."""
    with nginx(free_port()) as port:
        started = " ".join(part for one in psutil.Process().children() for part in one.cmdline())
        [folder] = re.findall(r"-p (/\S+)", started)
        for path in (*SECRETS, *NOT_HIDDEN):
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", path)
            connection.getresponse().read()
        logged = (Path(folder) / "breachportal.log").read_text()
    assert re.findall(r'"GET (\S+) ', logged) == list(NOT_HIDDEN)
    assert "SECRET" not in logged
