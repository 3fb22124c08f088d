"""Public pages: their content, and the same bytes for every reader."""

import datetime
import re

import pytest
from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User
from foundations.page_cache import NotPublicError, public_page
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident
from statements import sample
from statements.models import Section, StatementVersion
from statements.public.timeline_picture import timeline_picture
from tests.database import without_triggers
from tests.sample_pages import PAGES, SLUG, published


def text(response) -> str:
    """Returns the text of the page without markup."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_every_reader_gets_the_same_bytes_without_a_cookie(coupang, minji, language, page):
    url = f"/{language}/{page}"
    stranger, customer, staff = Client(), Client(), Client(headers={"accept-language": "ko"})
    customer.force_login(minji)
    sign_in_to_desk(staff, User.objects.get(email=sample.EDITOR))
    stranger.cookies["language"] = "en"

    bodies = set()
    for client in (stranger, customer, staff):
        response = client.get(url)
        assert response.status_code == 200
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")
        assert "Accept-Language" not in response.get("Vary", "")
        assert response["Cache-Control"].startswith("public, max-age=60")
        bodies.add(response.content)
    assert len(bodies) == 1


@pytest.mark.parametrize("page", PAGES)
def test_an_unchanged_page_is_not_sent_again(coupang, client, page):
    first = client.get(f"/en/{page}")
    again = client.get(f"/en/{page}", headers={"if-none-match": first["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again["Cache-Control"] == first["Cache-Control"]


@pytest.mark.parametrize("page", PAGES)
def test_public_pages_only_read(coupang, client, page):
    assert client.head(f"/ko/{page}").status_code == 200
    assert client.post(f"/ko/{page}").status_code == 405


@pytest.mark.parametrize(
    "look",
    [
        lambda request: request.session.get("x"),
        lambda request: request.user.is_authenticated,
        lambda request: render(request, "base_private.html"),
    ],
)
def test_a_view_that_looks_at_the_person_fails_loudly(rf, minji, client, look):
    client.force_login(minji)
    request = client.get("/en/").wsgi_request
    request.session.accessed = False

    @public_page
    def view(request) -> HttpResponse:
        look(request)
        return HttpResponse()

    with pytest.raises(NotPublicError):
        view(request)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_language_and_its_own_title(coupang, client, language, page):
    html = client.get(f"/{language}/{page}").content.decode()
    assert f'<html lang="{language}">' in html
    title = re.search(r"<title>(.*?)</title>", html)
    shared = re.search(r'<meta property="og:title" content="(.*?)">', html)
    description = re.search(r'<meta name="description" content="(.*?)">', html)
    assert title
    assert title[1].strip()
    assert shared
    assert shared[1] in title[1]
    assert description
    assert len(description[1]) > 20
    assert html.count("<h1") == 1


def test_a_shared_link_shows_the_notices_own_title(coupang, client):
    html = client.get(f"/ko/incidents/{SLUG}/statements/notice/").content.decode()
    assert '<meta property="og:title" content="개인정보 유출 통지">' in html
    assert '<meta property="og:description" content="유출된 항목은' in html


# Content


def test_home_shows_the_main_answers_at_once(coupang, client):
    page = client.get("/en/")
    words = text(page)
    for needed in (
        "Personal data of Coupang customers leaked",
        "33,673,817",
        "18 November 2025",
        "Is my data affected?",
        "Entrance code",
        "Did not leak",
        "Payment data",
        "Do not open links.",
    ):
        assert needed in words
    for target in ("my_data", "alerts"):
        with override("en"):
            assert f'href="{reverse(target)}"' in page.content.decode()
    for target in PAGES[2:6] + PAGES[8:]:
        assert f'href="/en/{target}"' in page.content.decode()


def test_home_in_korean_says_yuchul_and_never_nochul(coupang, client):
    for page in PAGES:
        words = text(client.get(f"/ko/{page}"))
        assert "유출" in words
        assert "노출" not in words


def test_the_incidents_page_is_the_home_pages_permanent_address(coupang, client):
    canonical = f'href="http://127.0.0.1:8000/en/incidents/{SLUG}/"'
    assert f'rel="canonical" {canonical}' in client.get("/en/").content.decode()
    page = client.get(f"/en/incidents/{SLUG}/").content.decode()
    assert f'rel="canonical" {canonical}' in page


def test_an_older_incident_is_listed_below(coupang, incident, client):
    Incident.objects.filter(pk=incident.pk).update(aware_at="2024-01-01T00:00Z")
    page = client.get("/en/").content.decode()
    assert f'<a href="/en/incidents/{incident.slug}/">Hanbit Store data leak</a>' in page


def test_without_an_incident_home_is_calm(db, client):
    response = client.get("/en/")
    assert response.status_code == 200
    assert "No incident is open" in text(response)


def test_an_incident_without_texts_has_its_page(incident, client):
    for page in ("", f"incidents/{incident.slug}/log/", f"incidents/{incident.slug}/timeline/"):
        assert client.get(f"/ko/{page}").status_code == 200


def test_a_statement_shows_sections_with_their_basis(coupang, client):
    words = text(client.get(f"/en/incidents/{SLUG}/statements/notice/"))
    notice = StatementVersion.objects.get(statement__slug="notice")
    assert "What leaked How sure this is: Reported by the company" in words
    assert "Who did it How sure this is: An allegation, not confirmed" in words
    assert notice.hash[:16] in words
    assert "Shown at least until" in words


def test_an_advisory_shows_issuer_date_urgency_and_hotline(coupang, client):
    response = client.get(f"/en/incidents/{SLUG}/advisories/kisa-advisory/")
    words = text(response)
    assert "Issued by Korea Internet &amp; Security Agency (KISA)" in words
    assert "Issued on 29 November 2025" in words
    assert "How urgent Urgent" in words
    assert "Hotline 118" in words
    assert 'href="https://www.boho.or.kr/"' in response.content.decode()


def test_each_text_has_one_address_by_its_kind(coupang, client):
    assert client.get(f"/en/incidents/{SLUG}/statements/kisa-advisory/").headers["Location"] == (
        f"/en/incidents/{SLUG}/advisories/kisa-advisory/"
    )
    assert client.get(f"/en/incidents/{SLUG}/advisories/notice/").headers["Location"] == (
        f"/en/incidents/{SLUG}/statements/notice/"
    )


def test_the_timeline_shows_dates_basis_and_source(coupang, client):
    words = text(client.get(f"/ko/incidents/{SLUG}/timeline/"))
    assert "2025년 11월 20일 회사가 계정 4,536개의 정보가 유출되었다고 밝혔습니다." in words
    assert words.index("2025년 6월 24일") < words.index("2026년 2월 5일")


def test_the_timeline_is_drawn_in_true_distances(coupang, client):
    response = client.get(f"/en/incidents/{SLUG}/timeline/")
    [path] = re.findall(r'<path d="([^"]+)"', response.text)
    places = [int(place) for place in re.findall(r"M(\d+) 4V20", path)]
    days = sorted({entry.happened_on for entry in coupang.timeline.all()})
    share = (days[1] - days[0]) / (days[-1] - days[0])
    assert places == sorted(set(places))
    assert (places[0], places[1], places[-1]) == (2, 2 + round(316 * share), 318)
    assert "From 24 June 2025 to 5 February 2026: each stroke is a day" in text(response)


@pytest.mark.parametrize("days", [[], [datetime.date(2025, 6, 24)] * 2])
def test_a_timeline_without_two_days_is_not_drawn(days):
    assert timeline_picture(days) is None


def test_a_draft_is_not_public(correction, client):
    assert client.get(f"/en/incidents/{SLUG}/statements/notice/versions/2/").status_code == 404
    for page in PAGES:
        assert "Corrected notice" not in client.get(f"/en/{page}").content.decode()


def test_a_correction_becomes_current_and_the_first_version_stays(correction, client):
    published(correction)
    current = client.get(f"/en/incidents/{SLUG}/statements/notice/")
    assert "Corrected notice" in text(current)
    assert "An item was added." in text(current)
    old = client.get(f"/en/incidents/{SLUG}/statements/notice/versions/1/")
    assert "The current one is version 2." in text(old)
    assert "Corrected notice" not in text(old)


def test_home_says_when_it_was_last_updated(correction, client):
    published(correction)
    with without_triggers():
        at = datetime.datetime(2037, 3, 5, 12, tzinfo=datetime.UTC)
        StatementVersion.objects.filter(number=2).update(published_at=at)
    assert "Updated on 5 March 2037" in text(client.get("/en/"))
    assert "최근 수정: 2037년 3월 5일" in text(client.get("/ko/"))


def test_home_says_what_was_corrected_and_when(correction, client):
    assert "Corrected on" not in text(client.get("/en/"))
    published(correction)
    with without_triggers():
        at = datetime.datetime(2037, 3, 5, 12, tzinfo=datetime.UTC)
        StatementVersion.objects.filter(number=2).update(published_at=at)

    page = text(client.get("/en/"))

    assert "Corrected on 5 March 2037 (version 2): Corrected notice" in page
    assert "정정: 2037년 3월 5일 (버전 2)" in text(client.get("/ko/"))


def test_home_of_the_sample_tells_accounts_and_people_apart(coupang, client):
    page = text(client.get("/en/"))

    assert "165,000 more accounts" in page
    assert "counts accounts; the recipients are not in it" in page


def test_the_log_shows_every_version_with_reason_and_hash(correction, client):
    second = published(correction)
    words = text(client.get(f"/en/incidents/{SLUG}/log/"))
    assert "Why it changed: An item was added." in words
    for version in second.statement.versions.all():
        assert version.hash in words
    assert words.index("Corrected notice") < words.index("Notice of a leak of personal data")


def test_a_browser_that_asks_for_an_icon_gets_one_without_a_cookie(db, client):
    response = client.get("/favicon.ico")
    assert response.status_code == 302
    assert response["Location"] == static("favicon.svg")
    assert response["Cache-Control"] == "public, max-age=3600"
    assert not response.cookies


# Pages that do not exist


@pytest.mark.parametrize(
    "page",
    [
        "incidents/nothing/",
        "incidents/nothing/timeline/",
        "incidents/nothing/log/",
        "incidents/nothing/statements/notice/",
        f"incidents/{SLUG}/statements/nothing/",
        f"incidents/{SLUG}/advisories/nothing/",
        f"incidents/{SLUG}/statements/notice/versions/2/",
        f"incidents/{SLUG}/statements/notice/versions/0/",
        f"incidents/{SLUG}/statements/notice/versions/99999999999999999999/",
        "incidents/%00/",
        "incidents/유출/",
    ],
)
def test_an_unknown_address_is_not_found(coupang, client, page):
    assert client.get(f"/ko/{page}").status_code == 404


@pytest.mark.parametrize("page", PAGES[1:])
def test_an_incident_that_is_not_public_is_not_found(coupang, client, page):
    with without_triggers():  # a trigger keeps an incident public while a statement is shown
        Incident.objects.update(is_public=False)
    assert client.get(f"/en/{page}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "cookie", "target"),
    [
        ({}, None, "/ko/"),
        ({"accept-language": "en-GB,en;q=0.9"}, None, "/en/"),
        ({"accept-language": "fr"}, None, "/ko/"),
        ({"accept-language": "en"}, "ko", "/ko/"),
        ({"accept-language": "ko"}, "en", "/en/"),
    ],
)
def test_the_bare_address_leads_to_the_readers_language(db, client, headers, cookie, target):
    if cookie:
        client.cookies["language"] = cookie
    response = client.get("/", headers=headers)
    assert response.status_code == 302
    assert response.headers["Location"] == target


@pytest.mark.parametrize(("page", "queries"), [(PAGES[0], 6), (PAGES[5], 2), (PAGES[3], 4)])
def test_pages_take_few_queries(coupang, client, django_assert_num_queries, page, queries):
    with django_assert_num_queries(queries):
        client.get(f"/en/{page}")


def test_markup_in_a_section_reaches_no_page(correction, client):
    markup = "<script>alert(1)</script> [refund](javascript:alert(1))"
    Section.objects.filter(version=correction, key="when_and_how").update(
        body={"ko": markup, "en": markup}
    )
    published(correction)
    html = client.get(f"/en/incidents/{SLUG}/statements/notice/").content.decode()
    assert "<script>" not in html
    # The linked data, which browsers do not execute, and what keeps typed text.
    assert html.count("<script") == 1 + html.count("js/keep_typed.js") == 2
    assert 'href="javascript' not in html
