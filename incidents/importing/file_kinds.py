"""Determines from the first bytes which kind of file it is, and names kinds that are not read."""

import codecs
import re
import zipfile
from collections.abc import Collection, Sequence

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
# OpenSSL (plain, and in base64), age, and the document security of SoftCamp, NASCA and Fasoo.
_ENCRYPTED_FILES = (
    *(b"Salted__", b"U2FsdGVkX1", b"age-encryption.org/"),
    *(b"SCDSA0", b"<## NASCA DRM FILE", b"\x9b DRMONE"),
)
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
    **dict.fromkeys((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0"), RefusalMessages.PICTURE),
    **dict.fromkeys((b"ALZ\x01", b"EGGA", b"MSCF", b"LZIP"), RefusalMessages.ARCHIVE),
    **dict.fromkeys((b"\x04\x22\x4d\x18", b"\x1f\x9d", b"!<arch>\n"), RefusalMessages.ARCHIVE),
    **dict.fromkeys(_ENCRYPTED_FILES, RefusalMessages.ENCRYPTED),
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
    (re.compile(rb"RD[AXB][23]\n"), "R"),
    (re.compile(rb"(?:---\s*\r?\n)?- [\w ]+: [^\n]*\n  [\w ]+: "), "YAML"),
    (re.compile(rb"a:\d+:\{"), "PHP"),
    (re.compile(rb"\xac\xed\0\x05"), "Java"),
    (re.compile(rb"REDIS\d{4}"), "Redis"),
    (re.compile(rb"bplist\d\d"), "plist"),
    (re.compile(rb"!BDN"), "PST"),
    (re.compile(rb"TAPE\0\0"), "SQL Server backup"),
    (re.compile(rb"m\xe2\x99\x81"), "mongodump"),
    (re.compile(rb"\x1e\s*[{\[]"), "JSON Text Sequences"),
)


def _stream(name: str) -> re.Pattern[bytes]:
    """Returns a pattern of the name of a stream in an OLE file."""
    return re.compile(re.escape(name.encode("utf-16-le")) + rb"\0\0")


# OLE files: those of an encrypted workbook, and of other programs, by a stream that they have.
_ENCRYPTED = _stream("EncryptedPackage")
_COMPOUNDS = {
    _ENCRYPTED: RefusalMessages.LOCKED_SHEET,
    re.compile(rb"HWP Document File"): RefusalMessages.HANGUL,
    _stream("WordDocument"): RefusalMessages.WORD,
    _stream("PowerPoint Document"): RefusalMessages.SLIDES,
    _stream("__properties_version1.0"): RefusalMessages.MAIL,
}
_WORKBOOKS = (_stream("Workbook"), _stream("Book"))
# The record FilePass of [MS-XLS], after the record that begins a workbook.
_LOCKED = re.compile(rb"\x09\x08(\x08\0.{8}|\x10\0.{16})(\x86\0\0\0)?\x2f\0", re.DOTALL)
_LONGEST_PART = 64
_TAR = re.compile(rb".{257}ustar", re.DOTALL)
_MAIL = re.compile(
    r"(?:(?:from|to|subject|date|received|return-path|mime-version|message-id|delivered-to|"
    r"content-type|x-[\w-]+):[^\n]*\n(?:[ \t][^\n]*\n)*){3}"
)
# Matched against the lower-case text of the first bytes, without what leads it. The name is that of
# a message, or of a program.
_TEXTS = (
    (re.compile(r"begin:vcard"), "VCARD"),
    (re.compile(r"begin:vcalendar"), "iCalendar"),
    (re.compile(r"((#[^\n]*|version: ?\d\s*)?\n)*dn:{1,2} ?[^\n]*=[^\n]*\n"), "LDIF"),
    (re.compile(r"from \S+ +\w{3} \w{3} +\d{1,2} [\d:]{5,8} [^\n]*\n[\w-]+:"), "MAIL"),
    (re.compile(r"-----begin pgp"), "ENCRYPTED"),
    (re.compile(r"id;p\w*(;[nedo])*\r?\n(p;p|o;[a-z]|f;|b;[xy]|c;[xy])"), "SYLK"),
    (re.compile(r"table\r?\n0,1\r?\n\""), "DIF"),
    (re.compile(r"header record\*{7}library header record"), "SAS"),
    (
        re.compile(
            r"(\[\s*)?\{\s*('|[a-z_]\w*\s*:)|(var|let|const)\s+[\w.$]+\s*=\s*[\[{]"
            r"|[a-z_$][\w.$]*\s*[=(]\s*(\[\s*)?\{\s*[\"']|\)\]\}'"
        ),
        "JSON_LIKE",
    ),
    (re.compile(r"mime-version:.*?\n\s*<html", re.DOTALL), "HTML"),
    (_MAIL, "MAIL"),
    (re.compile(r"<\?xml.*urn:schemas-microsoft-com:office:spreadsheet", re.DOTALL), "XML_SHEET"),
    (
        re.compile(
            r"(<!--.*?-->\s*)*<(!doctype html|html|table|meta|head|body|style|title|script|link|"
            r"form|t[rdh]|thead|tbody|br|b|p|pre|div|span|font|center)\b",
            re.DOTALL,
        ),
        "HTML",
    ),
    (re.compile(r"<\?xml.*?<html\b", re.DOTALL), "HTML"),
    # A line of dashes that draws columns: psql, mysql, sqlcmd and Markdown.
    (
        re.compile(r"(\+|[^\n]*\n[ \t|+]*|(?===))[-=:]{2,}([ \t,;|+]+[-=:]{2,})+[ \t|+]*\r?\n"),
        "DRAWN",
    ),
    # What was typed and printed in a client of a database.
    (re.compile(r"(?:sql|mysql|mariadb \[[^\]\n]*\]|hive|sqlite)> |[\w.-]+=[#>] "), "DRAWN"),
    (re.compile(r"\xe2(\x94\x8c|\x95[\x92-\x94\xad])"), "DRAWN"),  # a corner in UTF-8
    (re.compile(r"\*{9,} 1\. row \*{9,}|-\[ record 1 \]-"), "DRAWN"),
    (re.compile(r"<\?xml\b|<[a-z][\w:.-]*(\s[^<>]*)?>\s*<", re.DOTALL), "XML"),
    (re.compile(r"(--[^\n]*\n|\s)*(/\*m?!\d{5}|select\s[^;]{1,2000}\sfrom\s)"), "SQL"),
    (
        re.compile(
            r"(--[^\n]*\n|#[^\n]*\n|/\*.*?\*/;?|rem\b[^\n]*\n|\\restrict[^\n]*\n|prompt\b[^\n]*\n|\s)*"
            r"(insert (ignore |overwrite |all\s+)?(into |table )?"
            r"[\w.\[`\"]+[\]`\"]*\s*(\.|\(|values\b|select\b)"
            r"|(create|drop|alter|lock|truncate) (table|database|schema|type|sequence)"
            r"|replace into|delete from|merge into|begin( transaction| work)?;|start transaction"
            r"|pragma |set (names|@|sql_|statement_|default_|define|identity_insert|nocount|ansi_)"
            r"|use [`\[\w]+\]?\s*(;|\ngo\b|\r\ngo\b)|copy [\w.\"]+ ?\([^)]*\) from stdin)",
            re.DOTALL,
        ),
        "SQL",
    ),
)
_OPEN_DOCUMENT, _MANIFEST = b"application/vnd.oasis.opendocument.", "META-INF/manifest.xml"
_SHEETS = ("xl/workbook.xml", "xl/workbook.bin")
_PACKAGE = "[content_types].xml"  # of each file of Office
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
    if not why and start.startswith(OLE):
        why = _kind_of_compound(file)
    if not why and _TAR.match(start):
        why = RefusalMessages.TAR
    program = next((name for form, name in _PROGRAMS if form.match(start)), "")
    if not why and not program:
        text = _as_text(start).lstrip().lower()
        program = next((kind for form, kind in _TEXTS if form.match(text)), "")
        why = RefusalMessages.__members__.get(program)
    if not why and program:
        why = RefusalMessages.PROGRAM
    if why:
        raise ImportRefusedError(why.stored(place_words=_place(file), program=program))


def _kind_of_compound(file: File) -> RefusalMessages | None:
    """Returns why an OLE file is refused; None if it can be a workbook that can be read."""
    found = _found_in(file, [*_COMPOUNDS, *_WORKBOOKS, _LOCKED])
    if found.isdisjoint(_WORKBOOKS) or _ENCRYPTED in found:
        return next((why for part, why in _COMPOUNDS.items() if part in found), None)
    return RefusalMessages.LOCKED_SHEET if _LOCKED in found else None


def _as_text(start: bytes) -> str:
    """Returns the first bytes as text in which ASCII is readable: of UTF-16, or of other text."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return start.decode("utf-16", "replace")
    return start.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _place(file: File) -> str:
    if not file.compression:
        return file.path.name
    return RefusalMessages.INSIDE.stored(file=file.path.name, compression=file.compression)


def _found_in(file: File, parts: Collection[re.Pattern[bytes]]) -> set[re.Pattern[bytes]]:
    """Returns those of the patterns that are somewhere in the file."""
    found = set[re.Pattern[bytes]]()
    before = b""
    with opened(file) as stream:
        while data := stream.read(1 << 18):
            found.update(part for part in parts if part not in found and part.search(before + data))
            before = data[-_LONGEST_PART:]
    return found


def _is_spreadsheet(file: File) -> bool:
    """Returns whether a ZIP file is a workbook of Excel or OpenDocument.

    Otherwise it has one member that can be read; raises ImportRefusedError if not.
    """
    with refusing_read_errors(file._replace(compression=ZIP)), file.open() as raw:
        with zipfile.ZipFile(raw) as archive:
            names = set(archive.namelist())
            mimetype = archive.open("mimetype").read(100) if "mimetype" in names else b""
            is_locked = _MANIFEST in names and b"encryption-data" in archive.read(_MANIFEST)
        members = compressions.members(raw)
    if mimetype.startswith(_OPEN_DOCUMENT):
        _refuse_open_document(file, mimetype, is_locked=is_locked)
        return True
    if names.intersection(_SHEETS):
        return True
    for name, kind in _DOCUMENTS.items():
        if name in names:
            raise ImportRefusedError(RefusalMessages[kind].stored(place_words=_place(file)))
    if _PACKAGE in {name.lower() for name in names}:  # a workbook that no program reads as one
        raise ImportRefusedError(RefusalMessages.DAMAGED_SHEET.stored(place_words=_place(file)))
    _refuse_members(file, members)
    return False


def _refuse_open_document(file: File, mimetype: bytes, *, is_locked: bool) -> None:
    """Raises ImportRefusedError unless it is a spreadsheet that is not encrypted."""
    place = _place(file)
    if is_locked:
        raise ImportRefusedError(RefusalMessages.LOCKED_SHEET.stored(place_words=place))
    if not mimetype.startswith(_OPEN_DOCUMENT + b"spreadsheet"):
        why = RefusalMessages.PROGRAM.stored(place_words=place, program="OpenDocument")
        raise ImportRefusedError(why)


def _refuse_members(file: File, members: Sequence[zipfile.ZipInfo]) -> None:
    """Raises ImportRefusedError unless a ZIP file has one member, which can be read."""
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


def _spooled(file: File) -> File:
    """Returns the decompressed content as a file that can be read at any place."""
    with opened(file) as stream:
        spool = Spool()
        while data := stream.read(1 << 18):
            spool.write(data)
    return File(file.path, PLAIN, spool)
