"""No code and no template names a language: languages are data, in the settings and in tables."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = [
    "foundations",
    "accounts",
    "incidents",
    "statements",
    "notices",
    "offers",
    "tickets",
    "scams",
]
CODES = "ko|en|ja|zh|zh-hans|zh-hant|vi|de|fr|es"
WHOLE = re.compile(rf"""[rbf]*(['"])(?:{CODES})\1""")
SUFFIX = re.compile(rf"\w_(?:{CODES})\b")
IN_TEMPLATE = re.compile(rf"""['"](?:{CODES})['"]|\w_(?:{CODES})\b""")

# Files that hold data by language, each with the reason why a language is named there.
DATA = {
    "breachportal/settings.py": "the portal's languages",
    "foundations/languages.py": "the language of the messages in the code",
    "incidents/sample/eu_retailer.py": "the languages of invented customers",
    "incidents/sample/us_pharmacy.py": "the languages of invented customers",
    "incidents/language_phrases.py": "phrases with counts, by language",
    "statements/wording/by_language.py": "the wording rules, by language",
    "statements/wording/figures.py": "how dates and numbers are written, by language",
    "statements/wording/parity_check.py": "words of small numbers, by language",
    "statements/wording/rules.py": "what to write instead, by language",
    "statements/legal/regulator_reports.py": "an authority's form has that authority's language",
    "statements/models/regulator_report.py": "an authority's form has that authority's language",
}


def sources() -> list[str]:
    modules = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    modules += [*(ROOT / "breachportal").glob("*.py")]
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    found = (path.relative_to(ROOT).as_posix() for path in modules + templates)
    return sorted(path for path in found if "/migrations/" not in path)


def named(path: str, text: str) -> Iterator[str]:
    """Yields each place that names a language, outside comments and docstrings."""
    if not path.endswith(".py"):
        lines = text.splitlines()
        yield from (line.strip() for line in lines if IN_TEMPLATE.search(line))
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        is_name = token.type == tokenize.NAME and SUFFIX.search(token.string)
        is_code = token.type == tokenize.STRING and WHOLE.fullmatch(token.string)
        if is_name or is_code:
            yield f"line {token.start[0]}: {token.line.strip()}"


def test_only_the_files_with_data_by_language_name_one():
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in sources()}
    found = {path: places for path, text in texts.items() if (places := list(named(path, text)))}
    assert {path: places for path, places in found.items() if path not in DATA} == {}
    assert set(DATA) <= set(found)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("x.py", 'if language == "ko":'),
        ("x.py", "title = incident.title_ko"),
        ("x.py", "is_german = code.startswith('de')"),
        ("x.html", "{% if LANGUAGE_CODE == 'ko' %}"),
        ("x.txt", "{{ incident.title_en }}"),
    ],
)
def test_a_named_language_is_found(path, text):
    assert list(named(path, text))


def test_comments_and_other_words_are_no_names():
    text = '# such as "ko"\n"""As "en"."""\nopen_en = {"id": token}\n'.replace("open_en", "opened")
    assert list(named("x.py", text)) == []
