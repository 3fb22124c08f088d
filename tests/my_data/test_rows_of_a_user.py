"""A user's rows: those of every proven address in every public incident, and no others."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User, VerifiedPhone
from harness import exposure_factory
from incidents.models import AffectedPerson, FurtherContact, Incident
from incidents.own_rows import own_rows
from tests.incident_factory import another_incident

pytestmark = pytest.mark.django_db
Relation = AffectedPerson.Relation


def proven(user: User, *, emails: tuple[str, ...] = (), phones: tuple[str, ...] = ()) -> None:
    for email in emails:
        EmailAddress.objects.create(user=user, email=email, verified=True)
    for phone in phones:
        VerifiedPhone.objects.create(user=user, number=phone)


def person(incident: Incident, **fields: Any) -> AffectedPerson:
    """Creates a person of whom a name leaked."""
    row = exposure_factory.person(incident, **fields)
    exposure_factory.expose(row, exposure_factory.file_of(incident), "names")
    return row


def rows(user: User) -> set[AffectedPerson]:
    incidents = Incident.objects.public().filter(shredded_at=None)
    found = [row for own in own_rows(user, incidents).values() for row in own.opened]
    assert len(found) == len(set(found))
    return set(found)


def plan_of_search(user: User) -> str:
    """Returns the plan of the query that finds the rows, for any values, by indexes if it can."""
    with CaptureQueriesContext(connection) as queries:
        rows(user)
    [search] = [query["sql"] for query in queries if "CROSS JOIN LATERAL" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE search AS {search}")
        nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", search))))
        cursor.execute(f"EXPLAIN EXECUTE search({nulls})")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE search")
    return plan


def test_every_proven_address_and_number_finds_its_rows(minji, incident):
    proven(minji, emails=("kim.minji@example.org",), phones=("+821012345678", "+821099998888"))
    mine = {
        person(incident, name="김민지", email="Minji@Example.com"),
        person(incident, email="kim.minji@example.org", phone="010-5555-5555"),
        person(incident, phone="010-1234-5678"),
        person(incident, relation=Relation.RECIPIENT, phone="+82 10 9999 8888"),
        person(incident, relation=Relation.FORMER_MEMBER, name="김민지", email="MINJI@example.com"),
    }
    person(incident, email="seojun@example.com", phone="010-5555-5555")

    assert rows(minji) == mine


def test_a_row_that_two_addresses_find_is_one_row(minji, incident):
    proven(minji, phones=("+821012345678",))
    both = person(incident, email=minji.email, phone="010-1234-5678")

    assert rows(minji) == {both}


def test_every_public_incident_is_searched_newest_first(minji, incident):
    older = another_incident(incident, "hanbit-2024")
    there = person(older, email=minji.email)
    here = person(incident, email=minji.email)

    found = own_rows(minji, Incident.objects.public())
    assert [own.opened for own in found.values()] == [[here], [there]]


def test_an_incident_that_is_not_public_is_not_searched(minji, incident):
    person(another_incident(incident, "hanbit-2024", is_public=False), email=minji.email)

    assert rows(minji) == set()


def test_a_shredded_incident_is_skipped_and_others_are_searched(minji, incident):
    gone = another_incident(incident, "hanbit-2024")
    person(gone, email=minji.email)
    gone.shred()
    here = person(incident, email=minji.email)

    assert rows(minji) == {here}


def test_an_address_that_is_not_proven_finds_nothing(minji, incident):
    person(incident, email="somebody@example.com")
    EmailAddress.objects.create(user=minji, email="somebody@example.com", verified=False)

    assert rows(minji) == set()


def test_an_address_that_was_given_up_finds_nothing_any_more(minji, incident):
    proven(minji, phones=("+821012345678",))
    person(incident, phone="010-1234-5678")
    assert rows(minji)

    minji.phones.all().delete()
    assert rows(minji) == set()


def test_another_user_finds_no_row(minji, seojun, incident):
    proven(minji, phones=("+821012345678",))
    mine = person(incident, email=minji.email, phone="010-1234-5678")

    assert mine not in rows(seojun)


def test_a_user_without_proven_contacts_does_not_find_rows_without_contact(minji, incident):
    EmailAddress.objects.filter(user=minji).delete()
    person(incident, name="김민지")

    assert rows(minji) == set()


def test_an_index_of_one_incident_finds_nothing_in_another(minji, incident):
    """An address has a different blind index in each incident."""
    other = another_incident(incident, "hanbit-2024")
    moved = person(other, email=minji.email)
    AffectedPerson.objects.filter(pk=moved.pk).update(incident=incident)

    assert rows(minji) == set()


def test_an_email_address_that_looks_like_a_number_finds_no_phone_row(minji, incident):
    odd = person(incident, email="01012345678@example.com")
    proven(minji, phones=("+821012345678",))

    assert odd not in rows(minji)


def test_there_are_four_queries_for_any_number_of_addresses(
    minji, incident, django_assert_num_queries
):
    person(incident, email=minji.email)
    # E-mails, phones, incidents, rows with the entries about strangers.
    with django_assert_num_queries(4):
        rows(minji)

    proven(
        minji,
        emails=tuple(f"minji{number}@example.org" for number in range(5)),
        phones=tuple(f"+8210123456{number:02}" for number in range(5)),
    )
    for number in range(4):
        other = another_incident(incident, f"hanbit-{number}")
        person(other, email=f"minji{number}@example.org")
        person(other, relation=Relation.RECIPIENT, phone=f"010-1234-56{number:02}")
    with django_assert_num_queries(4):
        assert len(rows(minji)) == 9


def test_the_rows_are_found_by_index(minji, incident):
    """A scan of millions of rows at each visit would be a denial of service."""
    other = another_incident(incident, "hanbit-2024")
    proven(minji, phones=("+821012345678",))
    person(other, email=minji.email)
    plan = plan_of_search(minji)

    assert "person_by_email" in plan
    assert "person_by_phone" in plan
    assert "Seq Scan on incidents_affectedperson" not in plan


def test_a_further_address_or_number_finds_its_person(minji, seojun, incident):
    proven(minji, emails=("work@example.org",), phones=("+821012345678",))
    cipher = incident.cipher()
    by_email, by_phone, other = (person(incident, email=f"u{n}@example.net") for n in range(3))
    for row, kind, index in (
        (by_email, FurtherContact.Kind.EMAIL, cipher.email_index("work@example.org")),
        (by_phone, FurtherContact.Kind.PHONE, cipher.phone_index("+821012345678")),
        (other, FurtherContact.Kind.EMAIL, cipher.email_index("other@example.org")),
    ):
        FurtherContact.objects.create(person=row, kind=kind, contact_index=index)

    assert rows(minji) == {by_email, by_phone}
    assert rows(seojun) == set()


def test_the_search_by_contacts_uses_indexes_only(minji, incident):
    proven(minji, emails=("work@example.org",), phones=("+821012345678",))

    plan = plan_of_search(minji)

    assert "Seq Scan on incidents_affectedperson" not in plan
    assert "Seq Scan on incidents_furthercontact" not in plan
