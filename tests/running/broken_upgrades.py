"""An upgrade on a machine of the test: its commands are programs that keep the machine's state.

The real systemd and nginx take root: `make drill-upgrade` runs them. Here the question is what a
script leaves that ends at any of its commands, and whether the next run puts it right.
"""

import os
import shutil
import signal
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"

# Each program notes that it was called. The call with the number of `end_at` ends the script, as
# `kill -9` does; a web port "answers" while a file stands for it.
_HEAD = """#!/usr/bin/env bash
M={machine}
calls=$(( $(cat "$M/calls") + 1 )); echo "$calls" >"$M/calls"
led=$(cat "$M/led")
[[ -e $M/answers/$led ]] || echo "visitors got an error before call $calls" >>"$M/errors"
[[ $calls != "$(cat "$M/end_at")" ]] || {{ kill -9 "$PPID"; exit 1; }}
"""
_PROGRAMS = {
    "systemctl": """
for word in "$@"; do
    case "$1 $word" in
    "start breachportal-web-spare.service" | "restart breachportal-web-spare.service")
        touch "$M/answers/8001" ;;
    "stop breachportal-web-spare.service") rm -f "$M/answers/8001" ;;
    "restart breachportal-web") readlink "$M/opt/breachportal" >"$M/answers/8000" ;;
    "restart breachportal-work") readlink "$M/opt/breachportal" >"$M/workers" ;;
    "reload nginx") grep -m1 -o '800[01]' "$M/etc/nginx/conf.d/breachportal.conf" >"$M/led" ;;
    esac
done
""",
    "nginx": "[[ ! -e $M/nginx_refuses ]]\n",
    "runuser": "",
    "flock": "",
    "sleep": "",
}
_PYTHON = "[[ $1 != -c ]] || [[ -e $M/answers/$3 ]]\n"


class Machine:
    """A machine with version `1-a` installed, and a checkout of another version."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.versions = folder, folder / "opt/breachportal-versions"
        for name in (
            *("run/systemd/system", "etc/breachportal", "etc/nginx/conf.d", "etc/systemd/system"),
            *("etc/logrotate.d", "answers", "bin", "usr/local/bin"),
        ):
            (folder / name).mkdir(parents=True)
        (folder / "etc/breachportal/production.env").write_text("PORTAL_URL=https://a.example\n")
        self._write("calls", "0")
        self._write("end_at", "0")
        self._write("led", "8000")
        self._write("answers/8000", "")
        self._copy_scripts(folder / "checkout/deploy")
        self._write("checkout/pyproject.toml", 'version = "2.0.0"')
        self.old = self._make_version("1-a")
        self.new = self._make_version(Path(self._new_version()).name)
        (folder / "opt/breachportal").symlink_to(self.old)
        self.site = folder / "etc/nginx/conf.d/breachportal.conf"
        self.site.write_text("proxy_pass http://127.0.0.1:8000;\n")
        for name, text in _PROGRAMS.items():
            self._program(folder / "bin" / name, text)

    def _write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(f"{text}\n")

    def _program(self, path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_HEAD.format(machine=self.folder) + text)
        path.chmod(0o755)

    def _copy_scripts(self, to: Path) -> None:
        shutil.copytree(DEPLOY, to)
        for name in ("upgrade", "steps.sh", "breachportal"):
            text = (to / name).read_text(encoding="utf-8")
            for folder in ("/opt/", "/etc/", "/run/", "/usr/local/"):
                text = text.replace(folder, f"{self.folder}{folder}")
            (to / name).write_text(text.replace("$(id -u) == 0", "0 == 0"))

    def _make_version(self, name: str) -> Path:
        version = self.versions / name
        shutil.copytree(self.folder / "checkout/deploy", version / "deploy")
        (version / ".complete").touch()
        self._program(version / ".venv/bin/python", _PYTHON)
        return version

    def _new_version(self) -> str:
        command = f"source {self.folder}/checkout/deploy/steps.sh; find_version; echo $VERSION"
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def upgrade(self, *words: str, end_at: int = 0) -> subprocess.CompletedProcess[str]:
        """Runs the script; it is killed at its command with the number `end_at`, if it has one."""
        self._write("calls", "0")
        self._write("end_at", str(end_at))
        command = ["bash", str(self.folder / "checkout/deploy/upgrade"), *words]
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PATH": path},
        )

    def calls(self) -> int:
        return int((self.folder / "calls").read_text())

    def reboot(self) -> None:
        """Empties /run, so that the spare processes are gone; nginx reads its file."""
        shutil.rmtree(self.folder / "run/systemd/system")
        (self.folder / "run/systemd/system").mkdir()
        (self.folder / "answers/8001").unlink(missing_ok=True)
        running = (self.folder / "opt/breachportal").readlink()
        self._write("answers/8000", str(running))
        led = "8001" if "8001" in self.site.read_text() else "8000"
        self._write("led", led)

    def state(self) -> dict[str, object]:
        """Returns what runs and what is left over."""
        return {
            "code": (self.folder / "opt/breachportal").readlink(),
            "web": (self.folder / "answers/8000").read_text().strip(),
            "workers": (self.folder / "workers").read_text().strip(),
            "led": (self.folder / "led").read_text().strip(),
            "spare": list((self.folder / "run/systemd/system").iterdir()),
            "unfinished": (self.versions / "unfinished").exists(),
        }

    def errors_of_visitors(self) -> str:
        errors = self.folder / "errors"
        return errors.read_text() if errors.exists() else ""


def running(version: Path) -> dict[str, object]:
    """Returns the state of a machine on which `version` runs and nothing is left over."""
    return {
        "code": version,
        "web": str(version),
        "workers": str(version),
        "led": "8000",
        "spare": [],
        "unfinished": False,
    }


KILLED = -signal.SIGKILL
