"""Builds what is published of a version: wheel, sdist, requirements, SBOM, notes, checksums.

`make release` writes them into dist/. The files come from the last commit, so the same commit gives
the same bytes on every machine.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT / "docs"))

import sbom  # noqa: E402  # docs/ is no package

CHECKSUMS = "SHA256SUMS"
GIT = shutil.which("git") or "git"


class ReleaseError(Exception):
    """The commit cannot be released; the message says why."""


def release(root: Path, target: Path) -> list[Path]:
    """Builds the release of the last commit of `root` in the new folder `target`.

    Returns its files. Raises ReleaseError if files are not committed, the changelog or the Helm
    chart has another version, or `target` has a release that differs.
    """
    version = _version(root)
    _require_committed(root)
    notes = notes_of(version, (root / "CHANGELOG.md").read_text(encoding="utf-8"))
    _require_version(version, root / "deploy" / "helm" / "breachportal" / "Chart.yaml")
    with tempfile.TemporaryDirectory() as folder:
        source, built = Path(folder) / "source", Path(folder) / "built"
        _export(root, source)
        build(source, built, epoch=_git(root, "log", "-1", "--format=%ct"))
        name = f"breachportal-{version}"
        pins = (source / "requirements.txt").read_text(encoding="utf-8")
        _write(built / f"{name}-requirements.txt", pins + _pin(version, sorted(built.iterdir())))
        _write(built / f"{name}.cdx.json", f"{json.dumps(sbom.bill(pins), indent=1)}\n")
        _write(built / f"{name}-notes.md", notes)
        _write(built / CHECKSUMS, checksums(built))
        return _publish(built, target)


def build(source: Path, target: Path, *, epoch: str) -> None:
    """Builds sdist and wheel of the folder `source` in `target`. `epoch` is their time, in seconds.

    It needs hatchling and Babel. Raises ReleaseError with hatchling's output.
    """
    environment = os.environ | {"SOURCE_DATE_EPOCH": epoch}
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target.resolve())],
        cwd=source,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ReleaseError(f"hatchling: {done.stdout}{done.stderr}")


def notes_of(version: str, changelog: str) -> str:
    """Returns the section of `version`. Raises ReleaseError if it is not the newest one."""
    heading, _line, text = changelog.partition("\n## ")[2].partition("\n")
    if heading.split(" ")[0] != f"[{version}]":
        raise ReleaseError(f"the newest heading of CHANGELOG.md is {heading!r}, not [{version}]")
    return f"# breachportal {version}\n{text.partition(f'{chr(10)}## ')[0].strip()}\n"


def checksums(folder: Path) -> str:
    """Returns the SHA-256 of each file of `folder`, in the form that `sha256sum --check` reads."""
    return "".join(f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir()))


def _version(root: Path) -> str:
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def _require_committed(root: Path) -> None:
    if changed := _git(root, "status", "--porcelain"):
        raise ReleaseError(f"these files are not committed:\n{changed}")


def _require_version(version: str, chart: Path) -> None:
    text = chart.read_text(encoding="utf-8")
    for name in ("version", "appVersion"):
        if not re.search(rf'^{name}: "?{re.escape(version)}"?$', text, re.MULTILINE):
            raise ReleaseError(f"{chart.name}: {name} is not {version}")


def _export(root: Path, target: Path) -> None:
    """Writes the files of the last commit into `target`: ignored files may hold personal data."""
    with tempfile.TemporaryFile() as archive:
        subprocess.run([GIT, "archive", "HEAD"], cwd=root, stdout=archive, check=True)
        archive.seek(0)
        with tarfile.open(fileobj=archive) as tar:
            tar.extractall(target, filter="data")


def _pin(version: str, packages: list[Path]) -> str:
    """Returns the entry of this version for a file of requirements: its files and their hashes."""
    hashes = " \\\n".join(f"    --hash=sha256:{_sha256(path)}" for path in packages)
    note = "# breachportal itself: the files beside this one, or those of an index"
    return f"{note}\n--find-links .\nbreachportal=={version} \\\n{hashes}\n"


def _publish(built: Path, target: Path) -> list[Path]:
    """Copies the files of `built` into `target`. A file of a released version never changes."""
    target.mkdir(parents=True, exist_ok=True)
    content = {target / path.name: path.read_bytes() for path in sorted(built.iterdir())}
    for path, new in content.items():
        if path.name != CHECKSUMS and path.exists() and path.read_bytes() != new:
            raise ReleaseError(f"{path} exists with other content: raise the version, or delete it")
    for path, new in content.items():
        path.write_bytes(new)
    return list(content)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _git(root: Path, *words: str) -> str:
    done = subprocess.run([GIT, *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Builds a release of the last commit.")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", metavar="FOLDER")
    try:
        for path in release(ROOT, parser.parse_args().into):
            print(path)  # noqa: T201
    except ReleaseError as error:
        sys.exit(f"release: {error}")
