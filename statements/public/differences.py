"""The differences between two versions of a statement, word by word, as HTML."""

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

CONTEXT = 8  # unchanged words shown before and after a change


class Change(NamedTuple):
    """One part of a version that differs from the previous version, in the active language."""

    name: str  # of the part
    html: SafeString  # from word_diff


def changes(before: StatementVersion, after: StatementVersion) -> list[Change]:
    """Returns the parts that differ, in the order of `after`. Removed parts follow at the end."""
    old, new = _parts(before), _parts(after)
    places = dict.fromkeys([*new, *old])
    return [
        Change(name, word_diff(old.get((name, count), ""), new.get((name, count), "")))
        for name, count in places
        if old.get((name, count)) != new.get((name, count))
    ]


def _parts(version: StatementVersion) -> dict[tuple[str, int], str]:
    """Returns the texts of a version's parts by (name, count), in the active language.

    The count, from 0, distinguishes parts with the same name.
    """
    parts = [(_("Title"), str(version.title))]
    for section in version.sections.all():
        label = str(section.Key(section.key).label)
        lines = (section.label, section.get_basis_display(), markdown.plain(str(section.body)))
        parts.append((label, "\n".join(lines)))
    parts.append((_("Shown at least until"), date_format(version.display_until)))
    seen = Counter[str]()
    found = {}
    for name, text in parts:
        found[name, seen[name]] = text
        seen[name] += 1
    return found


@lru_cache(maxsize=512)  # published texts do not change, and millions of people read them
def word_diff(before: str, after: str) -> SafeString:
    """Returns `after` as HTML, with <ins> around added words and <del> around removed words.

    Long unchanged passages are shortened to CONTEXT words next to each change.
    """
    old, new = re.findall(r"\S+", before), re.findall(r"\S+", after)
    # autojunk=False, because otherwise the most frequent words of a long text match nothing.
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
    """Yields runs of words with their HTML element; the element of unchanged words is empty."""
    if step == "equal":
        yield "", new
        return
    if old:
        yield "del", old
    if new:
        yield "ins", new


def _shortened(run: list[str], *, is_first: bool, is_last: bool) -> str:
    """Returns the unchanged words next to a change; "…" replaces the middle of a long run."""
    start = [] if is_first else run[:CONTEXT]
    end = [] if is_last else run[-CONTEXT:]
    if len(run) <= len(start) + len(end) + 1:
        return " ".join(run)
    return " ".join([*start, "…", *end])
