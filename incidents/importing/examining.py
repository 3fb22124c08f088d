"""Determines what a file is before it is imported: compression, format, encoding and columns."""

import codecs
import hashlib
from collections import Counter
from collections.abc import Iterator
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
    Windows,
    opened,
    regular_file,
)
from incidents.importing.refusals import RefusalMessages

MAX_COLUMNS = 2_000
_WINDOW_BYTES = 1 << 20
# In a format without a header, the columns are the keys in this many bytes of the first rows.
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
    """Returns what a file is: its size, digest, compression, format, encoding and columns.

    `encoding` is the encoding that the operator or the mapping declares; "" to detect it. Raises
    ImportRefusedError.
    """
    status = regular_file(path)
    with opened(File(path, PLAIN)) as raw:
        start = raw.read(8)
        _refuse_other_formats(path.name, start)
        raw.seek(0)
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    file = File(path, _compression(path, start))
    form = formats.recognise(_first_bytes(file, 1 << 12).removeprefix(MARK).lstrip())
    chosen, header = (_read_header if form.has_header else _read_keys)(file, form, encoding)
    return Source(
        path=path,
        size=status.st_size,
        sha256=sha256,
        content_sha256=content_digest(file, chosen),
        format=form.name,
        encoding=chosen,
        compression=file.compression,
        header=header,
        changed_ns=status.st_mtime_ns,
    )


def _read_header(file: File, form: Format, label: str) -> tuple[str, list[str]]:
    """Returns the encoding, and the column names in the first row that is not blank.

    Raises ImportRefusedError.
    """
    block = first_row(file, form)
    if block is None:
        raise ImportRefusedError(RefusalMessages.BLANK.stored(file=file.path.name))
    line, cells, defect = next(form.rows(block.data.decode("latin-1"), block.line, ()))
    # A reject file is UTF-8, or in the encoding that a spreadsheet saved it in. The declared
    # encoding is that of the dump, so it does not count here.
    encoding = _encoding_of(file, "" if cells[:2] == REJECT_COLUMNS else label)
    return encoding, _column_names(file.path, Row(line, cells, defect), encoding)


def _read_keys(file: File, form: Format, label: str) -> tuple[str, list[str]]:
    """Returns the encoding, and the keys that the first rows have as columns.

    Raises ImportRefusedError.
    """
    encoding = _encoding_of(file, label)
    head = next(cut(file, form, at_least=_HEAD_BYTES)).data.decode(encoding, "replace")
    names = form.column_names(head)
    if len(names) > MAX_COLUMNS:
        why, keys = RefusalMessages.TOO_MANY_KEYS, f"{len(names):,}"
        raise ImportRefusedError(
            why.stored(file=file.path.name, keys=keys, most=f"{MAX_COLUMNS:,}")
        )
    return encoding, names


def _first_bytes(file: File, size: int = 8) -> bytes:
    with opened(file) as stream:
        return stream.read(size)


def _refuse_other_formats(place: str, start: bytes) -> None:
    for magic, why in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ImportRefusedError(why.stored(place_words=place))


def _compression(path: Path, start: bytes) -> str:
    compression = compressions.found_in(start)
    for suffix, expected in compressions.SUFFIXES.items():
        if path.suffix.lower() == suffix and compression != expected:
            raise ImportRefusedError(
                RefusalMessages.NOT_COMPRESSED.stored(
                    file=path.name, suffix=suffix, compression=expected
                )
            )
    if compression != PLAIN:
        inside = _first_bytes(File(path, compression))
        if not inside:
            raise ImportRefusedError(
                RefusalMessages.NOTHING_INSIDE.stored(file=path.name, compression=compression)
            )
        place = RefusalMessages.INSIDE.stored(file=path.name, compression=compression)
        _refuse_other_formats(place, inside)
    return compression


def content_digest(file: File, encoding: str) -> str:
    """Returns the SHA-256 of the text of a file, as 64 hexadecimal digits.

    Two files with the same text have the same digest, whatever their compression, encoding, byte
    order mark, kind of line breaks and number of line breaks at the end. Raises ImportRefusedError.
    """
    digest, breaks = hashlib.sha256(), 0
    for text in _texts_with_line_feeds(file, encoding):
        if body := text.rstrip(b"\n"):
            digest.update(b"\n" * breaks)
            digest.update(body)
            breaks = 0
        breaks += len(text) - len(body)
    return digest.hexdigest()


def _texts_with_line_feeds(file: File, encoding: str) -> Iterator[bytes]:
    """Yields the text of a file in UTF-8, in pieces, without a mark and with LF as line break."""
    rest, is_first = b"", True
    for window in _texts_in_utf8(file, encoding):
        text = rest + (window.removeprefix(MARK) if is_first else window)
        rest = text[-1:] if text.endswith(b"\r") else b""
        yield text[: len(text) - len(rest)].replace(b"\r\n", b"\n")
        is_first = False
    yield rest.replace(b"\r", b"\n")


def _texts_in_utf8(file: File, encoding: str) -> Iterator[bytes]:
    if encoding in (UTF8, UTF8_MARKED):
        yield from Windows(file)
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    for window in Windows(file):
        yield decoder.decode(window).encode("utf-8", "surrogateescape")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogateescape")


# Encoding


def _encoding_of(file: File, label: str) -> str:
    """Returns the declared encoding if it can decode all sampled lines, else the detected one.

    `label` names the declared encoding, or is "". A byte order mark decides for UTF-8. Raises
    ImportRefusedError if the label is unknown, if the declared encoding is not the detected one, or
    if no encoding can decode half of the sampled lines.
    """
    path = file.path
    declared = _SPELLINGS.get(label.lower().replace("_", "-")) if label else None
    if label and declared is None:
        raise ImportRefusedError(
            RefusalMessages.UNKNOWN_ENCODING.stored(file=path.name, encoding=repr(label))
        )
    if _first_bytes(file).startswith(MARK):
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
    """Returns the share (0 to 1) of lines that each encoding can read.

    Only lines that are not ASCII count, in the first MiB that has any. UTF-8 comes first, so that
    it wins a tie.
    """
    with opened(file) as stream:
        while window := stream.read(_WINDOW_BYTES):
            if not window.isascii():
                window += stream.readline(MAX_ROW_BYTES)
                break
    lines = [line for line in window.split(b"\n") if not line.isascii()]
    return {
        encoding: sum(_can_decode(line, encoding) for line in lines) / len(lines) if lines else 1.0
        for encoding in (UTF8, CP949)
    }


def _can_decode(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


# Format and columns


def _column_names(path: Path, first: Row, encoding: str) -> list[str]:
    """Returns the column names of a header row. Raises ImportRefusedError if it is no header."""

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
    # The message names the positions, not the names: in a file without a header row, the repeated
    # value is personal data, such as a person's name.
    repeated = {name for name, count in Counter(names).items() if name and count > 1}
    if positions := [str(place) for place, name in enumerate(names, 1) if name in repeated]:
        raise refused(RefusalMessages.ALIKE, columns=", ".join(positions))
    return names
