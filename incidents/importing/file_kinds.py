"""Determines from the first bytes which kind of file it is, and names kinds that are not read."""

import codecs
import re
import zipfile

from incidents.importing import compressions
from incidents.importing.compressions import MOST_LAYERS, PLAIN, ZIP
from incidents.importing.reading import (
    File,
    ImportRefusedError,
    opened,
    refusing_read_errors,
)
from incidents.importing.refusals import RefusalMessages
from incidents.importing.spools import Spool

START_BYTES = 1 << 12
ZIPPED, OLE = b"PK", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Part of the name of a stream in the OLE file that holds an encrypted workbook.
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MAGIC = {
    b"BZh": RefusalMessages.BZIP2,
    b"\xfd7zXZ": RefusalMessages.XZ,
    b"7z\xbc\xaf": RefusalMessages.SEVEN_ZIP,
    b"Rar!": RefusalMessages.RAR,
    b"%PDF": RefusalMessages.PDF,
    b"{\\rtf": RefusalMessages.RTF,
    b"SQLite format 3": RefusalMessages.SQLITE,
    b"\x00\x01\x00\x00Standard": RefusalMessages.ACCESS,
    b"PGDMP": RefusalMessages.PG_DUMP,
    b"PAR1": RefusalMessages.PARQUET,
    b"Obj\x01": RefusalMessages.AVRO,
    b"BEGIN:VCARD": RefusalMessages.VCARD,
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0"), RefusalMessages.PICTURE),
    **dict.fromkeys((b"ALZ\x01", b"EGGA", b"MSCF", b"LZIP"), RefusalMessages.ARCHIVE),
    b"\x04\x22\x4d\x18": RefusalMessages.ARCHIVE,
    **dict.fromkeys((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE), RefusalMessages.UTF32),
}
# Files of databases and programs that no export is made of: how they begin.
_PROGRAMS = (
    (re.compile(rb"ORC[^A-Za-z,;\t]"), "ORC"),
    (re.compile(rb"ARROW1\0\0"), "Arrow"),
    (re.compile(rb"\$FL[23]@\(#\)"), "SPSS"),
    (re.compile(rb"<stata_dta>"), "Stata"),
    (re.compile(rb"\x89HDF"), "HDF5"),
    (
        re.compile(
            rb"[\x02\x03\x30\x31\x83\x8b\xf5][\x00-\xff][\x01-\x0c][\x01-\x1f]"
            rb"[\x00-\xff]{3}\x00",
            re.DOTALL,
        ),
        "dBase",
    ),
    (re.compile(rb"HWP Document File"), "HWP"),
    (re.compile(rb"\x80[\x02-\x05][\x95}\]c]"), "pickle"),
    (re.compile(rb"dn:{1,2} ?[^\n]*=[^\n]*\n", re.IGNORECASE), "LDIF"),
    (re.compile(rb"(?:---\s*\r?\n)?- [\w ]+: [^\n]*\n  [\w ]+: "), "YAML"),
    (re.compile(rb"a:\d+:\{"), "PHP"),
)
_TAR = re.compile(rb".{257}ustar", re.DOTALL)
_MAIL = re.compile(
    r"(?:(?:from|to|subject|date|received|return-path|mime-version|message-id|delivered-to|"
    r"content-type|x-[\w-]+):[^\n]*\n(?:[ \t][^\n]*\n)*){3}"
)
# Matched against the lower-case text of the first bytes, without what leads it.
_TEXTS = (
    (re.compile(r"mime-version:.*?\n\s*<html", re.DOTALL), "HTML"),
    (_MAIL, "MAIL"),
    (re.compile(r"<\?xml.*urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL), "XML_SHEET"),
    (
        re.compile(
            r"(<!--.*?-->\s*)*<(!doctype html|html|table|meta|head|body|style)\b", re.DOTALL
        ),
        "HTML",
    ),
    (re.compile(r"<\?xml.*?<html\b", re.DOTALL), "HTML"),
    # A line of dashes that draws columns: psql, mysql, sqlcmd and Markdown.
    (re.compile(r"(\+|[^\n]*\n[ \t|+]*)[-=:]{2,}([ \t,;|+]+[-=:]{2,})+[ \t|+]*\r?\n"), "DRAWN"),
    (re.compile(r"\*{9,} 1\. row \*{9,}|-\[ record 1 \]-"), "DRAWN"),
    (re.compile(r"<\?xml\b|<[a-z][\w:.-]*(\s[^<>]*)?>\s*<", re.DOTALL), "XML"),
    (
        re.compile(
            r"(--[^\n]*\n|#[^\n]*\n|/\*.*?\*/;?|rem\b[^\n]*\n|\\restrict[^\n]*\n|prompt\b[^\n]*\n|\s)*"
            r"(insert (into )?[\w.\[`\"]+[\]`\"]*\s*(\.|\(|values\b|select\b)"
            r"|(create|drop|alter|lock|truncate) (table|database|schema|type|sequence)"
            r"|replace into|delete from|merge into|begin( transaction| work)?;|start transaction"
            r"|pragma |set (names|@|sql_|statement_|define|identity_insert|nocount|ansi_)"
            r"|use [`\[\w]+\]?\s*(;|\ngo\b|\r\ngo\b)|copy [\w.\"]+ ?\([^)]*\) from stdin)",
            re.DOTALL,
        ),
        "SQL",
    ),
)
_SHEETS = ("xl/workbook.xml", "xl/workbook.bin")
_DOCUMENTS = {
    "word/document.xml": "WORD",
    "ppt/presentation.xml": "SLIDES",
    "Index/Document.iwa": "APPLE_NUMBERS",
    "Contents/section0.xml": "HANGUL",
    "Contents/header.xml": "HANGUL",
}
# Windows compresses members of 2 GiB and more with Deflate64, which the zipfile module cannot read.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
# Names of members that a refusal lists at most.
_MOST_NAMES = 5


def first_bytes(file: File, size: int = START_BYTES) -> bytes:
    """Returns the first decompressed bytes. Raises ImportRefusedError."""
    with opened(file) as stream:
        return stream.read(size)


def unpacked(file: File) -> tuple[File, bool]:
    """Returns the file with all its layers of compression, and whether it is a spreadsheet.

    A ZIP file or a spreadsheet inside another layer is decompressed to a spool. Raises
    ImportRefusedError for a kind that is not read, and for an archive of several files.
    """
    for _ in range(MOST_LAYERS + 1):
        start = first_bytes(file)
        _refuse_other_kinds(file, start)
        layer = compressions.found_in(start)
        if start.startswith((ZIPPED, OLE)):
            if file.compression:
                file = _spooled(file)
            if start.startswith(OLE) or _is_spreadsheet(file):
                return file, True
            layer = ZIP
        if layer == PLAIN:
            return file, False
        _refuse_wrong_suffix(file, layer)
        file = file._replace(compression=compressions.added(file.compression, layer))
        if not first_bytes(file, 1):
            raise ImportRefusedError(
                RefusalMessages.NOTHING_INSIDE.stored(file=file.path.name, compression=layer)
            )
    raise ImportRefusedError(RefusalMessages.TOO_MANY_LAYERS.stored(file=file.path.name))


def refuse_uncompressed(file: File) -> None:
    """Raises ImportRefusedError if the name claims a compression that the file does not have."""
    expected = compressions.SUFFIXES.get(file.path.suffix.lower(), PLAIN)
    if expected != PLAIN and file.compression == PLAIN and not file.spool:
        raise ImportRefusedError(_not_compressed(file, expected))


def _refuse_wrong_suffix(file: File, layer: str) -> None:
    expected = compressions.SUFFIXES.get(file.path.suffix.lower(), layer)
    if file.compression == PLAIN and not file.spool and layer != expected:
        raise ImportRefusedError(_not_compressed(file, expected))


def _not_compressed(file: File, expected: str) -> str:
    return RefusalMessages.NOT_COMPRESSED.stored(
        file=file.path.name, suffix=file.path.suffix.lower(), compression=expected
    )


def _refuse_other_kinds(file: File, start: bytes) -> None:
    why = next((why for magic, why in _MAGIC.items() if start.startswith(magic)), None)
    if not why and start.startswith(OLE) and _contains(file, _ENCRYPTED):
        why = RefusalMessages.LOCKED_SHEET
    text = _as_text(start).lstrip().lower()
    program = next((name for form, name in _PROGRAMS if form.match(start)), "")
    if not why and (program or _TAR.match(start)):
        known = RefusalMessages.PROGRAM if program else RefusalMessages.TAR
        raise ImportRefusedError(known.stored(place_words=_place(file), program=program))
    if not why and (kind := next((kind for form, kind in _TEXTS if form.match(text)), "")):
        why = RefusalMessages[kind]
    if why:
        raise ImportRefusedError(why.stored(place_words=_place(file)))


def _as_text(start: bytes) -> str:
    """Returns the first bytes as text in which ASCII is readable: of UTF-16, or of other text."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _place(file: File) -> str:
    if not file.compression:
        return file.path.name
    return RefusalMessages.INSIDE.stored(file=file.path.name, compression=file.compression)


def _contains(file: File, text: bytes) -> bool:
    before = b""
    with opened(file) as stream:
        while data := stream.read(1 << 18):
            if text in before + data:
                return True
            before = data[-len(text) :]
    return False


def _is_spreadsheet(file: File) -> bool:
    """Returns whether a ZIP file is a workbook of Excel or OpenDocument.

    Otherwise it has one member that can be read; raises ImportRefusedError if not.
    """
    with refusing_read_errors(file._replace(compression=ZIP)), file.open() as raw:
        with zipfile.ZipFile(raw) as archive:
            names = set(archive.namelist())
            is_open_document = "mimetype" in names and b"opendocument.spreadsheet" in (
                archive.open("mimetype").read(100)
            )
        members = compressions.members(raw)
    if is_open_document or names.intersection(_SHEETS):
        return True
    for name, kind in _DOCUMENTS.items():
        if name in names:
            raise ImportRefusedError(RefusalMessages[kind].stored(place_words=_place(file)))
    if len(members) != 1:
        listed = [member.filename for member in members[:_MOST_NAMES]]
        raise ImportRefusedError(
            RefusalMessages.ZIP_MEMBERS.stored(
                file=file.path.name,
                number=len(members),
                names=", ".join(listed) + (", …" if len(members) > _MOST_NAMES else ""),
            )
        )
    if members[0].flag_bits & 1:
        raise ImportRefusedError(RefusalMessages.LOCKED_ZIP.stored(file=file.path.name))
    if members[0].compress_type not in _METHODS:
        raise ImportRefusedError(RefusalMessages.ZIP_METHOD.stored(file=file.path.name))
    return False


def _spooled(file: File) -> File:
    """Returns the decompressed content as a file that can be read at any place."""
    with opened(file) as stream:
        spool = Spool()
        while data := stream.read(1 << 18):
            spool.write(data)
    return File(file.path, PLAIN, spool)
