"""The files of this checkout as a new repository, and the package that is built from them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DAY = "2026-11-29T00:00:00Z"


def release_module() -> ModuleType:
    """Returns deploy/package/release.py, which is in no package."""
    path = ROOT / "deploy" / "package" / "release.py"
    spec = importlib.util.spec_from_file_location("release", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def tracked() -> list[str]:
    """Returns the files of this checkout that are, or will be, in a commit."""
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard")
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def repository(folder: Path) -> Path:
    """Makes a repository of the files of this checkout in `folder`, with one commit."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    """Commits every file of `folder`, always at the same time."""
    git(folder, "add", "--all")
    who = ["-c", "user.name=Tests", "-c", "user.email=tests@example.com"]
    git(folder, *who, "commit", "--quiet", "--message", "Release")


def git(folder: Path, *words: str) -> str:
    """Returns what git prints. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *words],
        cwd=folder,
        env=os.environ | {"GIT_AUTHOR_DATE": DAY, "GIT_COMMITTER_DATE": DAY},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def install(wheel: Path, target: Path) -> Path:
    """Installs a wheel without its requirements, which this environment has, into `target`."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    subprocess.run(command, check=True, cwd=target.parent)
    return target
