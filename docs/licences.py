"""Writes third-party-licences.md: the licence of each package that requirements.txt pins.

Run it with `make licences`. The licences are what the installed packages declare.
"""

import re
from email.message import Message
from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "third-party-licences.md"
HEAD = """# Third-party licences
Every package that `requirements.txt` installs, with the licence that it declares.
`make licences` writes this page; do not edit it.

`foundations/fonts` contains fonts of the Noto Sans family under the SIL Open Font License 1.1.

| package | version | licence | licence files in the package |
|---|---|---|---|
"""
_LONGEST_NAME = 60  # characters; a longer field holds the text of a licence


def pins(requirements: Path) -> dict[str, str]:
    """Returns the version of each package that a compiled requirements file pins, by its name."""
    text = requirements.read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def licence_of(package: Message) -> str:
    """Returns the licence that `package` declares: an SPDX expression, a name, or classifiers.

    Raises LookupError if it declares none of them.
    """
    if expression := package.get("License-Expression"):
        return str(expression)
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in package.get_all("Classifier") or []
        if line.startswith("License :: OSI Approved :: ")
    ]
    name = str(package.get("License") or "")
    if classifiers and (not name or len(name) > _LONGEST_NAME or len(classifiers) > 1):
        return ", ".join(classifiers)
    if not name or len(name) > _LONGEST_NAME:
        raise LookupError(f"{package['Name']} declares no licence")
    return name


def row(name: str, version: str) -> str:
    """Returns one line of the table. Raises LookupError if another version is installed."""
    package = metadata(name)
    if package["Version"] != version:
        raise LookupError(f"{name} {version} is pinned, {package['Version']} is installed")
    message: Message = package  # type: ignore[assignment]
    files = ", ".join(message.get_all("License-File") or []) or "none"
    return f"| {name} | {version} | {licence_of(message)} | {files} |\n"


def page() -> str:
    """Returns the whole page, in Markdown."""
    pinned = pins(ROOT / "requirements.txt")
    return HEAD + "".join(row(name, version) for name, version in sorted(pinned.items()))


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
