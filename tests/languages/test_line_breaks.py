"""Words, numbers and marks that a line does not part: docs/decisions/0096-line-breaks.md."""

import html
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import formats
from django.utils.translation import override

from breachportal.customer_messages import customer_messages, read_catalogue
from foundations.documents import missing_glyphs
from tests import browser

ROOT = Path(__file__).parents[2]
NO_BREAK_HYPHEN = "\u2011"
# What the messages of customers write with the other hyphen.
PARTED = {
    **dict.fromkeys(settings.SHIPPED_LANGUAGES, r"\bSHA-256"),
    "en": r"\b[Ee]-mail|\bSHA-256",
    "de": r"\bE-Mail|\bSHA-256",
    "fr": r"\b(?:est|sont|vient)-(?:ils?|elles?)\b|\bSHA-256",
}
IN_HEADING = re.compile(r"<h1[^>]*>(.*?)</h1>", re.DOTALL)
LINES = """() => [...document.querySelectorAll("h1")].map(heading => {
  const text = heading.firstChild, lines = [];
  let at = null;
  for (let place = 0; place < text.length; place += 1) {
    const range = document.createRange();
    range.setStart(text, place);
    range.setEnd(text, place + 1);
    const top = Math.round(range.getBoundingClientRect().top);
    if (top !== at) lines.push("");
    at = top;
    lines[lines.length - 1] += text.data[place];
  }
  return lines;
})"""
TEXT_MESSAGES = re.compile(r"^\[%\(portal_name\)s\]|%\(portal_host\)s into your browser\.$")


def messages(language: str) -> Iterator[tuple[str, str]]:
    """Yields the customers' messages and their translations."""
    catalogue = read_catalogue(language)
    for message in customer_messages():
        known = catalogue.get(message.singular, message.context)
        texts = known.string if known else ()
        forms = [texts] if isinstance(texts, str) else list(texts or ())
        yield from ((message.singular, text) for text in forms)


@pytest.mark.parametrize("language", PARTED)
def test_a_hyphen_that_would_part_a_word_does_not_break(language):
    assert [text for _, text in messages(language) if re.search(PARTED[language], text)] == []
    text_messages = [text for source, text in messages(language) if TEXT_MESSAGES.search(source)]
    assert len(text_messages) > 2
    assert [text for text in text_messages if NO_BREAK_HYPHEN in text] == []
    assert missing_glyphs(NO_BREAK_HYPHEN) == set()


def test_a_time_stays_with_its_words():
    at = datetime(2026, 11, 30, 9, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    with override("de"):
        assert formats.date_format(at, "TIME_FORMAT") == "09:05\u00a0Uhr"
        assert formats.date_format(at, "DATETIME_FORMAT").endswith("09:05\u00a0Uhr\u00a0CET")
    with override("en"):  # as the time beside a date
        assert formats.date_format(at, "TIME_FORMAT") == "09:05"


@pytest.mark.parametrize("language", ["ja", "zh-hans"])
def test_no_blank_follows_a_wide_mark(language):
    pages = [{"code": "en", "url": "/en/", "name": "English"}]
    with override(language):
        trust = render_to_string("components/trust.html", {"newest_incident": None})
        note = render_to_string("components/text_language.html", {"language": "x", "pages": pages})
    assert not re.search(r"[。：、](?:</strong>)?\s", trust + note)
    found = [
        (source, text) for source, text in messages(language) if re.search(r"\s[（「《]", text)
    ]
    assert found == []


def test_telephone_numbers_stay_in_one_line():
    style = (ROOT / "static" / "css" / "portal.css").read_text(encoding="utf-8")
    assert 'a[href^="tel:"] { white-space: nowrap; }' in style


def titles(language: str) -> list[str]:
    """Returns the titles of the customers' pages in a language, without those with a value."""
    pages = [page.read_text(encoding="utf-8") for page in (ROOT / "templates").rglob("*.html")]
    found = {text for page in pages for part in IN_HEADING.findall(page) for text in _marked(part)}
    return [text for source, text in messages(language) if source in found]


def _is_cut(lines: list[str]) -> bool:
    """Returns whether the last line is an ending whose word stands on the line before."""
    return len(lines) > 1 and not re.search("[一-龯]", lines[-1]) and len(lines[-1].strip()) < 3


def _marked(part: str) -> list[str]:
    return re.findall(r'translate "([^"]+)"', part)


@pytest.mark.parametrize("language", ["ja", "ko", "zh-hans", "zh-hant"])
def test_no_title_ends_with_a_syllable_on_a_line_of_its_own(language):
    styles = (ROOT / "static" / "css" / "portal.css").read_text(encoding="utf-8")
    shown = "".join(f"<h1>{html.escape(title)}</h1>" for title in titles(language))
    with browser.chromium() as chromium:
        page = chromium.new_page(viewport={"width": 320, "height": 844})
        page.set_content(f'<html lang="{language}"><style>{styles}</style><main>{shown}</main>')
        lines = page.evaluate(LINES)
    assert len(lines) > 50
    assert [one for one in lines if len(one) > 1 and _is_cut(one)] == []
