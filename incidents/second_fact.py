"""A second fact that opens a row under a contact of several people, and the limit on guesses.

The fact is in the row itself: the last four digits of its phone number, unless the number has found
the row, or its name as written. The limit counts for each row in the database, over all users, so
that neither a second account nor an emptied Redis gives more guesses.
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

from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson, FurtherContact, Incident, RowProof, WrongAnswer
from incidents.own_rows import LockedRow, are_one_person, own_rows
from incidents.person_names import normal_name

# Of 10,000 endings of a number, 5 guesses a day and 20 in all reach a fifth of one per cent.
ANSWERS_A_DAY, ANSWERS_IN_ALL = 5, 20
DAY = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
_DIGITS = re.compile(r"[0-9]{4}")

logger = logging.getLogger(__name__)


class TooManyAnswersError(Exception):
    """Too many wrong answers were given for these rows."""


def wrong_answers(people: Sequence[UUID]) -> dict[UUID, list[datetime]]:
    """Returns the times of the wrong answers about each of these rows, the oldest first."""
    times: defaultdict[UUID, list[datetime]] = defaultdict(list)
    answers = WrongAnswer.objects.filter(person__in=people).order_by("at")
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


def try_answer(user: User, incident: Incident, text: str) -> bool:
    """Opens the rows of the incident that the answer fits, and returns whether there are any.

    A wrong answer is recorded for each row that it was tried on. The caller gives one reply to all
    wrong answers. Raises TooManyAnswersError, and EncryptionError as `own_rows` does.
    """
    with transaction.atomic():
        found = own_rows(user, [incident]).get(incident.pk)
        locked = found.locked if found else []
        people = [row.person.pk for row in locked]
        # Two answers at the same moment are counted one after the other.
        rows = AffectedPerson.objects.select_for_update(no_key=True).filter(pk__in=people)
        list(rows.order_by("pk").values_list("pk"))
        if refused_until(wrong_answers(people).values()):
            raise TooManyAnswersError
        fact, matching = _matching(locked, text)
        if not matching:
            WrongAnswer.objects.bulk_create(WrongAnswer(user=user, person_id=pk) for pk in people)
            logger.info("user %s gave a wrong answer for people %s", user.pk, _keys(people))
            return False
        proofs = [RowProof(user=user, person=person, fact=fact) for person in matching]
        RowProof.objects.bulk_create(proofs, ignore_conflicts=True)
    keys = _keys([person.pk for person in matching])
    logger.info("user %s opened people %s by %s", user.pk, keys, fact)
    return True


def _keys(people: Sequence[UUID]) -> list[str]:
    return [str(key) for key in people]


def _matching(locked: Sequence[LockedRow], text: str) -> tuple[RowProof.Fact, list[AffectedPerson]]:
    """Returns the kind of the answer, and the rows that it fits.

    An answer that fits the rows of several people is none.
    """
    answer = unicodedata.normalize("NFKC", text[:200]).strip()
    if _DIGITS.fullmatch(answer):
        fact, fits = RowProof.Fact.DIGITS, _has_digits
    else:
        fact, fits = RowProof.Fact.NAME, _has_name
    people = [row.person for row in locked if fits(row, answer)]
    return fact, people if are_one_person(people) else []


def _has_digits(row: LockedRow, answer: str) -> bool:
    if FurtherContact.Kind.PHONE in row.found_by:
        return False
    phone = unicodedata.normalize("NFKC", _contact(row).get("p", ""))
    digits = "".join(re.findall(r"[0-9]", phone))
    return len(digits) > len(answer) and digits.endswith(answer)


def _has_name(row: LockedRow, answer: str) -> bool:
    name = normal_name(_contact(row).get("n", ""))
    return len(name) > 1 and name == normal_name(answer)


def _contact(row: LockedRow) -> dict[str, str]:
    try:
        return row.person.decrypt_contact()
    except EncryptionError:
        return {}
