"""Writes the reject file of an import while the database merges."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from foundations.process_pool import Workers
from incidents.importing import block_worker, reading, rejects
from incidents.importing.blocks import blocks_of
from incidents.importing.stopping import refusing_lost_workers


@contextmanager
def writing_rejects(
    source: reading.Source,
    rejected_lines: rejects.RejectedLines,
    pool: Workers,
    file: rejects.RejectFile,
) -> Iterator[None]:
    """Context manager: writes the reject file in a thread while the block runs.

    During the block the database works and the worker processes are idle. Raises what the writing
    raises, after the block.
    """
    has_failed = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        writing = executor.submit(_write_rejects, source, rejected_lines, pool, file, has_failed)
        try:
            yield
        except BaseException:
            has_failed.set()
            raise
        writing.result()


def _write_rejects(
    source: reading.Source,
    rejected_lines: rejects.RejectedLines,
    pool: Workers,
    file: rejects.RejectFile,
    has_failed: threading.Event,
) -> None:
    """Reads the source again and writes its rejected rows to the reject file.

    They are stored nowhere else; in particular, they are never in the database in plain text. Stops
    early once `has_failed` is set.
    """
    if not rejected_lines:
        return
    with refusing_lost_workers(source):
        for picked in pool.map(
            partial(block_worker.pick_rejects, source),
            _blocks_with_rejects(source, iter(rejected_lines)),
        ):
            for row, reason in picked:
                file.write(row, reason)
            if has_failed.is_set():
                return
    file.flush_to_disk()


def _blocks_with_rejects(
    source: reading.Source, rejected: Iterator[tuple[int, str]]
) -> Iterator[block_worker.WantedRejects]:
    """Yields the blocks that hold rejected lines, each with its lines and reasons."""
    line, reason = next(rejected, (0, ""))
    for block in blocks_of(source):
        end = block.line + block.data.count(b"\n")
        reasons: dict[int, str] = {}
        while block.line <= line < end:
            reasons[line] = reason
            line, reason = next(rejected, (0, ""))
        if reasons:
            yield block_worker.WantedRejects(block, reasons)
