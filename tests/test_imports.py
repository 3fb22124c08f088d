"""Imports go one way: notices → incidents → accounts (docs/architecture.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "accounts": {"incidents", "notices"},
    "incidents": {"notices"},
    "notices": set[str](),
}


def imported_packages(path: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    return packages


@pytest.mark.parametrize("app", FORBIDDEN)
def test_no_app_imports_upwards(app):
    modules = list((ROOT / app).rglob("*.py"))
    assert modules
    for module in modules:
        assert not imported_packages(module) & FORBIDDEN[app], module
