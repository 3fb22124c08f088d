"""A withdrawal of a scope version takes two people, as the write-off of unread rows does."""

import threading

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.exposure_factory import decide_withdrawal, write_off_unread
from harness.sign_in import sign_in_to_desk
from incidents import scope_versions, withdrawal_decisions
from incidents.importing import loading
from incidents.models import BatchWithdrawal, ExposureBatch, Incident
from incidents.scope_versions import ScopeRefusedError
from tests.desk_pages import page_text
from tests.pages.test_narrow_pages import shown

pytestmark = pytest.mark.django_db
REASON = "The dump of another shop."
MAPPING = """
[person]
relation = "member"
reference = "id"
email = "email"
contact_leaked = ["email"]
"""


def load(incident: Incident, tmp_path, rows: str, *, name: str = "members.csv") -> ExposureBatch:
    path = tmp_path / name
    path.write_text(f"id,email\n{rows}")
    return loading.import_file(path, incident=incident, mapping_text=MAPPING).batch


@pytest.fixture
def desk(db):
    """Returns a client at the desk, in English, for the user of a role."""

    def of(role: str, *, name: str = "") -> Client:
        email = f"{name or role}@hanbit.example"
        user = User.objects.filter(email=email).first()
        user = user or User.objects.create_user(email, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        client = Client()
        sign_in_to_desk(client, user)
        client.cookies["language"] = "en"
        return client

    return of


@pytest.fixture
def batch(incident, tmp_path) -> ExposureBatch:
    """A closed version with two rows, one of which two people wrote off."""
    batch = load(incident, tmp_path, "1,minji@example.com\n,seojun@example.com\n")
    write_off_unread(batch)
    scope_versions.close(batch)
    return batch


def url(model: str, action: str, pk: int) -> str:
    return reverse(f"admin:incidents_{model}_{action}", args=[pk])


def proposed(desk, batch: ExposureBatch) -> BatchWithdrawal:
    answer = desk("importer").post(
        url("exposurebatch", "withdraw", batch.pk), {"reason": REASON, "public_reason": "other"}
    )
    assert answer.status_code == 302
    return BatchWithdrawal.objects.get()


def state_of(batch: ExposureBatch) -> str:
    return ExposureBatch.objects.get(pk=batch.pk).state


def my_data(user: User) -> str:
    client = Client()
    client.force_login(user)
    client.cookies["language"] = "en"
    return page_text(client.get(reverse("my_data")))


def public_page(incident: Incident) -> str:
    return page_text(Client().get(f"/en/incidents/{incident.slug}/"))


def test_two_people_withdraw_a_version_on_the_desk(desk, incident, batch, minji, seojun):
    assert "1 row of the leaked data could not be read" in public_page(incident)
    proposal = proposed(desk, batch)

    assert state_of(batch) == "closed"
    assert "e-mail address leaked" in my_data(minji)
    assert "could not be read" in my_data(seojun)
    assert "could not be read" in public_page(incident)

    approver = desk("approver")
    shown = page_text(approver.get(url("batchwithdrawal", "change", proposal.pk)))
    assert f"<td colspan='2'>{REASON}" in shown.replace('"', "'")
    assert "not known yet whether their data leaked" in shown
    assert "1 row of the leaked data could not be read" in shown
    assert shown.count(REASON) == 1
    assert approver.post(url("batchwithdrawal", "confirm", proposal.pk)).status_code == 302

    batch.refresh_from_db()
    assert (batch.state, batch.withdrawn_reason) == ("withdrawn", REASON)
    assert "could not be read" not in public_page(incident)
    for user in (minji, seojun):
        text = my_data(user)
        assert "not among the leaked data" not in text
        assert "e-mail address leaked" not in text


def test_the_difference_is_shown_by_row(desk, incident, batch, tmp_path):
    load(incident, tmp_path, "2,jiho@example.com\n3,haneul@example.com\n", name="more.csv")
    proposal = proposed(desk, batch)
    answer = desk("approver").get(url("batchwithdrawal", "change", proposal.pk))

    assert [shown[1:] for shown in answer.context["differences"][:2]] == [
        ("closed: complete", "withdrawn"),
        ("3", "2"),
    ]


@pytest.mark.parametrize("language", ["ko", "en"])
def test_both_pages_fit_320_pixels(desk, batch, language):
    withdraw = desk("importer")
    withdraw.cookies["language"] = language
    pages = {"withdraw": withdraw.get(url("exposurebatch", "withdraw", batch.pk)).text}
    approver, proposal = desk("approver"), proposed(desk, batch)
    approver.cookies["language"] = language
    pages["proposal"] = approver.get(url("batchwithdrawal", "change", proposal.pk)).text

    widths = {
        name: page.evaluate("document.querySelector('#content').scrollWidth")
        for name, page in shown(pages, width=320, height=640)
    }
    assert all(width <= 320 for width in widths.values()), widths


def test_a_missing_reason_is_asked_for(desk, batch):
    shown = page_text(
        desk("importer").post(
            url("exposurebatch", "withdraw", batch.pk), {"reason": " ", "public_reason": "other"}
        )
    )
    assert "This field is required" in shown
    assert not BatchWithdrawal.objects.exists()


def test_the_proposer_alone_cannot(desk, batch):
    proposal = proposed(desk, batch)
    importer = User.objects.get(email="importer@hanbit.example")
    importer.groups.add(Group.objects.get(name="approver"))

    answer = desk("importer").post(url("batchwithdrawal", "confirm", proposal.pk))

    assert answer.status_code == 403
    assert b"another person has to confirm it" in answer.content
    assert not withdrawal_decisions.confirm(proposal, by=importer)
    with pytest.raises(IntegrityError), transaction.atomic():
        BatchWithdrawal.objects.update(confirmed_by=importer, confirmed_at=proposal.proposed_at)
    assert state_of(batch) == "closed"


@pytest.mark.parametrize("role", ["importer", "editor", "support", "auditor"])
def test_a_second_person_without_the_right_cannot(desk, batch, role):
    proposal = proposed(desk, batch)
    client = desk(role, name="second")

    assert client.post(url("batchwithdrawal", "confirm", proposal.pk)).status_code == 403
    assert client.post(url("batchwithdrawal", "withdraw", proposal.pk)).status_code == 403
    assert state_of(batch) == "closed"


@pytest.mark.parametrize("role", ["approver", "editor", "support", "auditor"])
def test_who_does_not_import_cannot_propose(desk, batch, role):
    answer = desk(role).post(
        url("exposurebatch", "withdraw", batch.pk), {"reason": REASON, "public_reason": "other"}
    )

    assert answer.status_code == 403
    assert not BatchWithdrawal.objects.exists()


def test_a_proposal_is_taken_back(desk, batch):
    proposal = proposed(desk, batch)
    shown = page_text(desk("importer").get(url("exposurebatch", "change", batch.pk)))
    assert "waits for a second person" in shown

    desk("importer").post(url("batchwithdrawal", "withdraw", proposal.pk))
    answer = desk("approver").post(url("batchwithdrawal", "confirm", proposal.pk), follow=True)

    assert "Withdrawn already (" in page_text(answer)
    assert state_of(batch) == "closed"


def test_one_proposal_of_a_version_waits_at_a_time(desk, batch):
    proposed(desk, batch)
    answer = desk("importer").post(
        url("exposurebatch", "withdraw", batch.pk), {"reason": "Again", "public_reason": "other"}
    )

    shown = page_text(answer)
    assert "a withdrawal is proposed already" in shown
    waiting = BatchWithdrawal.objects.get()
    assert f'<li><a href="{url("batchwithdrawal", "change", waiting.pk)}">' in shown
    assert BatchWithdrawal.objects.count() == 1


def test_a_withdrawn_version_cannot_be_proposed_again(desk, batch):
    decide_withdrawal(batch)
    scope_versions.withdraw(batch)
    answer = desk("importer").post(
        url("exposurebatch", "withdraw", batch.pk),
        {"reason": REASON, "public_reason": "other"},
        follow=True,
    )

    assert "Nothing was changed now." in page_text(answer)


def test_a_proposal_with_other_rows_is_outdated(desk, incident, tmp_path):
    batch = load(incident, tmp_path, "1,minji@example.com\n")
    proposal = proposed(desk, batch)
    load(incident, tmp_path, "2,seojun@example.com\n", name="more.csv")

    answer = desk("approver").post(url("batchwithdrawal", "confirm", proposal.pk), follow=True)

    assert "files were loaded since the withdrawal was proposed" in page_text(answer)
    proposal.refresh_from_db()
    assert (proposal.is_waiting, state_of(batch)) == (True, "open")


def test_an_open_version_with_unread_rows_is_withdrawn_by_two(desk, incident, tmp_path):
    batch = load(incident, tmp_path, "1,minji@example.com\n,seojun@example.com\n")
    with pytest.raises(ScopeRefusedError, match="a withdrawal takes two people"):
        scope_versions.withdraw(batch)
    proposal = proposed(desk, batch)
    desk("approver").post(url("batchwithdrawal", "confirm", proposal.pk))

    assert state_of(batch) == "withdrawn"


def test_no_other_way_withdraws_a_version(batch):
    with pytest.raises(IntegrityError, match="two people did not decide it"):
        ExposureBatch.objects.update(state="withdrawn")


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "Another one."},
        {"public_reason": "mistakes"},
        {"rows": 0},
        {"withdrawn_at": "2025-11-20T09:00Z"},
        {"confirmed_by": None, "confirmed_at": None},
    ],
)
def test_a_decision_stays(batch, change):
    decide_withdrawal(batch)
    with pytest.raises(IntegrityError, match="on record"):
        BatchWithdrawal.objects.update(**change)


def test_a_decision_is_not_deleted(batch):
    decide_withdrawal(batch)
    with pytest.raises(IntegrityError, match="on record"):
        BatchWithdrawal.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_a_version_is_not_withdrawn_while_a_file_is_imported(desk, incident, batch):
    proposal = proposed(desk, batch)
    answers = []

    def confirm() -> None:
        answers.append(
            desk("approver").post(url("batchwithdrawal", "confirm", proposal.pk), follow=True)
        )
        connections.close_all()

    with scope_versions.incident_lock(incident):
        thread = threading.Thread(target=confirm)
        thread.start()
        thread.join()

    assert "a file is being imported; try again" in page_text(answers[0])
    proposal.refresh_from_db()
    assert (proposal.is_waiting, state_of(batch)) == (True, "closed")
