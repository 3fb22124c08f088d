"""Texts that stand for "nothing" in a cell.

NULLS are what databases and programs write for it; an import takes such a cell for blank. The
others could be a value somewhere ("x" as an entrance code, "none" as a note), so that they are
blank only where they cannot be one: in e-mail, phone and date cells. As a reference none of them is
accepted, because all people without a reference have the same one.
"""

import unicodedata
from collections.abc import Iterable

NULLS = frozenset(
    ["NULL", "\\N", "(null)", "(NULL)", "[null]", "[NULL]", "<null>", "<NULL>"]
    + ["nan", "NaN", "NAN", "#N/A", "#NULL!"]
)
MOST_ZEROS = 20  # in a reference of zeros only
# In lower case. Besides these, a text without letters and digits, or of zeros or x only.
_PLACEHOLDERS = frozenset(
    ["null", "\\n", "(null)", "[null]", "<null>", "nan", "#n/a", "#null!", "nil", "undefined"]
    + ["n/a", "na", "n.a.", "none", "empty", "unknown", "guest", "anonymous", "anon", "deleted"]
    + ["noemail", "no email", "no-email", "nophone", "no phone", "no-phone"]
    + ["없음", "무", "미상", "미입력", "미등록", "해당없음", "해당 없음", "모름", "비공개"]
    + ["비회원", "손님", "게스트", "익명", "탈퇴", "탈퇴회원", "삭제"]
    + ["なし", "無し", "不明", "未登録", "非会員", "无", "無", "空", "未知", "游客"]
)


def is_placeholder(text: str) -> bool:
    """Returns whether the text is no reference, e-mail address, phone number or date."""
    if text.isdigit():
        return not text.strip("0")
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in _PLACEHOLDERS:
        return True
    if len(plain) > 40:
        return False
    letters = set(filter(str.isalnum, plain))
    return not letters or letters in ({"0"}, {"x"})


def is_zero(reference: str) -> bool:
    """Returns whether a reference is 0, 00 and so on, which can also be the first of a series."""
    return not reference.strip("0") and 0 < len(reference) <= MOST_ZEROS


def proposals(cells: Iterable[str]) -> list[str]:
    """Returns the different texts among some cells that a mapping may name in `nulls`, sorted.

    They are placeholders that an import does not take for blank by itself.
    """
    found = {cell.strip() for cell in cells if cell.strip() and is_placeholder(cell)}
    return sorted(found - NULLS)
