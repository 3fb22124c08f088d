"""What worker processes do with a block; see foundations.process_pool."""

import os
from dataclasses import dataclass
from typing import NamedTuple

from incidents.bulk_encryption import BulkEncryptor
from incidents.importing.blocks import BLOCK_BYTES, FileBlock
from incidents.importing.mapping import ColumnMapping
from incidents.importing.reading import Row, Source
from incidents.importing.row_preparation import Prepared, Preparer
from incidents.importing.rows import RowReader

# Below this many blocks, starting processes takes longer than the work.
_BLOCKS_WORTH_PROCESSES = 6


@dataclass(frozen=True, kw_only=True)
class Task:
    """All that a worker needs to know of a file. The keysets are wrapped."""

    source: Source
    mapping: ColumnMapping
    class_ids: dict[str, int]
    file_id: int
    keysets: tuple[int, str, bytes, bytes]  # as BulkSeal takes them
    secret: bytes  # of this import; tells contacts apart without opening them


class Wanted(NamedTuple):
    """The rejected rows of a block."""

    block: FileBlock
    reasons: dict[int, str]  # by line


def processes(source: Source) -> int:
    """How many to start for a file; 0: none is worth it."""
    unpacked = source.size * (4 if source.compression else 1)
    return (os.cpu_count() or 1) if unpacked > _BLOCKS_WORTH_PROCESSES * BLOCK_BYTES else 0


_preparers: dict[bytes, Preparer] = {}


def prepare_block(task: Task, block: FileBlock) -> Prepared:
    """Prepares a block; the task is the same for all blocks of a file."""
    if task.secret not in _preparers:
        _preparers.clear()
        _preparers[task.secret] = Preparer(
            task.source,
            task.mapping,
            cipher=BulkEncryptor(*task.keysets),
            class_ids=task.class_ids,
            file_id=task.file_id,
            secret=task.secret,
        )
    return _preparers[task.secret].prepare(block)


def pick(source: Source, wanted: Wanted) -> list[tuple[Row, str]]:
    """The rejected rows of a block, with their reasons."""
    rows = RowReader(source).raw_rows(wanted.block, wanted.reasons)
    return [(row, wanted.reasons[row.line]) for row in rows]
