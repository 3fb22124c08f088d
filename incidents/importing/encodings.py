"""The encodings that are read, by their names, and how a file in one of them is decoded."""

import codecs
import re
from collections.abc import Iterator

from incidents.importing.reading import CP949, UTF8, UTF8_MARKED, File, ImportRefusedError, Windows
from incidents.importing.refusals import RefusalMessages

UTF16, UTF16_LE, UTF16_BE = "utf-16", "utf-16-le", "utf-16-be"
ISO2022_KR, ISO2022_JP = "iso-2022-kr", "iso-2022-jp"
# Encodings in which a block can be cut and read as it is. Files in others are converted.
READ_AS_THEY_ARE = (UTF8, UTF8_MARKED, CP949)
SINGLE_BYTE = [
    *(f"windows-{number}" for number in range(1250, 1259)),
    *(f"iso-8859-{number}" for number in (*range(1, 12), 13, 14, 15, 16)),
    *("koi8-r", "koi8-u", "mac-roman", "cp437", "cp850"),
]
# Others of one byte, of DOS and Mac, which are read if a person names them, and never guessed.
NAMED_SINGLE_BYTE = [
    *SINGLE_BYTE,
    *("cp737", "cp775", "cp852", "cp855", "cp857", "cp858", "cp862", "cp866", "cp1125"),
    *("mac-cyrillic", "mac-greek", "mac-latin2", "mac-turkish"),
]
# The encodings by every name that a person may write, as keys of `_key`.
_NAMES = {
    "utf8": UTF8,
    "utf8sig": UTF8,
    "utf8bom": UTF8,
    "ascii": UTF8,
    **dict.fromkeys(("cp949", "ms949", "uhc", "euckr", "windows949", "ksc56011987"), CP949),
    **dict.fromkeys(("utf16", "unicode"), UTF16),
    "utf16le": UTF16_LE,
    "utf16be": UTF16_BE,
    **dict.fromkeys(("shiftjis", "sjis", "cp932", "ms932", "windows31j"), "shift_jis"),
    **dict.fromkeys(("eucjp", "ujis"), "euc-jp"),
    **dict.fromkeys(("gbk", "gb2312", "cp936", "ms936", "gb18030", "euccn"), "gb18030"),
    **dict.fromkeys(("big5", "cp950", "ms950"), "big5"),
    "big5hkscs": "big5-hkscs",
    "iso2022kr": ISO2022_KR,
    "iso2022jp": ISO2022_JP,
    **dict.fromkeys(("johab", "cp1361"), "johab"),
    **dict.fromkeys(("latin1", "l1"), "iso-8859-1"),
    **dict.fromkeys(("latin9", "latin0"), "iso-8859-15"),
    **{f"latin{number}": f"iso-8859-{number}" for number in (2, 3, 4)},
    "latin5": "iso-8859-9",
    "latin6": "iso-8859-10",
    "latin10": "iso-8859-16",
    **dict.fromkeys(("tis620", "windows874", "cp874"), "iso-8859-11"),
    **dict.fromkeys(("macintosh", "xmacroman"), "mac-roman"),
    **{name.replace("-", ""): name for name in NAMED_SINGLE_BYTE},
    **{f"cp{number}": f"windows-{number}" for number in range(1250, 1259)},
}
# The names of Python's codecs, where they differ: the variants that programs really write.
_CODECS = {"shift_jis": "cp932", "big5": "cp950", "iso-8859-11": "cp874"}


def codec_of(encoding: str) -> str:
    """Returns the name of Python's codec for an encoding."""
    return _CODECS.get(encoding, encoding)


def named(label: str, file: str) -> str:
    """Returns the encoding that a person calls `label`; "" for "".

    Raises ImportRefusedError, which names the file, if there is none.
    """
    encoding = _NAMES.get(re.sub(r"[-_ ]", "", label.lower()), "")
    if label and not encoding:
        raise ImportRefusedError(
            RefusalMessages.UNKNOWN_ENCODING.stored(file=file, encoding=repr(label))
        )
    return encoding


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Error handler: makes each undecodable byte a surrogate; ASCII characters stay."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    data = error.object[error.start : error.end]
    if error.encoding.startswith("utf-16"):
        return "\udcff", error.end
    return "".join(chr(byte if byte < 0x80 else 0xDC00 + byte) for byte in data), error.end


ESCAPE = "breachportal.escape"
codecs.register_error(ESCAPE, _escape)


def decoder_of(encoding: str) -> codecs.IncrementalDecoder:
    """Returns a decoder that makes undecodable bytes surrogates and drops a byte order mark."""
    codec = UTF8_MARKED if encoding == UTF8 else codec_of(encoding)
    return codecs.getincrementaldecoder(codec)(ESCAPE)


def texts_of(file: File, encoding: str) -> Iterator[str]:
    """Yields the text of a file in pieces, with a surrogate for each undecodable byte.

    Raises ImportRefusedError.
    """
    decoder = decoder_of(encoding)
    if file.is_converted:
        decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
    for window in Windows(file):
        yield decoder.decode(window)
    yield decoder.decode(b"", final=True)
