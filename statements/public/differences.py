"""What a version says that the one before did not: by word, for people to read."""

import re
from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from statements import markdown
from statements.models import StatementVersion

CONTEXT = 8  # words shown on either side of a change


class Change(NamedTuple):
    """One part of a version that reads differently now, in the active language."""

    name: str
    html: SafeString


def changes(before: StatementVersion, after: StatementVersion) -> list[Change]:
    """The parts that differ, those of `after` first and then what it left out."""
    old, new = _parts(before), _parts(after)
    places = dict.fromkeys([*new, *old])
    return [
        Change(name, word_diff(old.get((name, count), ""), new.get((name, count), "")))
        for name, count in places
        if old.get((name, count)) != new.get((name, count))
    ]


def _parts(version: StatementVersion) -> dict[tuple[str, int], str]:
    """What a version says, by the name of the part; several of one name are counted."""
    parts = [(_("Title"), version.title)]
    for section in version.sections.all():
        label = str(section.Key(section.key).label)
        lines = (section.heading, section.get_basis_display(), markdown.plain(section.body))
        parts.append((label, "\n".join(lines)))
    parts.append((_("Shown at least until"), date_format(version.display_until)))
    seen = Counter[str]()
    found = {}
    for name, text in parts:
        found[name, seen[name]] = text
        seen[name] += 1
    return found


@lru_cache(maxsize=512)  # what is published stands, and is read by millions
def word_diff(before: str, after: str) -> SafeString:
    """`after` as HTML, with <ins> round what is new and <del> round what is gone."""
    old, new = re.findall(r"\S+", before), re.findall(r"\S+", after)
    # Without autojunk: else a long text's commonest words would match nothing.
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    runs = [
        run
        for step, *span in steps
        for run in _runs(step, old[span[0] : span[1]], new[span[2] : span[3]])
    ]
    shown = [
        _shortened(run, is_first=place == 0, is_last=place == len(runs) - 1)
        if not tag
        else format_html("<{0}>{1}</{0}>", tag, " ".join(run))
        for place, (tag, run) in enumerate(runs)
    ]
    return mark_safe(" ".join(map(conditional_escape, shown)))  # noqa: S308


def _runs(step: str, old: list[str], new: list[str]) -> Iterator[tuple[str, list[str]]]:
    """Words with the element round them; none round those that stayed."""
    if step == "equal":
        yield "", new
        return
    if old:
        yield "del", old
    if new:
        yield "ins", new


def _shortened(run: list[str], *, is_first: bool, is_last: bool) -> str:
    """The words next to a change: a long stretch that stayed is left out of the middle."""
    start = [] if is_first else run[:CONTEXT]
    end = [] if is_last else run[-CONTEXT:]
    if len(run) <= len(start) + len(end) + 1:
        return " ".join(run)
    return " ".join([*start, "…", *end])
