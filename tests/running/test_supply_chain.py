"""Nothing is installed without a hash, and the SBOM names what is installed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMPILED = sorted([*ROOT.glob("requirements*.txt"), ROOT / "benchmarks" / "requirements.txt"])
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.name)
def test_every_package_is_pinned_with_hashes(path):
    text = path.read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[\w-])", text, flags=re.MULTILINE)[1:]
    assert blocks
    for block in blocks:
        assert PIN.match(block), block
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


def test_every_installation_requires_hashes():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = []
    for name in tracked:
        if name.startswith("tests/") or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")
        found += [line for line in text.splitlines() if re.search(r"pip\S* install\b", line)]
    assert found
    assert [line for line in found if "--require-hashes" not in line] == []


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "docs/sbom.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_sbom_names_what_is_pinned_and_the_fonts(sbom):
    pinned = PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    named = [(each["name"], each["version"]) for each in sbom["components"]]
    fonts = (ROOT / "foundations" / "fonts").glob("Noto*")
    assert [name for name, _version in named[len(pinned) :]] == sorted(
        font.stem.removesuffix("-Regular") for font in fonts
    )
    assert named[: len(pinned)] == pinned


def test_the_sbom_is_cyclonedx(sbom):
    assert (sbom["bomFormat"], sbom["specVersion"], sbom["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", sbom["serialNumber"])
    for each in sbom["components"]:
        assert each["type"] in ("library", "data")
        assert each["name"]
        assert each["licenses"]
        assert all(re.fullmatch(r"[0-9a-f]{64}", digest["content"]) for digest in each["hashes"])
        assert each["hashes"]
        if each["type"] == "library":
            assert each["purl"] == each["bom-ref"]
            assert each["purl"].startswith("pkg:pypi/")


def test_the_sbom_connects_every_component(sbom):
    refs = {each["bom-ref"] for each in sbom["components"]}
    own = sbom["metadata"]["component"]["bom-ref"]
    edges = {each["ref"]: set(each["dependsOn"]) for each in sbom["dependencies"]}
    assert set(edges) == {own, *(ref for ref in refs if ref.startswith("pkg:"))}
    reached: set[str] = set()
    waiting = [own]
    while waiting:
        new = edges[waiting.pop()] - reached
        reached |= new
        waiting += new
    assert reached == set(edges) - {own}


def test_every_program_of_npm_is_pinned_by_a_hash_and_names_no_registry():
    text = (ROOT / "tests" / "npm" / "package-lock.json").read_text(encoding="utf-8")
    packages = {name: each for name, each in json.loads(text)["packages"].items() if name}
    assert packages
    assert [name for name, each in packages.items() if "integrity" not in each] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
