"""The public records of versions: JSON, hash chain, linked data and preview image."""

import hashlib
import json
import re
import struct
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F, QuerySet

from statements import publishing, tasks
from statements.models import Section, StatementVersion
from tests.database import without_triggers
from tests.localized import merged
from tests.sample_pages import SLUG, published

pytest_plugins = ["tests.statements.correction_fixtures"]
LOG = "/en/incidents/hanbit-2025/log/"


def tamper(rows: QuerySet[Any], **values: object) -> None:
    """Changes or deletes rows without triggers, as the owner of the database could."""
    with without_triggers():
        if values:
            rows.update(**values)
        else:
            rows.all()._raw_delete(rows.db)


def version(number: int) -> QuerySet[StatementVersion]:
    return StatementVersion.objects.filter(number=number)


def announcement(client, url: str) -> dict[str, Any]:
    html = client.get(url).content.decode()
    [block] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    return json.loads(block)


# Records and the chain


def test_the_record_hashes_to_the_fingerprint_that_the_log_shows(client, second):
    log = client.get(LOG).content.decode()
    for each in second.statement.versions.all():
        url = each.get_record_url().replace("/ko/", "/en/")
        response = client.get(url)
        assert response["Content-Type"] == "application/json"
        assert hashlib.sha256(response.content).hexdigest() == each.hash
        assert f"{each.hash}</code>" in log
        assert f'href="{url}"' in log


def test_the_record_holds_both_languages_classes_times_and_the_fingerprint_before(client, second):
    record = json.loads(client.get(second.get_record_url()).content)
    assert record["title"] == {"ko": "개인정보 유출 안내", "en": "About your own data"}
    assert record["sections"][0]["body"]["en"] == "We are deeply sorry. <b>tag</b>"
    assert record["sections"][0]["basis"] == "confirmed"
    assert record["classes"] == second.class_states
    assert record["published_at"] == second.published_at.isoformat(timespec="microseconds")
    assert record["previous_hash"] == second.statement.versions.get(number=1).hash


def test_a_draft_has_no_record_and_no_picture(correction, client):
    for name in ("record.json", "picture.png"):
        url = f"/en/incidents/{SLUG}/statements/notice/versions/2/{name}"
        assert client.get(url).status_code == 404


def test_a_reader_sees_that_the_chain_is_unbroken(client, second):
    page = client.get(LOG).content.decode()
    assert "Checked: the chain is unbroken" in page
    assert "All 2 versions below read as they were published" in page
    assert page.count("Checked: reads as it was published") == 2
    log = client.get(f"{LOG}log.json").json()
    assert log["is_unbroken"]
    assert [entry["number"] for entry in log["versions"]] == [2, 1]
    assert log["versions"][0]["previous_sha256"] == log["versions"][1]["sha256"]


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, merged("title", en="about your data")),
        (2, {"display_until": F("display_until") - timedelta(days=1)}),
        (2, {"published_at": F("published_at") + timedelta(microseconds=1)}),
        (2, {"class_states": [{"class": "names", "state": "not_involved", "basis": "company"}]}),
        (2, merged("change_reason", ko="고쳤습니다. ")),
    ],
)
def test_one_changed_byte_anywhere_is_found_and_named(client, second, number, change):
    tamper(version(number), **change)
    page = client.get(LOG).content.decode()
    assert "Checked: the chain is broken" in page
    assert (
        page.count(f"Version {number} is not what was published.") == 2
    )  # in the summary, and beside the version
    assert page.count("Checked: reads as it was published") == 1
    log = client.get(f"{LOG}log.json").json()
    assert not log["is_unbroken"]
    assert [entry["is_unaltered"] for entry in log["versions"]] == [number != 2, number != 1]


def test_a_broken_chain_is_logged_every_hour(second, caplog):
    assert "verify-statements" in settings.CELERY_BEAT_SCHEDULE
    tasks.verify_statements()
    assert not caplog.records
    tamper(version(1), **merged("title", en="about your data"))
    tasks.verify_statements()
    assert f"statement {second.statement_id}: Version 1 is not what was published." in caplog.text


def test_a_changed_section_is_found(client, second):
    tamper(Section.objects.filter(version__number=1), **merged("body", ko="다른 글"))
    assert "Version 1 is not what was published." in client.get(LOG).content.decode()


def test_a_forged_version_with_a_new_hash_breaks_the_chain(client, second):
    """A forged version 1 with a new hash does not match the hash stored in version 2."""
    tamper(version(1), **merged("title", en="Nothing happened"))
    tamper(version(1), hash=publishing.compute_hash(version(1).get()))
    page = client.get(LOG).content.decode()
    assert "Version 2 does not follow the one before." in page


def test_a_removed_version_is_detected(client, second):
    tamper(Section.objects.filter(version__number=1))
    tamper(version(1))
    assert "Version 1 is missing." in client.get(LOG).content.decode()


def test_checking_the_chain_takes_no_query_a_version(client, second, django_assert_num_queries):
    with django_assert_num_queries(4):
        client.get(LOG)


# Linked data in the page


@pytest.mark.parametrize(("language", "title"), [("ko", "개인정보 유출 통지"), ("en", "Notice of")])
def test_a_statement_has_linked_data(coupang, client, settings, language, title):
    facts = announcement(client, f"/{language}/incidents/{SLUG}/statements/notice/")
    notice = StatementVersion.objects.get(statement__slug="notice")
    assert facts["@type"] == "SpecialAnnouncement"
    assert facts["name"].startswith(title)
    assert facts["inLanguage"] == language
    assert facts["identifier"] == f"sha256:{notice.hash}"
    for name in ("url", "image", "webFeed", "newsUpdatesAndGuidelines"):
        assert facts[name].startswith(f"{settings.PORTAL_URL}/{language}/")
        assert client.get(facts[name].removeprefix(settings.PORTAL_URL)).status_code == 200
    record = client.get(facts["encoding"]["contentUrl"].removeprefix(settings.PORTAL_URL))
    assert hashlib.sha256(record.content).hexdigest() == facts["encoding"]["sha256"]


def test_the_linked_data_of_an_advisory_names_its_issuer(coupang, client):
    facts = announcement(client, f"/en/incidents/{SLUG}/advisories/kisa-advisory/")
    assert "KISA" in facts["author"]["name"]


def test_no_text_of_a_statement_ends_the_linked_data(correction, client):
    correction.title |= {"en": "</script><script>alert(1)</script>"}
    correction.save()
    published(correction)
    facts = announcement(client, f"/en/incidents/{SLUG}/statements/notice/")
    assert facts["name"] == "</script><script>alert(1)</script>"
    html = client.get(f"/en/incidents/{SLUG}/statements/notice/").content.decode()
    assert "<script>" not in html


# The preview image of a shared link


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_shared_link_shows_the_notices_own_picture(coupang, client, settings, language):
    html = client.get(f"/{language}/incidents/{SLUG}/statements/notice/").content.decode()
    found = re.search(r'<meta property="og:image" content="(.*?)">', html)
    assert found
    url = found[1]
    assert url.startswith(f"{settings.PORTAL_URL}/{language}/incidents/{SLUG}/statements/notice/")
    picture = client.get(url.removeprefix(settings.PORTAL_URL))
    assert picture["Content-Type"] == "image/png"
    assert picture["Cache-Control"].startswith("public")
    assert picture.content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", picture.content[16:24]) == (1200, 630)
    assert len(picture.content) < 300_000
    assert client.get(url.removeprefix(settings.PORTAL_URL)).content == picture.content


def test_each_version_and_language_has_a_picture_of_its_own(correction, client):
    published(correction)
    pictures = {
        client.get(f"/{language}/incidents/{SLUG}/statements/notice/versions/{number}/picture.png"
                   ).content
        for language in ("ko", "en")
        for number in (1, 2)
    }  # fmt: skip
    pictures.add(client.get(f"/en/incidents/{SLUG}/picture.png").content)
    assert len(pictures) == 5


def test_a_long_title_still_makes_one_picture(correction, client):
    correction.title |= {"en": "W" * 200}
    correction.title |= {"ko": "가" * 200}
    correction.save()
    published(correction)
    for language in ("ko", "en"):
        url = f"/{language}/incidents/{SLUG}/statements/notice/versions/2/picture.png"
        assert client.get(url).status_code == 200
