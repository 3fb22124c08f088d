"""In which time a person gets an answer: what the laws say (`answer_periods.toml`), else our own.

All days are days of the incident's time zone. The day of the receipt is not counted, as in article
3 of Regulation 1182/71 and in article 157 of the Korean Civil Act. A period is not extended to the
next working day, although some laws allow that: public holidays differ, and earlier is never wrong.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from pydantic import Field, Strict, model_validator

from foundations import toml_files
from foundations.toml_files import Localized, Text, Texts, TomlTable
from incidents.models import Incident

_FILE = Path(__file__).parent / "answer_periods.toml"
_SATURDAY = 5


class PeriodUnit(StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    BUSINESS_DAYS = "business_days"
    MONTHS = "months"
    WITHOUT_DELAY = "without_delay"


class PeriodExtension(TomlTable):
    """The table [period.extension]: how much longer a law lets the company take, once."""

    unit: Annotated[PeriodUnit, Strict(False)]
    amount: Annotated[int, Field(gt=0)]
    source: Text

    @property
    def words(self) -> str:
        """Returns the extension in the active language, such as "2 months"."""
        return _words(self.unit, self.amount)

    def after(self, due_on: date) -> date:
        """Returns the last day of the extended period."""
        return _later(due_on, self.unit, self.amount) or due_on


class AnswerPeriod(TomlTable):
    """The table [[period]]: what one law says about some kinds of a ticket."""

    jurisdiction: Text
    kinds: Texts
    unit: Annotated[PeriodUnit, Strict(False)]
    amount: Annotated[int, Field(gt=0)] | None = None
    law: Localized
    source: Text
    extension: PeriodExtension | None = None

    @model_validator(mode="after")
    def _has_an_amount_or_needs_none(self) -> "AnswerPeriod":
        if (self.amount is None) != (self.unit == PeriodUnit.WITHOUT_DELAY):
            raise ValueError("amount: every unit except without_delay needs one.")
        return self

    @property
    def words(self) -> str:
        """Returns the period in the active language, such as "10 days"."""
        return _words(self.unit, self.amount)

    def due_on(self, received_on: date) -> date | None:
        """Returns the last day of the period; None if the law names no number."""
        return _later(received_on, self.unit, self.amount)


class _AnswerPeriods(TomlTable):
    period: Annotated[tuple[AnswerPeriod, ...], Strict(False), Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class AnswerPromise:
    """Until when a ticket is answered, and the laws that say so."""

    due_on: date
    periods: Sequence[AnswerPeriod]  # of the incident's laws, the shortest first; may be empty


@cache
def all_answer_periods() -> tuple[AnswerPeriod, ...]:
    """Returns the periods of the file, read once a process. Raises TomlFileError."""
    return toml_files.load(_FILE, _AnswerPeriods).period


def promise_for(incident: Incident, kind: str, received_at: datetime) -> AnswerPromise:
    """Returns until when a ticket of this kind, received then, is answered.

    The shortest period of all laws of the incident counts for each person, because the portal does
    not know which of them protects a person. Where none names a number of days, as for questions,
    it is settings.TICKET_DAYS.
    """
    received_on = received_at.astimezone(incident.zone).date()
    laws = {each.jurisdiction for each in incident.jurisdictions.all()}
    periods = [
        period
        for period in all_answer_periods()
        if period.jurisdiction in laws and kind in period.kinds
    ]
    own = received_on + timedelta(days=settings.TICKET_DAYS)
    periods.sort(key=lambda period: period.due_on(received_on) or date.min)
    return AnswerPromise(due_on=_first(periods, received_on) or own, periods=periods)


def extendable(incident: Incident, kind: str) -> list[AnswerPeriod]:
    """Returns the periods of the incident's laws that may be extended for this kind of a ticket."""
    laws = {each.jurisdiction for each in incident.jurisdictions.all()}
    return [
        period
        for period in all_answer_periods()
        if period.extension and period.jurisdiction in laws and kind in period.kinds
    ]


def _words(unit: PeriodUnit, amount: int | None) -> str:
    number = amount or 0
    match unit:
        case PeriodUnit.DAYS:
            text = ngettext("%(n)s day", "%(n)s days", number)
        case PeriodUnit.BUSINESS_DAYS:
            text = ngettext("%(n)s business day", "%(n)s business days", number)
        case PeriodUnit.MONTHS:
            text = ngettext("%(n)s month", "%(n)s months", number)
        case _:
            text = _("without delay")
    return text % {"n": number}


def _later(day: date, unit: PeriodUnit, amount: int | None) -> date | None:
    match unit, amount:
        case PeriodUnit.DAYS, int(days):
            return day + timedelta(days=days)
        case PeriodUnit.BUSINESS_DAYS, int(days):
            return _business_days_after(day, days)
        case PeriodUnit.MONTHS, int(months):
            return _months_after(day, months)
    return None


def _first(periods: Iterable[AnswerPeriod], received_on: date) -> date | None:
    days = [day for period in periods if (day := period.due_on(received_on))]
    return min(days, default=None)


def _months_after(day: date, months: int) -> date:
    """Returns the same day of a later month; the month's last day if it has no such day."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _business_days_after(day: date, number: int) -> date:
    """Returns the day after `number` days from Monday to Friday; holidays count as such days."""
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < _SATURDAY
    return day
