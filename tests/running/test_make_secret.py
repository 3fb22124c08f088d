"""The secrets of a new portal are made before any setting exists."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from breachportal import production_settings

ROOT = Path(__file__).parents[2]


def make_secret(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "foundations.make_secret", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_secret_key_is_long_enough_for_production():
    keys = [make_secret("secret-key").stdout.strip() for _ in range(2)]
    assert keys[0] != keys[1]
    for key in keys:
        assert len(key) >= production_settings.SECRET_KEY_LENGTH
        assert len(set(key)) >= production_settings.SECRET_KEY_SIGNS


def test_a_file_is_readable_by_its_owner_only(tmp_path):
    file = tmp_path / "master-keyset.json"
    assert make_secret("master-keyset", str(file)).returncode == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["primaryKeyId"]


def test_a_file_is_never_overwritten(tmp_path):
    file = tmp_path / "secret-key"
    file.write_text("in use")
    done = make_secret("secret-key", str(file))
    assert (done.returncode, file.read_text()) == (1, "in use")
    assert done.stderr == f"{file}: File exists; nothing was written\n"


def test_a_missing_folder_is_one_line(tmp_path):
    done = make_secret("secret-key", str(tmp_path / "missing" / "key"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
