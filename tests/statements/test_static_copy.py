"""The copy of the public pages: complete, newest, and shown by nginx while the portal is away."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.test import Client

from breachportal import static_copy
from breachportal.doctor import public_address
from harness.nginx import NGINX, nginx
from harness.product import ROOT, free_port
from incidents.models import Incident
from tests.database import database_url, without_triggers
from tests.sample_pages import PAGES, SLUG, correct, published

LANGUAGES = ("ko", "en")
# With the language in which nginx speaks there while the portal is away.
PAGES_THAT_NO_COPY_HAS = (
    ("en", "en/my-data/"),
    ("ko", "ko/account/"),
    ("en", f"en/incidents/{SLUG}/certificate/"),
    ("ko", "admin/"),
)


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.STATIC_COPY = str(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def site_of_copies(tmp_path_factory) -> Iterator[str]:
    """nginx before no portal, with a copy whose home pages consist of their languages."""
    folder = tmp_path_factory.mktemp("copies")
    for language in ("ko", "ja", "zh-hans", "zh-hant"):
        page = folder / "current" / language / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(language)
    for parent in (folder, *folder.parents[:-2]):
        parent.chmod(0o755)
    with nginx(free_port(), copy=str(folder)) as port:
        yield f"http://127.0.0.1:{port}"


def hide_every_incident() -> None:
    """Hides them as after the time for which the law demands their statements to be shown."""
    with transaction.atomic(), without_triggers():
        Incident.objects.update(is_public=False)


def copied(folder: Path, path: str) -> Path:
    return folder / "current" / path / "index.html"


def test_every_public_page_is_copied_as_it_is(coupang, folder):
    call_command("publish_static")
    paths = [f"{language}/{page}" for language in LANGUAGES for page in [*PAGES, "check/"]]
    for path in paths:
        assert copied(folder, path).read_bytes() == Client().get(f"/{path}").content, path


@pytest.mark.usefixtures("coupang")
def test_the_account_of_the_web_server_may_read_the_copy(folder):
    before = os.umask(0o077)  # as the units of deploy/systemd have it
    try:
        static_copy.publish(folder)
    finally:
        os.umask(before)
    made = [folder / "releases", *(folder / "releases").rglob("*")]
    assert {path.stat().st_mode & 0o044 for path in made} == {0o044}


@pytest.mark.usefixtures("coupang")
def test_each_link_of_a_copied_page_to_a_public_page_or_a_style_leads_to_a_file(folder):
    call_command("publish_static")
    current, seen = folder / "current", set[str]()
    for page in current.rglob("index.html"):
        path = f"/{page.parent.relative_to(current)}/"
        seen |= set(static_copy._links(path, "text/html", page.read_bytes()))
    public = {link for link in seen if static_copy._is_public(link)}
    names = ("", "index.html", "index.xml")
    lacking = [
        link
        for link in public
        if not any((current / link.lstrip("/") / name).is_file() for name in names)
    ]
    assert lacking == []
    assert any(link.endswith("/feed/") for link in public)
    assert list(current.rglob("*.css"))
    assert not list(current.glob("*/account*"))


def test_a_published_version_is_in_the_next_copy_and_an_unchanged_copy_is_kept(coupang, folder):
    assert static_copy.publish(folder)
    assert not static_copy.publish(folder)
    published(correct())
    assert static_copy.publish(folder)
    notice = copied(folder, f"en/incidents/{SLUG}/statements/notice")
    assert "Corrected notice" in notice.read_text(encoding="utf-8")
    assert len(list((folder / "releases").iterdir())) == 2


def test_an_incident_that_is_hidden_is_in_no_new_copy(coupang, folder):
    static_copy.publish(folder)
    hide_every_incident()
    static_copy.publish(folder)
    assert not copied(folder, f"en/incidents/{SLUG}").exists()
    assert SLUG not in copied(folder, "en").read_text(encoding="utf-8")


@pytest.mark.usefixtures("coupang")
def test_the_copy_stays_while_the_database_is_away(folder, monkeypatch):
    static_copy.publish(folder)
    before = (folder / "current").resolve()

    def away(*_args: object, **_names: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(Incident.objects, "public", away)
    with pytest.raises(CommandError, match=r"stays as it was: .* answers 503"):
        call_command("publish_static")
    assert (folder / "current").resolve() == before
    assert copied(folder, f"en/incidents/{SLUG}").exists()


def test_the_command_names_the_setting_that_lacks(settings):
    settings.STATIC_COPY = ""
    with pytest.raises(CommandError, match="STATIC_COPY is not set"):
        call_command("publish_static")


def eventually(url: str, *, has: str, is_there: bool = True) -> httpx.Response:
    """Returns the answer as soon as it has the text, or lacks it."""
    for _ in range(300):
        with suppress(httpx.TransportError):
            answer = httpx.get(url)
            if (has in answer.text and answer.status_code == 200) == is_there:
                return answer
        time.sleep(0.1)
    raise TimeoutError(f"{url}: {has}")


@pytest.mark.skipif(not NGINX, reason="nginx is not installed; run python -m tests.browser")
@pytest.mark.django_db(transaction=True)
def test_nginx_shows_the_newest_copy_while_no_portal_runs(coupang, folder, settings):
    command = [sys.executable, "manage.py", "publish_static", "--watch", "1"]
    environment = os.environ | {"DATABASE_URL": database_url(), "STATIC_COPY": str(folder)}
    for parent in (folder, *folder.parents[:-2]):
        parent.chmod(0o755)
    watching = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        with nginx(free_port(), copy=str(folder)) as port:
            site = f"http://127.0.0.1:{port}"
            notice = f"{site}/en/incidents/{SLUG}/statements/notice/"
            page = eventually(notice, has="</html>")
            assert page.headers["Content-Type"] == "text/html; charset=utf-8"
            assert "default-src 'none'" in page.headers["Content-Security-Policy"]
            [style] = re.findall(r'href="(/static/[^"]+\.css)"', page.text)[:1]
            assert httpx.get(site + style).headers["Content-Type"].startswith("text/css")
            feed = httpx.get(f"{site}/ko/incidents/{SLUG}/feed/")
            assert feed.headers["Content-Type"].startswith("application/atom+xml")
            published(correct())
            eventually(notice, has="Corrected notice")
            for language, path in PAGES_THAT_NO_COPY_HAS:
                for ask in (httpx.get, httpx.post):  # a form that was sent, too
                    away = ask(f"{site}/{path}")
                    assert (away.status_code, away.headers["Retry-After"]) == (503, "30")
                    assert f'<html lang="{language}">' in away.text
            away = httpx.get(f"{site}/unsubscribe/x/", headers={"Accept-Language": "en-GB"})
            assert '<html lang="en">' in away.text  # an address without a language
            # The portal may have stored a form that it did not answer.
            assert "check first whether it has arrived" in httpx.post(f"{site}/en/my-data/").text
            settings.PORTAL_URL = site
            [finding] = public_address.check_portal()
            assert finding.text == f"{site}/healthz answers 503"
            assert httpx.get(site + "/static/css/portal.css").status_code == 200
            for accepted, language in (("en-GB,en;q=0.9", "en"), ("sw", "ko"), ("", "ko")):
                home = httpx.get(f"{site}/", headers={"Accept-Language": accepted})
                assert home.content == httpx.get(f"{site}/{language}/").content
            hide_every_incident()
            eventually(notice, has="Corrected notice", is_there=False)
    finally:
        watching.send_signal(signal.SIGINT)
        watching.wait(timeout=30)
    assert connection.is_usable()


@pytest.mark.skipif(not NGINX, reason="nginx is not installed; run python -m tests.browser")
@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        *((code, "zh-hans") for code in ("zh", "zh-CN,zh;q=0.9", "zh-Hans-HK", "ZH-SG")),
        *((code, "zh-hant") for code in ("zh-TW,zh;q=0.9", "zh-Hant", "zh-HK", "zh-MO,en")),
        ("ja", "ja"),
    ],
)
def test_nginx_shows_readers_of_each_chinese_theirs(site_of_copies, accepted, language):
    home = httpx.get(f"{site_of_copies}/", headers={"Accept-Language": accepted})
    assert home.text == language
