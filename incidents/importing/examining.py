"""Finds out what a file is before it is imported: compression, format, encoding, columns."""

import hashlib
from collections import Counter
from pathlib import Path

from incidents.importing import compressions, formats
from incidents.importing.blocks import cut, first_row
from incidents.importing.compressions import PLAIN
from incidents.importing.formats.base import MAX_ROW_BYTES, Format
from incidents.importing.formulas import restored
from incidents.importing.reading import (
    CP949,
    MARK,
    REJECT_COLUMNS,
    UTF8,
    UTF8_MARKED,
    File,
    ImportRefusedError,
    Row,
    Source,
    opened,
    regular_file,
)
from incidents.importing.refusals import RefusalMessages

MAX_COLUMNS = 2_000
_WINDOW_BYTES = 1 << 20
# Without a header, the columns are those that so many bytes of rows name.
_HEAD_BYTES = 1 << 20
_SPELLINGS = {
    "utf-8": UTF8,
    "utf8": UTF8,
    "utf-8-sig": UTF8,
    "cp949": CP949,
    "ms949": CP949,
    "uhc": CP949,
    "euc-kr": CP949,
    "euckr": CP949,
}
_OTHER_FORMATS = {
    b"PK\x03\x04": RefusalMessages.ZIP,
    b"\xd0\xcf\x11\xe0": RefusalMessages.OLD_EXCEL,
    b"BZh": RefusalMessages.BZIP2,
    b"\xfd7zXZ": RefusalMessages.XZ,
    b"\xff\xfe": RefusalMessages.UTF16,
    b"\xfe\xff": RefusalMessages.UTF16,
}
_SEPARATORS = {
    ";": RefusalMessages.SEMICOLONS,
    "\t": RefusalMessages.TABS,
    "|": RefusalMessages.BARS,
}


def examine(path: Path, encoding: str = "") -> Source:
    """Finds out what a file is, from its first rows and its digest.

    `encoding` is what a person said it to be; without it, it is detected. Raises
    ImportRefusedError.
    """
    status = regular_file(path)
    with opened(File(path, PLAIN)) as raw:
        start = raw.read(8)
        _refuse_other_formats(path.name, start)
        raw.seek(0)
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    file = File(path, _compression(path, start))
    form = formats.recognise(_beginning(file, 1 << 12).removeprefix(MARK).lstrip())
    chosen, header = (_by_header if form.has_header else _by_keys)(file, form, encoding)
    return Source(
        path=path,
        size=status.st_size,
        sha256=sha256,
        format=form.name,
        encoding=chosen,
        compression=file.compression,
        header=header,
        changed_ns=status.st_mtime_ns,
    )


def _by_header(file: File, form: Format, said: str) -> tuple[str, list[str]]:
    """Returns the encoding, and the columns that the first row names."""
    block = first_row(file, form)
    if block is None:
        raise ImportRefusedError(RefusalMessages.BLANK.stored(file=file.path.name))
    line, cells, defect = next(form.rows(block.data.decode("latin-1"), block.line, ()))
    # A reject file is UTF-8, or what a spreadsheet made of it, whatever the dump was.
    encoding = _encoding_of(file, "" if cells[:2] == REJECT_COLUMNS else said)
    return encoding, _column_names(file.path, Row(line, cells, defect), encoding)


def _by_keys(file: File, form: Format, said: str) -> tuple[str, list[str]]:
    """Returns the encoding, and the columns that the first rows name."""
    encoding = _encoding_of(file, said)
    head = next(cut(file, form, at_least=_HEAD_BYTES)).data.decode(encoding, "replace")
    names = form.column_names(head)
    if len(names) > MAX_COLUMNS:
        why, keys = RefusalMessages.TOO_MANY_KEYS, f"{len(names):,}"
        raise ImportRefusedError(
            why.stored(file=file.path.name, keys=keys, most=f"{MAX_COLUMNS:,}")
        )
    return encoding, names


def _beginning(file: File, size: int = 8) -> bytes:
    with opened(file) as stream:
        return stream.read(size)


def _refuse_other_formats(place: str, start: bytes) -> None:
    for magic, why in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ImportRefusedError(why.stored(place_words=place))


def _compression(path: Path, start: bytes) -> str:
    compression = compressions.found_in(start)
    for suffix, meant in compressions.SUFFIXES.items():
        if path.suffix.lower() == suffix and compression != meant:
            raise ImportRefusedError(
                RefusalMessages.NOT_COMPRESSED.stored(
                    file=path.name, suffix=suffix, compression=meant
                )
            )
    if compression != PLAIN:
        inside = _beginning(File(path, compression))
        if not inside:
            raise ImportRefusedError(
                RefusalMessages.NOTHING_INSIDE.stored(file=path.name, compression=compression)
            )
        place = RefusalMessages.INSIDE.stored(file=path.name, compression=compression)
        _refuse_other_formats(place, inside)
    return compression


# Encoding


def _encoding_of(file: File, said: str) -> str:
    """Returns the encoding: as said if the bytes allow it, else as they show it."""
    path = file.path
    declared = _SPELLINGS.get(said.lower().replace("_", "-")) if said else None
    if said and declared is None:
        raise ImportRefusedError(
            RefusalMessages.UNKNOWN_ENCODING.stored(file=path.name, encoding=repr(said))
        )
    if _beginning(file).startswith(MARK):
        if declared == CP949:
            raise ImportRefusedError(RefusalMessages.MARKED.stored(file=path.name))
        return UTF8_MARKED
    shares = _shares_of_readable_lines(file)
    if declared and shares[declared] == 1:
        return declared
    detected = max(shares, key=lambda name: shares[name])
    if shares[detected] < 0.5:
        raise ImportRefusedError(RefusalMessages.NEITHER_ENCODING.stored(file=path.name))
    if declared and declared != detected:
        raise ImportRefusedError(
            RefusalMessages.OTHER_ENCODING.stored(file=path.name, said=declared, found=detected)
        )
    return detected


def _shares_of_readable_lines(file: File) -> dict[str, float]:
    """Returns the share of lines that each encoding can read, UTF-8 first: it wins a tie.

    Counted are the lines that are not ASCII, in the first MiB that has any.
    """
    with opened(file) as stream:
        while window := stream.read(_WINDOW_BYTES):
            if not window.isascii():
                window += stream.readline(MAX_ROW_BYTES)
                break
    lines = [line for line in window.split(b"\n") if not line.isascii()]
    return {
        encoding: sum(_reads(line, encoding) for line in lines) / len(lines) if lines else 1.0
        for encoding in (UTF8, CP949)
    }


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


# Format and columns


def _column_names(path: Path, first: Row, encoding: str) -> list[str]:
    """Returns the names in a header row. Raises ImportRefusedError if it is none."""

    def refused(why: RefusalMessages, **slots: str) -> ImportRefusedError:
        return ImportRefusedError(why.stored(file=path.name, line=first.line, **slots))

    try:
        names = [cell.encode("latin-1").decode(encoding).strip() for cell in first.cells]
    except UnicodeDecodeError:
        names = []
    if first.defect or not any(names):
        raise refused(RefusalMessages.NO_HEADER)
    if names[:2] == REJECT_COLUMNS:
        names[2:] = map(restored, names[2:])
    if len(names) > MAX_COLUMNS:
        columns, most = f"{len(names):,}", f"{MAX_COLUMNS:,}"
        raise refused(RefusalMessages.TOO_MANY_COLUMNS, columns=columns, most=most)
    if len(names) == 1 and (separator := next((s for s in _SEPARATORS if s in names[0]), "")):
        raise refused(RefusalMessages.ONE_COLUMN, separators_words=_SEPARATORS[separator].stored())
    # By their places: without a header, what stands there twice is somebody's name.
    twice = {name for name, count in Counter(names).items() if name and count > 1}
    if alike := [str(place) for place, name in enumerate(names, 1) if name in twice]:
        raise refused(RefusalMessages.ALIKE, columns=", ".join(alike))
    return names
