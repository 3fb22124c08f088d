"""The numbers of people by class, relation and language, stored when the scope changes."""

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from harness import exposure_factory
from harness.exposure_factory import class_id, expose, file_of, person
from harness.sign_in import sign_in_to_desk
from incidents import scope_counts, scope_versions
from incidents.models import AffectedPerson, ExposureBatch, ExposureFile, ScopeCount
from incidents.scope_counts import Tally, counts_of

pytestmark = pytest.mark.django_db
Relation = AffectedPerson.Relation


def loaded(incident, *, number: int = 1) -> ExposureFile:
    """Returns a loaded file in an open batch."""
    file = file_of(incident, number=number, state="open")
    file.state, file.finished_at = ExposureFile.State.LOADED, incident.aware_at
    file.save()
    return file


def total_of(incident) -> Tally:
    found = counts_of(incident).total
    assert found is not None
    return found


@pytest.fixture
def first(incident) -> ExposureBatch:
    """Closed scope version 1 with two members, one of them in two files, and a recipient."""
    file, other = loaded(incident), loaded(incident)
    minji = person(incident, name="김민지", email="minji@example.com", phone="010-1234-5678")
    seojun = person(incident, name="이서준", email="seojun@example.com")
    AffectedPerson.objects.filter(pk=seojun.pk).update(language="en")
    haneul = person(incident, relation=Relation.RECIPIENT, name="박하늘", phone="010-9999-0000")
    expose(minji, file, "names", "email-addresses")
    expose(minji, file, values=[("purchases", "책", "2025-10-01")])
    expose(minji, other, values=[("purchases", "연필", "2025-10-02")])
    expose(seojun, file, "names")
    expose(haneul, other, "names", "phone-numbers")
    scope_versions.close(file.batch)
    return file.batch


def test_each_person_counts_once_in_every_direction(incident, first):
    counts = counts_of(incident)

    tally = Tally(
        people=3,
        by_class={
            class_id("names"): 3,
            class_id("email-addresses"): 1,
            class_id("phone-numbers"): 1,
            class_id("purchases"): 1,
        },
        by_relation={Relation.MEMBER: 2, Relation.RECIPIENT: 1},
        by_language={"ko": 2, "en": 1},
    )
    assert counts.total == tally
    assert counts.by_batch == {1: tally}


def test_a_later_scope_version_adds_only_new_people(incident, first):
    again, later = AffectedPerson.objects.get(language="en"), loaded(incident, number=2)
    expose(again, later, "names", values=[("payment-data", "4111")])
    expose(person(incident, name="최유나"), later, "names")

    assert total_of(incident).people == 3  # the later version is not closed yet
    scope_versions.close(later.batch)

    counts = counts_of(incident)
    assert total_of(incident).people == 4
    assert total_of(incident).by_class[class_id("names")] == 4
    assert total_of(incident).by_class[class_id("payment-data")] == 1
    assert (counts.by_batch[1].people, counts.by_batch[2].people) == (3, 2)


def test_a_withdrawn_scope_version_counts_in_no_total(incident, first):
    later = loaded(incident, number=2)
    expose(person(incident, name="최유나"), later, "names")
    scope_versions.close(later.batch)

    exposure_factory.withdraw(first, "another company's")
    assert total_of(incident).people == 1
    assert counts_of(incident).by_batch[1].people == 3

    exposure_factory.withdraw(later.batch, "so was this")
    assert counts_of(incident).total is None


def test_the_desk_shows_the_stored_counts(client, editor, incident, first):
    sign_in_to_desk(client, editor)
    client.cookies["language"] = "en"

    for page in [
        reverse("admin:incidents_incident_change", args=[incident.pk]),
        reverse("admin:incidents_exposurebatch_change", args=[first.pk]),
    ]:
        shown = client.get(page).content.decode()
        assert "<div>everybody: 3</div><div>member: 2</div><div>recipient: 1</div>" in shown
        assert "<div>E-mail address: 1</div>" in shown


def test_nothing_is_known_before_a_scope_version_is_closed(incident):
    expose(person(incident, name="김민지"), loaded(incident), "names")

    assert counts_of(incident) == scope_counts.Counts()


def test_a_scope_version_without_rows_counts_no_people(incident):
    file = loaded(incident)
    scope_versions.close(file.batch)

    assert total_of(incident) == Tally()


def test_the_counts_are_read_in_two_queries(incident, first, django_assert_num_queries):
    with django_assert_num_queries(2):
        counts_of(incident)
    with CaptureQueriesContext(connection) as queries:
        counts_of(incident)
    assert "exposure" not in " ".join(
        query["sql"].replace("incidents_exposurebatch", "") for query in queries
    )


def test_a_recount_agrees_and_says_so(incident, first, capsys):
    call_command("check_counts")

    assert "hanbit-2025: every count is right." in capsys.readouterr().out


def test_a_wrong_count_is_reported_and_corrected(incident, first, capsys):
    ScopeCount.objects.filter(batch=None, data_class=class_id("purchases")).update(people=7)

    with pytest.raises(CommandError, match="kept counts differ"):
        call_command("check_counts", "hanbit-2025")
    assert f"class {class_id('purchases')}: 7 kept, 1 counted" in capsys.readouterr().out

    call_command("check_counts", "--mend")
    assert scope_counts.differences(incident) == []


def test_a_batch_closed_without_counts_is_reported_and_counted(incident, capsys):
    file = file_of(incident)
    expose(person(incident, name="김민지"), file, "names")
    assert counts_of(incident).total is None

    with pytest.raises(CommandError):
        call_command("check_counts")
    call_command("check_counts", "--mend")
    assert total_of(incident).people == 1


@pytest.mark.parametrize("state", [ExposureFile.State.LOADING, ExposureFile.State.FAILED])
def test_the_database_closes_no_batch_whose_files_are_not_loaded(incident, state):
    file = loaded(incident)
    ExposureFile.objects.filter(pk=file.pk).update(state=state)

    with pytest.raises(IntegrityError, match="cannot be closed"), transaction.atomic():
        ExposureBatch.objects.update(state=ExposureBatch.State.CLOSED)


def test_the_database_closes_a_batch_that_adds_up(incident):
    loaded(incident)

    assert ExposureBatch.objects.update(state=ExposureBatch.State.CLOSED) == 1


def test_rows_that_do_not_add_up_are_no_loaded_file(incident):
    loaded(incident)

    with pytest.raises(IntegrityError, match="every_row_taken_or_rejected"), transaction.atomic():
        ExposureFile.objects.update(rows_read=3, rows_taken=1, rows_rejected=1)


def test_an_account_that_may_only_change_rows_counts(incident, first):
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE clerk")
        cursor.execute(
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk"
        )
        cursor.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
        cursor.execute("SET ROLE clerk")
    found = scope_counts.differences(incident)
    exposure_factory.withdraw(first, "it was another company's file")
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")

    assert (found, first.state) == ([], "withdrawn")
