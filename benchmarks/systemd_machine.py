"""A machine with systemd: a new Debian in a folder, with processes of its own.

It uses the network of this host.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

BOOT_SECONDS, STOP_SECONDS = 60.0, 240.0
PACKAGES = "ca-certificates,dbus,systemd,systemd-sysv"


def make(root: Path, release: str = "bookworm") -> None:
    """Unpacks a new Debian below `root`, if there is none."""
    if not (root / "bin" / "bash").exists():
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(root)]
        subprocess.run(command, check=True)


class Machine:
    """A running machine: `run` executes a command in it, as root."""

    def __init__(self, init: psutil.Process) -> None:
        self._init = init

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a command. Returns its code and its output, errors among it.

        Raises RuntimeError with the output if it fails and `check` is true.
        """
        done = subprocess.run(
            self.command(*words),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{words}: {done.stdout}")
        return done

    def has_booted(self) -> bool:
        """Returns whether every unit is started, or has failed."""
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in {"running", "degraded"}

    def command(self, *words: str) -> Sequence[str]:
        """Returns the command line that executes `words` in the machine."""
        path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
        inside = ["env", "-i", path, "HOME=/root", "LANG=C.UTF-8", *words]
        return ["nsenter", "--target", str(self._init.pid), "--all", "--", *inside]


@contextmanager
def booted(root: Path) -> Iterator[Machine]:
    """Context manager: the machine below `root`. Raises RuntimeError if it does not start."""
    command = ["systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit"]
    with (root.parent / "console.log").open("w") as console:
        process = subprocess.Popen(
            [*command, "--resolv-conf=copy-host", f"--directory={root}"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
        )
        try:
            machine = _wait_for_boot(process)
            yield machine
            machine.run("systemctl", "poweroff", check=False)
            process.wait(STOP_SECONDS)
        finally:
            _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kills the machine. Its first process would outlive systemd-nspawn."""
    with suppress(psutil.NoSuchProcess):
        own = psutil.Process(process.pid)
        for one in [*own.children(), own]:
            one.kill()
    process.wait()


def _wait_for_boot(process: "subprocess.Popen[bytes]") -> Machine:
    deadline = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.5)
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                machine = Machine(child)
                if child.name() == "systemd" and machine.has_booted():
                    return machine
    raise RuntimeError("the machine does not start; see console.log beside its folder")
