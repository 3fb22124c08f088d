"""The processes of the portal as systemd, compose.yaml and the Helm chart start them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CONTAINER = ROOT / "deploy" / "container"
CHART = ROOT / "deploy" / "helm" / "breachportal"
UNITS = ROOT / "deploy" / "systemd"


def compose() -> dict[str, Any]:
    """Returns compose.yaml with its merges."""
    return yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))


def processes_of_compose() -> dict[str, dict[str, Any]]:
    """Returns the services of compose.yaml that are processes of the portal."""
    found = compose()["services"].items()
    return {name: service for name, service in found if service.get("command", [""])[0] == "run"}


def unit(name: str) -> dict[str, str]:
    """Returns the settings of a systemd unit; the last value of each."""
    text = (UNITS / f"breachportal-{name}.service").read_text(encoding="utf-8")
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def units() -> set[str]:
    """Returns the names of the units that run all the time."""
    found = {path.stem.removeprefix("breachportal-") for path in UNITS.glob("*.service")}
    return {name for name in found if unit(name).get("Type") != "oneshot"}


def env_file(path: Path) -> dict[str, str]:
    """Returns the variables of a file for `env_file`."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
