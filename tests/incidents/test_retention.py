"""Retention: two people decide, a worker deletes on the day, and what was deleted stays closed."""

import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import AuditEntry, RightsGrant, User
from foundations.keys import EncryptionError
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in_to_desk
from incidents import (
    desk_parts,
    purging,
    reencryption,
    store_check,
    tasks,
    team_messages,
    uploads,
    withdrawal_decisions,
)
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import (
    AffectedPerson,
    DataDeletion,
    Exposure,
    Incident,
    Reencryption,
    RetentionDecision,
    Reveal,
    Shredding,
    Upload,
    UploadPiece,
    WithdrawnContact,
)
from incidents.retention import deletion, plans
from incidents.retention.plans import PlanDates, RetentionRefusedError
from incidents.scope_counts import recount
from incidents.scope_versions import ScopeRefusedError
from tests.desk_pages import desk_url, page_text
from tests.notice_factory import draft_notice
from tickets.models import Ticket

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
REASON = "PIPA article 21"


@pytest.fixture(autouse=True)
def _no_grace(settings):
    settings.REENCRYPT_GRACE_SECONDS = 0


@pytest.fixture
def leaked(incident) -> AffectedPerson:
    """Minji's row, with a value that only the exposure holds."""
    row = person(incident, name="김민지", email="minji@example.com")
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", values=[("physical-addresses", "서울 1")])
    recount(incident)
    return row


def today(incident: Incident) -> date:
    return plans.today_of(incident)


def planned(
    incident: Incident, team, *, values: int = 1, contacts: int = 30, age: int = 0
) -> RetentionDecision:
    """Returns a confirmed plan of so many days after the day of decision, `age` days ago."""
    day = today(incident)
    dates = PlanDates(day + timedelta(days=values), day + timedelta(days=contacts), None)
    decision = plans.propose(incident, "plan", by=team["editor"], reason=REASON, dates=dates)
    assert plans.confirm(decision, by=team["approver"])
    if age:
        move_days(decision, -age)
    return decision


def move_days(decision: RetentionDecision, days: int) -> None:
    """Moves the days of a stored plan, as if time had passed. A trigger stops everyone else."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE incidents_retentiondecision SET values_on = values_on + %s,"
            " contacts_on = contacts_on + %s WHERE id = %s",
            [days, days, decision.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    decision.refresh_from_db()


def desk(user: User, language: str = "en") -> Client:
    client = Client()
    sign_in_to_desk(client, user)
    client.cookies["language"] = language
    return client


def my_data(user: User, language: str = "en") -> str:
    user.language = language
    user.save(update_fields=["language"])
    client = Client()
    client.force_login(user)
    client.cookies["language"] = language
    with override(language):
        return page_text(client.get(reverse("my_data")))


def check(*args: str) -> str:
    out = StringIO()
    call_command("check_retention", *args, stdout=out)
    return out.getvalue()


# ---------------------------------------------------------------- two people


def test_one_proposes_on_the_desk_and_another_confirms(incident, leaked, team):
    editor, approver = desk(team["editor"]), desk(team["approver"])
    day = today(incident) + timedelta(days=40)
    form = {"values_on": day, "contacts_on": day + timedelta(days=5), "reason": REASON}
    address = desk_url("incidents_incident_propose_retention", incident.pk, "plan")
    assert editor.post(address, form).status_code == 302
    decision = RetentionDecision.objects.get()
    assert plans.plan_of(incident) is None

    assert editor.post(confirm_url(decision)).status_code == 403
    shown = page_text(approver.get(desk_url("incidents_retentiondecision_change", decision.pk)))
    assert "People concerned: 1;" in shown
    assert approver.post(confirm_url(decision)).status_code == 302

    assert plans.plan_of(incident) == decision
    kinds = AuditEntry.objects.filter(object_type="incidents_retentiondecision")
    assert kinds.filter(actor=str(team["approver"])).exists()
    page = page_text(approver.get(desk_url("incidents_incident_retention", incident.pk)))
    assert "Plan in force" in page
    assert "Delete now" not in page


def confirm_url(decision: RetentionDecision) -> str:
    return desk_url("incidents_retentiondecision_confirm", decision.pk)


def test_two_accounts_of_one_superuser_are_not_two_people(incident, leaked, editor, approver):
    third = User.objects.create_superuser("third@hanbit.example")
    RightsGrant.objects.create(
        user=approver,
        is_superuser=True,
        asked_by=editor,
        confirmed_by=third,
        confirmed_at=timezone.now(),
    )
    decision = plans.propose(incident, "hold", by=editor, reason=REASON)
    answer = desk(approver).post(confirm_url(decision))
    assert answer.status_code == 403
    assert "cannot be two people" in answer.content.decode()


def test_the_database_refuses_one_person_and_changes(incident, team):
    decision = planned(incident, team)
    rows = RetentionDecision.objects.filter(pk=decision.pk)
    alone = RetentionDecision(
        incident=incident, kind="hold", reason="x", proposed_by=team["editor"]
    )
    for act in (
        lambda: rows.update(values_on=today(incident)),
        lambda: rows.update(confirmed_by=team["editor"]),
        lambda: rows.delete(),
        lambda: confirm_alone(alone, team["editor"]),
        lambda: DataDeletion.objects.create(
            incident=incident, step="values", plan=decision, key_digest="0" * 64
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()


def confirm_alone(decision: RetentionDecision, by: User) -> None:
    decision.save()
    RetentionDecision.objects.filter(pk=decision.pk).update(
        confirmed_by=by, confirmed_at=decision.proposed_at
    )


@pytest.mark.parametrize(
    ("values", "contacts", "proof", "words"),
    [
        (0, 5, None, "after today"),
        (-3, 5, None, "after today"),
        (5, 4, None, "day of the values or later"),
        (5, 6, 5, "at least until the contacts"),
    ],
)
def test_impossible_days_are_refused(incident, team, values, contacts, proof, words):
    first = today(incident)

    def day(days: int) -> date:
        return first + timedelta(days=days)

    dates = PlanDates(day(values), day(contacts), None if proof is None else day(proof))
    with pytest.raises(RetentionRefusedError, match=words):
        plans.propose(incident, "plan", by=team["editor"], reason=REASON, dates=dates)


def test_a_change_takes_two_again_and_stops_the_deletion_meanwhile(incident, leaked, team):
    planned(incident, team, age=2)
    assert deletion.due_incidents() == [incident.pk]
    day = today(incident) + timedelta(days=90)
    change = plans.propose(
        incident, "plan", by=team["editor"], reason=REASON, dates=PlanDates(day, day, None)
    )
    assert deletion.due_incidents() == []
    with pytest.raises(RetentionRefusedError, match="waits for a second person"):
        deletion.start(incident)
    with pytest.raises(RetentionRefusedError, match="Decide it first"):
        plans.propose(incident, "hold", by=team["approver"], reason=REASON)
    assert not plans.confirm(change, by=team["editor"])
    assert plans.confirm(change, by=team["approver"])
    assert deletion.due_incidents() == []


# ---------------------------------------------------------------- values


def test_values_are_deleted_on_their_day_and_cannot_be_opened(incident, leaked, team, minji):
    old = Incident.objects.get(pk=incident.pk)
    old_value = bytes(Exposure.objects.exclude(ciphertext=None).get().ciphertext or b"")
    plan = planned(incident, team, values=1)
    assert deletion.due_incidents() == []
    assert "keeps these values until" in my_data(minji)
    move_days(plan, -1)
    upload = Upload.objects.create(
        incident=incident, by=team["importer"], name="a", size=1, sha256="0" * 64, state="imported"
    )
    UploadPiece.objects.create(upload=upload, kind="content", number=0, ciphertext=b"x")

    deletion.work(incident.pk)

    record = DataDeletion.objects.get()
    assert record.done_at
    assert (record.people, record.rows, record.started_by) == (1, 1, None)
    assert not Exposure.objects.exclude(ciphertext=None).exists()
    assert not UploadPiece.objects.exists()
    incident.refresh_from_db()
    assert old.cipher().decrypt(old_value, person=leaked.pk, purpose=b"exposure")
    with pytest.raises(EncryptionError):
        incident.cipher().decrypt(old_value, person=leaked.pk, purpose=b"exposure")
    fresh = AffectedPerson.objects.get(pk=leaked.pk)
    assert fresh.decrypt_contact()["n"] == "김민지"
    assert "nothing deleted can be opened" in check(incident.slug)
    assert store_check.check_whole(incident).faults == []
    shown = my_data(minji)
    assert "Hanbit Store deleted the values on" in shown
    assert "address" in shown
    assert "서울" not in shown
    assert "@example.com</dd>" not in shown
    assert deletion.due_incidents() == []


def test_a_killed_deletion_continues(incident, team, monkeypatch):
    file = file_of(incident)
    for number in range(9):
        row = person(incident, name=f"고객 {number}")
        expose(row, file, values=[("physical-addresses", f"서울 {number}")])
    planned(incident, team, age=1)
    monkeypatch.setattr(deletion, "STEP_PEOPLE", 2)
    record = deletion.start(incident)
    assert deletion._delete_step(record, [file.pk])
    assert Exposure.objects.filter(ciphertext=None).count() == 2
    deletion.work(incident.pk)
    deletion.work(incident.pk)
    record.refresh_from_db()
    assert (record.people, record.rows) == (9, 9)
    assert record.done_at


def test_a_hold_stops_a_deletion_that_runs(incident, leaked, team):
    planned(incident, team, age=1)
    record = deletion.start(incident)
    plans.propose(incident, "hold", by=team["approver"], reason="Court order")
    with pytest.raises(RetentionRefusedError):
        deletion.execute(record, deletion._end_of_slice())
    deletion.work(incident.pk)
    assert Exposure.objects.exclude(ciphertext=None).exists()
    assert DataDeletion.objects.get().done_at is None


def test_a_hold_during_the_reencryption_keeps_the_old_key(incident, leaked, team, monkeypatch):
    planned(incident, team, age=1)
    original = reencryption._reencrypt_other_columns

    def held(record: Reencryption) -> None:
        plans.propose(incident, "hold", by=team["approver"], reason="Court order")
        original(record)

    monkeypatch.setattr(reencryption, "_reencrypt_other_columns", held)
    deletion.work(incident.pk)
    record = DataDeletion.objects.get()
    assert record.done_at is None
    incident.refresh_from_db()
    assert set(record.key_ids) <= set(deletion._key_ids(incident))


def test_the_old_key_stays_until_every_process_knows_the_new_one(incident, leaked, team, settings):
    settings.REENCRYPT_GRACE_SECONDS = 300
    planned(incident, team, age=1)
    deletion.work(incident.pk)
    assert DataDeletion.objects.get().done_at is None
    assert deletion.due_incidents() == [incident.pk]
    settings.REENCRYPT_GRACE_SECONDS = 0
    deletion.work(incident.pk)
    assert DataDeletion.objects.get().done_at


def test_nothing_is_imported_once_the_values_are_deleted(incident, leaked, team, tmp_path):
    planned(incident, team, age=1)
    deletion.work(incident.pk)
    path = tmp_path / "members.csv"
    path.write_text("id,email\n1,minji@example.com\n")
    mapping = '[person]\nrelation = "member"\nreference = "id"\nemail = "email"\n'
    incident.refresh_from_db()
    with pytest.raises(ImportRefusedError, match="nothing is loaded any more"):
        loading.import_file(
            path, incident=incident, mapping_text=mapping + 'contact_leaked = ["email"]\n'
        )


def test_the_check_names_what_is_left(incident, leaked, team):
    planned(incident, team, age=1)
    deletion.work(incident.pk)
    Exposure.objects.update(ciphertext=b"x")
    with pytest.raises(CommandError):
        check()
    Exposure.objects.update(ciphertext=None)
    assert '"step": "values"' in check(incident.slug, "--json")


def test_the_how_to_page_shows_the_command(incident):
    pages = Path(__file__).parents[2] / "docs" / "how-to"
    text = (pages / "end-an-incident.md").read_text(encoding="utf-8")
    assert "manage.py check_retention [SLUG] [--json]" in text
    [found] = json.loads(check(incident.slug, "--json"))["incidents"]
    assert found == {
        "incident": incident.slug,
        "shredded_at": None,
        "deletions": [],
        "faults": [],
    }


# ---------------------------------------------------------------- contacts


def test_contacts_are_shredded_in_the_names_of_the_two_people(incident, leaked, team, minji):
    planned(incident, team, values=1, contacts=1, age=1)
    deletion.work(incident.pk)

    incident.refresh_from_db()
    shredding, record = Shredding.objects.get(), DataDeletion.objects.get()
    assert incident.data_keyset is None
    assert (shredding.asked_by, shredding.done_by) == (team["editor"], team["approver"])
    assert shredding.data_fingerprint == record.key_digest
    assert record.step == "contacts"
    assert record.people == 1
    assert "nothing deleted can be opened" in check(incident.slug)
    for language, words in (("en", "Deleted on"), ("ko", "파기한 날")):
        assert words in my_data(minji, language)
    with pytest.raises(IntegrityError), transaction.atomic():
        DataDeletion.objects.update(rows=5)


def test_a_worker_purges_the_rows_after_the_contacts(incident, leaked, team, minji):
    Reveal.objects.create(user=minji, person=leaked)
    planned(incident, team, values=1, contacts=1, age=1)
    deletion.work(incident.pk)
    assert AffectedPerson.objects.exists()
    assert deletion.unpurged_incidents() == [incident.pk]
    tasks.sweep_deletions()
    deletion.work(incident.pk)
    for model in (AffectedPerson, Exposure, Reveal):
        assert not model.objects.exists()
    assert Shredding.objects.get().purged_at
    assert deletion.unpurged_incidents() == []


def test_a_task_of_a_deletion_ends_after_its_time_and_the_next_continues(
    incident, team, monkeypatch
):
    """So that no import waits until the values or the rows of a nation are deleted."""
    file = file_of(incident)
    for number in range(9):
        row = person(incident, name=f"고객 {number}")
        expose(row, file, values=[("physical-addresses", f"서울 {number}")])
        WithdrawnContact.objects.create(person=row, batch=file.batch, contact_index=row.pk)
    monkeypatch.setattr(deletion, "STEP_PEOPLE", 2)
    monkeypatch.setattr(deletion, "SLICE_SECONDS", -1.0)
    monkeypatch.setitem(purging.run.__kwdefaults__, "step_rows", 2)
    plan = planned(incident, team, values=1, contacts=9, age=1)
    tasks_of_values = 0
    while deletion.due_incidents():
        deletion.work(incident.pk)
        tasks_of_values += 1
    assert tasks_of_values > 3
    values = DataDeletion.objects.get()
    assert (values.people, values.rows, bool(values.done_at)) == (9, 9, True)

    move_days(plan, -9)
    deletion.work(incident.pk)
    page_of = desk_url("incidents_incident_retention", incident.pk)
    assert "under way: 0 % are examined" in page_text(desk(team["auditor"]).get(page_of))
    tasks_of_purge, purged = 0, [0]
    while deletion.unpurged_incidents():
        deletion.work(incident.pk)
        tasks_of_purge += 1
        purged.append(Shredding.objects.get().people)
    assert tasks_of_purge > 4
    assert purged == sorted(purged)
    assert purged[-1] == 9
    for model in (AffectedPerson, Exposure, WithdrawnContact):
        assert not model.objects.exists()
    assert "Deletion of the rows" in page_text(desk(team["auditor"]).get(page_of))
    assert Shredding.objects.get().percent_purged() == 100
    entries = AuditEntry.objects.filter(object_type="incidents_shredding", kind="changed")
    # The shredding and the end of the purge, and not each step of it.
    assert sorted("purged_at" in each.details for each in entries) == [False, True]


def test_what_superusers_shredded_without_a_plan_is_not_purged_by_a_worker(
    incident, leaked, editor, approver
):
    Shredding.objects.create(incident=incident, asked_by=editor)
    incident.shred(approver)
    assert deletion.unpurged_incidents() == []


# ---------------------------------------------------------------- what prevents it


def test_a_legal_hold_stops_withdrawals_and_keeps_uploads(incident, leaked, team):
    batch = leaked.incident.batches.get()
    proposal = withdrawal_decisions.propose(batch, by=team["importer"], reason="wrong file")
    upload = Upload.objects.create(
        incident=incident, by=team["importer"], name="a", size=1, sha256="0" * 64, state="checked"
    )
    Upload.objects.update(changed_at=timezone.now() - uploads.REJECTS_RETENTION * 2)
    for kind in (UploadPiece.Kind.CONTENT, UploadPiece.Kind.REJECTS):
        UploadPiece.objects.create(upload=upload, kind=kind, number=0, ciphertext=b"x")
    hold = plans.propose(incident, "hold", by=team["editor"], reason="Court order")
    plans.confirm(hold, by=team["approver"])
    for act in (
        lambda: withdrawal_decisions.confirm(proposal, by=team["approver"]),
        lambda: withdrawal_decisions.propose(batch, by=team["editor"], reason="again"),
    ):
        with pytest.raises(ScopeRefusedError, match="legal hold"):
            act()
    batch.refresh_from_db()
    assert batch.state != "withdrawn"
    client = desk(team["importer"])
    answer = client.post(desk_url("incidents_upload_discard", upload.pk), {"sure": "1"})
    assert "A legal hold is in force." in answer.content.decode()
    uploads.sweep()
    assert UploadPiece.objects.count() == 2

    release = plans.propose(incident, "release", by=team["editor"], reason="The court closed it")
    plans.confirm(release, by=team["approver"])
    assert withdrawal_decisions.confirm(proposal, by=team["approver"])
    uploads.sweep()
    assert not UploadPiece.objects.exists()


def test_a_legal_hold_stops_the_plan_and_the_superusers(incident, leaked, team, editor, approver):
    hold = plans.propose(incident, "hold", by=team["editor"], reason="Court order")
    plans.confirm(hold, by=team["approver"])
    planned(incident, team, age=2)
    with pytest.raises(RetentionRefusedError, match="legal hold"):
        deletion.start(incident)
    answer = desk(editor).post(
        desk_url("incidents_incident_shred", incident.pk), {"slug": incident.slug, "seen": ""}
    )
    assert "A legal hold is in force." in answer.content.decode()
    with pytest.raises(IntegrityError), transaction.atomic():
        incident.shred(editor)
    incident.refresh_from_db()
    assert incident.kept_until is None
    release = plans.propose(incident, "release", by=team["editor"], reason="The court closed it")
    plans.confirm(release, by=team["approver"])
    deletion.work(incident.pk)
    assert DataDeletion.objects.get().done_at


def test_unfinished_work_prevents_a_deletion_with_the_reason(
    incident, team, notice_version, ticket
):
    planned(incident, team, age=2)
    now = timezone.now()
    sent = {"approved_by": team["approver"], "approved_at": now, "planned_at": now}
    draft_notice(notice_version, team["editor"], state="paused", paused_for="bounces", **sent)
    Upload.objects.create(
        incident=incident, by=team["importer"], name="a", size=1, sha256="0" * 64, state="checked"
    )
    file_of(incident, number=2, state="open")
    reasons = " ".join(plans.objections(incident))
    for words in ("is being sent or is paused", "not settled", "version is open"):
        assert words in reasons
    shown = page_text(
        desk(team["approver"]).get(desk_url("incidents_incident_retention", incident.pk))
    )
    assert "not settled" in shown
    assert "Delete now" not in shown


def test_a_waiting_question_prevents_the_deletion_of_contacts_only(incident, leaked, team, ticket):
    planned(incident, team, contacts=2, age=1)
    deletion.work(incident.pk)
    assert DataDeletion.objects.get().done_at
    move_days(RetentionDecision.objects.get(), -1)
    [reason] = plans.objections(incident)
    assert "waits for an answer" in reason
    assert deletion.due_incidents() == []


@pytest.fixture
def ticket(incident, minji):
    return Ticket.objects.create(
        kind="question", incident=incident, user=minji, language="ko", due_on=today(incident)
    )


# ---------------------------------------------------------------- warnings


@pytest.mark.parametrize(
    ("days", "stage"), [(31, ""), (30, "-30-"), (7, "-7-"), (1, "-1-"), (-1, "-overdue-")]
)
def test_the_team_is_warned_before_and_when_it_is_overdue(incident, leaked, team, days, stage):
    plan = planned(incident, team, values=40, contacts=50)
    move_days(plan, days - 40)
    tasks = [each for each in desk_parts.incident_parts(incident).tasks if "deletion-" in each.key]
    assert [stage in each.key for each in tasks] == ([True] if stage else [])
    events = [each for each in team_messages.events() if each.kind == "retention"]
    assert len(events) == len(tasks)
    for event in events:
        assert event.is_for(team["approver"])
        assert not event.is_for(team["support"])


def test_a_person_starts_a_due_deletion(incident, leaked, team):
    planned(incident, team, age=2)
    approver = desk(team["approver"])
    page = desk_url("incidents_incident_retention", incident.pk)
    assert "Delete now" in page_text(approver.get(page))
    assert approver.post(desk_url("incidents_incident_start_deletion", incident.pk))
    assert DataDeletion.objects.get().started_by == team["approver"]
    assert Group.objects.get(name="approver")


def test_what_waits_for_a_second_person_is_a_link_to_it(incident, leaked, team):
    values_on, contacts_on = (today(incident) + timedelta(days=days) for days in (40, 45))
    dates = PlanDates(values_on, contacts_on, None)
    plan = plans.propose(incident, "plan", by=team["editor"], reason=REASON, dates=dates)
    plans.confirm(plan, by=team["approver"])
    waiting = plans.propose(incident, "hold", by=team["editor"], reason=REASON)
    link = f'<a href="{desk_url("incidents_retentiondecision_change", waiting.pk)}">'
    client = desk(team["editor"])
    shown = page_text(client.get(desk_url("incidents_incident_retention", incident.pk)))
    assert f"{link}A decision about the retention waits for a second person.</a>" in shown
    assert shown.count(link) == 2  # the line at the top, and what prevents a deletion
    address = desk_url("incidents_incident_propose_retention", incident.pk, "hold")
    refused = page_text(client.post(address, {"reason": REASON}))
    assert f"<li>{link}Another decision about the retention waits" in refused
