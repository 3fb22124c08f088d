"""The installer refuses wrong options before it changes anything, and writes settings that exist.

`make test-install` runs all of it in a new Debian; that takes five minutes and root.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLER = ROOT / "deploy" / "install"
GOOD = {
    "--host": "notice.example.com",
    "--smtp": "smtp.example.com:587",
    "--from": "예시상점 <notice@example.com>",
}


@pytest.fixture
def run(tmp_path):
    """Runs a copy of the installer outside a checkout, so that a missed fault changes nothing."""
    copy = tmp_path / "deploy" / "install"
    copy.parent.mkdir()
    copy.write_bytes(INSTALLER.read_bytes())
    steps = (INSTALLER.parent / "steps.sh").read_text(encoding="utf-8")
    for folder in ("etc", "opt"):
        steps = steps.replace(f"=/{folder}/", f"={tmp_path}/{folder}/")
    (copy.parent / "steps.sh").write_text(steps)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", str(copy), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


def options(**changed: str) -> list[str]:
    given = GOOD | {f"--{name.replace('_', '-')}": value for name, value in changed.items()}
    words = [word for pair in given.items() for word in pair]
    return [*words, "--admin", "a@example.com", "--admin", "b@example.com"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "Notice.Example.com"),
        ("host", "localhost"),
        ("host", "a.example.com; rm -rf /"),
        ("host", "a.example.com/x"),
        ("host", "a.example.com."),
        ("host", "a..example.com"),
        ("host", "a-.example.com"),
        ("host", "공지.example.com"),
        ("smtp", "smtp.example.com:"),
        ("smtp", "smtp example"),
        ("smtp", "smtp..example.com"),
        ("smtp", "smtp.example.com:123456"),
        ("smtp_security", "ssl"),
        ("from", "Example"),
        ("from", "notice@example.com."),
        ("from", "Example <notice@-example.com>"),
        ("from", "Example $(id) <a@example.com>"),
        ("from", 'Ex"ample <a@example.com>'),
        ("from", "'Example' <a@example.com>"),
        ("from", "Example <a@example.com>\nSECRET_KEY=x"),
        ("certificate", "/nonexistent"),
        ("acme_server", "http://acme.example.com/directory"),
    ],
)
def test_a_wrong_option_is_refused(run, name, value):
    answer = run(*options(**{name: value}))
    assert answer.returncode == 1
    assert f"install: --{name.replace('_', '-')}: '{value}'" in answer.stderr
    assert "==" not in answer.stdout


def test_all_faults_are_named_at_once(run):
    answer = run("--host", "x", "--admin", "one")
    faults = re.findall(r"^install: (--\w+)", answer.stderr, re.MULTILINE)
    assert faults == ["--host", "--smtp", "--from", "--admin", "--admin"]


@pytest.mark.parametrize("words", [["--hots", "x"], ["--host"], ["notice.example.com"]])
def test_an_unknown_option_and_a_missing_value_are_refused(run, words):
    answer = run(*words)
    assert answer.returncode == 1
    assert words[0] in answer.stderr


EARLIER = """PORTAL_URL="https://notice.example.com"\r
EMAIL_HOST=smtp.example.com
EMAIL_PORT=2525
  DEFAULT_FROM_EMAIL = 예시상점's <notice@example.com>
"""


@pytest.mark.parametrize(
    ("words", "refused"),
    [
        ([], ""),
        (["--host", "notice.example.com", "--smtp", "smtp.example.com:2525"], ""),
        (["--host", "notice.example.org"], "has PORTAL_URL=https://notice.example.com, not"),
        (["--smtp", "smtp.example.com"], "has EMAIL_PORT=2525, not 587"),
        (["--smtp-user", "portal"], "has EMAIL_HOST_USER=, not portal"),
        (["--from", "Other <other@example.com>"], "has DEFAULT_FROM_EMAIL=예시상점"),
    ],
)
def test_a_later_run_needs_no_option_and_refuses_one_that_it_would_not_follow(
    run, tmp_path, words, refused
):
    earlier_run(tmp_path)
    faults = [line for line in run(*words).stderr.splitlines() if "checkout" not in line]
    assert len(faults) == bool(refused), faults
    assert refused in "".join(faults)


def test_a_password_that_cannot_be_asked_for_is_missed_before_anything_is_changed(run, tmp_path):
    said = run(*options(smtp_user="portal")).stderr
    assert "--smtp-user: there is no terminal to ask for the password" in said
    password = tmp_path / "etc/breachportal/secrets/smtp-password"
    password.parent.mkdir(parents=True)
    password.write_text("sesame")
    assert "--smtp-user" not in run(*options(smtp_user="portal")).stderr


def earlier_run(folder: Path, *, is_complete: bool = True) -> None:
    (folder / "etc/breachportal").mkdir(parents=True)
    (folder / "etc/breachportal/production.env").write_text(EARLIER)
    if is_complete:
        (folder / "opt").mkdir()
        (folder / "opt/breachportal").symlink_to(folder)


def test_a_run_after_one_that_ended_before_its_administrators_needs_them(run, tmp_path):
    earlier_run(tmp_path, is_complete=False)
    assert "install: --admin: two are needed, 0 given" in run().stderr
    admins = ["--admin", "a@example.com", "--admin", "b@example.com"]
    assert "--admin" not in run(*admins).stderr


def with_only(tmp_path: Path, end: str) -> subprocess.CompletedProcess[str]:
    """Runs `end` with the functions of the installer, below `tmp_path` in place of the root."""
    earlier_run(tmp_path)
    (tmp_path / "etc/nginx/conf.d").mkdir(parents=True)
    text = INSTALLER.read_text(encoding="utf-8").replace('\nmain "$@"\n', "\n")
    text = text.replace('$(dirname "${BASH_SOURCE[0]}")/steps.sh', "/dev/stdin")
    steps = (INSTALLER.parent / "steps.sh").read_text(encoding="utf-8")
    parts = [re.sub(r"(?<![\w.])/(etc|opt|var)/", rf"{tmp_path}/\1/", one) for one in (text, steps)]
    script = tmp_path / "script"
    script.write_text(f"{parts[0]}\n{end}")
    return subprocess.run(
        ["bash", str(script)], input=parts[1], capture_output=True, text=True, check=False
    )


ALL_STEPS = (
    *("check_options", "install_packages", "make_account", "build_version"),
    *("make_secrets", "make_database", "make_redis", "write_settings", "prepare_database"),
    *("collect_static", "switch_to", "install_units", "start_portal"),
    *("serve", "reload", "nginx", "install"),
)


@pytest.mark.parametrize(
    ("words", "contact"),
    [
        ("", "--register-unsafely-without-email"),
        ("--acme-email c@example.com", "-m c@example.com"),
        ("--admin a@example.com", "-m a@example.com"),
    ],
)
def test_a_run_without_options_asks_for_a_certificate_and_reaches_its_end(tmp_path, words, contact):
    stubs = "".join(f"{name}() {{ :; }}\n" for name in ALL_STEPS)
    stubs += 'find_version() { VERSION=$(readlink "$CODE"); }\n'
    stubs += 'install_site() { get_certificate; }\ncertbot() { echo "certbot $*"; }\n'
    done = with_only(tmp_path, f"{stubs}main {words}")
    assert done.returncode == 0, done.stderr
    assert f"--agree-tos {contact} --deploy-hook" in done.stdout
    assert done.stdout.endswith('first notice".\n')


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Error: That e-mail address is already taken.", 0),
        ("duplicate key value violates unique constraint accounts_user_email_key", 0),
        ("no database", 1),
    ],
)
def test_an_account_that_was_not_made_ends_the_run(tmp_path, said, code):
    stubs = f'change_tables() {{ :; }}\nmanage() {{ echo "{said}" >&2; return 1; }}\n'
    done = with_only(tmp_path, f"{stubs}ADMINS=(a@example.com)\nprepare_database")
    assert done.returncode == code
    assert ("no account for a@example.com: no database" in done.stderr) == bool(code)


def test_help_names_every_option(run):
    answer = run("--help")
    assert answer.returncode == 0
    text = INSTALLER.read_text(encoding="utf-8")
    for option in re.findall(r"^        (--[a-z-]+)\)", text, re.MULTILINE):
        assert option in answer.stdout


def test_it_writes_settings_that_the_portal_reads():
    text = INSTALLER.read_text(encoding="utf-8")
    written = set(
        re.findall(r"^([A-Z_]+)=", text.split("<<TEXT\n# See")[1].split("\nTEXT")[0], re.MULTILINE)
    )
    written |= {"EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD_FILE"}
    code = "".join(
        (ROOT / "breachportal" / name).read_text(encoding="utf-8")
        for name in (
            "settings.py",
            "production_settings.py",
            "server_connections.py",
            "mail_settings.py",
        )
    )
    assert {name for name in written if f'"{name.removesuffix("_FILE")}"' not in code} == set()
    assert "MASTER_KEYSET_FILE" in written


def test_files_are_readable_for_the_portals_account_whatever_roots_umask_is():
    steps = INSTALLER.parent / "steps.sh"
    command = ["bash", "-c", f"umask 077; source {steps}; umask"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "0022\n"


def test_every_unit_is_started():
    text = INSTALLER.read_text(encoding="utf-8")
    units = {path.stem for path in (ROOT / "deploy" / "systemd").glob("breachportal-*.service")}
    [started] = re.findall(r"restart breachportal-\{(.+)\}", text)
    assert {f"breachportal-{name}" for name in started.split(",")} == units - {
        "breachportal-backup"
    }
    assert "enable --now breachportal-backup.timer" in text


SETTINGS = """# See docs/running.md
SECRET_KEY_FILE=/secret
LOG_NAME=c2Vj==
DEFAULT_FROM_EMAIL="Example <a@example.com>"
DATABASE_URL_FILE={folder}/portal-url
LOG_LEVEL=INFO"""  # the last line has no end
PRINT = """#!/bin/sh
echo "$(basename "$0") $*"
env | grep -E '^(DATABASE_URL|DEFAULT_FROM|LOG_|log_|SECRET|BREACH)' | LC_ALL=C sort
"""


@pytest.fixture
def command(tmp_path):
    """Runs a copy of the command `breachportal` whose programs print what they are given."""
    for folder in ("deploy", "etc/breachportal/owner", ".venv/bin", "bin"):
        (tmp_path / folder).mkdir(parents=True)
    text = (INSTALLER.parent / "breachportal").read_text(encoding="utf-8")
    text = text.replace("/etc/", f"{tmp_path}/etc/").replace("$(id -u) == 0", "0 == 0")
    (tmp_path / "deploy/breachportal").write_text(text)
    (tmp_path / "etc/breachportal/production.env").write_text(SETTINGS.format(folder=tmp_path))
    for name in ("portal-url", "etc/breachportal/owner/database-url"):
        (tmp_path / name).write_text(
            f"postgresql://{Path(name).parent.name}@127.0.0.1/breachportal?sslrootcert=/etc/ca.pem\n"
        )
    for program in (".venv/bin/python", "bin/runuser"):
        (tmp_path / program).write_text(PRINT)
        (tmp_path / program).chmod(0o755)

    def run(*words: str, settings: str = "", code: int = 0) -> list[str]:
        if settings:
            (tmp_path / "etc/breachportal/production.env").write_text(settings)
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", str(tmp_path / "deploy/breachportal"), *words],
            env={"PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return (done.stdout or done.stderr).replace(str(tmp_path), "").splitlines()

    return run


def test_the_command_runs_as_the_portal_with_the_settings_as_systemd_reads_them(command):
    assert command("doctor", "redis") == [
        "runuser -u breachportal -- /.venv/bin/python /manage.py doctor redis",
        "BREACHPORTAL_VAR=/var/lib/breachportal",
        "DATABASE_URL_FILE=/portal-url",
        "DEFAULT_FROM_EMAIL=Example <a@example.com>",
        "LOG_LEVEL=INFO",
        "LOG_NAME=c2Vj==",
        "SECRET_KEY_FILE=/secret",
    ]


def test_the_command_runs_as_the_owner_in_another_database(command):
    lines = command("--owner", "--database", "restored", "restore", "a.dump")
    assert lines[0] == "python /manage.py restore a.dump"
    url = "postgresql://owner@127.0.0.1/restored?sslrootcert=/etc/ca.pem"
    assert f"DATABASE_URL={url}" in lines
    assert not [line for line in lines if line.startswith("DATABASE_URL_FILE")]
    assert "DATABASE_URL_FILE=/etc/breachportal/owner/database-url" in command("--owner", "migrate")


@pytest.mark.parametrize("words", [("--owner", "--database"), ("--database", "--owner")])
def test_the_order_of_owner_and_database_is_free(command, words):
    given = [
        word for one in words for word in ((one, "restored") if one == "--database" else (one,))
    ]
    lines = command(*given, "migrate")
    assert lines[0] == "python /manage.py migrate"
    assert "DATABASE_URL=postgresql://owner@127.0.0.1/restored?sslrootcert=/etc/ca.pem" in lines


@pytest.mark.parametrize(
    ("url", "used"),
    [
        ("postgresql://p:a%2Fb@db.example:5433/portal", "postgresql://p:a%2Fb@db.example:5433/new"),
        ("postgres:///portal?host=/run/postgresql", "postgres:///new?host=/run/postgresql"),
        ("host=db.example dbname=portal application_name=portal", ""),
        ("dbname=portal host=/run/postgresql", ""),
        ("postgresql://p@db.example/portal?sslmode=require&dbname=portal", ""),
        ("postgresql://p@db.example/?dbname=portal", ""),
        ("postgresql://p@db.example", ""),
    ],
)
def test_another_database_is_never_the_live_one(command, url, used):
    """The live database would stay in a URL of another form, and a restore would go there."""
    settings = f"DATABASE_URL={url}\r\n"
    said = command("--database", "new", "restore", "a.dump", settings=settings, code=int(not used))
    if used:
        assert f"DATABASE_URL={used}" in said
    else:
        assert said[0].startswith("breachportal: --database needs a DATABASE_URL like postgresql:")
        assert "db.example" not in said[0]


def test_the_owner_has_a_url_of_its_own_if_that_of_the_portal_is_no_file(command):
    lines = command("--owner", "migrate", settings="DATABASE_URL=postgresql://portal@db/portal\n")
    assert [line for line in lines if line.startswith("DATABASE_URL")] == [
        "DATABASE_URL_FILE=/etc/breachportal/owner/database-url"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "export LOG_LEVEL=INFO",
        "\ufeffLOG_LEVEL=INFO",
        "LOG_LEVEL INFO",
        'DEFAULT_FROM_EMAIL="Example" <a@example.com>',
        "EMAIL_HOST_PASSWORD=a\\b",
    ],
)
def test_a_line_that_systemd_would_leave_out_or_read_in_another_way_is_named(command, line):
    [said] = command("doctor", settings=f"\n# a comment\n{line}\n", code=1)
    assert said.startswith("breachportal: /etc/breachportal/production.env, line 3: it is not NAME")
    assert "in UTF-8" in said


def test_lines_of_windows_and_spaces_are_read_as_systemd_reads_them(command):
    text = "LOG_LEVEL=INFO \r\n\r\n ; a comment\r\nLOG_NAME='a b'\r\n  LOG_2 = it's\nlog_proxy=http://a\n"
    lines = command("doctor", settings=text)
    assert lines[-4:] == ["LOG_2=it's", "LOG_LEVEL=INFO", "LOG_NAME=a b", "log_proxy=http://a"]
