"""Compares the mail server's log with the ledger, person by person."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from harness.people import SLUG, address
from incidents.models import Incident
from notices.models import Delivery, Notice
from notices.models.states import END_STATES
from tests.drills.mail_server import Taken


@dataclass
class Verdict:
    """The result of a drill: figures for the reader, and violations for the exit code."""

    figures: dict[str, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def must(self, is_so: bool, what: str) -> None:
        """Records a violation with the text `what` if `is_so` is false."""
        if not is_so:
            self.violations.append(what)


@dataclass(frozen=True)
class Row:
    """The ledger's state of one person's delivery."""

    state: str
    is_possible_duplicate: bool


def ledger(notice: Notice, people: int) -> dict[str, Row]:
    """Returns {address: row} of the notice; people without a delivery are missing."""
    rows = {
        key: Row(state, is_possible_duplicate)
        for key, state, is_possible_duplicate in Delivery.objects.filter(notice=notice)
        .values_list("recipient", "state", "is_possible_duplicate")
        .iterator(chunk_size=10_000)
    }
    cipher = Incident.objects.get(slug=SLUG).cipher()
    found = {}
    for number in range(1, people + 1):
        key = cipher.person_id("member", str(number))
        if key in rows:
            found[address(number)] = rows.pop(key)
    if rows:
        raise AssertionError(f"the ledger holds {len(rows)} people who are not in the plan")
    return found


def compare(
    notice: Notice,
    taken: list[Taken],
    *,
    people: int,
    most_flagged: int,
    returned: Collection[str] = (),
) -> Verdict:
    """Checks everything that must hold after any failure.

    `most_flagged` is the highest number of messages that may be in doubt or possible duplicates.
    `returned` are the addresses whose accepted mail came back, so that they may be bounced.
    """
    notice.refresh_from_db()
    rows, verdict = ledger(notice, people), Verdict()
    mailboxes = Counter(one.to for one in taken)
    flagged = {where for where, row in rows.items() if row.is_possible_duplicate}
    doubled = {where for where, number in mailboxes.items() if number > 1}
    accepted = {where for where, row in rows.items() if row.state == Delivery.State.ACCEPTED}
    in_doubt = {where for where, row in rows.items() if row.state == Delivery.State.IN_DOUBT}
    states = Counter(row.state for row in rows.values())

    verdict.must(notice.state == "closed", f"the notice is {notice.state}: {notice.problem}")
    verdict.must(len(rows) == people, f"{people - len(rows)} people are not in the ledger")
    verdict.must(set(states) <= set(END_STATES), f"rows without an end state: {dict(states)}")
    counters = {name: getattr(notice, name) for name in END_STATES if getattr(notice, name)}
    verdict.must(counters == dict(states), f"counters say {counters}, rows {dict(states)}")
    verdict.must(notice.planned == len(rows), f"planned says {notice.planned}")
    _none(verdict, accepted - set(mailboxes), "accepted in the ledger, never taken by the server")
    bounced = {where for where, row in rows.items() if row.state == Delivery.State.BOUNCED}
    forgotten = set(mailboxes) - accepted - in_doubt - (bounced & set(returned))
    _none(verdict, forgotten, "taken by the server, but neither accepted nor in doubt")
    _none(verdict, doubled - flagged, "got it twice, and the ledger does not flag it")
    may_flag = len(flagged | in_doubt) <= most_flagged
    verdict.must(may_flag, f"{len(flagged | in_doubt)} were in doubt, at most {most_flagged} may")
    _check_message_ids(verdict, taken)

    verdict.figures |= {
        "people": f"{people:,}",
        "states": ", ".join(f"{state} {number:,}" for state, number in sorted(states.items())),
        "mails in mailboxes": f"{len(taken):,} for {len(mailboxes):,} people",
        "sent twice": f"{len(doubled):,}, all flagged" if doubled <= flagged else f"{len(doubled)}",
        "ever in doubt": f"{len(flagged | in_doubt):,} (at most {most_flagged:,} may)",
    }
    return verdict


def _none(verdict: Verdict, people: set[str], what: str) -> None:
    some = ", ".join(sorted(people)[:3])
    verdict.must(not people, f"{len(people)} {what}: {some}")


def _check_message_ids(verdict: Verdict, taken: list[Taken]) -> None:
    """Checks that all attempts for one person share a Message-ID that no other person has."""
    pairs = {(one.to, one.message_id) for one in taken}
    verdict.must(len(pairs) == len({to for to, _ in pairs}), "a second attempt had another ID")
    verdict.must(len(pairs) == len({key for _, key in pairs}), "two people share a Message-ID")
