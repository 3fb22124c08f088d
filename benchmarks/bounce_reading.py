"""Measures how returned mail of public collections is read. Nothing of them is stored here.

    python -m benchmarks.bounce_reading --sisimai set-of-emails --expected p5-sisimai
    python -m benchmarks.bounce_reading --flufl flufl_bounce-6.0.0

`--sisimai` is a checkout of github.com/sisimai/set-of-emails, `--expected` one of
github.com/sisimai/p5-sisimai, whose tests hold the right answers. `--flufl` is the unpacked source
of flufl.bounce from PyPI; with flufl.bounce installed, its own answers are the right ones.
The last line is one JSON object.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from importlib import import_module
from pathlib import Path
from typing import Any

from notices.returned_mail.delivery_reports import DeliveryReport, ReportKind, read_report
from notices.returned_mail.reply_reading import Cause, names_only_the_recipient

# Sisimai's reasons of mails that report no failure: the first of automatic answers.
_ANSWER_REASON = "vacation"
_NOT_FAILED = {_ANSWER_REASON, "delivered", "feedback"}
# Words of a delay. Sisimai counts a delay among its bounces.
_DELAY = re.compile(
    rb"action: *delayed|warning message only|\(delay\)|will be retried|delayed mail"
    rb"|notification: (?:warning|delayed)|will retry until|subject: warning: message \S+ delayed",
    re.IGNORECASE,
)
# OpenSMTPD 6.8 names a failure after delays a delay, and says "Envelope expired".
_FAILED = re.compile(rb"action: *fail|: envelope expired", re.IGNORECASE)
_ANSWER = re.compile(
    r"^\s*'(\d\d)'\s*=>\s*\[\s*\['[^']*',\s*'[^']*',\s*'([^']*)',\s*(\d)\]",
    re.MULTILINE,
)
Figures = dict[str, Any]


def sisimai(mails: Path, expected: Path) -> Figures:
    """Returns the shares of failures and of hard ones that are recognised, and what is wrong.

    A hard one is held back for a week by the first such mail, or only by the second.
    """
    answers = failures = read = hard = suppressed = held = expired = labelled = 0
    others: Counter[str] = Counter()
    delays: list[str] = []
    misread: list[str] = []
    for path, reason, is_hard in _answers(mails, expected):
        data = path.read_bytes()
        report = _about_first(read_report(data))
        is_failure = report.kind is ReportKind.BOUNCE
        is_bad_address = is_failure and report.cause is Cause.ADDRESS
        if reason == _ANSWER_REASON:
            answers += 1
            if report.kind in (ReportKind.BOUNCE, ReportKind.COMPLAINT):
                misread.append(path.name)
            continue
        if reason in _NOT_FAILED or (_DELAY.search(data) and not _FAILED.search(data)):
            if is_failure:
                delays.append(path.name)
            continue
        failures, read = failures + 1, read + is_failure
        hard, suppressed = hard + is_hard, suppressed + (is_hard and is_bad_address)
        held += is_hard and is_bad_address and _is_held(report)
        expired += reason == "expired"
        labelled += reason == "expired" and report.cause is Cause.EXPIRED
        if is_bad_address and not is_hard:
            others[reason] += 1
    return {
        "sisimai_failures": failures,
        "sisimai_read": round(read / failures, 3),
        "sisimai_hard": hard,
        "sisimai_hard_suppressed": round(suppressed / hard, 3),
        "sisimai_hard_held_at_once": round(held / hard, 3),
        "sisimai_expired": expired,
        "sisimai_expired_labelled": round(labelled / expired, 3),
        "sisimai_suppressed_with_another_reason": dict(others),
        "sisimai_delays_taken_as_failures": delays,
        "sisimai_automatic_answers": answers,
        "sisimai_automatic_answers_misread": misread,
    }


def _about_first(report: DeliveryReport) -> DeliveryReport:
    """Returns what a mail says of its first recipient, whose reason Sisimai's tests name first. The
    portal chooses the recipient of its message in the same way.
    """
    return report.about(report.of_recipients[0][0]) if report.of_recipients else report


def _is_held(report: DeliveryReport) -> bool:
    """Returns whether one such bounce holds its address back: it names no other one (the portal
    knows which one the message went to), and its words are known.
    """
    named = {address.rpartition("@")[0].lower() for address in (*report.recipients, *report.named)}
    return len(named) < 2 and names_only_the_recipient(report.words)


def _answers(mails: Path, expected: Path) -> Iterator[tuple[Path, str, bool]]:
    """Yields each mail with Sisimai's reason, and whether Sisimai calls it a hard bounce."""
    for test in sorted((expected / "t").glob("*.t")):
        name = re.sub(r"^\d+-", "", test.stem)
        for number, reason, is_hard in _ANSWER.findall(test.read_text("utf-8", "replace")):
            path = mails / "maildir" / "bsd" / f"{name}-{number}.eml"
            if path.exists():
                yield path, reason, is_hard == "1"


def flufl(source: Path) -> Figures:
    """Returns the share of the permanent failures that are recognised, and how many are read as a
    bad address and held back at once.
    """
    all_failures = import_module("flufl.bounce").all_failures
    permanent = read = addresses = held = 0
    temporary: list[str] = []
    for path in sorted((source / "tests" / "data").glob("*.txt")):
        data = path.read_bytes()
        _delayed, failed = all_failures(message_from_bytes(data))
        report = _about_first(read_report(data))
        is_read = report.kind is ReportKind.BOUNCE
        is_bad_address = bool(failed) and report.cause is Cause.ADDRESS
        addresses, held = addresses + is_bad_address, held + (is_bad_address and _is_held(report))
        permanent, read = permanent + bool(failed), read + bool(failed and is_read)
        if _delayed and not failed and is_read:
            temporary.append(path.name)
    return {
        "flufl_permanent": permanent,
        "flufl_read": round(read / permanent, 3),
        "flufl_bad_addresses": addresses,
        "flufl_held_at_once": held,
        "flufl_temporary_taken_as_permanent": temporary,
    }


def main() -> None:
    """Measures the collections that the options name."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("sisimai", "expected", "flufl"):
        parser.add_argument(f"--{name}", type=Path)
    options = parser.parse_args()
    figures: Figures = {}
    if options.sisimai and options.expected:
        figures |= sisimai(options.sisimai, options.expected)
    if options.flufl:
        figures |= flufl(options.flufl)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
