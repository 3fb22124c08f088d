"""The upgrade refuses to begin where it cannot end well.

`make drill-upgrade` runs all of it on a machine with systemd; that takes root and 20 minutes.
"""

import fcntl
import re
import subprocess
from pathlib import Path

import pytest

from tests.running.broken_upgrades import KILLED, Machine, running

DEPLOY = Path(__file__).parents[2] / "deploy"
PAGES = DEPLOY.parent / "docs" / "how-to"
SCRIPT = (DEPLOY / "upgrade").read_text(encoding="utf-8")


@pytest.fixture
def run(tmp_path):
    """Runs a copy of the script with its folders below a folder of the test."""
    deploy = tmp_path / "deploy"
    deploy.mkdir()
    for name in ("upgrade", "steps.sh"):
        text = (DEPLOY / name).read_text(encoding="utf-8")
        for folder in ("/opt/", "/etc/", "/run/"):
            text = text.replace(folder, f"{tmp_path}{folder}")
        text = text.replace("$(id -u) == 0", "0 == 0")  # no check needs root
        (deploy / name).write_text(text)
    (tmp_path / "pyproject.toml").write_text('version = "1.0.0"\n')

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(deploy / "upgrade"), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture
def machine(tmp_path) -> Machine:
    return Machine(tmp_path / "machine")


@pytest.fixture
def installed(tmp_path) -> Path:
    """A machine on which systemd runs and the portal is installed, as far as the checks see."""
    for name in ("run/systemd/system", "etc/breachportal", "opt/breachportal-versions/1-a"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "etc/breachportal/production.env").touch()
    (tmp_path / "opt/breachportal").symlink_to(tmp_path / "opt/breachportal-versions/1-a")
    return tmp_path


def test_help_names_the_way_back(run):
    done = run("--help")
    assert done.returncode == 0
    assert "--back" in done.stdout


def test_an_unknown_option_is_refused(run):
    done = run("--bakc")
    assert done.returncode == 1
    assert "unknown option: --bakc" in done.stderr


def test_without_systemd_or_an_installation_nothing_is_changed(run, installed):
    (installed / "opt/breachportal").unlink()
    assert "did not install the portal here" in run().stderr
    (installed / "run/systemd/system").rmdir()
    assert "systemd does not run here" in run().stderr


def test_there_is_no_way_back_from_the_first_version(run, installed):
    done = run("--back")
    assert done.returncode == 1
    assert "no version before this one" in done.stderr


# Each command of the script is the last one once: kill -9, a lost connection, a full disk.
# The way back and the reboot are tried after some of them, because each try takes a second.
MOST_COMMANDS = 23


def ends(machine: Machine, done: subprocess.CompletedProcess[str], version: Path) -> None:
    """Asserts that the second run left `version` whole, and that no visitor got an error."""
    is_done = done.returncode == 0 or "this version runs already" in done.stderr
    assert is_done, (done.stdout, done.stderr)
    assert machine.state() == running(version)
    assert machine.errors_of_visitors() == ""


@pytest.mark.parametrize("call", range(1, MOST_COMMANDS + 1))
def test_an_upgrade_that_ends_anywhere_is_finished_by_the_next_run(machine, call):
    assert machine.upgrade(end_at=call).returncode == KILLED
    ends(machine, machine.upgrade(), machine.new)


@pytest.mark.parametrize("call", range(7, MOST_COMMANDS, 3))
def test_an_upgrade_that_ends_anywhere_can_be_led_back(machine, call):
    assert machine.upgrade(end_at=call).returncode == KILLED
    ends(machine, machine.upgrade("--back"), machine.old)


@pytest.mark.parametrize("words", [(), ("--back",)])
@pytest.mark.parametrize("call", [4, 8, 12, 16])
def test_a_way_back_that_ends_anywhere_is_finished_or_taken_back(machine, call, words):
    assert machine.upgrade().returncode == 0
    assert machine.upgrade("--back", end_at=call).returncode == KILLED
    ends(machine, machine.upgrade(*words), machine.old if words else machine.new)


@pytest.mark.parametrize("call", range(7, MOST_COMMANDS, 4))
def test_after_a_reboot_in_between_the_next_run_finishes(machine, call):
    assert machine.upgrade(end_at=call).returncode == KILLED
    machine.reboot()
    assert machine.upgrade().returncode in (0, 1)
    assert machine.state() == running(machine.new)


def test_each_command_of_the_script_was_the_last_one_once(machine):
    assert machine.upgrade().returncode == 0
    assert machine.calls() == MOST_COMMANDS


def test_the_way_back_after_a_finished_upgrade_leads_to_the_version_before(machine):
    assert machine.upgrade().returncode == 0
    assert machine.upgrade("--back").returncode == 0
    assert machine.state() == running(machine.old)
    assert machine.upgrade("--back").returncode == 0
    assert machine.state() == running(machine.new)


def test_a_site_that_nginx_refuses_ends_nothing_that_serves(machine):
    """The visitors are with the spare processes; the way back would lead them away first."""
    calls = range(1, MOST_COMMANDS + 1)
    led = next(each for each in calls if is_led_to_spare(machine, each))
    (machine.folder / "nginx_refuses").touch()
    assert machine.upgrade("--back").returncode != 0, led
    assert (machine.folder / "answers/8001").exists()
    assert machine.errors_of_visitors() == ""
    (machine.folder / "nginx_refuses").unlink()
    ends(machine, machine.upgrade("--back"), machine.old)


def is_led_to_spare(machine: Machine, call: int) -> bool:
    machine.upgrade(end_at=call)
    led = (machine.folder / "led").read_text().strip()
    return led == "8001" and (machine.folder / "answers/8000").exists()


# Bash goes on after a step that fails, in a function that a condition calls. These only ask, end
# with a program, or take one step.
IN_CONDITIONS = {
    *("answers", "wait_for_web", "has_systemd", "manage", "as_postgres", "needs_password"),
}


def test_no_condition_calls_a_function_with_steps():
    texts = [(DEPLOY / name).read_text("utf-8") for name in ("install", "upgrade", "steps.sh")]
    names = {name for text in texts for name in re.findall(r"^(\w+)\(\)", text, re.MULTILINE)}
    called = {
        name
        for text in texts
        for line in text.replace("||\n", "|| ").splitlines()
        for name in re.findall(r"(?:^\s*|\b(?:if|while|until|elif)\s+|!\s+)(\w+)\b", line)
        if name in names
        and re.search(rf"(\b(if|while|until|elif) |! ){name}\b|\b{name}\b[^;]*(\|\||&&)", line)
    }
    assert called == IN_CONDITIONS


def test_two_upgrades_do_not_run_at_once(run, installed):
    with (installed / "opt/breachportal-versions/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run("--back")
    assert done.returncode == 1
    assert "another upgrade runs" in done.stderr


def test_the_backup_comes_before_every_change():
    steps = SCRIPT[SCRIPT.index("main() {") :]
    order = ["check", "back_up", "change_tables", "start_spare", "switch_to", "restart_workers"]
    places = [re.search(rf"^ +{name}\b", steps, re.MULTILINE) for name in order]
    found = [place.start() for place in places if place]
    assert len(found) == len(order)
    assert found == sorted(found)


def test_every_process_is_restarted():
    units = {path.stem for path in (DEPLOY / "systemd").glob("breachportal-*.service")}
    [workers] = re.findall(r"restart breachportal-\{(.+)\}", SCRIPT)
    restarted = {f"breachportal-{name}" for name in [*workers.split(","), "web"]}
    assert restarted == units - {"breachportal-backup"}
    assert "systemctl restart breachportal-web\n" in SCRIPT


def test_the_page_names_what_the_script_uses():
    page = (PAGES / "upgrade.md").read_text(encoding="utf-8")
    steps = (DEPLOY / "steps.sh").read_text(encoding="utf-8")
    assert re.findall(r"^sudo deploy/upgrade(.*)$", page, re.MULTILINE) == ["", " --back"]
    assert "VERSIONS=/opt/breachportal-versions\n" in steps
    assert "`/opt/breachportal-versions/…`" in page
    assert "SPARE_PORT=8001\n" in SCRIPT
    assert "port 8001" in page
