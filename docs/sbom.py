"""Writes a software bill of materials (SBOM) in CycloneDX 1.6: what a production host installs.

`make sbom` writes sbom.cdx.json. It names each package that requirements.txt pins, with its
version, licence, the SHA-256 of each file that pip accepts, and what requires it; and the font that
the repository contains. The same requirements give the same bytes.
"""

import hashlib
import json
import re
import sys
import tomllib
import uuid
from email.message import Message
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from licences import licence_of

ROOT = Path(__file__).parent.parent
FONTS = ROOT / "foundations" / "fonts"
# One package in a compiled file: the pin, its hashes, and the packages that require it.
_PIN = re.compile(r"^([\w.-]+)==(\S+) \\\n((?:    --hash=.+\n)+)((?:    #.*\n)*)", re.MULTILINE)
_VIA = re.compile(r"^    #(?: via|  ) ([\w.-]+)$", re.MULTILINE)


def component(name: str, version: str, hashes: str) -> dict[str, Any]:
    """Returns the component of one package. Raises LookupError if it declares no licence."""
    message: Message = metadata(name)  # type: ignore[assignment]
    licence = licence_of(message)
    return {
        "type": "library",
        "bom-ref": _purl(name, version),
        "name": name,
        "version": version,
        "purl": _purl(name, version),
        "licenses": [{"license": {"name": licence}}],
        "hashes": [
            {"alg": "SHA-256", "content": digest}
            for digest in re.findall(r"sha256:([0-9a-f]{64})", hashes)
        ],
    }


def fonts() -> list[dict[str, Any]]:
    """Returns the component of each font in the repository."""
    return [_font(path) for path in sorted(FONTS.glob("NotoSans*"))]


def _font(path: Path) -> dict[str, Any]:
    version = "2.004" if path.suffix == ".otf" else "20201225"
    name = path.stem.removesuffix("-Regular")
    return {
        "type": "data",
        "bom-ref": f"{name}@{version}",
        "name": name,
        "version": version,
        "licenses": [{"license": {"id": "OFL-1.1"}}],
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(path.read_bytes()).hexdigest()}],
    }


def bill(requirements: str) -> dict[str, Any]:
    """Returns the SBOM of a compiled requirements file, given as text."""
    pins = _PIN.findall(requirements)
    refs = {name: _purl(name, version) for name, version, _hashes, _via in pins}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    own = f"{project['name']}@{project['version']}"
    required: dict[str, list[str]] = {ref: [] for ref in (own, *refs.values())}
    for name, _version, _hashes, via in pins:
        for parent in _VIA.findall(via):
            required[refs[parent]].append(refs[name])
        if "-r requirements.in" in via:
            required[own].append(refs[name])
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, requirements)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
            }
        },
        "components": [
            *(component(name, version, hashes) for name, version, hashes, _via in pins),
            *fonts(),
        ],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(found)} for ref, found in sorted(required.items())
        ],
    }


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"


if __name__ == "__main__":
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    json.dump(bill(text), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
