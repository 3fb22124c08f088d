"""The format that California's law prescribes: title, five headings in order, 10-point type."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from harness import exposure_factory
from incidents.models import IncidentJurisdiction
from notices.message_samples import sample_mail
from notices.models import Notice
from statements import publishing
from statements.models import Statement, StatementVersion
from tests import browser

HEADINGS = [
    "What Happened",
    "What Information Was Involved",
    "What We Are Doing",
    "What You Can Do",
    "For More Information",
]
LEAST = 13.333  # pixels: ten points, as Chromium rounds them
SMALLEST = """() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let least = Infinity;
    while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !parent.checkVisibility()) continue;
        least = Math.min(least, parseFloat(getComputedStyle(parent).fontSize));
    }
    return least;
}"""


@pytest.fixture
def notice(incident, editor, approver) -> StatementVersion:
    """A published notice under California's law, with the sections of a new draft."""
    incident.jurisdictions.all().delete()
    IncidentJurisdiction.objects.create(
        incident=incident, jurisdiction="US-CA", standing="voluntary"
    )
    exposure_factory.state(incident, "names", "involved", basis="confirmed")
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    draft = publishing.draft_next(statement, by=editor)
    draft.title |= {"ko": "개인정보 유출 통지"}
    draft.save()
    for section in draft.sections.all():
        label = str(section.get_key_display()) if section.heading else ""
        section.heading |= {"ko": label}
        section.body = {"ko": "이름이 유출되었습니다.", "en": "Names leaked."}
        section.save()
    return publishing.publish(draft, by=approver)


def in_order(text: str) -> None:
    places = [text.index(heading) for heading in HEADINGS]
    assert places == sorted(places)


def test_the_page_has_the_title_and_the_five_headings_in_their_order(client, notice):
    html = client.get(notice.get_absolute_url().replace("/ko/", "/en/")).content.decode()
    assert "<h1>Notice of Data Breach</h1>" in html
    in_order("".join(html.partition("<h1>")[1:]))


def test_the_mail_has_them_too(notice):
    mandatory = Notice(incident=notice.statement.incident, version=notice, kind="mandatory")
    text = sample_mail(mandatory, "en").data.decode()
    assert "Notice of Data Breach" in text
    in_order(text)


# Pages and mails are made before the browser starts, because Django takes the browser's event loop
# for an asynchronous caller.


@pytest.fixture
def pages(client, notice, settings) -> list[str]:
    """The notice's page and the public log, with their styles inline."""
    styles = (settings.BASE_DIR / "static/css/portal.css").read_text()
    slug = notice.statement.incident.slug
    urls = [reverse("statement", args=[slug, "notice"]), reverse("log", args=[slug])]
    responses = [client.get(url) for url in urls]
    assert [response.status_code for response in responses] == [200, 200]
    return [
        response.content.decode().replace("</head>", f"<style>{styles}</style></head>")
        for response in responses
    ]


@pytest.fixture
def mail(notice) -> str:
    mandatory = Notice(incident=notice.statement.incident, version=notice, kind="mandatory")
    text = sample_mail(mandatory, "en").data.decode()
    return text[text.index("<!doctype html>") :]


@pytest.fixture
def chrome():
    with browser.chromium() as chromium:
        yield chromium.new_page()


def smallest(chrome: Page, html: str) -> float:
    """Returns the size of the smallest visible letter, in pixels."""
    chrome.set_content(html)
    return float(chrome.evaluate(SMALLEST))


@pytest.mark.parametrize("media", ["screen", "print"])
def test_no_letter_on_a_page_is_smaller_than_ten_points(pages, chrome, media):
    chrome.emulate_media(media=media)
    for html in pages:
        assert smallest(chrome, html) >= LEAST


def test_no_letter_in_the_mail_is_smaller_than_ten_points(mail, chrome):
    assert smallest(chrome, mail) >= LEAST
