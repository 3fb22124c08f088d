"""The functions of an import that worker processes run on a block; see foundations.process_pool."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from incidents.bulk_encryption import BulkEncryptor
from incidents.importing.blocks import BLOCK_BYTES, FileBlock
from incidents.importing.column_habits import Habits
from incidents.importing.compressions import PLAIN, found_in
from incidents.importing.file_kinds import ZIPPED
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import CSV, Row, Source
from incidents.importing.row_messages import may_join_rows
from incidents.importing.row_preparation import Prepared, Preparer
from incidents.importing.rows import RowReader

# For fewer blocks than this, starting processes takes longer than the work itself.
_BLOCKS_WORTH_PROCESSES = 6
_SIGN_BYTES = 8  # of a file, which show a compression


@dataclass(frozen=True, kw_only=True)
class BlockTask:
    """Everything that a worker process needs to prepare the blocks of one file."""

    source: Source
    mapping: ColumnMapping
    class_ids: dict[str, int]
    long_classes: frozenset[str]  # slugs of the classes whose values may have several lines
    region: str  # of phone numbers without a country code
    time_zone: str  # of Unix times
    languages: tuple[str, ...]  # of the incident
    default_language: str  # of people whose language is not given
    file_id: int
    keysets: tuple[int, str, bytes, bytes]  # Incident.keysets(): wrapped, for BulkEncryptor
    habits: Habits | None  # of the columns of the first table; None if rows are not compared
    secret: bytes  # random, one per import: the key of the digests that compare contacts


class WantedRejects(NamedTuple):
    """A block, with the lines of the rows that are written to the reject file."""

    block: FileBlock
    reasons: dict[int, str]  # the stored RejectMessages sentence, by line


def process_count(path: Path) -> int:
    """Returns the number of worker processes to start for a file: one per core.

    Returns 0 for a small file, which this process prepares faster alone, and for one that cannot be
    read. A compressed file, such as a spreadsheet, is taken to hold four times its size.
    """
    if not path.is_file():
        return 0
    try:
        with path.open("rb") as stream:
            start, size = stream.read(_SIGN_BYTES), os.fstat(stream.fileno()).st_size
    except OSError:
        return 0
    is_compressed = start.startswith(ZIPPED) or found_in(start) != PLAIN
    unpacked = size * (4 if is_compressed else 1)
    return (os.cpu_count() or 1) if unpacked > _BLOCKS_WORTH_PROCESSES * BLOCK_BYTES else 0


_preparers: dict[bytes, Preparer] = {}


def prepare_block(task: BlockTask, block: FileBlock) -> Prepared:
    """Returns the prepared rows of a block.

    A worker process keeps the Preparer of the last import, because making one unwraps keysets.
    Raises EncryptionError as BulkEncryptor does.
    """
    if task.secret not in _preparers:
        _preparers.clear()
        _preparers[task.secret] = Preparer(
            task.source,
            task.mapping,
            cipher=BulkEncryptor(*task.keysets),
            class_ids=task.class_ids,
            long_classes=task.long_classes,
            region=task.region,
            time_zone=task.time_zone,
            languages=task.languages,
            default_language=task.default_language,
            file_id=task.file_id,
            secret=task.secret,
            habits=task.habits,
        )
    return _preparers[task.secret].prepare(block)


def pick_rejects(source: Source, wanted: WantedRejects) -> list[tuple[Row, str]]:
    """Returns the rejected rows of a block as they are in the file, each with its reason.

    Where a quote may have joined rows, each line is returned as a row of its own. Only in CSV has a
    row several lines; those of a converted file, such as a spreadsheet, have none of their own.
    """
    reader, picked = RowReader(source), list[tuple[Row, str]]()
    lines: list[str] = []
    for row in reader.raw_rows(wanted.block, wanted.reasons):
        reason = wanted.reasons[row.line]
        is_csv = source.format == CSV
        has_lines = is_csv and not (source.is_reject_file or source.has_plain_rows)
        if not has_lines or not may_join_rows(reason):
            picked.append((row, reason))
            continue
        lines = lines or reader.text_lines(wanted.block)
        parts = reader.rows_of_lines(row, lines, wanted.block.line)
        picked += [(part, reason) for part in parts]
    return picked
