"""Production code imports only public names, and only of libraries that it declares."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
TESTING = {"tests", "benchmarks", "harness"}


def production_modules() -> list[Path]:
    """Returns every module of production code, and manage.py."""
    packages = {path.parent for path in ROOT.glob("*/__init__.py")}
    modules = [
        module
        for package in packages
        if package.name not in TESTING
        for module in package.rglob("*.py")
    ]
    return sorted([*modules, ROOT / "manage.py"])


def imported(path: Path) -> Iterator[str]:
    """Yields the dotted name of each module or name that `path` imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


# allauth has no public name for the challenges of passkeys. The version is pinned, and
# test_customer_passkeys.py uses a virtual key.
WITHOUT_PUBLIC_NAME = {("customer_passkeys.py", "allauth.mfa.webauthn.internal.auth")}


def is_private(name: str) -> bool:
    """Returns whether a part of the dotted name marks it as private to its package."""
    parts = [part for part in name.split(".") if not part.startswith("__")]
    return "internal" in parts or any(part.startswith("_") for part in parts)


@pytest.mark.parametrize(
    "name", ["allauth.core.internal.ratelimit", "redis._parsers", "celery._state"]
)
def test_a_private_name_is_recognised(name):
    assert is_private(name)
    assert not is_private("allauth.account.authentication")


def test_no_module_imports_what_is_private_to_a_library():
    modules = production_modules()
    assert ROOT / "accounts" / "codes.py" in modules
    private = [
        f"{module.relative_to(ROOT)}: {name}"
        for module in modules
        for name in imported(module)
        if is_private(name) and (module.name, name) not in WITHOUT_PUBLIC_NAME
    ]
    assert private == []


def declared() -> set[str]:
    """Returns the distributions that requirements.in names."""
    lines = (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    stated = [line.partition("#")[0].strip() for line in lines]
    return {canonicalize_name(Requirement(line).name) for line in stated if line}


def pinned(file: str) -> dict[str, str]:
    """Returns {distribution: version} of the pins in a compiled file."""
    text = (ROOT / file).read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def test_every_library_that_is_imported_is_declared():
    ours = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    packages = {name.split(".")[0] for module in production_modules() for name in imported(module)}
    distributions = packages_distributions()
    undeclared = {
        package
        for package in packages - ours - sys.stdlib_module_names
        if not {canonicalize_name(name) for name in distributions.get(package, [])} & declared()
    }
    assert undeclared == set()


@pytest.mark.parametrize("python", ["3.11.0", "3.11.2", "3.11.3", "3.11.15"])
def test_what_a_pinned_library_needs_is_pinned_for_every_patch_release_of_python(python):
    """redis needs async-timeout before Python 3.11.3; pins are compiled for one release only."""
    pins = pinned("requirements.txt")
    needed = {
        canonicalize_name(requirement.name)
        for name in pins
        for requirement in map(Requirement, requires(name) or [])
        if requirement.marker is None
        or requirement.marker.evaluate({"python_full_version": python, "extra": ""})
    }
    assert needed <= set(pins)


@pytest.mark.parametrize(
    "file", ["requirements.txt", "requirements-dev.txt", "benchmarks/requirements.txt"]
)
def test_compiled_files_hold_hashes_and_name_no_host(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[\w.-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pinned(file)) > 0
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


def test_development_and_benchmarks_use_the_pins_of_production():
    production, development = pinned("requirements.txt"), pinned("requirements-dev.txt")
    assert production.items() <= development.items()
    benchmarks = pinned("benchmarks/requirements.txt")
    assert {
        name: development.get(name, version) for name, version in benchmarks.items()
    } == benchmarks
