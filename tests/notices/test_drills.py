"""Small drills, and the violations that a drill must find. `make drill` runs the large ones."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.people import address
from notices.models import Delivery, Notice
from tests.drills.comparing import compare
from tests.drills.mail_server import Taken
from tests.notice_factory import published

ROOT = Path(__file__).parents[2]
PEOPLE = 3


@pytest.mark.parametrize(
    "name",
    ["kill", "stop", "redis", "postgres", "refusal_cut", "twice", "relay", "limits", "returned"],
)
def test_small_drill_holds(name):
    environment = {**os.environ, "PEOPLE": "400", "KILLS": "4", "SEED": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.drills", name],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 drills held" in done.stdout


@pytest.fixture
def notified(incident, editor, approver) -> Notice:
    """A closed notice with three deliveries that the ledger shows as accepted."""
    version = published(incident, editor=editor, approver=approver)
    notice = Notice.objects.create(
        incident=incident, version=version, kind="mandatory", created_by=editor
    )
    for number in range(1, PEOPLE + 1):
        key = incident.cipher().person_id("member", str(number))
        Delivery.objects.create(notice=notice, recipient=key, language="ko", state="accepted")
    counts = {"planned": PEOPLE, "accepted": PEOPLE}
    Notice.objects.filter(pk=notice.pk).update(
        state="closed", approved_by=approver, approved_at=notice.created_at, **counts
    )
    return notice


def mails(*numbers: int) -> list[Taken]:
    return [Taken(time.time(), 1, f"{number}@drill", address(number)) for number in numbers]


def violations(notice: Notice, taken: list[Taken], *, most_flagged: int = 0) -> str:
    verdict = compare(notice, taken, people=PEOPLE, most_flagged=most_flagged)
    return "\n".join(verdict.violations)


def test_the_comparison_accepts_a_correct_ledger(notified):
    assert violations(notified, mails(1, 2, 3)) == ""


def test_the_comparison_finds_a_false_acceptance(notified):
    assert "never taken by the server" in violations(notified, mails(1, 2))


def test_the_comparison_finds_a_missing_delivery(notified):
    notified.deliveries.filter(
        recipient=notified.incident.cipher().person_id("member", "3")
    ).delete()
    found = violations(notified, mails(1, 2, 3))
    assert "1 people are not in the ledger" in found
    assert "neither accepted nor in doubt" in found


def test_the_comparison_finds_a_duplicate_that_is_not_flagged(notified):
    assert "does not flag it" in violations(notified, mails(1, 2, 3, 3))


def test_the_comparison_finds_too_many_deliveries_in_doubt(notified):
    notified.deliveries.update(is_possible_duplicate=True)
    assert "at most 2 may" in violations(notified, mails(1, 2, 3, 3), most_flagged=2)
    assert violations(notified, mails(1, 2, 3, 3), most_flagged=3) == ""


def test_the_comparison_finds_two_message_ids_of_one_person(notified):
    notified.deliveries.update(is_possible_duplicate=True)
    again = [Taken(time.time(), 2, "other@drill", address(3))]
    assert "another ID" in violations(notified, mails(1, 2, 3) + again, most_flagged=3)


def test_the_comparison_finds_wrong_counters(notified):
    notified.deliveries.filter(
        recipient=notified.incident.cipher().person_id("member", "1")
    ).update(state="bounced")
    assert "counters say" in violations(notified, mails(2, 3))
