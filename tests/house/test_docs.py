"""The documents agree with the code: settings, commands, files and decisions."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from breachportal.environment import language_variable

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
OURS = (
    "foundations",
    "accounts",
    "incidents",
    "statements",
    "notices",
    "offers",
    "tickets",
    "scams",
    "breachportal",
)
FILES = [
    str(path)
    for app in (*OURS, "harness", "tests", "benchmarks")
    for path in (ROOT / app).rglob("*.*")
]
_READ = re.compile(
    r"(?:(?:environment|mail_settings|setting_values)\.\w+|environ\.get|text|words|number|host_name|mail_password)"
    r'\(\s*"([A-Z][A-Z_]+)"',
    re.ASCII,
)


def variables_read() -> set[str]:
    sources = [
        path.read_text(encoding="utf-8") for app in OURS for path in (ROOT / app).rglob("*.py")
    ]
    procfile = (ROOT / "Procfile").read_text(encoding="utf-8")
    found = {name for source in sources for name in _READ.findall(source)}
    found -= {"PORTAL_NAME"}  # which is read for each language
    found |= {language_variable("PORTAL_NAME", code) for code in settings.SHIPPED_LANGUAGES}
    return found | set(re.findall(r"\$\{([A-Z_]+)", procfile))


def variables_documented() -> set[str]:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.+?) \|", text, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_running_lists_every_setting_and_no_other():
    assert "NOTICE_CONNECTIONS" in variables_read()
    assert variables_documented() == variables_read() - {"PATH"}


def test_the_example_sets_only_what_is_read():
    lines = (ROOT / "deploy" / "production.env.example").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0].removesuffix("_FILE") for line in lines if line[:1].isupper()}
    assert names <= variables_read()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_exists(document):
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    commands = re.findall(r"manage\.py ([a-z_]+)", text)
    makes = re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE)
    modules = re.findall(r"`((?:\w+/)*\w+\.(?:py|typ))`", text)

    assert [link for link in links if not (document.parent / link).exists()] == []
    assert [name for name in commands if name not in get_commands()] == []
    assert [name for name in makes if name not in targets] == []
    assert [name for name in modules if not any(one.endswith(f"/{name}") for one in FILES)] == []


def test_decisions_are_listed_once_in_their_order():
    folder = ROOT / "docs" / "decisions"
    files = sorted(path.name for path in folder.glob("0*.md"))
    listed = re.findall(
        r"^- \[(\d{4}) .+\]\((.+)\)$", (folder / "README.md").read_text(), re.MULTILINE
    )

    assert [name for _, name in listed] == files
    assert len({name[:4] for name in files}) == len(files)
    assert [number for number, _ in listed] == [name[:4] for name in files]
    assert [(folder / name).read_text()[2:6] for name in files] == [name[:4] for name in files]


def test_a_decision_is_half_a_page():
    for path in (ROOT / "docs" / "decisions").glob("0*.md"):
        assert len(path.read_text(encoding="utf-8").split()) <= 350, path.name


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_the_pages_for_newcomers_are_short(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= 30


def test_the_threat_model_names_tests_that_exist():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`(test_\w+(?:\.py)?)`", text)
    paths = list((ROOT / "tests").rglob("test_*.py"))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    existing = {path.name for path in paths} | set(re.findall(r"def (test_\w+)\(", sources))
    assert len(named) > 20
    assert set(named) - existing == set()


def test_each_finding_names_a_test():
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| .+", text.partition("| finding |")[2], re.MULTILINE)
    assert len(rows) > 20
    assert [row for row in rows if "`test_" not in row] == []
