"""Imports go one way.

scams → tickets → offers → notices → statements → incidents → accounts → foundations.

Templates and SQL follow the same order (docs/architecture.md).
"""

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from foundations import page_extensions

ROOT = Path(__file__).parents[2]
# From lowest to highest. Each package may import itself and the packages before it.
APPS = (
    *("foundations", "accounts", "incidents", "statements", "notices"),
    *("offers", "tickets", "scams"),
)
# What each of the other packages may not import.
ABOVE = {
    "breachportal": {"harness", "benchmarks", "tests"},
    "harness": {"benchmarks", "tests"},
    "benchmarks": {"tests"},
    "tests": set[str](),
}
FORBIDDEN = {
    app: {*APPS[number + 1 :], "breachportal", "harness", "benchmarks", "tests"}
    for number, app in enumerate(APPS)
} | ABOVE
TAG = re.compile(r"""\{%\s*(url|include|extends)\s+["']([^"']+)["']""")
PERMISSION = re.compile(r"\bperms\.(\w+)\.")
# The folders with templates of an app. Templates elsewhere belong to the whole portal.
FOLDERS = ("", "admin/", "emails/", "texts/")


def imported_packages(path: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    return packages


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_package_imports_upwards(package):
    modules = list((ROOT / package).rglob("*.py"))
    assert modules
    for module in modules:
        assert not imported_packages(module) & FORBIDDEN[package], module


def app_of_view() -> dict[str, str]:
    """Returns {URL name: app of its view}."""
    found: dict[str, str] = {}

    def walk(resolver: URLResolver, namespace: str = "") -> None:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{pattern.namespace}:" if pattern.namespace else ""
                walk(pattern, namespace + inner)
            elif isinstance(pattern, URLPattern) and pattern.name:
                name = namespace + pattern.name
                app = pattern.callback.__module__.split(".")[0]
                if name.startswith("admin:"):
                    app = pattern.name.split("_")[0]
                found[name] = app

    walk(get_resolver())
    return found


def templates_of(app: str) -> list[Path]:
    folders = [ROOT / "templates" / folder / app for folder in FOLDERS]
    return [path for folder in folders for path in folder.rglob("*.html")]


@pytest.mark.parametrize(
    "app", ["accounts", "incidents", "statements", "notices", "offers", "tickets", "scams"]
)
def test_no_template_reaches_upwards(app):
    views, forbidden = app_of_view(), FORBIDDEN[app] - {"breachportal"}
    templates = templates_of(app)
    assert templates
    for path in templates:
        text = path.read_text(encoding="utf-8")
        for tag, name in TAG.findall(text):
            target = (
                views.get(name, "") if tag == "url" else name.removeprefix("admin/").split("/")[0]
            )
            assert target not in forbidden, f"{path}: {tag} {name}"
        assert not set(PERMISSION.findall(text)) & forbidden, path


@pytest.mark.parametrize(
    "app", ["foundations", "accounts", "incidents", "statements", "notices", "offers", "tickets"]
)
def test_no_sql_names_a_table_of_an_app_above(app):
    labels = {name for name in FORBIDDEN[app] if name in APPS}
    tables = [
        model._meta.db_table
        for label in labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
    ]
    assert tables
    named = re.compile(r"\b(" + "|".join(tables) + r")\b")
    for path in (ROOT / app).rglob("*"):
        if path.suffix in {".py", ".sql"}:
            assert not named.search(path.read_text(encoding="utf-8")), path


def test_each_extended_point_is_in_a_template_and_each_point_is_extended():
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "templates").rglob("*.html"))
    assert set(re.findall(r'{% extension_point "(\w+)" %}', text)) == set(
        page_extensions.extensions()
    )
