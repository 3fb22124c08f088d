"""A document shows every name as it is written, and never a box without a word."""

import subprocess
from datetime import UTC, datetime

import pytest
import typst

from breachportal.font_checks import check_fonts
from foundations import documents

# Names in alphabets that the fonts of the repository have.
NAMES = [
    "Nguyễn Thị Ưởng",
    "Łukasz Żółć",
    "Ωμέγα",
    "Иванов",
    "محمد عبد الله",
    "אברהם",
    "สมชาย",
    "नेपाल क्षत्रिय",
    "გიორგი",
    "ខ្មែរ",
    "မြန်မာ",
    "தமிழ்",
    "e\u030a",
    "Հայաստան",
    "ລາວ",
    "ශ්\u200dරී",
    "ျမန္မာ",  # as fonts of the older encoding have it
    "\u1112\u119e\u11ab",  # a syllable that Korean no longer writes
    "葛\U000e0100城",  # with a variant of its first sign
]
# With the fonts of Debian; the fourth is of extension G.
FURTHER = ["髙橋", "张伟", "\U00020bb7野", "\U00030edd", "😀"]


def text_of(name: str, language: str = "en") -> str:
    document = documents.Document("Title", language, "footer", datetime(2025, 11, 29, tzinfo=UTC))
    document.blocks.append(documents.Facts([("Name", name)]))
    run = ["pdftotext", "-", "-"]
    done = subprocess.run(run, input=documents.pdf(document), capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def bare(settings):
    """Only the fonts of the repository are there."""
    settings.DOCUMENT_FONTS = []
    documents._fonts.cache_clear()
    yield
    documents._fonts.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_the_repository_has_the_letters(bare, name):
    assert documents.missing_glyphs(name) == set()


@pytest.mark.parametrize("name", ["Łukasz", "สมชาย", "Иванов"])
def test_the_letters_are_text_and_not_a_picture(bare, name):
    assert name in text_of(name)


@pytest.mark.parametrize("language", ["ko", "zh-hant", "pt-br", "sr-latn", "ar", "ja"])
def test_a_document_has_any_language(language):
    assert "minji" in text_of("minji", language)


@pytest.mark.parametrize("name", FURTHER)
def test_a_character_that_no_font_has_is_a_number_and_explained(bare, name, caplog):
    text = text_of(name)
    missing = documents.missing_glyphs(name)
    assert missing
    for char in missing:
        assert f"U+{ord(char):04X}" in text
        assert f"U+{ord(char):04X}" in caplog.text
    assert "its number in" in text
    assert {warning.id for warning in check_fonts()} == {"breachportal.W001"}


def test_a_mistake_in_the_layout_is_not_taken_for_a_missing_letter():
    with pytest.raises(typst.TypstError):
        documents._compiled("no JSON", datetime(2025, 11, 29, tzinfo=UTC))


def test_a_right_to_left_name_is_joined(bare):
    """The PDF holds the joined forms, so a reader finds the name as it was typed."""
    shown = text_of("محمد")
    assert "محمد" in shown or "دمحم" in shown


def fonts_of(name: str) -> str:
    document = documents.Document("Title", "ko", "footer", datetime(2025, 11, 29, tzinfo=UTC))
    document.blocks.append(documents.Facts([("Name", name)]))
    pdf = documents.pdf(document)
    done = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.parametrize("name", ["Żółć", "Žižka", "Z\u0307o\u0301łc\u0301", "e\u030a"])
def test_an_accent_stands_on_its_letter(bare, name):
    """The font for Korean has the accent alone, and would print it beside the letter."""
    assert "NotoSans-Regular" in fonts_of(name)


def test_other_letters_keep_the_font_of_the_language(bare):
    assert "NotoSans-Regular" not in fonts_of("김민지 Müller")


def test_a_joiner_stays_in_a_word_beside_an_emoji_that_no_font_has():
    text = text_of("අක්\u200dරිෂ්ණ 👩\u200d🚒")
    assert "[U+1F469][U+1F692]" in text
    assert "[U+200D]" not in text


@pytest.mark.parametrize("name", ["1\ufe0f\u20e3", "#\ufe0f\u20e3", "a\u20e3"])
def test_a_sign_that_a_missing_mark_stands_on_stays(name):
    text = text_of(f"{name} 2026 #1 Braun")
    assert "[U+20E3]" in text
    assert "2026 #1 Braun" in text
    assert "such as [U+0041]" in " ".join(text.split())


@pytest.mark.parametrize("name", ["W" * 80, "Wolfeschlegelsteinhausenbergerdorff" * 2])
def test_a_word_that_is_too_long_for_a_line_breaks(name):
    lines = [line.replace("\u200b", "") for line in text_of(name).splitlines()]
    assert name not in lines
    assert name in "".join(lines)
