"""Every queue has a worker, and every periodic task exists, in the Procfile and under systemd."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings

from breachportal.celery import app

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"
RUNS = "ExecStart=/opt/breachportal/.venv/bin/"


def processes() -> dict[str, str]:
    """Returns {name: command} of the Procfile."""
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines)


def commands_of_units() -> dict[str, str]:
    """Returns {name: command} of the systemd units."""
    commands = {}
    for path in UNITS.glob("breachportal-*.service"):
        lines = path.read_text(encoding="utf-8").splitlines()
        (command,) = [line.removeprefix(RUNS) for line in lines if line.startswith(RUNS)]
        commands[path.stem.removeprefix("breachportal-")] = command.replace("%%h", "%h")
    return commands


def our_tasks() -> list[str]:
    app.loader.import_default_modules()
    return [
        name
        for name in app.tasks
        if name.startswith(
            (
                *("breachportal.", "accounts.", "incidents.", "statements."),
                *("notices.", "offers.", "tickets.", "scams."),
            )
        )
    ]


@pytest.mark.parametrize("commands", [processes, commands_of_units])
def test_every_queue_has_a_worker_of_its_own(commands):
    used = {app.amqp.router.route({}, name)["queue"].name for name in our_tasks()}
    consumed = [
        queue
        for command in commands().values()
        for queues in re.findall(r"--queues (\S+)", command)
        for queue in queues.split(",")
    ]
    assert used == {"send", "import", "default"}
    assert sorted(consumed) == sorted(used)


def test_what_beat_calls_exists():
    called = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert called <= set(our_tasks())


@pytest.mark.parametrize("name", processes())
def test_a_unit_runs_what_the_procfile_runs(name):
    def plain(command: str) -> str:
        command = re.sub(r"--host \S+|--schedule \S+", "", command)
        return re.sub(r"\$\{(\w+)(?::-\w+)?\}", r"\1", command)

    unit = (UNITS / f"breachportal-{name}.service").read_text(encoding="utf-8")
    assert plain(commands_of_units()[name]) == plain(processes()[name])
    defaults = re.findall(r"\$\{(\w+):-(\d+)\}", processes()[name])
    assert [f"{variable}={value}" in unit for variable, value in defaults] == [True] * len(defaults)


def environment_files(name: str) -> list[str]:
    """Returns the environment files of a unit in the order in which systemd reads them.

    Those of the unit come first, then those of the drop-ins for all units and for this one, sorted
    by name. The last value of a variable counts.
    """
    unit = UNITS / f"breachportal-{name}.service"
    drop_ins = [*(UNITS / "breachportal-.service.d").glob("*"), *Path(f"{unit}.d").glob("*")]
    files = [unit, *sorted(drop_ins, key=lambda path: path.name)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.findall(r"^EnvironmentFile=(.+)$", text, re.MULTILINE)


def test_the_import_has_an_account_of_its_own():
    """Its file comes after that of all processes, which names the account of the others."""
    common, own = "/etc/breachportal/production.env", "/etc/breachportal/import.env"
    assert environment_files("import") == [common, own]
    assert environment_files("web") == [common]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_every_unit(tmp_path):
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    names = sorted(path.name for path in UNITS.glob("breachportal*.*") if path.is_file())
    assert {"breachportal.target", "breachportal-backup.timer"} <= set(names)
    done = subprocess.run(
        ["systemd-analyze", "verify", *names],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "breachportal" in line]
    not_installed = "is not executable: No such file or directory"
    assert [line for line in ours if not line.endswith(not_installed)] == []
