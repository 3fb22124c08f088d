"""Records what the print house and the post report about letters: posted, and returned.

A report is a CSV file of letter codes, with the reason where a letter came back. A file is recorded
as a whole: one line that is not understood, and nothing is recorded.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundations.formulas import restored
from notices.letter_export import CP949, lock_letters
from notices.message_codes import delivery_of_code
from notices.models import Letter, Notice

PROBLEMS_SHOWN = 20
Reason = Letter.Reason
CODE_HEADERS = ("code", "letter code", "letter_code", "확인 코드", "확인코드")
REASON_HEADERS = ("reason", "return reason", "반송사유", "반송 사유")
# The words of Korea Post on a returned letter, without spaces, and ours.
REASONS = {
    **{value: Reason(value) for value in Reason.values},
    "": Reason.OTHER,
    "이사불명": Reason.MOVED,
    "이사감": Reason.MOVED,
    "수취인불명": Reason.UNKNOWN,
    "수취인미거주": Reason.UNKNOWN,
    "주소불명": Reason.ADDRESS,
    "주소불완전": Reason.ADDRESS,
    "수취거절": Reason.REFUSED,
    "수취인거절": Reason.REFUSED,
    "폐문부재": Reason.UNCLAIMED,
    "수취인부재": Reason.UNCLAIMED,
    "보관기간경과": Reason.UNCLAIMED,
    "기타": Reason.OTHER,
}


class LetterReportKind(models.TextChoices):
    """What a report says of its letters."""

    POSTED = "posted", gettext_lazy("posted")
    RETURNED = "returned", gettext_lazy("returned")


class LetterReportError(ValueError):
    """A report that is not recorded; `problems` names the lines, in the active language."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class LetterReport:
    """What happened to the letters of a file, and on which day."""

    kind: LetterReportKind
    day: date
    lines: dict[int, "ReportLine"]  # by the id of the delivery


@dataclass(frozen=True)
class ReportLine:
    """One line of a report: its number from 1, and the reason for a return."""

    number: int
    reason: Reason


def read_report(data: bytes, *, kind: LetterReportKind, day: date) -> LetterReport:
    """Returns the report in a CSV file in UTF-8 or CP949. Raises LetterReportError.

    The first line may have headers. Without headers the first cell is the code and the second the
    reason. The reason is not read for posted letters.
    """
    lines: dict[int, ReportLine] = {}
    problems = []
    try:
        cells = list(_cells(_decoded(data)))
    except csv.Error:
        raise LetterReportError([_("The file is no CSV file.")]) from None
    for number, code, word in cells:
        key = delivery_of_code(code)
        reason = REASONS.get(_word(word)) if kind == LetterReportKind.RETURNED else Reason.OTHER
        if key is None:
            problems.append(_("Line {number}: this is no code of a letter.").format(number=number))
        elif reason is None:
            problems.append(_("Line {number}: the reason is unknown.").format(number=number))
        elif key in lines and lines[key].reason != reason:
            text = _("Line {number}: line {earlier} has the same code with another reason.")
            problems.append(text.format(number=number, earlier=lines[key].number))
        else:
            lines.setdefault(key, ReportLine(number, reason))
    if not lines and not problems:
        problems.append(_("The file has no letter code."))
    _raise_for(problems)
    return LetterReport(kind, day, lines)


def record(notice: Notice, report: LetterReport) -> int:
    """Records a report about letters of `notice`. Returns how many letters changed.

    A letter that was reported before stays as it is, so that a file may come twice. Raises
    LetterReportError if a line is not about an exported letter of the notice, a returned letter was
    not posted before, or the day is impossible.
    """
    with transaction.atomic():
        lock_letters(notice)
        letters = Letter.objects.filter(notice=notice).in_bulk(list(report.lines))
        _raise_for([*_day_problems(notice, report.day), *_line_problems(report, letters)])
        if report.kind == LetterReportKind.POSTED:
            changed = [one for one in letters.values() if one.posted_on is None]
            for letter in changed:
                letter.posted_on = report.day
        else:
            changed = [one for one in letters.values() if one.returned_on is None]
            for letter in changed:
                letter.returned_on = report.day
                letter.reason = report.lines[letter.pk].reason
        fields = ["posted_on", "returned_on", "reason"]
        Letter.objects.bulk_update(changed, fields, batch_size=1_000)
    return len(changed)


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", CP949):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise LetterReportError([_("The file is neither UTF-8 nor CP949.")])


def _cells(text: str) -> Iterator[tuple[int, str, str]]:
    """Yields (line number, code, reason) of each line that is not empty."""
    first = text.partition("\n")[0]
    separator = next((sign for sign in "\t;," if sign in first), ",")
    code_at, reason_at = 0, 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    for position, row in enumerate(reader):
        cells = [restored(cell.strip()) for cell in row]
        if not any(cells):
            continue
        headers = [cell.lower() for cell in cells]
        if position == 0 and (found := _place(headers, CODE_HEADERS)) is not None:
            place = _place(headers, REASON_HEADERS)
            code_at, reason_at = found, len(cells) if place is None else place
            continue
        padded = [*cells, *[""] * (max(code_at, reason_at) + 1 - len(cells))]
        yield reader.line_num, padded[code_at], padded[reason_at]


def _place(headers: Sequence[str], names: Sequence[str]) -> int | None:
    return next((place for place, name in enumerate(headers) if name in names), None)


def _word(text: str) -> str:
    return "".join(text.lower().split())


def _day_problems(notice: Notice, day: date) -> list[str]:
    closed_at = notice.closed_at
    if day > timezone.localdate():
        return [_("The day is in the future.")]
    if closed_at is None or day < timezone.localdate(closed_at):
        return [_("The day is before the end of the notice.")]
    return []


def _line_problems(report: LetterReport, letters: dict[int, Letter]) -> Iterator[str]:
    is_return = report.kind == LetterReportKind.RETURNED
    for key, line in report.lines.items():
        letter = letters.get(key)
        text = ""
        if letter is None:
            text = _("Line {number}: this letter of the notice was not exported.")
        elif is_return and letter.posted_on is None:
            text = _("Line {number}: this letter is not recorded as posted.")
        elif is_return and letter.posted_on and letter.posted_on > report.day:
            text = _("Line {number}: this letter was posted on a later day.")
        if text:
            yield text.format(number=line.number)


def _raise_for(problems: Sequence[str]) -> None:
    """Raises LetterReportError with the first problems, and the number of the others."""
    if not problems:
        return
    shown = list(problems[:PROBLEMS_SHOWN])
    if more := len(problems) - len(shown):
        shown.append(_("And {number} more.").format(number=more))
    raise LetterReportError(shown)
