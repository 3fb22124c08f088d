"""Re-encryption: all data of an incident gets the new key, or the old key is kept."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections, models
from django.urls import reverse
from django.utils.translation import override

from foundations.process_pool import WorkerLostError
from harness.exposure_factory import expose, file_of, person
from incidents import encryption, reencryption
from incidents.encryption import CONTACT, EXPOSURE, EncryptionError, KeysetShreddedError
from incidents.management import progress_reporter
from incidents.models import AffectedPerson, Exposure, Incident, Reencryption
from incidents.scope_versions import incident_lock
from notices.models import Notice, TestAddress
from tests.killed_process import die_at_call, no_wait, run_until_killed

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
PEOPLE = 12


def run(incident: Incident, **options) -> Reencryption:
    return reencryption.reencrypt_incident(incident, step_people=5, wait=no_wait, **options)


@pytest.fixture
def people(incident) -> list[AffectedPerson]:
    """People with a contact and two rows each; one of the rows has no values."""
    file, rows = file_of(incident), []
    for number in range(PEOPLE):
        row = person(incident, name=f"고객 {number}", email=f"customer{number}@example.com")
        expose(row, file, "names", "email-addresses")
        expose(row, file, values=[("physical-addresses", f"서울 {number}")])
        rows.append(row)
    return rows


def opened(incident: Incident) -> dict[str, object]:
    """Returns all decrypted values by the key of their person or row."""
    cipher = Incident.objects.get(pk=incident.pk).cipher()
    found: dict[str, object] = {}
    for row in AffectedPerson.objects.filter(incident=incident):
        found[str(row.pk)] = cipher.decrypt(row.contact, person=row.pk, purpose=CONTACT)
    for pk, key, ciphertext in Exposure.objects.filter(ciphertext__isnull=False).values_list(
        "pk", "person_id", "ciphertext"
    ):
        found[str(pk)] = cipher.decrypt(ciphertext or b"", person=key, purpose=EXPOSURE)
    return found


def key_ids(incident: Incident) -> set[bytes]:
    """Returns the prefixes of the keys that encrypted the stored values."""
    contacts = AffectedPerson.objects.values_list("contact", flat=True)
    values = Exposure.objects.filter(ciphertext__isnull=False).values_list("ciphertext", flat=True)
    return {bytes(ciphertext or b"")[:5] for ciphertext in [*contacts, *values]}


@pytest.mark.parametrize("processes", [0, 2])
def test_all_values_are_under_the_new_key_and_unchanged(incident, people, processes):
    before, old = opened(incident), key_ids(incident)

    done = run(incident, processes=processes)

    assert opened(incident) == before
    assert key_ids(incident) == {encryption.key_prefix(done.key_id)}
    assert key_ids(incident).isdisjoint(old)
    assert (done.state, done.rows) == (Reencryption.State.DONE, 2 * PEOPLE)
    assert done.finished_at


def test_another_incidents_rows_are_not_touched(incident, people):
    second = Incident.objects.get(pk=incident.pk)
    second.pk, second.slug = None, "second"
    second.make_keysets()
    second.save()
    theirs = person(second, name="박서준", email="seojun@example.com")
    expose(theirs, file_of(second), values=[("physical-addresses", "부산")])

    def stored() -> list[bytes]:
        contact = AffectedPerson.objects.get(pk=theirs.pk).contact
        return [bytes(contact), *(bytes(row.ciphertext or b"") for row in theirs.exposures.all())]

    before = stored()
    assert run(incident).rows == 2 * PEOPLE
    assert stored() == before


def test_a_value_written_after_its_step_was_read_is_kept(incident, people):
    """Such a value is under the newest key, and newer than the value in the step."""
    first, second = sorted(people, key=lambda row: row.pk)[:2]

    def encrypt_the_next(change: Reencryption) -> None:
        if change.position == first.pk:
            fresh = Incident.objects.get(pk=incident.pk).cipher()
            newer = fresh.encrypt({"n": "새 이름"}, person=second.pk, purpose=CONTACT)
            AffectedPerson.objects.filter(pk=second.pk).update(contact=newer)

    reencryption.reencrypt_incident(
        incident, step_people=1, processes=1, wait=no_wait, report=encrypt_the_next
    )

    assert opened(incident)[str(second.pk)] == {"n": "새 이름"}


def test_a_lost_worker_process_is_one_line(incident, people, monkeypatch):
    def lose(*_arguments: object, **_options: object) -> None:
        raise WorkerLostError("a worker process was ended; is there enough memory?")

    monkeypatch.setattr(reencryption, "reencrypt_incident", lose)
    with pytest.raises(CommandError, match=r"enough memory\? The same command goes on from here"):
        call_command("reencrypt", "hanbit-2025")


def test_the_old_key_is_deleted(incident, people):
    old_cipher, row = incident.cipher(), people[0]
    stored = bytes(AffectedPerson.objects.get(pk=row.pk).contact)
    run(incident)
    now_ciphertext = bytes(AffectedPerson.objects.get(pk=row.pk).contact)

    with pytest.raises(EncryptionError):
        Incident.objects.get(pk=incident.pk).cipher().decrypt(
            stored, person=row.pk, purpose=CONTACT
        )
    with pytest.raises(EncryptionError):
        old_cipher.decrypt(now_ciphertext, person=row.pk, purpose=CONTACT)


def test_look_ups_find_the_same_rows_during_and_after_the_run(client, minji, incident):
    file = file_of(incident)
    for number in range(PEOPLE):
        email = f"minji{number}@example.org"
        EmailAddress.objects.create(user=minji, email=email, verified=True)
        expose(person(incident, name="김민지", email=email), file, "names")
    client.force_login(minji)
    with override("en"):
        url = reverse("my_data")

    def look(_change: Reencryption | None = None) -> None:
        response = client.get(url)
        assert response.status_code == 200
        assert response.content.decode().count("<h2>Your name leaked</h2>") == PEOPLE

    look()
    run(incident, report=look)
    look()


def test_nothing_is_touched_before_every_process_knows_the_new_key(incident, people, settings):
    settings.REENCRYPT_GRACE_SECONDS = 300
    old_cipher, waited = incident.cipher(), []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        row = AffectedPerson.objects.get(pk=people[0].pk)
        assert old_cipher.decrypt(row.contact, person=row.pk, purpose=CONTACT)
        # A process with the old keyset in memory can decrypt values that are written now.
        fresh = Incident.objects.get(pk=incident.pk).cipher()
        ciphertext = fresh.encrypt({}, person=row.pk, purpose=CONTACT)
        assert old_cipher.decrypt(ciphertext, person=row.pk, purpose=CONTACT) == {}

    reencryption.reencrypt_incident(incident, wait=wait)

    [seconds] = waited
    assert 290 < seconds <= 300


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_continues_where_it_ended(incident, people):
    before = opened(incident)

    for steps in (1, 2):
        killed_after(steps, incident)
    unfinished = Reencryption.objects.get()
    assert unfinished.state == Reencryption.State.RUNNING
    assert 0 < AffectedPerson.objects.filter(pk__lte=unfinished.position).count() < PEOPLE
    assert opened(incident) == before

    done = run(incident)

    assert Reencryption.objects.count() == 1
    assert done.rows == 2 * PEOPLE
    assert opened(incident) == before
    assert key_ids(incident) == {encryption.key_prefix(done.key_id)}


def killed_after(steps: int, incident: Incident) -> None:
    """Re-encrypts in a process that SIGKILL ends after `steps` steps."""
    run_until_killed(
        lambda: reencryption.reencrypt_incident(
            incident, step_people=3, wait=no_wait, report=die_at_call(steps)
        )
    )


def test_the_old_key_is_kept_while_a_late_value_needs_it(incident, people):
    row = people[0]
    late = bytes(AffectedPerson.objects.get(pk=row.pk).contact)

    def come_late(change: Reencryption) -> None:
        AffectedPerson.objects.filter(pk=row.pk).update(contact=late)

    with pytest.raises(
        reencryption.ReencryptionRefusedError, match="1 values are still under an older key"
    ):
        run(incident, report=come_late)
    assert opened(incident)

    reencryption.start_again(incident)
    assert run(incident).state == Reencryption.State.DONE
    assert opened(incident)[str(row.pk)]


@pytest.mark.parametrize("processes", [0, 2])
def test_a_value_that_cannot_be_decrypted_is_logged_and_skipped(
    incident, people, caplog, processes
):
    moved = people[0]
    AffectedPerson.objects.filter(pk=moved.pk).update(contact=people[1].contact)

    done = run(incident, processes=processes)

    assert (done.state, done.rows) == (Reencryption.State.DONE, 2 * PEOPLE - 1)
    assert f"the contact of person {moved.pk} does not open" in caplog.text
    assert "customer" not in caplog.text


def test_columns_of_other_apps_are_re_encrypted(incident, draft):
    Notice.objects.filter(pk=draft.pk).update(audience=Notice.Audience.TEST)
    address = TestAddress(notice=draft, language="ko")
    address.contact = incident.cipher().encrypt(
        {"e": "test@example.com"}, person=address.pk, purpose=encryption.TEST_ADDRESS
    )
    address.save()

    run(incident)

    address.refresh_from_db()
    cipher = Incident.objects.get(pk=incident.pk).cipher()
    assert cipher.decrypt(address.contact, person=address.pk, purpose=encryption.TEST_ADDRESS)


@pytest.mark.django_db(transaction=True)
def test_no_file_is_imported_while_it_runs(incident, people):
    def try_to_import(_change: Reencryption) -> None:
        with ThreadPoolExecutor(1) as other:
            refusals.append(str(other.submit(refusal).exception()))

    def refusal() -> None:
        try:
            with incident_lock(incident):
                pass
        finally:
            connections.close_all()

    refusals: list[str] = []
    run(incident, report=try_to_import)
    assert "a file is being imported; try again" in refusals[0]

    with incident_lock(incident):
        pass


def test_another_change_can_follow(incident, people):
    before = opened(incident)
    first, second = run(incident), run(incident)

    assert first.key_id != second.key_id
    assert opened(incident) == before


def test_no_encrypted_column_is_forgotten():
    """Each column under an incident's keyset is known to `reencryption`."""
    known = {reencryption.CONTACTS, reencryption.EXPOSURES, *reencryption.OTHER_APPS_COLUMNS}
    reencrypted = {(entry.model._meta.label, entry.column) for entry in known}
    others = {
        ("incidents.Incident", "data_keyset"),
        ("incidents.Incident", "index_keyset"),
        ("notices.Certificate", "ciphertext"),  # encrypted with its own code
        ("notices.NoticeMessage", "mime"),  # the same text for all recipients
        ("accounts.AuditEntry", "hash"),
        ("accounts.ApiToken", "digest"),
        ("accounts.LookUpKey", "digest"),
        ("accounts.Invitation", "token_hash"),
        ("notices.PushSubscription", "address"),  # under the master keyset: incidents.rewrapping
    }
    binary = {
        (model._meta.label, field.name)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, models.BinaryField)
    }

    assert binary - others == reencrypted


def test_a_shredded_incident_cannot_be_re_encrypted(incident, people):
    incident.shred()

    with pytest.raises(KeysetShreddedError):
        run(incident)
    with pytest.raises(CommandError, match="the data of incident hanbit-2025 is shredded"):
        call_command("reencrypt", "hanbit-2025")


def test_shredding_in_the_middle_ends_it(incident, people):
    def shred(_change: Reencryption) -> None:
        Incident.objects.get(pk=incident.pk).shred()

    with pytest.raises(KeysetShreddedError):
        run(incident, report=shred)


def test_the_command_says_what_it_did(incident, people, capsys):
    call_command("reencrypt", "hanbit-2025", people=5)

    assert f"hanbit-2025: {2 * PEOPLE} values sealed again" in capsys.readouterr().out


def test_an_unknown_incident_is_one_line():
    with pytest.raises(CommandError, match="no such incident"):
        call_command("reencrypt", "nowhere")


def test_the_command_says_how_far_it_is(incident, people, capsys, monkeypatch):
    monkeypatch.setattr(progress_reporter, "LOG_SECONDS", 0)
    call_command("reencrypt", "hanbit-2025", people=2)
    progress = [line for line in capsys.readouterr().err.splitlines() if line.endswith(" left")]
    shares = [float(line.partition("%")[0]) for line in progress]
    assert len(progress) > 1
    assert shares == sorted(shares)
    assert " values, " in progress[0]
