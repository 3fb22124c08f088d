"""The glossaries of Spanish and Vietnamese name the words that the customers' texts use."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def terms(language: str) -> list[str]:
    page = (ROOT / "docs" / "glossary" / f"{language}.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    return [term for term in found if term != "term"]


def words(language: str) -> str:
    catalogue = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    classes = ROOT / "incidents" / "class_texts" / f"{language}.toml"
    return (catalogue.read_text(encoding="utf-8") + classes.read_text(encoding="utf-8")).lower()


@pytest.mark.parametrize("language", ["es", "vi"])
def test_the_texts_use_the_terms(language):
    text = words(language)
    assert len(terms(language)) >= 20
    # The stem of a Spanish verb, because it is conjugated.
    unused = [term for term in terms(language) if re.sub(r"r$", "", term) not in text]
    assert unused == []


@pytest.mark.parametrize("language", ["es", "vi"])
def test_a_term_is_listed_once(language):
    assert [term for term, count in Counter(terms(language)).items() if count > 1] == []


@pytest.mark.parametrize(
    ("language", "other_words"),
    [
        ("es", r"\bexpuest|\bcomprometid|\bvulnerad|\bemail\b|\be-mail\b|\bclick\b|\bloguea"),
        ("vi", r"quý vị|anh/chị|e-mail|thư điện tử|rò rỉ|log in|liên kết"),
    ],
)
def test_no_other_word_is_used_for_a_term(language, other_words):
    sources_and_names = r'^msgid(?:_plural)? ".*"$|%\(\w+\)s|^\[.*\]$'
    text = re.sub(sources_and_names, "", words(language), flags=re.MULTILINE)
    assert re.findall(other_words, text) == []
