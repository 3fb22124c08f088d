"""Detects the encoding of a file, and checks the one that a person declared.

Two encodings are detected: UTF-8, and CP949 if its text consists of the syllables that Korean
really uses; UTF-16 follows from its mark or its zero bytes. Text with no other signs
than those of measures and prices is windows-1252. Every other encoding is a guess. The
refusal names it, and a person declares it after a look at the rows.
"""

import codecs
import re
from collections.abc import Sequence

from incidents.importing.common_hangul import COMMON_HANGUL
from incidents.importing.declared_korean import may_be_korean
from incidents.importing.encoded_twice import is_encoded_twice
from incidents.importing.encoding_guesses import (
    hanzi_encoding,
    is_ebcdic,
    kana_encoding,
    looks_like,
)
from incidents.importing.encoding_samples import (
    can_be,
    decoded,
    share_of_common_hangul,
    share_of_lines,
)
from incidents.importing.encodings import NAMED_SINGLE_BYTE, UTF16, UTF16_BE, UTF16_LE, named
from incidents.importing.formats.base import MAX_ROW_BYTES
from incidents.importing.korean_text import LEAST_COMMON_HANGUL, MANY_BYTES, count_common_hangul
from incidents.importing.likely_encodings import likely_other
from incidents.importing.measure_signs import has_only_signs
from incidents.importing.odd_words import has_no_words
from incidents.importing.reading import (
    CP949,
    MARK,
    UTF8,
    UTF8_MARKED,
    File,
    ImportRefusedError,
    nul_byte,
    opened,
)
from incidents.importing.refusals import RefusalMessages

WINDOW_BYTES = 1 << 20
_FEWEST, _FEWEST_DIFFERENT = 8, 5  # characters that show an encoding
_SHIFT = re.compile(rb"\x1b\$?[()*+$]")  # to another character set, in the manner of ISO 2022


def encoding_of(file: File, label: str) -> tuple[str, str]:
    """Returns the encoding of a file: what the label says if the bytes agree, else what is found.

    Also returns another encoding in which the text reads much better, or "". Then the letters are
    most likely wrong, which is no proof. `label` is a name that a person declared, or "". Raises
    ImportRefusedError if the label is unknown or the bytes are in another encoding, and if the
    encoding could only be guessed.
    """
    name = file.path.name
    declared, sample = named(label, name), _sample(file)
    encoding = _marked(file)
    if encoding:
        _refuse_other_than_marked(declared, encoding, name)
    else:
        encoding = _without_mark(declared, sample, file)
    if encoding in (UTF8, UTF8_MARKED) and is_encoded_twice(sample):
        raise ImportRefusedError(RefusalMessages.ENCODED_TWICE.stored(file=name))
    return encoding, likely_other(encoding, sample)


def _refuse_other_than_marked(declared: str, marked: str, name: str) -> None:
    kind = UTF8 if marked == UTF8_MARKED else UTF16
    if declared and declared.removesuffix("-le").removesuffix("-be") != kind:
        why = RefusalMessages.MARKED.stored(file=name, said=declared, found=kind.upper())
        raise ImportRefusedError(why)


def _without_mark(declared: str, sample: bytes, file: File) -> str:
    """Returns the declared encoding, or else the one that is found for certain."""
    found, name = _found_in(sample), file.path.name
    if not (declared or found or sample.isascii()) and has_only_signs(file):
        return "windows-1252"
    if not declared and not found:
        raise ImportRefusedError(_why_not_detected(sample, name))
    if not declared or (declared == UTF16 and found in (UTF16_LE, UTF16_BE)):
        return found
    if found != declared:
        _refuse_declared(declared, found, sample, name)
    return declared


def _refuse_declared(declared: str, found: str, sample: bytes, name: str) -> None:
    """Raises ImportRefusedError unless the bytes can be what was declared."""
    is_possible = can_be(declared, sample)
    if sample.isascii() and is_possible:
        return
    if declared == CP949 and is_possible and share_of_lines(sample, CP949) == 1:
        return
    if _is_little_evidence(found, declared, sample):
        found = ""
    if declared == CP949 and not found and may_be_korean(sample):
        return
    if not found and not is_possible:
        guess, other = looks_like(sample)
        found = "" if other else guess
    found = found or _other_asian(declared, sample)
    if found and found != declared:
        why = RefusalMessages.OTHER_ENCODING.stored(file=name, said=declared, found=found)
        raise ImportRefusedError(why)
    if not is_possible or has_no_words(declared, sample):
        raise ImportRefusedError(RefusalMessages.NOT_THAT.stored(file=name, said=declared))


def _other_asian(declared: str, sample: bytes) -> str:
    """Returns the encoding that text shows which was declared as Chinese, or "".

    Kana in Shift_JIS have first bytes that begin rare characters in GBK, and are not whole
    characters in Big5. The kana of EUC-JP have the same bytes in GBK.
    """
    if declared not in ("gb18030", "big5"):
        return ""
    is_big5 = declared == "big5" and share_of_lines(sample, declared) == 1
    if not is_big5 and kana_encoding(sample) == "shift_jis":
        return "shift_jis"
    signs = [sign for sign in decoded(sample, declared) if not sign.isascii()]
    return hanzi_encoding(sample) if declared == "big5" and _is_much(signs) else ""


def _is_much(signs: Sequence[str]) -> bool:
    """Returns whether characters show an encoding; a few, or one that repeats, may be chance."""
    return len(signs) >= _FEWEST and len(set(signs)) >= _FEWEST_DIFFERENT


def _is_little_evidence(found: str, declared: str, sample: bytes) -> bool:
    """Returns whether the sample could show an encoding by chance, so that a person is believed.

    A few syllables may be chance; so may one that repeats, which is a character of another Asian
    encoding. In UTF-8, Asian text has characters of three bytes.
    """
    if sample.isascii():
        return False
    is_asian = declared not in (UTF8, UTF8_MARKED, *NAMED_SINGLE_BYTE)
    if found == CP949:
        text = decoded(sample, CP949)
        if not is_asian:
            return count_common_hangul(text)[1] < _FEWEST
        return not _is_much([sign for sign in text if sign in COMMON_HANGUL])
    return found == UTF8 and is_asian and not MANY_BYTES.search(decoded(sample, UTF8))


def _why_not_detected(sample: bytes, name: str) -> str:
    if b"\0" in sample:
        return str(nul_byte(name, sample[: sample.index(b"\0")].count(b"\n") + 1))
    if is_ebcdic(sample):
        return RefusalMessages.EBCDIC.stored(file=name)
    guess, other = looks_like(sample)
    if other:
        return RefusalMessages.LOOKS_LIKE_TWO.stored(file=name, found=guess, other=other)
    if guess:
        return RefusalMessages.LOOKS_LIKE.stored(file=name, found=guess)
    return RefusalMessages.NEITHER_ENCODING.stored(file=name)


def _marked(file: File) -> str:
    """Returns the encoding that a byte order mark shows, or ""."""
    with opened(file) as stream:
        start = stream.read(4)
    if start.startswith(MARK):
        return UTF8_MARKED
    return UTF16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""


def _sample(file: File) -> bytes:
    """Returns whole lines: the first MiB that is not ASCII, or the last one if all are."""
    window = b""
    with opened(file) as stream:
        while more := stream.read(WINDOW_BYTES):
            window = more
            if not window.isascii() or b"\0" in window or b"\x1b" in window:
                return window + stream.readline(MAX_ROW_BYTES)
    return window


def _found_in(sample: bytes) -> str:
    """Returns UTF-8, CP949 or a form of UTF-16 if the sample shows it for certain, else ""."""
    if found := _utf16_by_zeros(sample):
        return found
    if sample.isascii() and _SHIFT.search(sample):
        return ""
    shares = {encoding: share_of_lines(sample, encoding) for encoding in (UTF8, CP949)}
    if shares[UTF8] >= max(0.5, shares[CP949]):
        return UTF8
    is_korean = shares[CP949] >= 0.5 and share_of_common_hangul(sample, CP949)
    if is_korean and is_korean >= LEAST_COMMON_HANGUL:
        return CP949
    return UTF8 if shares[UTF8] >= 0.5 else ""


def _utf16_by_zeros(sample: bytes) -> str:
    """Returns the form of UTF-16 in which the first KiB has by far the most ASCII characters.

    An ASCII character there is a zero and a byte below 128. The zero in U+AE00 (글) is none.
    """
    head = sample[: 1 << 10]
    pairs = list(zip(head[0::2], head[1::2], strict=False))
    big = sum(first == 0 < second < 128 for first, second in pairs)
    little = sum(second == 0 < first < 128 for first, second in pairs)
    if big + little < max(2, len(head) // 8):
        return ""
    encoding = UTF16_BE if big > little else UTF16_LE
    is_text = head.decode(encoding, "replace").count("\ufffd") * 32 <= len(head)
    return encoding if min(big, little) * 8 < big + little and is_text else ""
