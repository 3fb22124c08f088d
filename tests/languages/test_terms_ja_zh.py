"""The Japanese and Chinese glossaries hold the words of the catalogues."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from tests.languages.test_translations import pairs

ROOT = Path(__file__).parents[2]
FOLDERS = {"ja": "ja", "zh-hans": "zh_Hans", "zh-hant": "zh_Hant"}


def terms(language: str) -> list[str]:
    text = (ROOT / "docs" / "glossary" / f"{language}.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| .+? \| .+? \|$", text, re.MULTILINE)
    return [term for term in rows if term not in ("term", "---")]


def translations(language: str) -> str:
    path = ROOT / "locale" / FOLDERS[language] / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return "\n".join("\n".join(forms) for forms in pairs(read_po(file)).values())


@pytest.mark.parametrize("language", FOLDERS)
def test_a_term_has_one_row_and_pages_use_it(language):
    counts = Counter(terms(language))
    assert 20 <= len(counts) <= 30
    assert [term for term, count in counts.items() if count > 1] == []
    texts = translations(language)
    assert [term for term in counts if term not in texts] == []


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja", ["流出", "露出", "漏洩", "暴露", "アラート", "パスコード", "サインイン", "あなた"]),
        ("zh-hans", ["泄漏", "曝光", "外泄", "暴露", "登陆", "帐号", "泄露者"]),
        (
            "zh-hant",
            ["洩露", "洩漏", "曝光", "信息", "賬", "登錄", "短信", "網絡", "服務器", "外洩者"],
        ),
    ],
)
def test_pages_do_not_use_other_words_for_a_term(language, words):
    texts = translations(language)
    assert [word for word in words if word in texts] == []
