"""Fixtures that most tests need: people, the response desk, incidents and a clean cache."""

import os
from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client, TransactionTestCase, override_settings
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from accounts.models import User
from breachportal.management.commands.make_roles import ROLES
from breachportal.rates import OF_PAGES
from harness.exposure_factory import hanbit
from harness.page_budgets import NO_BUDGETS
from harness.sign_in import sign_in_to_desk
from harness.signed_cookies import teach_test_clients
from incidents.models import Incident
from statements import sample
from statements.models import StatementVersion
from tests import database_reset
from tests.audit_trails import as_owner
from tests.database import conninfo
from tests.sample_pages import correct
from tests.smtp_server import SmtpServer

teach_test_clients()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """Lets the tests' own PostgreSQL not wait for the disk: nothing in it outlives a crash."""
    if "DATABASE_URL" not in os.environ:
        with psycopg.connect(conninfo(), autocommit=True) as server:
            for name in ("fsync", "full_page_writes", "synchronous_commit"):
                server.execute(f"ALTER SYSTEM SET {name} = off")
            server.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Keeps the rows of the migrations, such as the data classes, and restores them later."""
    with django_db_blocker.unblock():
        database_reset.keep_rows()


@pytest.fixture(autouse=True, scope="session")
def _restore_rows_of_migrations():
    """Restores these rows after each transactional test, in place of Django's flush."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _case: database_reset.restore_rows()
        )
        yield


@pytest.fixture(autouse=True, scope="session")
def _list_static_files_once():
    """Keeps what WhiteNoise found in static/: each test client makes the middleware again."""
    read = WhiteNoiseMiddleware.add_files_from_finders
    kept: dict[str, object] = {}

    def add_files(self):
        if not kept:
            read(self)
            kept.update(self.files)
        self.files.update(kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files)
        yield


@pytest.fixture(autouse=True)
def _reset_language():
    """Resets the active language, because a request leaves its language active in the thread."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _clear_cache():
    """Empties Redis, so that rate limits of one test do not affect the next."""
    cache.clear()


@pytest.fixture(autouse=True)
def _pages_without_budget():
    """Ends the budgets of accounts for pages: tests open hundreds in a minute, and no person does.

    tests/accounts/test_page_budgets.py sets them. The fixture `settings` is not used: it would be
    begun before the fixtures of a test, and its changes would last until after their end.
    """
    with override_settings(PROOF_RATES=OF_PAGES | NO_BUDGETS):
        yield


@pytest.fixture
def minji(db) -> User:
    """A customer."""
    return User.objects.create_user("minji@example.com", language="ko")


@pytest.fixture
def seojun(db) -> User:
    """Another customer."""
    return User.objects.create_user("seojun@example.com", language="en")


@pytest.fixture
def editor(db) -> User:
    """A member of the response team who writes."""
    return User.objects.create_user("editor@breachportal.example", is_staff=True, is_superuser=True)


@pytest.fixture
def approver(db) -> User:
    """A second member of the response team."""
    return User.objects.create_user(
        "approver@breachportal.example", is_staff=True, is_superuser=True
    )


@pytest.fixture
def editors_desk(client: Client, editor: User) -> Client:
    """The client, signed in to the response desk as the editor, in English."""
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def approvers_desk(client: Client, approver: User) -> Client:
    """The client, signed in to the response desk as the approver, in English."""
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def english(client: Client):
    """English for this thread and for pages that the client requests."""
    with translation.override("en"):
        client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
        yield


@pytest.fixture
def incident(db) -> Incident:
    """A public incident without data, under Korean law."""
    return hanbit()


@pytest.fixture
def coupang(db) -> Incident:
    """The sample incident with its published statements."""
    return sample.load_sample_incident()


@pytest.fixture
def correction(coupang) -> StatementVersion:
    """A draft of the sample notice's second version."""
    return correct()


@pytest.fixture
def empty_trail(db):
    """Removes the entries of earlier transactional tests, which no flush of the tables removes."""
    as_owner("DELETE FROM accounts_auditentry")


@pytest.fixture
def team(db) -> dict[str, User]:
    """A member of the response team for each role, by the name of the role."""
    members = {}
    for role in ROLES:
        members[role] = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
        members[role].groups.add(Group.objects.get(name=role))
    return members


@pytest.fixture
def mails(settings) -> Iterator[SmtpServer]:
    """A mail server that runs, to which this process sends."""
    settings.EMAIL_BACKEND = "foundations.bounded_smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", False, False
    with SmtpServer() as running:
        settings.EMAIL_PORT = running.port
        yield running
