"""The glossaries of German and French name the words that the customers' texts use."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from django.utils.translation import gettext, override

from notices.sms import sms_size

ROOT = Path(__file__).parents[2]
# Words whose texts inflect them, by the form that the texts use.
STEMS = {
    "abfließen": "abgeflossen",
    "abmelden": "melden sie sich ab",
    "zurückziehen": "zurückgezogen",
    "berichtigen": "berichtigt",
    "divulguer": "divulgué",
    "informer": "informé",
    "retirer": "retiré",
    "accès limité": "limité l’accès",
}


def terms(language: str) -> list[str]:
    page = (ROOT / "docs" / "glossary" / f"{language}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", page, re.MULTILINE)
    return [term for row in rows if row != "term" for term in row.split(", ")]


def translations(language: str) -> list[str]:
    """Returns the translations of the catalogue, and the texts of the data classes."""
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").open("rb") as file:
        strings = [message.string for message in read_po(file) if message.id]
    texts = [form for one in strings for form in ([one] if isinstance(one, str) else one or [])]
    classes = ROOT / "incidents" / "class_texts" / f"{language}.toml"
    return texts + re.findall(r'"(.*)"', classes.read_text(encoding="utf-8"))


@pytest.mark.parametrize("language", ["de", "fr"])
def test_the_texts_use_the_terms(language):
    text = "\n".join(translations(language)).lower()
    assert len(terms(language)) >= 20
    stems = [STEMS.get(term, term.lower()) for term in terms(language)]
    assert [stem for stem in stems if stem not in text] == []


@pytest.mark.parametrize("language", ["de", "fr"])
def test_a_term_is_listed_once(language):
    assert [term for term, count in Counter(terms(language)).items() if count > 1] == []


@pytest.mark.parametrize(
    ("language", "other_words"),
    [
        ("de", r"exponiert|kompromitt|geleak|gehackt|zertifikat|einloggen|\b(?:du|dein\w*|euch)\b"),
        (
            "fr",
            r"expos[ée]|compromis|courriel|certificat|\blogin\b|\b(?:tu|ton|tes)\b|(?<![\w-])mail\b",
        ),
    ],
)
def test_no_other_word_is_used_for_a_term(language, other_words):
    text = re.sub(r"%\(\w+\)s|boîte mail", "", "\n".join(translations(language)).lower())
    assert re.findall(other_words, text) == []


TEXT_MESSAGE_WORDS = (
    "[Test]",
    "Your leaked data: %(classes)s",
    "What to do, and what of yours leaked: type %(portal_host)s into your browser.",
    "Questions: %(phone)s",
    "[%(portal_name)s] %(code)s is your sign-in code. Give it to no one.",
    "Message code: %(code)s",
    "Your number is recorded for many people, so this message says nothing of what leaked.",
    "What to do: type %(portal_host)s into your browser.",
    (
        "[%(portal_name)s] On %(at)s, your two accounts here became one. If it was not you, type "
        "%(host)s into your browser, sign in and open your account."
    ),
    (
        "[%(portal_name)s] On %(at)s, %(company)s recorded a new address or number for your leaked "
        "data. If you did not ask for it, type %(host)s into your browser, sign in and write to "
        "%(company)s."
    ),
    "To read it, type %(portal_host)s",
    "No more texts: %(portal_host)s/stop/%(code)s",
)


@pytest.mark.parametrize("language", ["de", "fr", "es"])
@pytest.mark.parametrize("words", TEXT_MESSAGE_WORDS)
def test_text_messages_stay_in_the_alphabet_of_short_messages(language, words):
    with override(language):
        text = gettext(words)
    # UCS-2 would need three segments for one of 160 signs, and five for two.
    assert sms_size(text.ljust(140)).segments == (1 if len(text) <= 160 else 2), text


def test_french_has_its_spaces_and_signs():
    signs = re.compile(r"[^\W\d][;!?»]|[a-zà-ÿ)]:|«[^\u00a0]| [:;!?»]|\w'\w")
    with override("fr"):
        plain = {gettext(words) for words in TEXT_MESSAGE_WORDS}
    for text in translations("fr"):
        assert text in plain or not signs.search(re.sub(r"<[^>]*>", "", text)), text


def test_german_has_its_quotation_marks():
    for text in translations("de"):
        assert text.count("„") == text.count("“"), text
        assert not re.search(r'["”‚]', re.sub(r"<[^>]*>", "", text)), text
