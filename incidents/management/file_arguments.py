"""Arguments of commands that name several files."""

import glob
from collections.abc import Sequence
from pathlib import Path

from django.core.management.base import CommandError

STANDARD_INPUT = Path("-")


def files_named(words: Sequence[str], *, rejects: Path | None) -> list[Path]:
    """Returns the files that are named or match a pattern, in order and each once.

    The matches of a pattern are sorted by name. Raises CommandError if a pattern matches nothing,
    or if several files are named with standard input or with a single reject file.
    """
    files: dict[Path, None] = {}
    for word in words:
        is_pattern = glob.has_magic(word) and not Path(word).exists()
        # Path.glob takes no absolute pattern.
        matching = sorted(glob.glob(word)) if is_pattern else [word]  # noqa: PTH207
        if not matching:
            raise CommandError(f"{word}: no file matches; check the pattern")
        files.update(dict.fromkeys(map(Path, matching)))
    if len(files) > 1 and STANDARD_INPUT in files:
        raise CommandError("-: standard input is imported alone; name the files in another call")
    if len(files) > 1 and rejects and not rejects.is_dir():
        raise CommandError(f"{rejects}: several files need a directory; name one with --rejects")
    return list(files)


def others(files: Sequence[Path], stopped_at: int) -> str:
    """Returns which of several files were done before one that stopped, and which were not."""
    if len(files) == 1:
        return ""
    done = ", ".join(file.name for file in files[:stopped_at]) or "none"
    left = ", ".join(file.name for file in files[stopped_at + 1 :]) or "none"
    return f" · done before it: {done} · not read: {left}"
