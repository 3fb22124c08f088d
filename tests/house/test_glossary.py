"""The glossary names what the code contains, and each class name is used once."""

import ast
import re
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from django.core.management import get_commands
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "locale" / "ko" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
NO_KOREAN = "—"
FOOTNOTES = "†‡"


class Entry(NamedTuple):
    """One row of a table of the glossary; `home` is its last column."""

    term: str
    meaning: str
    korean: str
    home: str


def entries() -> list[Entry]:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", GLOSSARY, re.MULTILINE)
    return [Entry(*row) for row in rows if row[0] not in ("term", "---")]


def production_files() -> list[Path]:
    """Returns every module of production code, without migrations."""
    apps = [path.parent for path in ROOT.glob("*/__init__.py")]
    packages = [path for path in apps if path.name not in ("tests", "harness", "benchmarks")]
    files = [path for package in packages for path in package.rglob("*.py")]
    return [path for path in files if "migrations" not in path.parts]


def top_level_classes() -> list[str]:
    """Returns the names of all classes, except Command, which Django prescribes."""
    return [
        node.name
        for path in production_files()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name != "Command"
    ]


def exists(home: str) -> bool:
    """Returns whether `home` names an existing template, command or `module:attribute`."""
    name = re.sub(r"^command |`", "", home)
    if home.startswith("command "):
        return name in get_commands()
    if name.endswith((".html", ".txt")):
        try:
            return bool(get_template(name))
        except TemplateDoesNotExist:
            return False
    module, _colon, path = name.partition(":")
    try:
        found = import_module(module)
    except ModuleNotFoundError:
        return False
    for attribute in filter(None, path.split(".")):
        if not hasattr(found, attribute):
            return False
        found = getattr(found, attribute)
    return True


def test_the_glossary_is_read():
    assert len(entries()) >= 60


def test_the_home_of_each_term_exists():
    assert [entry for entry in entries() if not exists(entry.home)] == []


def test_a_term_is_listed_once():
    counts = Counter(entry.term.lower() for entry in entries())
    assert [term for term, count in counts.items() if count > 1] == []


def test_every_term_has_a_meaning_of_one_or_two_sentences():
    assert [entry.term for entry in entries() if not entry.meaning.endswith((".", ".`"))] == []


def test_the_pages_use_the_korean_terms():
    translations = "".join(re.findall(r'^(?:msgstr(?:\[\d\])? )?"(.*)"$', KOREAN, re.MULTILINE))
    terms = [entry.korean.rstrip(f" {FOOTNOTES}") for entry in entries()]
    assert [one for one in terms if one != NO_KOREAN and one not in translations] == []


def test_a_korean_term_has_one_meaning_unless_a_footnote_says_so():
    plain = [entry.korean for entry in entries() if entry.korean[-1] not in FOOTNOTES]
    counts = Counter(term for term in plain if term != NO_KOREAN)
    assert [term for term, count in counts.items() if count > 1] == []


def test_class_names_are_unique_across_the_project():
    counts = Counter(top_level_classes())
    assert [name for name, count in sorted(counts.items()) if count > 1] == []
