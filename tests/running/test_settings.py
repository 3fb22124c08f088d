"""Production does not start with missing settings, and never starts embedded servers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from breachportal.environment import number, portal_url

ROOT = Path(__file__).parents[2]
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

LOCAL = {"127.0.0.1", "None"}
# The hosts that the clients of PostgreSQL, Redis and RabbitMQ connect to.
HOSTS = """settings.DATABASES["default"]["HOST"], __import__("redis").Redis.from_url(
    settings.REDIS_URL).connection_pool.connection_kwargs["host"], __import__("kombu").Connection(
    settings.CELERY_BROKER_URL).hostname"""


def start(tmp_path, expression="'started'", **environment):
    """Reads the settings in another process; returns the finished process."""
    clean = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    script = f"from django.conf import settings; settings.DEBUG; print({expression})"
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=clean
        | {"DJANGO_SETTINGS_MODULE": "breachportal.settings", "BREACHPORTAL_VAR": str(tmp_path)}
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_production_starts_when_complete(tmp_path):
    done = start(tmp_path, **COMPLETE)
    assert done.stdout.strip() == "started", done.stderr


@pytest.mark.parametrize("missing", COMPLETE)
def test_production_names_what_is_missing(tmp_path, missing):
    done = start(tmp_path, **{name: value for name, value in COMPLETE.items() if name != missing})
    assert done.returncode != 0
    assert f"  {missing}: " in done.stderr
    others = [name for name in COMPLETE if name != missing]
    assert not any(f"  {name}: " in done.stderr for name in others)


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


def test_a_command_says_in_one_line_that_the_database_is_away(tmp_path):
    environment = {"PATH": os.environ["PATH"], "BREACHPORTAL_VAR": str(tmp_path)} | COMPLETE
    done = subprocess.run(
        [sys.executable, "manage.py", "check_counts"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("manage.py: the database does not answer: ")


def test_production_cookies_and_headers_are_strict(tmp_path):
    expression = (
        "settings.DEBUG, settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, "
        "settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS > 0, settings.EMAIL_USE_TLS"
    )
    done = start(tmp_path, expression, **COMPLETE)
    assert done.stdout.strip() == "False True True True True True", done.stderr


def test_the_portals_address_is_read_as_browsers_send_it(tmp_path):
    expression = "settings.PORTAL_URL, settings.SESSION_COOKIE_SECURE, settings.SECURE_SSL_REDIRECT"
    done = start(
        tmp_path, expression, **COMPLETE | {"PORTAL_URL": "HTTPS://Notice.Hanbit.example/"}
    )
    assert done.stdout.strip() == "https://notice.hanbit.example True True", done.stderr


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://notice.hanbit.example:443", "https://notice.hanbit.example"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("https://[::1]:443", "https://[::1]"),
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


def test_production_cookies_belong_to_this_host(tmp_path):
    """Browsers refuse __Host- cookies that another subdomain or a page over http sets."""
    expression = (
        "settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME, "
        "settings.SESSION_COOKIE_DOMAIN, settings.CSRF_COOKIE_DOMAIN, settings.SESSION_COOKIE_PATH"
    )
    done = start(tmp_path, expression, **COMPLETE)
    names = "__Host-sessionid __Host-csrftoken __Host-language"
    assert done.stdout.strip() == f"{names} None None /", done.stderr


SECRETS = {
    "SECRET_KEY": ("from a file, long and random enough", "settings.SECRET_KEY"),
    "SECRET_KEY_FALLBACKS": ("an earlier one", "settings.SECRET_KEY_FALLBACKS[0]"),
    "MASTER_KEYSET": ('{"key": []}', "settings.MASTER_KEYSET"),
    "DATABASE_URL": (
        "postgresql://portal:sesame@db.example/portal",
        "'postgresql://portal:{PASSWORD}@{HOST}/{NAME}'.format(**settings.DATABASES['default'])",
    ),
    "REDIS_URL": (
        "rediss://:sesame@redis.example:6379/0",
        "settings.CACHES['default']['LOCATION']",
    ),
    "EMAIL_HOST_PASSWORD": ("sesame", "settings.EMAIL_HOST_PASSWORD"),
    "ANYMAIL": (
        '{"WEBHOOK_SECRET": "a:b"}',
        "__import__('json').dumps({'WEBHOOK_SECRET': settings.ANYMAIL['WEBHOOK_SECRET']})",
    ),
    "DATABASE_REPLICA_URL": (
        "postgresql://portal:sesame@replica.example/portal",
        (
            "'postgresql://portal:{PASSWORD}@{HOST}/{NAME}'.format("
            "**__import__('breachportal.environment').environment.replica())"
        ),
    ),
    "SMS_GATEWAY_TOKEN": ("sesame", "settings.SMS_GATEWAY_TOKEN"),
    "IMAP_URL": ("imaps://portal:sesame@mail.example/", "settings.IMAP_URL"),
}

NEEDED = {
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
def test_a_file_of_a_setting_that_is_empty_or_unreadable_is_named(tmp_path, name, content, why):
    file = tmp_path / "mounted"
    if content is not None:
        file.write_bytes(content)
    environment = {key: value for key, value in COMPLETE.items() if key != name}
    done = start(tmp_path, **environment | {f"{name}_FILE": str(file)})
    assert done.stderr.splitlines()[-1].endswith(f"{name}_FILE: {file} {why}.")


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_come_from_a_mounted_file(tmp_path, name):
    value, expression = SECRETS[name]
    file = tmp_path / "mounted"
    file.write_bytes(f"\ufeff{value} \r\n".encode())  # as editors of Windows write it
    environment = COMPLETE | NEEDED.get(name, {}) | {f"{name}_FILE": str(file)}
    environment.pop(name, None)
    done = start(tmp_path, expression, **environment)
    assert done.stdout.strip() == value, done.stderr


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
def test_production_refuses_unsafe_values(tmp_path, name, value):
    done = start(tmp_path, **COMPLETE | {name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]
    if name == "SECRET_KEY":
        assert value not in done.stderr


def test_production_refuses_a_proxy_without_the_header_for_addresses(tmp_path):
    done = start(tmp_path, **COMPLETE | {"TRUSTED_PROXY_HEADER": "Visitorscheme"})
    assert done.returncode != 0
    assert "TRUSTED_ADDRESS_HEADER: it is unset" in done.stderr


def test_the_header_of_the_scheme_has_letters_only(tmp_path):
    headers = {"TRUSTED_ADDRESS_HEADER": "A", "TRUSTED_PROXY_HEADER": "X-Forwarded-Proto"}
    done = start(tmp_path, **COMPLETE | headers)
    assert done.returncode != 0
    assert "TRUSTED_PROXY_HEADER is 'X-Forwarded-Proto'" in done.stderr.splitlines()[-1]


def test_production_names_everything_unsafe_at_once(tmp_path):
    unsafe = {"PORTAL_URL": "http://hanbit.example", "ALLOWED_HOSTS": "*", "SECRET_KEY": "x"}
    done = start(tmp_path, **COMPLETE | unsafe)
    lines = done.stderr.splitlines()
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
def test_an_invalid_value_is_named(tmp_path, name, value):
    done = start(tmp_path, **COMPLETE | {name: value})
    assert done.returncode != 0
    assert name in done.stderr.splitlines()[-1]
    assert value in done.stderr.splitlines()[-1]


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
def test_a_setting_without_effect_is_refused(tmp_path, values, named):
    done = start(tmp_path, **COMPLETE | values)
    assert done.returncode != 0
    assert named in done.stderr
    assert "secret" not in done.stderr.replace("SOLAPI_SECRET", "")


def test_a_gateway_of_ones_own_may_read_any_setting(tmp_path):
    values = {"SMS_GATEWAY": "hanbit.Gateway", "TWILIO_ACCOUNT": "a", "TWILIO_TOKEN": "b"}
    assert start(tmp_path, **COMPLETE | values).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CODE_TEXT_COST_PER_DAY": "1000"}, "SMS_PRICES is missing"),
        ({"CODE_TEXT_COST_PER_DAY": "1000", "SMS_PRICES": '{"sms": 20}'}, "SMS_PRICES is missing"),
        ({"CODE_TEXT_COST_PER_DAY": "-1"}, "negative"),
        ({"CODE_TEXT_REGIONS": "KR,+82"}, "+82 is not like KR"),
    ],
)
def test_a_budget_or_region_of_code_texts_without_meaning_is_refused(tmp_path, wrong, said):
    done = start(tmp_path, **COMPLETE | wrong)
    assert done.returncode != 0
    assert said in done.stderr


def test_code_texts_go_to_the_region_of_the_portal_by_default(tmp_path):
    shown = "settings.CODE_TEXT_REGIONS, settings.CODE_TEXT_COST_PER_DAY"
    prices = {"SMS_PRICES": '{"segment": 0.05}', "CODE_TEXT_COST_PER_DAY": "50"}
    done = start(tmp_path, shown, **COMPLETE | prices | {"PHONE_REGION": "GB"})
    assert done.stdout.strip() == "['GB'] 50", done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://portal:{}@db.example/portal"),
        ("DATABASE_URL", "host=db.example password={}"),
        ("REDIS_URL", "redis://:{}@redis.example:6379/0"),
        ("BROKER_URL", "amqps://portal:{}@rabbit.example/portal"),
    ],
)
@pytest.mark.parametrize(
    "password", ["se@same", "se/same", "se#same", "se%same", "se same", "se?same"]
)
def test_a_password_that_cuts_a_url_elsewhere_is_refused_without_a_part_of_it(
    tmp_path, name, value, password
):
    """Or it is read as it was meant: the client then finds the host."""
    done = start(tmp_path, HOSTS, **COMPLETE | {name: value.format(password)})
    if done.returncode == 0:
        assert set(done.stdout.split()) <= {"db.example", "redis.example", "rabbit.example"} | LOCAL
    else:
        assert done.stderr.splitlines()[-1].split(": ")[1].startswith(f"{name} is not like ")
        assert "%40" in done.stderr.splitlines()[-1]
    assert "same" not in done.stderr


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
        ("ALLOWED_HOSTS", "www.hanbit.example"),
    ],
)
def test_a_value_that_would_be_read_in_another_way_is_refused(tmp_path, name, value):
    done = start(tmp_path, **COMPLETE | {name: value})
    assert done.returncode != 0
    assert f"ImproperlyConfigured: {name} " in done.stderr.splitlines()[-1]


def test_a_password_of_a_mail_server_is_in_ascii(tmp_path):
    account = {"EMAIL_HOST_USER": "portal", "EMAIL_HOST_PASSWORD": "비밀번호"}
    said = start(tmp_path, **COMPLETE | account).stderr
    assert "EMAIL_HOST_PASSWORD has other characters than ASCII" in said
    assert "비밀" not in said


def test_spaces_and_line_ends_around_a_value_are_left_out(tmp_path):
    values = {name: f" {value}\r\n" for name, value in COMPLETE.items()}
    done = start(tmp_path, "settings.PORTAL_URL", **values)
    assert done.stdout == f"{COMPLETE['PORTAL_URL']}\n", done.stderr


def test_variables_of_a_container_engine_are_no_misspelt_settings(tmp_path):
    theirs = {"BREACHPORTAL_PORT": "tcp://10.0.0.1:80", "REDIS_PORT": "tcp://10.0.0.2:6379"}
    done = start(tmp_path, **COMPLETE | theirs | {"PORTAL_NAME_JA": "ハンビット"})
    assert done.stdout.strip() == "started", done.stderr
