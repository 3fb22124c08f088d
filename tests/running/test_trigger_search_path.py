"""Temporary tables with the names of the portal's tables mislead no function of the database.

PostgreSQL finds a temporary table before any other, unless the search path names pg_temp later.
The portal's account may create temporary tables.
"""

from collections.abc import Callable

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import User
from harness.exposure_factory import file_of, person
from incidents.models import ExposureFile, PersonMark
from tests.running.test_database_role import ROLE, as_portal, run  # noqa: F401

pytestmark = pytest.mark.django_db
VERSIONS = "statements_statementversion"


def imitate(*tables: str) -> None:
    """Creates empty temporary tables with the names and columns of these tables."""
    for table in tables:
        run(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table})")


def imitate_rows(table: str, changes: str) -> None:
    """Creates a temporary table with the rows of `table`, changed."""
    run(f"CREATE TEMPORARY TABLE {table} AS TABLE public.{table}")
    run(f"UPDATE pg_temp.{table} SET {changes}")  # noqa: S608


# The attacks on published texts


def change_of_a_statement() -> None:
    imitate(VERSIONS)
    run("UPDATE public.statements_statement SET slug = 'x' WHERE kind = 'notice'")


def change_of_an_advisory() -> None:
    imitate(VERSIONS)
    run("DELETE FROM public.statements_advisory")


def change_of_a_section() -> None:
    imitate(VERSIONS)
    run("UPDATE public.statements_section SET body = '{}'")


def new_waiver() -> None:
    [(version,)] = run(f"SELECT id FROM {VERSIONS} WHERE state = 'published' LIMIT 1")  # noqa: S608
    imitate(VERSIONS)
    run(
        "INSERT INTO public.statements_dutywaiver (version_id, rule, reason, waived_by_id,"
        " waived_at) VALUES (%s, 'x', '{}', 1, now())",
        version,
    )


def truncating() -> None:
    imitate(VERSIONS)
    run("TRUNCATE public.statements_section")


def hiding_the_incident() -> None:
    imitate(VERSIONS)
    run("UPDATE public.incidents_incident SET is_public = false")


STATEMENTS = [
    change_of_a_statement,
    change_of_an_advisory,
    change_of_a_section,
    new_waiver,
    truncating,
    hiding_the_incident,
]


@pytest.fixture(params=["", "pg_temp, public", "pg_temp, public, pg_catalog"])
def as_attacker(request) -> Callable[[], None]:
    """Gives a function after which everything runs with the account of the portal."""

    def become() -> None:
        request.getfixturevalue("as_portal")
        run("RESET ROLE")
        run(f"GRANT TRUNCATE ON statements_section TO {ROLE}")  # more than the portal has
        run(f"SET LOCAL ROLE {ROLE}")
        if request.param:
            run(f"SET LOCAL search_path = {request.param}")

    return become


@pytest.mark.parametrize("attack", STATEMENTS)
def test_what_is_published_stays(coupang, as_attacker, attack):
    run("SET CONSTRAINTS ALL IMMEDIATE")  # TRUNCATE is refused while checks are pending
    as_attacker()
    with pytest.raises(IntegrityError, match=r"cannot be changed|must be shown"):
        attack()


def test_an_editor_publishes_nothing(correction, seojun, as_attacker):
    correction.editors.add(seojun)
    as_attacker()
    imitate("statements_statementversion_editors", "statements_statement_editors")
    with pytest.raises(IntegrityError, match="was edited"):
        run(
            "UPDATE public.statements_statementversion SET state = 'published', hash = %s,"
            " approved_by_id = %s, published_at = now() WHERE id = %s",
            "0" * 64,
            seojun.pk,
            correction.pk,
        )


def close_the_batch() -> None:
    run("UPDATE public.incidents_exposurebatch SET state = 'closed'")


def test_a_file_that_is_loading_keeps_the_scope_version_open(incident, as_attacker):
    file = file_of(incident, state="open")
    ExposureFile.objects.filter(pk=file.pk).update(state="loading")
    as_attacker()
    imitate_rows("incidents_exposurefile", "state = 'loaded'")
    with pytest.raises(IntegrityError, match="not loaded whole"):
        close_the_batch()


def test_a_file_that_is_not_read_keeps_the_scope_version_open(incident, editor, as_attacker):
    file_of(incident, state="open")
    failed = file_of(incident, state="open")
    ExposureFile.objects.update(
        state="loaded", finished_at=timezone.now(), rows_read=1, rows_taken=1
    )
    ExposureFile.objects.filter(pk=failed.pk).update(state="failed", name="other.csv")
    as_attacker()
    imitate("incidents_writeoff")
    run(
        "INSERT INTO pg_temp.incidents_writeoff SELECT * FROM jsonb_populate_record("
        "NULL::public.incidents_writeoff, %s)",
        f'{{"id": 1, "file_id": {failed.pk}, "reason": "x", "proposed_by_id": 1,'
        ' "proposed_at": "2025-01-01", "confirmed_at": "2025-01-01"}',
    )
    with pytest.raises(IntegrityError, match="neither read whole"):
        close_the_batch()


def test_a_mark_stays(incident, editor, as_attacker):
    marked = person(incident, email="minji@example.com")
    PersonMark.objects.create(
        incident=incident, person_id=marked.pk, kind="deceased", reason="x", marked_by=editor
    )
    as_attacker()
    imitate_rows("incidents_incident", "shredded_at = now()")
    with pytest.raises(IntegrityError, match="is on record"):
        run("DELETE FROM public.incidents_personmark")


def test_a_user_who_was_on_the_response_team_stays(editor, as_attacker):
    User.objects.filter(pk=editor.pk).update(is_staff=False, is_superuser=False)
    as_attacker()
    imitate("accounts_auditentry")
    with pytest.raises(IntegrityError, match="not deleted"):
        run("DELETE FROM public.accounts_user WHERE id = %s", editor.pk)


def test_every_function_has_a_fixed_search_path_that_ends_with_temporary_tables():
    found = run(
        "SELECT proname, coalesce(proconfig, '{}') FROM pg_proc"
        " WHERE pronamespace = current_schema()::regnamespace"
    )
    assert len(found) > 25
    wrong = [name for name, config in found if config != ["search_path=public, pg_temp"]]
    assert wrong == []
