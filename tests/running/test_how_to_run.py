"""The pages on the package, containers and Kubernetes name what exists, in an order that works.

tests/running/test_package.py follows `breachportal --help`; tests/try_image.sh builds and runs the
image.
"""

import re

import yaml
from django.core.management import get_commands

from breachportal import command
from breachportal.production_settings import REQUIRED_IN_PRODUCTION
from tests.house.test_docs import variables_read
from tests.house.test_how_to import page
from tests.running.container_files import CHART, CONTAINER, compose


def commands(text: str) -> list[str]:
    """Returns the command of each line that begins with `breachportal`."""
    return re.findall(r"^ *breachportal (\w+)", text, re.MULTILINE)


def version() -> str:
    return command.version()


def test_the_package_is_installed_in_the_order_of_the_help():
    text = page("install-the-package.md")
    assert commands(text) == commands(command.GUIDE.partition("Then the processes")[0])
    for name in re.findall(r"breachportal-([0-9.]+)[-.](?:py3|tar|req|cdx|notes)", text):
        assert name == version()


def test_the_steps_in_containers_name_what_exists():
    text = page("run-in-containers.md")
    services = compose()["services"]
    for name in re.findall(r"docker compose (?:run --rm|exec) (\S+)", text):
        assert name in services
    for account in ("-o 10001 -g 10001 /var/cache/breachportal-copy", f"breachportal:{version()}"):
        assert account in text
    assert "/var/cache/breachportal-copy:/var/cache/breachportal-copy" in str(services["copy"])
    assert (CONTAINER / "make-secrets").stat().st_mode & 0o100


def test_the_values_for_kubernetes_are_settings_of_the_chart():
    text = page("run-in-kubernetes.md")
    [block] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    given, known = yaml.safe_load(block), yaml.safe_load((CHART / "values.yaml").read_text())
    for name, value in given.items():
        assert name in known
        if name != "settings" and isinstance(value, dict):
            assert set(value) <= set(known[name])
    keys = set(given["secrets"]["keys"])
    assert keys | set(given["settings"]) <= variables_read()
    automatic = {"ALLOWED_HOSTS", "PORTAL_URL"}
    assert set(REQUIRED_IN_PRODUCTION) - automatic <= keys | set(given["settings"])
    made = set(re.findall(r"--from-file=([A-Z_]+)(?= |\n)", text))
    assert made == keys


def test_each_secret_of_the_chart_is_made_on_the_page():
    text = page("run-in-kubernetes.md")
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    names = {value for name, value in values["secrets"].items() if name != "keys"}
    made = set(re.findall(r"create secret generic (\S+)", text))
    assert made == names | {values["redis"]["secret"]}


def test_the_steps_by_hand_name_what_exists_and_the_files_of_the_example():
    text = (CONTAINER.parents[1] / "docs" / "running.md").read_text(encoding="utf-8")
    steps = text.partition("### The same by hand")[2].partition("### The doctor")[0]
    named = re.findall(r"^breachportal (?:--owner )?(\w+)", steps, re.MULTILINE)
    assert named[:2] == ["migrate", "grant_portal_role"]
    assert set(named) <= set(get_commands())
    for path in re.findall(r"deploy/[\w./-]+\w", steps):
        assert (CONTAINER.parents[1] / path).exists()
    example = (CONTAINER.parent / "production.env.example").read_text(encoding="utf-8")
    for made in re.findall(r"make_secret \S+ (\S+)", steps):
        assert f"_FILE={made}\n" in example


def test_the_first_evening_names_the_steps_of_the_installer():
    files = (CONTAINER.parent / name for name in ("install", "steps.sh"))
    installer = "".join(file.read_text(encoding="utf-8") for file in files)
    steps = set(re.findall(r'^    step "([^"$]+?)(?:, in|")', installer, re.MULTILINE))
    named = re.findall(r"^\| (?:step )?“(.+?)”", page("first-evening.md"), re.MULTILINE)
    assert named
    assert set(named) <= steps
