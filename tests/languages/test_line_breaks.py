"""Words, numbers and marks that a line does not part: docs/decisions/0096-line-breaks.md."""

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

ROOT = Path(__file__).parents[2]
NO_BREAK_HYPHEN = "\u2011"
# What the messages of customers write with the other hyphen.
PARTED = {
    **dict.fromkeys(settings.SHIPPED_LANGUAGES, r"\bSHA-256"),
    "en": r"\b[Ee]-mail|\bSHA-256",
    "de": r"\bE-Mail|\bSHA-256",
    "fr": r"\b(?:est|sont|vient)-(?:ils?|elles?)\b|\bSHA-256",
}
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
