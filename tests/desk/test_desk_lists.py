"""Every list and look-up of the desk reads a bounded number of rows, however large the table is."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import DataError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.desk_lists import LargeTableAdmin
from harness import large_tables
from harness.large_tables import TableSizes, fill
from harness.sign_in import sign_in_to_desk
from incidents.models import AffectedPerson
from notices.models import Delivery, LateReport, Suppression
from scams.models import ScamReport
from tests.notice_factory import draft_notice

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db

ROWS = 3_000  # of each large table
MOST_READ = 450  # rows that one query may read: a page, what it joins, and what it throws away
# Tables that grow with the people, the messages to them, or their questions; and their pages.
LISTS = {
    "accounts.user",
    "accounts.verifiedphone",
    "incidents.sharedcontact",
    "mfa.authenticator",
    "notices.latereport",
    "notices.suppression",
    "scams.scamreport",
}
OWN_PAGES = {
    "accounts.auditentry",  # a bounded window of keys: test_audit_page.py
    "incidents.affectedperson",  # a look-up by blind index
    "notices.delivery",  # a look-up by blind index or message code
    "tickets.ticket",  # pages by key
}
# Tables that grow with what the team does: tens to thousands of rows in an incident.
SMALL = {
    "accounts.apitoken",
    "accounts.companyidentity",
    "accounts.invitation",
    "accounts.rightsgrant",
    "auth.group",
    "incidents.addresschange",
    "incidents.batchwithdrawal",
    "incidents.dataclass",
    "incidents.exposurebatch",
    "incidents.factchange",
    "incidents.incident",
    "incidents.retentiondecision",
    "incidents.savedmapping",
    "incidents.upload",
    "incidents.writeoff",
    "notices.notice",
    "notices.returnedmail",  # nine rows a day
    "offers.offer",
    "statements.dutyconfirmation",
    "statements.regulatorreport",
    "statements.statement",
    "statements.statementversion",
    "statements.timelineentry",
    "tickets.answertemplate",
}


def registered() -> dict[str, Any]:
    """Returns the admin of each model, such as {"notices.suppression": …}."""
    return {model._meta.label_lower: each for model, each in admin.site._registry.items()}


@pytest.fixture
def desk(editor) -> Client:
    client = Client()
    sign_in_to_desk(client, editor)
    return client


@pytest.fixture
def large(version, editor, people) -> None:
    """Fills the large tables, with one rare value in each column of a filter."""
    sizes = TableSizes(people=ROWS, suppressed=ROWS, users=ROWS, others=ROWS)
    fill(draft_notice(version, editor), sizes)


def test_after_a_failed_filling_the_triggers_fire_again(version, editor, monkeypatch):
    monkeypatch.setattr(large_tables, "_STATEMENTS", ["SELECT 1 / 0"])
    with pytest.raises(DataError):
        fill(draft_notice(version, editor), TableSizes.of(100))
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


@contextmanager
def bounded(most: int = MOST_READ) -> Iterator[None]:
    """Fails if a query counts or skips, or if a step of its plan reads more than `most` rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # small tables; large ones need no setting
    with CaptureQueriesContext(
        connection,
    ) as captured:
        yield
    found = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    # A prepared statement, which reads the session by its key, has its values apart from the text.
    found = [sql for sql in found if "$1" not in sql]
    assert found
    for sql in found:
        assert not re.search(r"\bOFFSET\b", sql), sql
        assert not re.search(r'SELECT COUNT\(\*\) AS "__count"', sql), sql
        assert (read := most_read(sql)) <= most, (read, sql)


def most_read(sql: str) -> float:
    """Returns the most rows that a step of the query's plan read, with those it threw away."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"), [])
        (found,) = cursor.fetchone()
    plan = json.loads(found) if isinstance(found, str) else found
    return max(_rows_of(plan[0]["Plan"]))


def _rows_of(step: dict[str, Any]) -> Iterator[float]:
    thrown_away = [step[key] for key in step if key.startswith("Rows Removed by")]
    yield (step["Actual Rows"] + sum(thrown_away)) * step["Actual Loops"]
    for part in step.get("Plans", ()):
        yield from _rows_of(part)


def test_each_list_is_known_as_large_or_small():
    """A new admin fails here until it is in one of the sets."""
    assert set(registered()) == LISTS | OWN_PAGES | SMALL
    assert {label for label, each in registered().items() if isinstance(each, LargeTableAdmin)} == (
        LISTS
    )


@pytest.mark.parametrize("label", sorted(LISTS))
def test_each_page_of_a_large_list_reads_its_rows_only(desk, large, label):
    address = reverse(f"admin:{label.replace('.', '_')}_changelist")
    with bounded():
        first = desk.get(address)
    assert first.status_code == 200
    further = first.context["cl"].further_query
    assert further
    with bounded():
        second = desk.get(f"{address}?{further}")
    shown = [{row.pk for row in page.context["cl"].result_list} for page in (first, second)]
    assert [len(rows) for rows in shown] == [first.context["cl"].list_per_page] * 2
    assert not shown[0] & shown[1]


def choices(label: str) -> list[str]:
    """Returns queries that choose each value of each filter of the list."""
    model = next(m for m in admin.site._registry if m._meta.label_lower == label)
    queries = []
    for name in registered()[label].list_filter:
        field: Any = model._meta.get_field(name)
        if field.is_relation:
            queries += [f"{name}__id__exact={pk}" for pk in (1, 2_000_000)]
        elif field.choices:
            queries += [f"{name}__exact={value}" for value, _words in field.flatchoices]
        else:
            queries += [f"{name}__exact={value}" for value in (0, 1)]
    return queries


@pytest.mark.parametrize("label", sorted(LISTS))
def test_a_filter_of_a_large_list_reads_its_rows_only(desk, large, label):
    """A value that no row has is the worst case: without an index, it reads the whole table."""
    address = reverse(f"admin:{label.replace('.', '_')}_changelist")
    for query in choices(label):
        with bounded():
            page = desk.get(f"{address}?{query}")
        assert page.status_code == 200, query


def test_pages_follow_each_other_to_the_last_row(desk, large):
    """The key of a list with three columns: each row is shown once, in the order of the list."""
    shown: list[Any] = []
    address = reverse("admin:incidents_sharedcontact_changelist")
    further = "kind__exact=email"
    while further:
        page = desk.get(f"{address}?{further}").context["cl"]
        shown += [(row.people, row.pk) for row in page.result_list]
        further = page.further_query
    assert len(shown) == ROWS
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize("after", ["x", "1~2", "", "99999999999999999999999", "1'--", "\x00"])
def test_a_malformed_key_shows_a_page_or_goes_back_to_the_first(desk, large, after):
    page = desk.get(reverse("admin:notices_suppression_changelist"), {"after": after}, follow=True)
    assert page.status_code == 200


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("incidents_affectedperson_changelist", "asked"),
        ("notices_delivery_changelist", "asked"),
        ("notices_suppression_look_up", "address"),
    ],
)
@pytest.mark.parametrize("typed", ["minji@example.com", "stranger@example.net", "01012345678"])
def test_a_look_up_uses_an_index(desk, large, name, field, typed):
    with bounded():
        page = desk.post(reverse(f"admin:{name}"), {field: typed, "reason": "x"})
    assert page.status_code == 200


def test_the_incidents_page_reads_no_large_table(desk, large, incident):
    """It asks whether letters were exported, and counts scam reports up to a thousand."""
    with bounded(1_001):
        page = desk.get(reverse("admin:incidents_incident_page", args=[incident.pk]))
    assert page.status_code == 200


def test_the_tables_are_filled(large):
    for model in (AffectedPerson, Delivery, LateReport, Suppression, ScamReport):
        assert model._default_manager.count() >= ROWS
