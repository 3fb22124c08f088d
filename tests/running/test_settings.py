"""Production does not start with missing settings, and never starts embedded servers."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection
from redis import Redis

from breachportal.dependent_settings import check_comments, check_for_doctor
from breachportal.environment import number
from breachportal.setting_values import portal_url

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "breachportal" / "settings.py"
COMPLETE = {
    "SECRET_KEY": "8f2xu0c1m9qk4wz7r5tb3hy6nd1ge0pa",
    "ALLOWED_HOSTS": "notice.hanbit.example",
    "MASTER_KEYSET": "{}",
    "PORTAL_URL": "https://notice.hanbit.example",
    "DATABASE_URL": "postgresql://portal@127.0.0.1:1/portal",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_HOST": "smtp.hanbit.example",
    "DEFAULT_FROM_EMAIL": "Hanbit <notice@hanbit.example>",
}

LOCAL = {"127.0.0.1", "None"}  # of brokers and databases that COMPLETE names


def hosts(settings: SimpleNamespace) -> set[str]:
    """Returns the hosts that the clients of PostgreSQL, Redis, RabbitMQ and IMAP connect to."""
    redis = Redis.from_url(settings.REDIS_URL).connection_pool.connection_kwargs["host"]
    broker = Connection(settings.CELERY_BROKER_URL).hostname
    mailbox = str(urlsplit(settings.IMAP_URL).hostname)
    return {settings.DATABASES["default"]["HOST"], redis, str(broker), mailbox}


def start(tmp_path, expression="'started'", **environment):
    """Reads the settings in another process; returns the finished process."""
    script = f"from django.conf import settings; settings.DEBUG; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=of_this_machine()
        | {"DJANGO_SETTINGS_MODULE": "breachportal.settings", "BREACHPORTAL_VAR": str(tmp_path)}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def of_this_machine() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}


@pytest.fixture
def read(monkeypatch, tmp_path):
    """Reads the settings again, in this process, from these variables; returns them.

    Raises ImproperlyConfigured.
    """

    def run(environment: dict[str, str]) -> SimpleNamespace:
        variables = of_this_machine() | {"BREACHPORTAL_VAR": str(tmp_path)} | environment
        with monkeypatch.context() as patch:
            patch.setattr(os, "environ", variables)
            patch.setattr("breachportal.environment.READ", set())
            return SimpleNamespace(**runpy.run_path(str(SETTINGS)))

    return run


def refusal(read, environment: dict[str, str]) -> str:
    """Returns why production does not start."""
    with pytest.raises(ImproperlyConfigured) as raised:
        read(environment)
    return str(raised.value)


def test_production_starts_when_complete(tmp_path):
    done = start(tmp_path, **COMPLETE)
    assert done.stdout.strip() == "started", done.stderr


def test_production_that_is_not_complete_ends_with_the_reason(tmp_path):
    done = start(tmp_path, **COMPLETE | {"SECRET_KEY": "short and secret"})
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1].startswith("  SECRET_KEY: ")


@pytest.mark.parametrize("missing", COMPLETE)
def test_production_names_what_is_missing(read, missing):
    said = refusal(read, {name: value for name, value in COMPLETE.items() if name != missing})
    assert f"  {missing}: " in said
    others = [name for name in COMPLETE if name != missing]
    assert not any(f"  {name}: " in said for name in others)


def test_production_is_the_default_and_starts_no_server(tmp_path):
    assert start(tmp_path).returncode != 0
    assert not list(tmp_path.iterdir())


def test_manage_prints_a_message_and_no_traceback(tmp_path):
    clean = {"PATH": os.environ["PATH"], "BREACHPORTAL_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_command_says_in_one_line_that_the_database_is_away(words, tmp_path):
    environment = {"PATH": os.environ["PATH"], "BREACHPORTAL_VAR": str(tmp_path)} | COMPLETE
    done = subprocess.run(
        [sys.executable, "manage.py", "check_counts", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    said = json.loads(line)["error"] if words else line
    assert said.startswith("manage.py: the database does not answer: ")


def test_production_cookies_and_headers_are_strict(read):
    settings = read(COMPLETE)
    assert settings.DEBUG is False
    assert settings.SESSION_COOKIE_SECURE is settings.CSRF_COOKIE_SECURE is True
    assert settings.SECURE_SSL_REDIRECT is settings.EMAIL_USE_TLS is True
    assert settings.SECURE_HSTS_SECONDS > 0


def test_the_portals_address_is_read_as_browsers_send_it(read):
    settings = read(COMPLETE | {"PORTAL_URL": "HTTPS://Notice.Hanbit.example/"})
    assert settings.PORTAL_URL == "https://notice.hanbit.example"
    assert settings.SESSION_COOKIE_SECURE is settings.SECURE_SSL_REDIRECT is True


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://notice.hanbit.example:443", "https://notice.hanbit.example"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("https://[::1]:443", "https://[::1]"),
        ("https://[2001:0DB8::0001]", "https://[2001:db8::1]"),
        ("https://notice.hanbit.example:80", "https://notice.hanbit.example:80"),
        ("https://xn--bj0bj06e.example:08443", "https://xn--bj0bj06e.example:8443"),
    ],
)
def test_browsers_leave_out_the_default_port(monkeypatch, url, origin):
    monkeypatch.setenv("PORTAL_URL", url)
    assert portal_url("") == origin


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://한빛.example", "xn--"),
        ("https://münchen.example:443", "xn--"),
        ("https://a.example:99999", "must be an origin"),
        ("https://a.example:x", "must be an origin"),
        ("https://[::1", "must be an origin"),
        ("https://a.example.", "must be an origin"),
        ("https://a..example", "must be an origin"),
        ("https://a b.example", "must be an origin"),
        ("https://a%20b.example", "must be an origin"),
    ],
)
def test_an_address_that_browsers_send_in_another_form_is_refused(monkeypatch, url, said):
    monkeypatch.setenv("PORTAL_URL", url)
    with pytest.raises(ImproperlyConfigured, match=said):
        portal_url("")


@pytest.mark.parametrize("name", ["TRUSTED_PROXY_COUNT", "WEB_STATEMENT_SECONDS"])
def test_a_negative_number_is_refused(monkeypatch, name):
    monkeypatch.setenv(name, "-1")
    with pytest.raises(ImproperlyConfigured, match=f"{name} is '-1'; it must not be negative"):
        number(name, 0)


def test_zero_look_ups_are_refused_at_the_start(tmp_path):
    done = start(tmp_path, LOOK_UPS_PER_DAY="0", **COMPLETE)
    assert "LOOK_UPS_PER_DAY is '0'; it must be 1 or more." in done.stderr


def test_production_cookies_belong_to_this_host(tmp_path):
    """Browsers refuse __Host- cookies that another subdomain or a page over http sets."""
    expression = (
        "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, "
        "settings.SESSION_COOKIE_DOMAIN, settings.CSRF_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH"
    )
    done = start(tmp_path, expression, **COMPLETE)  # Django's own defaults are among them
    names = "__Host-sessionid __Host-csrftoken __Host-language"
    assert done.stdout.strip() == f"{names} None None /", done.stderr


DATABASE_URL = "postgresql://portal:{PASSWORD}@{HOST}/{NAME}"
SECRETS = {
    "SECRET_KEY": ("from a file, long and random enough", lambda s: s.SECRET_KEY),
    "SECRET_KEY_FALLBACKS": ("an earlier one", lambda s: s.SECRET_KEY_FALLBACKS[0]),
    "MASTER_KEYSET": ('{"key": []}', lambda s: s.MASTER_KEYSET),
    "DATABASE_URL": (
        "postgresql://portal:sesame@db.example/portal",
        lambda s: DATABASE_URL.format(**s.DATABASES["default"]),
    ),
    "REDIS_URL": (
        "rediss://:sesame@redis.example:6379/0",
        lambda s: s.CACHES["default"]["LOCATION"],
    ),
    "EMAIL_HOST_PASSWORD": ("sesame", lambda s: s.EMAIL_HOST_PASSWORD),
    "ANYMAIL": (
        '{"WEBHOOK_SECRET": "a:b"}',
        lambda s: json.dumps({"WEBHOOK_SECRET": s.ANYMAIL["WEBHOOK_SECRET"]}),
    ),
    "DATABASE_REPLICA_URL": (
        "postgresql://portal:sesame@replica.example/portal",
        lambda s: DATABASE_URL.format(**s.DATABASES["replica"]),
    ),
    "SMS_GATEWAY_TOKEN": ("sesame", lambda s: s.SMS_GATEWAY_TOKEN),
    "IMAP_URL": ("imaps://portal:sesame@mail.example/", lambda s: s.IMAP_URL),
}

NEEDED = {
    "DATABASE_REPLICA_URL": {"BREACHPORTAL_PROCESS": "web"},  # no other process reads it
    "EMAIL_HOST_PASSWORD": {"EMAIL_HOST_USER": "portal"},
    "SMS_GATEWAY_TOKEN": {"SMS_GATEWAY_URL": "https://gateway.example/"},
}


@pytest.mark.parametrize("name", ["EMAIL_HOST", "MASTER_KEYSET", "IMAP_URL"])
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "cannot be read: it is not in UTF-8"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
    ],
)
def test_a_file_of_a_setting_that_is_empty_or_unreadable_is_named(
    read, tmp_path, name, content, why
):
    file = tmp_path / "mounted"
    if content is not None:
        file.write_bytes(content)
    environment = {key: value for key, value in COMPLETE.items() if key != name}
    said = refusal(read, environment | {f"{name}_FILE": str(file)})
    assert said == f"{name}_FILE: {file} {why}."


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_authorities_that_cannot_be_read_are_named(read, tmp_path, content):
    file = tmp_path / "ca.pem"
    if content:
        file.write_text(content)
    said = refusal(read, COMPLETE | {"SSL_CERT_FILE": str(file)})
    assert said.startswith(f"SSL_CERT_FILE: {file} has no certificates of authorities")


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_mounted_file(read, tmp_path, name):
    value, setting = SECRETS[name]
    file = tmp_path / "mounted"
    file.write_bytes(f"\ufeff{value} \r\n".encode())  # as editors of Windows write it
    environment = COMPLETE | NEEDED.get(name, {}) | {f"{name}_FILE": str(file)}
    environment.pop(name, None)
    assert setting(read(environment)) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_URL", "http://notice.hanbit.example"),
        ("ALLOWED_HOSTS", "notice.hanbit.example,*"),
        ("SECRET_KEY", "short and secret"),
        ("SECRET_KEY", "change-me change-me change-me change-me"),
        ("SECRET_KEY", "for development only, never for a portal in public"),
        ("SECRET_KEY", "a" * 50),
        ("SMS_GATEWAY_URL", "http://gateway.example/send"),
        ("SOLAPI_URL", "http://api.solapi.example"),
        ("TWILIO_URL", "http://api.twilio.example"),
        ("TRUSTED_PROXY_COUNT", "1"),  # X-Forwarded-For, which a visitor can spell in two ways
    ],
)
def test_production_refuses_unsafe_values(read, name, value):
    said = refusal(read, COMPLETE | {name: value})
    assert name in said.splitlines()[-1]
    if name == "SECRET_KEY":
        assert value not in said


def test_production_refuses_a_proxy_without_the_header_for_addresses(read):
    said = refusal(read, COMPLETE | {"TRUSTED_PROXY_HEADER": "Visitorscheme"})
    assert "TRUSTED_ADDRESS_HEADER: it is unset" in said


def test_the_header_of_the_scheme_has_letters_only(read):
    headers = {"TRUSTED_ADDRESS_HEADER": "A", "TRUSTED_PROXY_HEADER": "X-Forwarded-Proto"}
    said = refusal(read, COMPLETE | headers)
    assert "TRUSTED_PROXY_HEADER is 'X-Forwarded-Proto'" in said.splitlines()[-1]


def test_production_names_everything_unsafe_at_once(read):
    unsafe = {"PORTAL_URL": "http://hanbit.example", "ALLOWED_HOSTS": "*", "SECRET_KEY": "x"}
    lines = refusal(read, COMPLETE | unsafe).splitlines()
    assert all(any(line.startswith(f"  {name}") for line in lines) for name in unsafe)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_URL", "notice.hanbit.example"),
        ("PORTAL_URL", "https://notice.hanbit.example/portal"),
        ("PORTAL_URL", "https://notice.hanbit.example?portal"),
        ("PORTAL_URL", "https://notice.hanbit.example#portal"),
        ("PORTAL_URL", "https://portal@notice.hanbit.example"),
        ("BREACHPORTAL_MODE", "prod"),
        ("EMAIL_PORT", "smtp"),
        ("EMAIL_SECURITY", "STARTTLS"),
        ("EMAIL_SECURITY", "ssl"),
        ("EMAIL_HOST", "smtp.hanbit.example:587"),
        ("EMAIL_HOST", "smtps://smtp.hanbit.example"),
        ("CODE_MAIL_HOST", "codes.hanbit.example/"),
        ("ALLOWED_HOSTS", "https://notice.hanbit.example"),
        ("ALLOWED_HOSTS", "notice.hanbit.example:443"),
        ("ALLOWED_HOSTS", "cafe.example:443"),
        ("ALLOWED_HOSTS", "2001:db8::1"),
        ("ALLOWED_HOSTS", "[2001:0db8::1]"),
        ("ALLOWED_HOSTS", "notice.hanbit.example."),
        ("ALLOWED_HOSTS", "공지.example"),
        ("EMAIL_HOST", "smtp..example"),
        ("EMAIL_HOST", "smtp-.example"),
        ("MAIL_DOMAIN", "hanbit.example."),
        ("AUDIT_DIGEST_TO", "audit@hanbit.example."),
        ("NOTICE_RATES", "naver.com.=50"),
        ("NOTICE_RATES", "메일.example=50"),
        ("TIME_ZONE", "Seoul"),
        ("TIME_ZONE", "UTC+9"),
        ("TIME_ZONE", "/etc/localtime"),
        ("LOG_LEVEL", "info"),
        ("PHONE_REGION", "KOREA"),
        ("PHONE_REGION", "KR,JP"),
        ("MAIL_DOMAIN", "@hanbit.example"),
        ("CODE_MAIL_USER", "CODE_MAIL_USER"),
        ("TRUSTED_ADDRESS_HEADER", "X-Real-IP"),
        ("TRUSTED_ADDRESS_HEADER", "Visitor_address"),
    ],
)
def test_an_invalid_value_is_named(read, name, value):
    last = refusal(read, COMPLETE | {name: value}).splitlines()[-1]
    assert name in last
    assert value in last


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"CODE_MAIL_PORT": "587"}, "CODE_MAIL_PORT: it needs CODE_MAIL_HOST"),
        ({"CODE_MAIL_SECURITY": "tls"}, "CODE_MAIL_SECURITY: it needs CODE_MAIL_HOST"),
        (
            {"CODE_MAIL_HOST": "codes.example", "CODE_MAIL_USER": "portal"},
            "CODE_MAIL_USER: it needs CODE_MAIL_PASSWORD",
        ),
        ({"EMAIL_HOST_PASSWORD": "secret"}, "EMAIL_HOST_PASSWORD: it needs EMAIL_HOST_USER"),
        ({"NOTICE_PROVIDER_BATCH": "9"}, "NOTICE_PROVIDER_BATCH: it needs NOTICE_PROVIDER"),
        ({"SMS_GATEWAY_TOKEN": "secret"}, "SMS_GATEWAY_TOKEN: it needs SMS_GATEWAY_URL"),
        (
            {"SOLAPI_KEY": "key", "SOLAPI_SECRET": "secret"},
            "SOLAPI_KEY: SMS_GATEWAY names no gateway of notices.engine.solapi",
        ),
        (
            {
                "SMS_GATEWAY": "notices.engine.twilio.TwilioGateway",
                "SMS_GATEWAY_URL": "https://a.example/",
            },
            "SMS_GATEWAY_URL: SMS_GATEWAY names no gateway of notices.engine.gateways",
        ),
        (
            {"AUDIT_DIGEST_WEBHOOK": "https://a.example/"},
            "AUDIT_DIGEST_WEBHOOK: it needs AUDIT_DIGEST_SECRET",
        ),
        (
            {"AUDIT_DIGEST_SECRET": "a secret of the receiver"},
            "AUDIT_DIGEST_SECRET: it needs AUDIT_DIGEST_WEBHOOK",
        ),
        ({"EMAIL_HOST_FILE": "/etc/hostname"}, "EMAIL_HOST_FILE: EMAIL_HOST is set, too"),
        ({"EMAIL_HOST_PASWORD": "secret"}, "EMAIL_HOST_PASWORD: is EMAIL_HOST_PASSWORD meant?"),
        ({"TRUSTED_PROXY_HEADERS": "A"}, "TRUSTED_PROXY_HEADERS: is TRUSTED_PROXY_HEADER meant?"),
        ({"SECRET_KEY_FALBACKS_FILE": "/x"}, "SECRET_KEY_FALBACKS: is SECRET_KEY_FALLBACKS meant?"),
    ],
)
def test_a_setting_without_effect_is_refused(read, values, named):
    said = refusal(read, COMPLETE | values)
    assert named in said
    assert "secret" not in said.replace("SOLAPI_SECRET", "")


def test_a_gateway_of_ones_own_may_read_any_setting(read):
    values = {"SMS_GATEWAY": "hanbit.Gateway", "TWILIO_ACCOUNT": "a", "TWILIO_TOKEN": "b"}
    assert read(COMPLETE | values).SMS_GATEWAY == "hanbit.Gateway"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CODE_TEXT_COST_PER_DAY": "1000"}, "SMS_PRICES is missing"),
        ({"CODE_TEXT_COST_PER_DAY": "1000", "SMS_PRICES": '{"sms": 20}'}, "SMS_PRICES is missing"),
        ({"CODE_TEXT_COST_PER_DAY": "-1"}, "negative"),
        ({"CODE_TEXT_REGIONS": "KR,+82"}, "+82 is not like KR"),
    ],
)
def test_a_budget_or_region_of_code_texts_without_meaning_is_refused(read, wrong, said):
    assert said in refusal(read, COMPLETE | wrong)


def test_code_texts_go_to_the_region_of_the_portal_by_default(read):
    prices = {"SMS_PRICES": '{"segment": 0.05}', "CODE_TEXT_COST_PER_DAY": "50"}
    settings = read(COMPLETE | prices | {"PHONE_REGION": "GB"})
    assert (settings.CODE_TEXT_REGIONS, settings.CODE_TEXT_COST_PER_DAY) == (["GB"], 50)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://portal:{}@db.example/portal"),
        ("DATABASE_URL", "host=db.example password={}"),
        ("REDIS_URL", "redis://:{}@redis.example:6379/0"),
        ("BROKER_URL", "amqps://portal:{}@rabbit.example/portal"),
        ("IMAP_URL", "imaps://portal:{}@mail.example/"),
    ],
)
@pytest.mark.parametrize(
    "password",
    [
        *("se@same", "se/same", "se#same", "se%same", "se same", "se?same", "se;same"),
        *("se@sa/same", "12/34same", "se@sa?same", "12?34same", "12;same"),
    ],
)
def test_a_password_that_cuts_a_url_elsewhere_is_refused_without_a_part_of_it(
    read, name, value, password
):
    """Or it is read as it was meant: the client then finds the host."""
    try:
        settings, said = read(COMPLETE | {name: value.format(password)}), ""
    except ImproperlyConfigured as error:
        settings, said = None, str(error)
    if settings is None:
        assert said.startswith((f"{name} is not like ", f"{name} must begin with "))
        assert "%40" in said or "%3B" in said
        assert "same" not in said
    else:
        servers = {f"{server}.example" for server in ("db", "redis", "rabbit", "mail")}
        assert hosts(settings) <= servers | LOCAL


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "redis://redis.example/portal"),
        ("REDIS_URL", "redis://redis.example:6379/0/1"),
        ("REDIS_URL", "redis://redis.example:port/0"),
        ("BROKER_URL", "amqp://"),
        ("DATABASE_URL", "postgresql://portal@db.example:port/portal"),
        ("DATABASE_URL", "portal"),
        ("EMAIL_HOST", '"smtp.hanbit.example"'),
        ("DEFAULT_FROM_EMAIL", "'Hanbit <notice@hanbit.example>'"),
        ("DEFAULT_FROM_EMAIL", "Hanbit <notice@hanbit.example.>"),
        ("CODE_MAIL_RETURN_PATH", "Hanbit <codes@hanbit.example>"),
        ("CODE_MAIL_RETURN_PATH", "codes@hanbit.example."),
        ("NOTICE_RATES", "naver.com=50,Naver.com=5"),
        ("BROKER_URL", "amqps://u:p@one.example/v;amqp://u:p@two.example/v"),
        ("BROKER_URL", "amqps://u:p@one.example/v;amqps://u:p@two.example/v/w"),
    ],
)
def test_a_value_that_would_be_read_in_another_way_is_refused(read, name, value):
    assert refusal(read, COMPLETE | {name: value}).startswith(f"{name} ")


@pytest.mark.parametrize(
    "values",
    [
        {"PORTAL_URL": "https://[2001:db8::1]:8443", "ALLOWED_HOSTS": "[2001:db8::1]"},
        {"ALLOWED_HOSTS": "portal.internal"},  # a proxy may send another host
        {"PORTAL_URL": "https://Notice.Hanbit.example", "ALLOWED_HOSTS": "Notice.HANBIT.example"},
        {"EMAIL_HOST": "smtp.hanbit.example.", "CODE_MAIL_RETURN_PATH": "codes@hanbit.example"},
        {"DATABASE_URL": "postgresql://portal:a%40b%25c@db.default.svc.cluster.local./portal"},
        {"BROKER_URL": "amqps://u:p@one.example/v;amqps://u:p@two.example/v"},
        {"DATABASE_URL": "postgresql://portal:pass@db.example/portal?password=a@b"},
        {"LOG_LEVEL": "WARN"},
        {"TIMEZONE": "UTC", "LOGLEVEL": "info", "WORKER": "1", "WEB_HOST": "a", "DATABASE_URI": ""},
    ],
)
def test_a_right_value_and_a_name_of_another_program_do_not_stop_the_start(read, values):
    settings = read(COMPLETE | values)
    broker = values.get("BROKER_URL", COMPLETE["REDIS_URL"])
    assert broker == settings.CELERY_BROKER_URL


def test_the_doctor_names_an_unclear_variable_and_a_host_that_answers_400(read, settings):
    found = read(COMPLETE | {"TIMEZONE": "UTC"})
    settings.UNCLEAR_NAMES, settings.PORTAL_HOST = found.UNCLEAR_NAMES, "[2001:db8::1]:8443"
    settings.ALLOWED_HOSTS = ["[2001:db8::1]"]
    [name] = check_for_doctor()
    assert (name.msg, "TIME_ZONE" in str(name.hint)) == ("TIMEZONE has no effect here.", True)
    settings.ALLOWED_HOSTS = ["portal.internal"]
    assert check_for_doctor()[1].msg.startswith("ALLOWED_HOSTS lacks [2001:db8::1]")


def test_a_value_that_may_end_with_a_comment_is_named(monkeypatch):
    monkeypatch.setenv("PORTAL_NAME_KO", "한빛#1")
    assert check_comments() == []
    monkeypatch.setenv("PORTAL_NAME_KO", "한빛 #the name on each page")
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "(breachportal.W004) PORTAL_NAME_KO may end with a comment" in checked.stderr
    assert "the name on each page" not in checked.stderr
    assert [each.msg.split()[0] for each in check_comments()] == ["PORTAL_NAME_KO"]


@pytest.mark.parametrize(
    "name",
    ["PORTAL_NAME_KO", "DEFAULT_FROM_EMAIL", "MAIL_REPLY_TO", "SMS_SENDER", "SECURITY_CONTACT"],
)
def test_a_comment_after_a_text_that_customers_read_stops_the_start(read, name):
    value = COMPLETE.get(name, "Shop #5 <shop@hanbit.example>")
    assert read(COMPLETE | {name: value})
    said = refusal(read, COMPLETE | {name: f"{value} # the branch"})
    assert f"{name} has a comment after its value" in said
    assert "the branch" not in said


def test_a_password_of_a_mail_server_is_in_ascii(read):
    account = {"EMAIL_HOST_USER": "portal", "EMAIL_HOST_PASSWORD": "비밀번호"}
    said = refusal(read, COMPLETE | account)
    assert "EMAIL_HOST_PASSWORD has other characters than ASCII" in said
    assert "비밀" not in said


def test_spaces_and_line_ends_around_a_value_are_left_out(read):
    values = {name: f" {value}\r\n" for name, value in COMPLETE.items()}
    settings = read(values)
    assert settings.PORTAL_URL == "https://notice.hanbit.example"


def test_variables_of_a_container_engine_are_no_misspelt_settings(read):
    theirs = {"BREACHPORTAL_PORT": "tcp://10.0.0.1:80", "REDIS_PORT": "tcp://10.0.0.2:6379"}
    assert read(COMPLETE | theirs | {"PORTAL_NAME_JA": "ハンビット"})
