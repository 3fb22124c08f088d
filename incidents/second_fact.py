"""A second fact about a row, and the limit on guesses.

It opens a row under a contact of several people, and lets the values of a row that only a number
found be shown in full. The fact is in the row itself: its name as written, the last four digits of
its phone number, or the part of its e-mail address before the @. A contact that has found the row
is no second fact. The limit counts for each row in the database, over all users, so that neither a
second account nor an emptied Redis gives more guesses. See docs/decisions/0022 and 0071.
"""

import logging
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.contacts import normalise_email, read_emails
from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson, FurtherContact, Incident, RowProof, WrongAnswer
from incidents.own_rows import LockedRow, OwnRows, own_rows
from incidents.person_names import normal_name
from incidents.same_person import are_one_person

# Of 10,000 endings of a number, 5 guesses a day and 20 in all reach a fifth of one per cent.
ANSWERS_A_DAY, ANSWERS_IN_ALL = 5, 20
DAY = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
_DIGITS = re.compile(r"[0-9]{4}")
# A shorter start of an address is guessed too easily; then the whole address is asked for.
_SHORTEST_LOCAL_PART = 4

logger = logging.getLogger(__name__)


class TooManyAnswersError(Exception):
    """Too many wrong answers were given for these rows."""


def wrong_answers(people: Sequence[UUID]) -> dict[UUID, list[datetime]]:
    """Returns the times of the wrong answers about each of these rows, the oldest first.

    Those of claims have a limit of their own; see incidents.address_claims.
    """
    times: defaultdict[UUID, list[datetime]] = defaultdict(list)
    answers = WrongAnswer.objects.filter(person__in=people, by_claim=False).order_by("at")
    for person, at in answers.values_list("person_id", "at"):
        times[person].append(at)
    return times


def refused_until(answers: Iterable[Sequence[datetime]]) -> datetime | None:
    """Returns when an answer about some rows is taken again; None if it is taken now.

    `answers` holds the times of the wrong answers about each row. Returns NEVER if the
    limit for all time is reached.
    """
    times = list(answers)
    if any(len(each) >= ANSWERS_IN_ALL for each in times):
        return NEVER
    since = timezone.now() - DAY
    recent = [[at for at in each if at > since] for each in times]
    ends = [each[-ANSWERS_A_DAY] + DAY for each in recent if len(each) >= ANSWERS_A_DAY]
    return max(ends, default=None)


class Refusals:
    """Until when no answer is taken about some rows. It makes no query if there are none."""

    def __init__(self, people: Sequence[UUID]) -> None:
        self._answers = wrong_answers(people) if people else {}

    def until(self, people: Iterable[UUID]) -> datetime | None:
        """Returns what `refused_until` does, for some of the rows."""
        return refused_until(self._answers.get(person, []) for person in people)


def rows_to_ask_about(own: OwnRows) -> list[UUID]:
    """Returns the rows that a second fact would open, or show in full."""
    return [*(row.person.pk for row in own.locked), *own.by_number_only]


def has_fact_beside_number(person: AffectedPerson) -> bool:
    """Returns whether a row that a number found holds a fact that can be asked for."""
    row = LockedRow(person, frozenset({FurtherContact.Kind.PHONE}))
    return len(normal_name(_contact(row).get("n", ""))) > 1 or bool(_addresses(row))


def has_name_only(person: AffectedPerson) -> bool:
    """Returns whether the name is the one fact of a row that a number found."""
    return not _addresses(LockedRow(person, frozenset({FurtherContact.Kind.PHONE})))


def fact_beside_message(
    person: AffectedPerson, channel: FurtherContact.Kind, text: str
) -> RowProof.Fact | None:
    """Returns which fact of a row the answer is, if a message over `channel` did not show it.

    Neither the name counts, which messages and letters show, nor the contact that got the message,
    nor a part of an address, which a name lets guess.
    """
    row, answer = LockedRow(person, frozenset({channel})), _answer(text)
    if _has_digits(row, answer):
        return RowProof.Fact.DIGITS
    if channel is not FurtherContact.Kind.EMAIL and normalise_email(answer) in _addresses(row):
        return RowProof.Fact.EMAIL
    return None


def try_answer(user: User, incident: Incident, text: str) -> bool:
    """Opens the rows of the incident that the answer fits, and returns whether there are any.

    The values of rows that only a number found can then be shown in full, until the next sign-in.

    A wrong answer is recorded for each row that it was tried on. The caller gives one reply to all
    wrong answers. Raises TooManyAnswersError, and EncryptionError as `own_rows` does.
    """
    with transaction.atomic():
        found = own_rows(user, [incident]).get(incident.pk)
        own = found or OwnRows()
        people = rows_to_ask_about(own)
        # Two answers at the same moment are counted one after the other.
        rows = AffectedPerson.objects.select_for_update(no_key=True).filter(pk__in=people)
        list(rows.order_by("pk").values_list("pk"))
        if refused_until(wrong_answers(people).values()):
            raise TooManyAnswersError
        fact, matching = _matching(own, text)
        if not matching:
            WrongAnswer.objects.bulk_create(WrongAnswer(user=user, person_id=pk) for pk in people)
            logger.info("user %s gave a wrong answer for people %s", user.pk, _keys(people))
            return False
        proofs = [RowProof(user=user, person=person, fact=fact) for person in matching]
        RowProof.objects.record(proofs)
    keys = _keys([person.pk for person in matching])
    logger.info("user %s opened people %s by %s", user.pk, keys, fact)
    return True


def _keys(people: Sequence[UUID]) -> list[str]:
    return [str(key) for key in people]


def _matching(own: OwnRows, text: str) -> tuple[RowProof.Fact, list[AffectedPerson]]:
    """Returns the kind of the answer, and the rows that it fits.

    An answer that fits locked rows of several people is none. A row that a number opened is the
    user's if the number is, so there one name may fit several.
    """
    answer = _answer(text)
    by_number = [
        LockedRow(person, frozenset({FurtherContact.Kind.PHONE}))
        for person in own.opened
        if person.pk in own.by_number_only
    ]
    for fact, fits in _FACTS.items():
        locked = [row.person for row in own.locked if fits(row, answer)]
        people = locked if are_one_person(locked) else []
        people += [row.person for row in by_number if fits(row, answer)]
        if people:
            return fact, people
    return RowProof.Fact.NAME, []


def _answer(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:320]).strip()


def _has_digits(row: LockedRow, answer: str) -> bool:
    if FurtherContact.Kind.PHONE in row.found_by or not _DIGITS.fullmatch(answer):
        return False
    phone = unicodedata.normalize("NFKC", _contact(row).get("p", ""))
    digits = "".join(re.findall(r"[0-9]", phone))
    return len(digits) > len(answer) and digits.endswith(answer)


def _has_name(row: LockedRow, answer: str) -> bool:
    name = normal_name(_contact(row).get("n", ""))
    return len(name) > 1 and name == normal_name(answer)


def _has_email(row: LockedRow, answer: str) -> bool:
    """Returns whether the answer is an address of the row, or the part of one before the @."""
    if FurtherContact.Kind.EMAIL in row.found_by:
        return False
    typed = normalise_email(answer)
    return any(
        typed == address
        or (len(typed) >= _SHORTEST_LOCAL_PART and typed == address.rpartition("@")[0])
        for address in _addresses(row)
    )


_FACTS = {
    RowProof.Fact.DIGITS: _has_digits,
    RowProof.Fact.NAME: _has_name,
    RowProof.Fact.EMAIL: _has_email,
}


def _addresses(row: LockedRow) -> tuple[str, ...]:
    return read_emails(_contact(row).get("e", "")).addresses


def _contact(row: LockedRow) -> dict[str, str]:
    try:
        return row.person.decrypt_contact()
    except EncryptionError:
        return {}
