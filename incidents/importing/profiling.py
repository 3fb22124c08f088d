"""Profiles a file before it is loaded: what its columns hold, and what is odd about them.

The file is streamed through worker processes, and memory does not grow with it. All rows are read.
In a file of more than SAMPLED_FROM bytes, the cells of one row in SAMPLE are classified. Shared
contacts are counted in all rows, by a sketch that misses a contact only if it is on fewer rows than
the rows of the file divided by the size of the sketch.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from hashlib import blake2b
from itertools import islice

from foundations.process_pool import workers
from incidents.importing import (
    block_worker,
    formats,
    json_contacts,
    person_languages,
    reading,
)
from incidents.importing.blocks import FileBlock, blocks_of
from incidents.importing.cell_kinds import (
    CellKind,
    is_placeholder,
    kind_of,
    kind_of_number,
    masked,
)
from incidents.importing.cell_templates import ProfiledContact
from incidents.importing.column_names import LANGUAGE, role_of
from incidents.importing.column_profiles import (
    EXAMPLES,
    FIRST_ROWS,
    SOME,
    ColumnProfile,
    FileProfile,
)
from incidents.importing.formats.base import Format
from incidents.importing.reading import REJECT_COLUMNS, Source
from incidents.importing.rows import HEADER, RowReader, is_blank

Report = Callable[[int], None]  # gets the rows that were read so far
SAMPLED_FROM, SAMPLE = 64 << 20, 10
# A quick profile reads this many rows of the first block, and of each later one.
_QUICK_FIRST, _QUICK_LATER = 1_000, 10
_COUNTERS, _FEWEST_COUNTERS = 200_000, 1_000  # of all columns together, and of one
_EXAMPLE_TRIES = 20  # cells of a kind that are masked, because many have the same mask
_CONTACTS = (CellKind.EMAIL, CellKind.PHONE)
_NO_OTHERS = (*_CONTACTS, CellKind.BLANK, CellKind.PLACEHOLDER)
_FEWEST_CONTACT_SIGNS, _CONTACT_SHARE = 6, 0.2
_SPACES = str.maketrans("", "", " -.")


def profile(
    source: Source,
    report: Report = lambda _: None,
    *,
    region: str = "",
    languages: Collection[str] = (),
    mapped: Sequence[ProfiledContact] = (),
) -> FileProfile:
    """Returns the profile of a file. Raises ImportRefusedError, also if the file has no rows.

    `region` is that of phone numbers without a country code, "" for settings.PHONE_REGION.
    `languages` names columns whose cells are counted by value, beside those whose name says that
    they hold languages. `mapped` are contacts whose values are profiled like a column. `report` is
    called after each block with the rows that were read so far.
    """
    step = SAMPLE if source.size > SAMPLED_FROM else 1
    mapped = _of_file(source, mapped)
    task = partial(
        profile_block,
        source,
        step=step,
        most_rows=None,
        region=region,
        languages=languages,
        mapped=mapped,
    )
    with workers(block_worker.process_count(source.path), know_models=False) as pool:
        parts = pool.map(task, blocks_of(source))
        return _sum(source, parts, step=step, mapped=mapped, report=report)


def quick_profile(
    source: Source,
    *,
    region: str = "",
    languages: Collection[str] = (),
    mapped: Sequence[ProfiledContact] = (),
) -> FileProfile:
    """Returns a profile of some rows of every part of a file, without examples.

    This process makes it: to send the rows to another one takes longer. Raises ImportRefusedError.
    """
    mapped = _of_file(source, mapped)
    task = partial(_quick_profile_block, source, region=region, languages=languages, mapped=mapped)
    return _sum(source, map(task, _quick_pieces(source)), step=1, mapped=mapped)


def _of_file(source: Source, mapped: Sequence[ProfiledContact]) -> list[ProfiledContact]:
    """Returns the contacts whose columns the file has; the import refuses it without the others."""
    return [contact for contact in mapped if set(contact.cells.columns()) <= set(source.header)]


def _quick_pieces(source: Source) -> Iterator[tuple[FileBlock, int]]:
    """Yields the beginning of each block, with the number of rows that a quick profile reads."""
    form, blocks = formats.of(source), blocks_of(source)
    for block in islice(blocks, 1):
        yield block, _QUICK_FIRST
    for block in blocks:
        yield _beginning(block, form, 2 * _QUICK_LATER), _QUICK_LATER  # some may be blank


def _beginning(block: FileBlock, form: Format, rows: int) -> FileBlock:
    """Returns the first rows of a block, or the block if it has fewer."""
    end = 0
    for _ in range(rows):
        following = form.end_of_first_row(block.data, end)
        if not following:
            return block
        end = following
    return block._replace(data=block.data[:end])


def _quick_profile_block(
    source: Source,
    piece: tuple[FileBlock, int],
    *,
    region: str,
    languages: Collection[str],
    mapped: Sequence[ProfiledContact],
) -> FileProfile:
    block, most_rows = piece
    return profile_block(
        source,
        block,
        step=1,
        most_rows=most_rows,
        example_tries=0,
        region=region,
        languages=languages,
        mapped=mapped,
    )


def _sum(
    source: Source,
    parts: Iterator[FileProfile],
    *,
    step: int,
    mapped: Sequence[ProfiledContact],
    report: Report = lambda _: None,
) -> FileProfile:
    found = _empty(source, step, mapped)
    counters = max(_FEWEST_COUNTERS, _COUNTERS // max(1, len(source.header)))
    for part in parts:
        found.add(part, counters=counters)
        report(found.rows)
    if not found.rows:
        raise reading.no_rows(source)
    return found


def _empty(source: Source, step: int, mapped: Sequence[ProfiledContact]) -> FileProfile:
    own = len(REJECT_COLUMNS) if source.is_reject_file else 0
    return FileProfile(
        columns=[ColumnProfile(name=name) for name in source.header[own:]],
        mapped=[ColumnProfile(name=contact.cells.label) for contact in mapped],
        step=step,
    )


def profile_block(
    source: Source,
    block: FileBlock,
    *,
    step: int,
    most_rows: int | None,
    example_tries: int = _EXAMPLE_TRIES,
    region: str = "",
    languages: Collection[str] = (),
    mapped: Sequence[ProfiledContact] = (),
) -> FileProfile:
    """Returns the profile of a block; a worker process may run it.

    `step` and `most_rows` (None for all) limit the rows that are classified and read. At most
    `example_tries` cells of each kind are masked as examples; with 0, no rows are shown either.
    """
    found = _empty(source, step, mapped)
    found.lines = block.data.count(b"\n")
    own = len(source.header) - len(found.columns)
    has_header = formats.of(source).has_header
    lines: list[int] = []
    good: list[list[str]] = []
    for line, cells, defect in RowReader(source).rows(block):
        if defect == HEADER or (has_header and is_blank(cells)):
            continue
        found.rows += 1
        found.last_line = line
        if defect:
            found.defects[defect] += 1
        else:
            lines.append(line)
            good.append(cells[own:])
        if found.rows == most_rows:
            break
    if lines and lines[-1] == found.last_line:
        found.last_kinds = [kind_of(cell, region) for cell in good[-1]]
    _add_columns(found, lines, good, region, example_tries)
    _add_json_contacts(found, good, region)
    _add_mapped(found, lines, good, mapped, region, example_tries)
    if example_tries:
        found.first_rows = [
            [masked(cell, kind_of(cell, region)) for cell in cells] for cells in good[:FIRST_ROWS]
        ]
    _add_languages(found, good, languages)
    _add_rows_over_lines(found, lines, good)
    return found


def _add_columns(
    found: FileProfile, lines: list[int], rows: list[list[str]], region: str, example_tries: int
) -> None:
    step = found.step
    for column, cells in zip(found.columns, zip(*rows, strict=True), strict=False):
        _add_cells(column, lines[::step], cells[::step], region, example_tries)
        if column.share(*_CONTACTS) > _CONTACT_SHARE:
            column.contacts.update(map(_digest, filter(_may_be_contact, cells)))


def _add_json_contacts(found: FileProfile, rows: list[list[str]], region: str) -> None:
    for place, column in enumerate(found.columns):
        for cells in rows[:: found.step]:
            if cells[place][:1] in json_contacts.STARTS and (
                kind := json_contacts.kind_held(cells, place, region)
            ):
                column.json_contacts[kind] += 1


def _add_mapped(
    found: FileProfile,
    lines: list[int],
    rows: list[list[str]],
    mapped: Sequence[ProfiledContact],
    region: str,
    example_tries: int,
) -> None:
    names = [column.name for column in found.columns]
    for column, contact in zip(found.mapped, mapped, strict=True):
        chosen = rows[:: found.step]
        values = [contact.cells.fill_contact(dict(zip(names, row, strict=False))) for row in chosen]
        kind = kind_of_number if contact.is_number else kind_of
        _add_cells(column, lines[:: found.step], values, region, example_tries, kind)


def _add_languages(found: FileProfile, rows: list[list[str]], languages: Collection[str]) -> None:
    for column, cells in zip(found.columns, zip(*rows, strict=True), strict=False):
        if column.name in languages or role_of(column.name) == LANGUAGE:
            column.languages = person_languages.counted(cells)


def _add_cells(
    column: ColumnProfile,
    lines: list[int],
    cells: Sequence[str],
    region: str,
    example_tries: int,
    kind: Callable[[str, str], CellKind] = kind_of,
) -> None:
    kinds = [kind(cell, region) for cell in cells]
    column.kinds.update(kinds)
    if len(column.other_values) < SOME:
        others = (cell for cell, one in zip(cells, kinds, strict=True) if one not in _NO_OTHERS)
        column.other_values.update(map(_digest, islice(dict.fromkeys(others), SOME)))
    shown: Counter[CellKind] = Counter()  # cells that were masked as examples
    for line, cell, found in zip(lines, cells, kinds, strict=True):
        if found not in column.first_lines:
            column.first_lines[found] = line
        if shown[found] < example_tries:
            shown[found] += 1
            _add_example(column.examples.setdefault(found, []), masked(cell, found))
        if found == CellKind.PLACEHOLDER:
            column.placeholders[cell.strip()] += 1
        elif found in (CellKind.NUMBER, CellKind.NUMBER_POINT_ZERO):
            text = cell.strip().partition(".")[0]
            column.leading_zeros += text.startswith("0") and len(text) > 1
            column.lengths[len(text)] += 1


def _add_example(examples: list[str], example: str) -> None:
    if len(examples) < EXAMPLES and example not in examples:
        examples.append(example)


def _may_be_contact(cell: str) -> bool:
    return len(cell) >= _FEWEST_CONTACT_SIGNS and not is_placeholder(cell.strip())


def _digest(cell: str) -> int:
    """Returns 64 bits for a contact, the same for spellings that differ in case or separators."""
    text = cell.strip().lower().translate(_SPACES)
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest())


def _add_rows_over_lines(found: FileProfile, lines: list[int], rows: list[list[str]]) -> None:
    if found.lines == found.rows:
        return
    over = [
        line for line, cells in zip(lines, rows, strict=True) if any("\n" in cell for cell in cells)
    ]
    found.rows_over_lines = len(over)
    found.first_over_lines = over[0] if over else 0
