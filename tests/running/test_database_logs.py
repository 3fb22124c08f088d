"""No log receives an address or a value: neither PostgreSQL's own nor the portal's."""

import io
import logging
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction

from accounts.further_contacts import OtherAccountError, SecondAccountError, add_contact
from accounts.models import User, VerifiedPhone, lock_contact
from breachportal import database_logs
from foundations.logs import Line

CONF = Path(__file__).parents[2] / "deploy" / "postgresql" / "breachportal.conf"
SERVER_LOG = settings.VAR / "postgres" / "server.log"


def log_as_by_default() -> None:
    """Sets PostgreSQL's own defaults for this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SET log_min_error_statement = error; SET log_error_verbosity = 'default'")


@pytest.mark.django_db(transaction=True)
def test_users_that_are_created_at_the_same_moment_leave_no_address_in_the_log():
    before = SERVER_LOG.stat().st_size
    together = Barrier(8)

    def sign_in(_number: int) -> int:
        log_as_by_default()
        try:
            together.wait(timeout=20)
            return User.objects.for_proven_email("racing@example.com", language="en").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(sign_in, range(8)))) == 1
    assert EmailAddress.objects.filter(verified=True, primary=True).count() == 1
    assert b"racing" not in SERVER_LOG.read_bytes()[before:]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("contact", ["racing{}@example.com", "+82109999{:04}"])
def test_a_contact_that_three_accounts_prove_at_the_same_moment_has_one_and_is_in_no_log(contact):
    """Two add it to their accounts, and one signs in with it."""
    before = SERVER_LOG.stat().st_size
    owners = [User.objects.create_user(f"{name}@example.com") for name in ("minji", "seojun")]
    for number in range(8):
        prove_together(owners, contact.format(number))
    time.sleep(0.2)
    assert contact[:6].encode() not in SERVER_LOG.read_bytes()[before:]


def prove_together(owners: list[User], contact: str) -> None:
    together = Barrier(len(owners) + 1)

    def prove(user: User | None) -> None:
        log_as_by_default()
        try:
            together.wait(timeout=20)
            if user:
                add_contact(user, contact)
            elif "@" in contact:
                User.objects.for_proven_email(contact, language="en")
            else:
                User.objects.for_proven_phone(contact, language="en")
        except (SecondAccountError, OtherAccountError):
            pass  # the page says so
        finally:
            connection.close()

    with ThreadPoolExecutor(len(owners) + 1) as threads:
        list(threads.map(prove, [*owners, None]))
    addresses = EmailAddress.objects.filter(email=contact, verified=True)
    assert addresses.count() + VerifiedPhone.objects.filter(number=contact).count() == 1
    for user in User.objects.filter(email=contact):
        assert user.verified_emails() == [contact]  # of no account is the address of another


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("contact", ["waiting@example.com", "+821099990000"])
def test_a_contact_whose_lock_another_holds_for_too_long_is_in_no_log(contact):
    before = SERVER_LOG.stat().st_size
    user = User.objects.create_user("minji@example.com")
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        lock_contact(contact, using="default")
        with pytest.raises(OperationalError, match="lock timeout"):
            threads.submit(add_without_patience, user, contact).result()
    time.sleep(0.2)
    logged = SERVER_LOG.read_bytes()[before:]
    assert b"pg_advisory_xact_lock" in logged
    assert contact.encode() not in logged


def add_without_patience(user: User, contact: str) -> None:
    log_as_by_default()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        add_contact(user, contact)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_the_servers_log_receives_no_values_of_a_statement_that_fails():
    """Any statement can fail, such as one that waits for a lock for too long."""
    User.objects.create_user("twice@example.com")
    before = SERVER_LOG.stat().st_size
    for _ in range(2):
        with pytest.raises(IntegrityError):
            User.objects.create_user("twice@example.com")
    time.sleep(0.2)
    written = SERVER_LOG.read_bytes()[before:]
    assert b"duplicate key" in written
    assert b"twice" not in written


@pytest.mark.django_db
def test_the_check_finds_a_server_that_logs_values():
    assert database_logs.settings_with_values() == {}
    log_as_by_default()
    found = database_logs.settings_with_values()
    assert found == {"log_error_verbosity": "default", "log_min_error_statement": "error"}
    with connection.cursor() as cursor:
        cursor.execute("RESET log_min_error_statement; RESET log_error_verbosity")


def test_the_shipped_configuration_logs_no_values():
    lines = re.findall(r"^(\w+) = (\S+)$", CONF.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for name, _value in lines} == set(database_logs.WITHOUT_VALUES)
    assert all(value in database_logs.WITHOUT_VALUES[name] for name, value in lines)


def logged(message: str, *arguments: object, exception: bool = False) -> str:
    record = logging.LogRecord("x", logging.ERROR, "x", 1, message, arguments, None)
    return Line("%(message)s").format(record)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("user minji@example.com asked", "user …@… asked"),
        ("<minji.kim+a@mail.example.co.kr>: refused", "<…@…>: refused"),
        ("민지@예시.example", "…@…"),
        ("call +821012345678 now", "call +… now"),
        ("at 12:00:00 +0900", "at 12:00:00 +0900"),
        ("DETAIL:  Key (email)=(x) exists.", "DETAIL: …"),
        ("celery@host ready", "celery@host ready"),
        ("Not Found: /en/certificates/7QK2/ x", "Not Found: /en/certificates/…"),
    ],
)
def test_a_log_line_has_no_address(message, line):
    assert logged(message) == line


@pytest.mark.django_db
def test_a_traceback_of_the_database_has_no_values():
    User.objects.create_user("twice@example.com")
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line("%(message)s"))
    logger = logging.getLogger("tests.database_logs")
    logger.addHandler(handler)
    try:
        User.objects.create_user("twice@example.com")
    except IntegrityError:
        logger.exception("it failed")
    written = stream.getvalue()
    assert "duplicate key value" in written
    assert "Traceback" in written
    assert "twice" not in written


def test_a_long_line_takes_time_in_proportion_to_its_length():
    started = time.process_time()
    logged("a" * 1_000_000)
    logged("a@" * 200_000)
    logged("+1" * 200_000)
    assert time.process_time() - started < 5
