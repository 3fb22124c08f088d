"""`make release` gives the same bytes for the same commit, and refuses what it cannot release."""

import os
import re
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.house.test_imports import APPS
from tests.running.packages import commit, git, release_module, repository, tracked

release = release_module()
PACKAGES = {"breachportal", *APPS}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    return repository(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def released(checkout, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("dist")
    return {path.name: path for path in release.release(checkout, folder)}


@pytest.fixture
def changed(checkout):
    """Lets a test change the checkout, and restores it."""
    yield checkout
    git(checkout, "reset", "--quiet", "--hard")
    git(checkout, "clean", "--quiet", "--force", "-d")


def test_a_release_has_its_files(released):
    name = f"breachportal-{release._version(release.ROOT)}"
    assert set(released) == {
        f"{name}-py3-none-any.whl",
        f"{name}.tar.gz",
        f"{name}-requirements.txt",
        f"{name}.cdx.json",
        f"{name}-notes.md",
        "SHA256SUMS",
    }


def test_the_checksums_are_right(released):
    folder = released["SHA256SUMS"].parent
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(command, cwd=folder, check=True)
    named = re.findall(r"^\w{64}  (.+)$", released["SHA256SUMS"].read_text(), re.MULTILINE)
    assert sorted(named) == sorted(set(released) - {"SHA256SUMS"})


def test_another_checkout_of_the_same_commit_gives_the_same_bytes(released, checkout, tmp_path):
    clone = tmp_path / "clone"
    before = os.umask(0o077)
    try:
        git(tmp_path, "clone", "--quiet", str(checkout), str(clone))
        for path in clone.rglob("*.py"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
        (clone / "__pycache__").mkdir()
        (clone / "members.rejects.csv").write_text("김민지")  # ignored by git, never released
        again = release.release(clone, tmp_path / "dist")
    finally:
        os.umask(before)
    assert [path.name for path in again] == sorted(released)
    for path in again:
        assert path.read_bytes() == released[path.name].read_bytes(), path.name


def wheel_of(released) -> Path:
    [wheel] = [path for name, path in released.items() if name.endswith(".whl")]
    return wheel


def test_the_catalogues_have_the_time_of_the_commit(released):
    with zipfile.ZipFile(wheel_of(released)) as wheel:
        catalogues = [name for name in wheel.namelist() if name.endswith(".mo")]
        contents = [wheel.read(name) for name in catalogues]
    assert catalogues
    for name, content in zip(catalogues, contents, strict=True):
        assert re.findall(rb"POT-Creation-Date: (.+)", content) == [b"2026-11-29 00:00+0000"], name


def test_the_wheel_has_every_file_that_the_product_reads(released):
    names = set(zipfile.ZipFile(wheel_of(released)).namelist())
    wanted = {name for name in tracked() if name.split("/")[0] in PACKAGES}
    resources = {name for name in tracked() if name.split("/")[0] in ("templates", "static")}
    sources = [name for name in tracked() if re.match(r"locale/.+/django\.po$", name)]
    catalogues = {name.removesuffix("po") + "mo" for name in sources}
    assert catalogues
    wanted |= {f"breachportal/files/{name}" for name in resources | catalogues | {"Procfile"}}
    wanted |= {
        f"breachportal/files/{name}"
        for name in tracked()
        if re.match(r"deploy/(nginx|postgresql|systemd|logrotate|[^/]+\.(json|example)$)", name)
    }
    assert wanted - names == set()
    others = {name for name in names - wanted if ".dist-info/" not in name}
    assert others == set()


def test_the_sdist_has_every_file_of_the_commit(released):
    [sdist] = [path for name, path in released.items() if name.endswith(".tar.gz")]
    with tarfile.open(sdist) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    left_out = {name for name in tracked() if name.startswith(".ci/")}
    assert set(tracked()) - left_out - names == set()
    assert names - set(tracked()) == {"PKG-INFO"}


def test_the_package_requires_what_requirements_in_names(released):
    with zipfile.ZipFile(wheel_of(released)) as wheel:
        [path] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = wheel.read(path).decode()
    lines = (release.ROOT / "requirements.in").read_text(encoding="utf-8").splitlines()
    names = {name.lower() for line in lines for name in re.findall(r"^[A-Za-z][\w-]*", line)}
    required = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert {name.lower() for name in required} == names
    assert len(required) == len([line for line in lines if line[:1].isalpha()])


def test_the_pins_install_this_wheel_and_no_other(released):
    [path] = [path for name, path in released.items() if name.endswith("-requirements.txt")]
    text = path.read_text(encoding="utf-8")
    assert (release.ROOT / "requirements.txt").read_text(encoding="utf-8") in text
    assert f"--hash=sha256:{release._sha256(wheel_of(released))}" in text.split("breachportal==")[1]


def test_the_notes_are_the_section_of_the_version(released):
    [notes] = [path for name, path in released.items() if name.endswith("-notes.md")]
    text = notes.read_text(encoding="utf-8")
    assert text.startswith(f"# breachportal {release._version(release.ROOT)}\n")
    assert "\n## " not in text
    assert len(text.splitlines()) > 10


@pytest.mark.parametrize("name", ["new-file.txt", "README.md"])
def test_a_changed_checkout_is_refused(changed, tmp_path, name):
    (changed / name).write_text("changed")
    with pytest.raises(release.ReleaseError, match=rf"not committed:\n.*{name}"):
        release.release(changed, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_version_without_notes_is_refused(checkout, tmp_path):
    for place in ("pyproject.toml", "CHANGELOG.md"):
        clone = tmp_path / place
        git(tmp_path, "clone", "--quiet", str(checkout), str(clone))
        version = release._version(clone)
        text = (clone / place).read_text(encoding="utf-8")
        (clone / place).write_text(text.replace(version, "9.9.9", 1), encoding="utf-8")
        commit(clone)
        with pytest.raises(release.ReleaseError, match=r"the newest heading of CHANGELOG\.md"):
            release.release(clone, tmp_path / "dist")


def test_a_chart_of_another_version_is_refused(checkout, tmp_path):
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(checkout), str(clone))
    chart = clone / "deploy" / "helm" / "breachportal" / "Chart.yaml"
    chart.write_text(re.sub("(?m)^version: .*", "version: 9.9.9", chart.read_text()))
    commit(clone)
    with pytest.raises(release.ReleaseError, match=r"Chart\.yaml: version is not"):
        release.release(clone, tmp_path / "dist")


def test_a_released_file_is_never_replaced(checkout, released, tmp_path):
    (tmp_path / wheel_of(released).name).write_text("released earlier")
    with pytest.raises(release.ReleaseError, match="exists with other content"):
        release.release(checkout, tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
