"""Each command of the portal has an example, says what its exit codes mean, and has a docstring.

The commands come from the apps, so a new one fails here until it has all of them.
"""

import ast
import json
import shlex
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command, find_commands, load_command_class

from foundations.commands import PortalCommand

ROOT = Path(__file__).parents[2]
COMMANDS = {
    name: config.name
    for config in apps.get_app_configs()
    if Path(config.path).parent == ROOT
    for name in find_commands(str(Path(config.path) / "management"))
    if name != "migrate"  # Django's own, which waits differently here, and prints no JSON
}
FOR_PEOPLE = {"demo", "demo_guide", "demo_smtp"}  # the parts of `make demo`


def command_of(name: str) -> PortalCommand:
    command = load_command_class(COMMANDS[name], name)
    assert isinstance(command, PortalCommand), name
    return command


def test_there_are_commands():
    assert {"doctor", "backup", "import_exposures", "load_answer_templates"} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example_that_the_command_accepts_and_the_exit_codes(name):
    command = command_of(name)
    parser = command.create_parser("breachportal", name)
    shown = parser.format_help()
    example = f"breachportal {name} {command.example}".rstrip()
    assert f"example:\n  {example}\n" in shown
    for code, meaning in command.exit_codes.items():
        assert f"  {code}  {meaning}" in shown
    assert 0 in command.exit_codes
    words = shlex.split(command.example.partition(" > ")[0])
    parser.parse_args(words)  # exits if it does not accept them


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_says_what_it_does(name):
    module = import_module(f"{COMMANDS[name]}.management.commands.{name}")
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source))
    assert command_of(name).help.endswith(".")


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - FOR_PEOPLE))
def test_a_command_prints_json_and_nothing_else_to_standard_output(name):
    assert command_of(name).prints_json
    module = import_module(f"{COMMANDS[name]}.management.commands.{name}")
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    lines = [line for line in source.splitlines() if "stdout.write" in line]
    assert len(lines) == (name == "doctor")  # whose findings are an array


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - FOR_PEOPLE))
def test_wrong_options_are_one_line_of_json(name, capsys):
    with pytest.raises(SystemExit) as ended:
        command_of(name).run_from_argv(["breachportal", name, "--json", "--no-such-option"])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert set(json.loads(told.err)) == {"error", "exit_code"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["export_letters", "4711", "--output", "letters.csv"], "there is no notice 4711"),
        (["export_letters", "4711"], "--json needs --output"),
        (["export_proof", "4711", "--output", "."], "File exists"),
        (["publish_static"], "STATIC_COPY is not set"),
        (["grant_portal_role", "nowhere"], 'role "nowhere" does not exist'),
        (["restore", "nowhere.dump"], "nowhere.dump"),
    ],
)
@pytest.mark.django_db
def test_a_refusal_is_one_line_of_json(words, error, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    # The command line closes the connections, which the test needs.
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)
    with pytest.raises(SystemExit) as ended:
        command_of(words[0]).run_from_argv(["breachportal", *words, "--json"])
    told = capsys.readouterr()
    assert told.out == ""
    said = json.loads(told.err)
    assert said["exit_code"] == ended.value.code == 1
    assert error in said["error"]
    assert not list(tmp_path.iterdir())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("check_counts", {"checked", "differences", "corrected"}),
        ("verify_statements", {"statements", "faults"}),
        ("verify_ledger", {"ledgers"}),
        ("make_roles", {"roles"}),
        ("delete_scam_reports", {"deleted"}),
        ("rewrap_keysets", {"changed", "older_keys_can_be_retired"}),
        ("report_translations", {"missing"}),
        ("load_answer_templates", {"stored"}),
        ("load_sample_incident", {"incident", "page", "waiting_languages"}),
        ("verify_audit", {"entries", "last", "waiting", "waiting_seconds", "faults"}),
    ],
)
def test_json_is_one_object_and_nothing_else(name, keys, incident):
    out = StringIO()
    call_command(name, "--json", stdout=out)
    assert set(json.loads(out.getvalue())) == keys
