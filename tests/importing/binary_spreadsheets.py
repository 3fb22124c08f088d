"""Makes small spreadsheets of the kinds xls, xlsb and ods, as their specifications say.

Sources: [MS-XLS], [MS-XLSB], [MS-CFB] of Microsoft's open specifications; OpenDocument 1.3.
"""

import io
import struct
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[object]]
_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def compound_file(name: str, stream: bytes) -> bytes:
    """Returns an OLE file with one stream. It is padded to 4 KiB, below which others rules hold."""
    stream = stream.ljust(max(4096, -(-len(stream) // _SECTOR) * _SECTOR), b"\0")
    count = len(stream) // _SECTOR
    chain = [*range(2, count + 1), _END]  # sectors 1 to count
    fat = [_FAT, *chain, _END]  # sector 0, the stream, the directory
    assert len(fat) <= 128
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\0" * 16,
        *(0x3E, 3, 0xFFFE, 9, 6, b"\0" * 6),
        *(0, 1, count + 1, 0, 4096, _END, 0, _END, 0, 0),
    )
    header += struct.pack("<108I", *[_FREE] * 108)
    directory = _entry("Root Entry", 5, child=1, start=_END, size=0)
    directory += _entry(name, 2, child=_FREE, start=1, size=len(stream))
    directory += _entry("", 0, child=_FREE, start=0, size=0) * 2
    table = struct.pack("<128I", *fat, *[_FREE] * (128 - len(fat)))
    return header + table + stream + directory


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    head = struct.pack("<64sHBBIII", text, length, kind, 1, _FREE, _FREE, child)
    return head + b"\0" * 36 + struct.pack("<IQ", start, size)


# ---------------------------------------------------------------- xls


def xls(
    *sheets: Rows, hidden: Sequence[int] = (), password: bool = False, is_1904: bool = False
) -> bytes:
    """Returns a workbook of Excel 97 to 2003 (BIFF8). A cell is text, a number or None."""
    bodies = [_biff_sheet(rows) for rows in sheets]
    start = _biff(0x809, struct.pack("<HHHHII", 0x600, 5, 0x0DBB, 0x07CC, 0, 6))
    if password:
        start += _biff(0x2F, struct.pack("<HHH", 1, 1, 1) + b"\x11" * 48)
    start += _biff(0x42, struct.pack("<H", 1200))
    start += _biff(0x22, struct.pack("<H", is_1904)) + _biff(0x0E, struct.pack("<H", 1))
    names = [f"S{number}".encode() for number in range(1, len(sheets) + 1)]
    at = len(start) + sum(4 + 8 + len(name) for name in names) + 4
    for number, (name, body) in enumerate(zip(names, bodies, strict=True), start=1):
        state = int(number in hidden)
        start += _biff(0x85, struct.pack("<IBBBB", at, state, 0, len(name), 0) + name)
        at += len(body)
    return compound_file("Workbook", start + _biff(0x0A, b"") + b"".join(bodies))


def _biff_sheet(rows: Rows) -> bytes:
    width = max(map(len, rows), default=0)
    body = _biff(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0x0DBB, 0x07CC, 0, 6))
    body += _biff(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            body += _biff_cell(number, place, cell)
    return body + _biff(0x0A, b"")


def _biff_cell(row: int, column: int, cell: object) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(cell, int | float):
        return _biff(0x203, place + struct.pack("<d", cell))
    if cell is None:
        return b""
    text = str(cell)
    return _biff(0x204, place + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))


def _biff(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def xls_5(rows: Rows, *, codepage: int, encoding: str) -> bytes:
    """Returns a workbook of Excel 5 (BIFF5), whose text is in a code page."""
    start = _biff(0x809, struct.pack("<HHHH", 0x500, 5, 0x0DBB, 0x07CC))
    start += _biff(0x42, struct.pack("<H", codepage))
    at = len(start) + 4 + 9 + 4
    start += _biff(0x85, struct.pack("<IBBB", at, 0, 0, 2) + b"S1") + _biff(0x0A, b"")
    body = _biff(0x809, struct.pack("<HHHH", 0x500, 0x10, 0x0DBB, 0x07CC))
    body += _biff(0x200, struct.pack("<HHHHH", 0, len(rows), 0, max(map(len, rows)), 0))
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            text = str(cell).encode(encoding)
            head = struct.pack("<HHHH", number, place, 0, len(text))
            body += _biff(0x204, head + text)
    return compound_file("Book", start + body + _biff(0x0A, b""))


# ---------------------------------------------------------------- xlsb


def xlsb(
    *sheets: Rows,
    hidden: Sequence[int] = (),
    is_1904: bool = False,
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """Returns a binary workbook of Excel 2007. A cell is text, a number, True, False or None.

    `merged` holds ranges of the last sheet, from 0: first row, last row, first column, last column.
    """
    buffer, numbers = io.BytesIO(), range(1, len(sheets) + 1)
    package = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="bin" ContentType='
            '"application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'<Relationships xmlns="{package}/relationships">'
            + "".join(
                f'<Relationship Id="r{n}" Type="{office}/worksheet" '
                f'Target="worksheets/sheet{n}.bin"/>'
                for n in numbers
            )
            + "</Relationships>",
        )
        listed = b"".join(
            _record(156, struct.pack("<II", int(n in hidden), n) + _wide(f"r{n}") + _wide(f"S{n}"))
            for n in numbers
        )
        archive.writestr(
            "xl/workbook.bin",
            _record(131)
            + _record(153, struct.pack("<II", int(is_1904), 0) + _wide(""))
            + _record(143)
            + listed
            + _record(144)
            + _record(157, b"\0" * 26)
            + _record(132),
        )
        for n, rows in zip(numbers, sheets, strict=True):
            ranges = merged if n == len(sheets) else ()
            archive.writestr(f"xl/worksheets/sheet{n}.bin", b"".join(_binary_sheet(rows, ranges)))
    return buffer.getvalue()


def _binary_sheet(rows: Rows, merged: Sequence[tuple[int, int, int, int]]) -> Iterable[bytes]:
    width = max(map(len, rows), default=1)
    yield _record(129)
    yield _record(148, struct.pack("<IIII", 0, max(len(rows) - 1, 0), 0, max(width - 1, 0)))
    yield _record(145)
    for number, row in enumerate(rows):
        yield _record(0, struct.pack("<II", number, 0) + b"\0" * 17)
        for place, cell in enumerate(row):
            head = struct.pack("<II", place, 0)
            if isinstance(cell, bool):
                yield _record(4, head + bytes([cell]))
            elif isinstance(cell, int | float):
                yield _record(5, head + struct.pack("<d", cell))
            elif cell is not None:
                yield _record(6, head + _wide(str(cell)))
    yield _record(146)
    if merged:
        yield _record(177, struct.pack("<I", len(merged)))
        yield from (_record(176, struct.pack("<4I", *one)) for one in merged)
        yield _record(178)
    yield _record(130)


def _record(kind: int, data: bytes = b"") -> bytes:
    first = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, length = b"", len(data)
    while True:
        size += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
        length >>= 7
        if not length:
            return first + size + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


# ---------------------------------------------------------------- ods


def ods(
    *sheets: Rows, is_encrypted: bool = False, quote: str = '"', is_1904: bool = False
) -> bytes:
    """Returns a spreadsheet of OpenDocument. A cell is text, a number, XML in bytes or None.

    `quote` stands around the values of attributes.
    """
    office = "urn:oasis:names:tc:opendocument:xmlns"
    tables = "".join(
        f'<table:table table:name="S{number}">{"".join(map(_open_row, rows))}</table:table>'
        for number, rows in enumerate(sheets, start=1)
    ).replace('"', quote)
    null_date = '<table:null-date table:date-value="1904-01-01"/>' if is_1904 else ""
    settings = f"<table:calculation-settings>{null_date}</table:calculation-settings>"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        f'xmlns:office="{office}:office:1.0" xmlns:table="{office}:table:1.0" '
        f'xmlns:text="{office}:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3">'
        f"<office:body><office:spreadsheet>{settings}{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    lock = '<manifest:encryption-data manifest:checksum="x"/>' if is_encrypted else ""
    manifest = (
        f'<manifest:manifest xmlns:manifest="{office}:manifest:1.0"><manifest:file-entry '
        f'manifest:full-path="content.xml" manifest:media-type="text/xml">{lock}'
        "</manifest:file-entry></manifest:manifest>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", b"\x8a\x01" * 400 if is_encrypted else content.encode())
    return buffer.getvalue()


def _open_row(row: Sequence[object]) -> str:
    if row and isinstance(row[0], bytes) and row[0].startswith(b"<table:table-row"):
        return row[0].decode()
    return f"<table:table-row>{''.join(map(open_cell, row))}</table:table-row>"


def open_cell(cell: object) -> str:
    """Returns the XML of a cell of OpenDocument."""
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bytes):
        return cell.decode()
    if isinstance(cell, int | float):
        return (
            f'<table:table-cell office:value-type="float" office:value="{cell}">'
            f"<text:p>{cell}</text:p></table:table-cell>"
        )
    return (
        '<table:table-cell office:value-type="string">'
        f"<text:p>{escape(str(cell))}</text:p></table:table-cell>"
    )
