"""Lighthouse on home, a statement, "my data" and the check page, on a phone.

`make lighthouse` runs it and prints a table; LIGHTHOUSE names its file. Accessibility, best
practices and SEO have to reach 100. The speed depends on the machine: the table shows it,
and no test fails by it. Lighthouse loses its trace on a busy machine, so `make test` leaves it out.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from harness.exposure_factory import expose, file_of, person
from tests import browser, web_programs
from tests.sample_pages import SLUG
from tests.web_hosts import WebHost

PAGES = {
    "home": "/en/",
    "statement": f"/en/incidents/{SLUG}/statements/apology/",
    "my-data": "/en/my-data/",
    "check": "/en/check/",
}
CATEGORIES = ["accessibility", "best-practices", "seo"]
TIMES = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time"]
PRIVATE = ["my-data"]  # it asks search engines to stay away
TRIES = 3
TABLE = os.environ.get("LIGHTHOUSE", "")

pytestmark = pytest.mark.skipif(not TABLE, reason="`make lighthouse` runs it")


@pytest.fixture(scope="module")
def running_host(django_db_setup, tmp_path_factory) -> Iterator[WebHost]:
    web_programs.require()
    host = WebHost(tmp_path_factory.mktemp("host"))
    host.wait()
    yield host
    host.end()


@pytest.fixture
def host(transactional_db, running_host, coupang) -> WebHost:
    return running_host


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reaches_100(host, coupang, minji, tmp_path, name):
    row = person(coupang, name="김민지", email="minji@example.com", phone="010-1234-5678")
    expose(row, file_of(coupang, number=7), "names", "email-addresses", "phone-numbers")
    minjis = Client()
    minjis.force_login(minji)
    session = minjis.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}" if name == "my-data" else ""
    report = report_of(f"http://127.0.0.1:{host.port}{PAGES[name]}", cookie, tmp_path)
    assert report["finalDisplayedUrl"].endswith(PAGES[name])
    scores = {key: round(100 * each["score"]) for key, each in report["categories"].items()}
    keep(name, scores, report)
    expected = [one for one in CATEGORIES if one != "seo" or name not in PRIVATE]
    assert {key: scores[key] for key in expected} == dict.fromkeys(expected, 100), lost(report)


def report_of(url: str, cookie: str, folder: Path) -> dict[str, Any]:
    """Returns Lighthouse's report on a page, which the browser asks for with this cookie."""
    output = folder / "report.json"
    options = [
        f"--output-path={output}",
        "--output=json",
        "--quiet",
        f"--chrome-flags=--headless=new {' '.join(browser.FLAGS)}",
        f"--only-categories={','.join([*CATEGORIES, 'performance'])}",
    ]
    if cookie:
        options.append(f"--extra-headers={json.dumps({'Cookie': cookie})}")
    for _ in range(TRIES):
        web_programs.run("lighthouse", url, *options, CHROME_PATH=browser.executable() or "")
        report: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
        if "runtimeError" not in report:
            return report
    raise AssertionError(report["runtimeError"])


def lost(report: dict[str, Any]) -> list[str]:
    """Returns the names of the audits that a page does not pass."""
    audits = report["audits"].values()
    return [each["id"] for each in audits if each["score"] is not None and each["score"] < 1]


def keep(name: str, scores: dict[str, int], report: dict[str, Any]) -> None:
    """Adds a page's scores and times to the table."""
    path = Path(TABLE)
    table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    times = {key: report["audits"][key]["displayValue"].replace("\xa0", " ") for key in TIMES}
    table[name] = {**scores, **times, "not passed": lost(report)}
    path.write_text(json.dumps(table, indent=2), encoding="utf-8")
