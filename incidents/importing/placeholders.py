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
    + ["null", "<NA>", "NaT", "undefined", "nan", "NaN", "NAN", "#N/A", "#NULL!"]
    + ["#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#SPILL!", "#CALC!", "#FIELD!"]
    + ["#GETTING_DATA", "#ERROR!", "Err:502", "Err:504", "Err:508", "Err:522"]
)
MOST_ZEROS = 20  # in a reference of zeros only
# In lower case. Besides these, a text without letters and digits, or of zeros or x only.
_PLACEHOLDERS = frozenset(
    ["null", "\\n", "(null)", "[null]", "<null>", "nan", "#n/a", "#null!", "nil", "undefined"]
    + ["n/a", "na", "n.a.", "none", "empty", "unknown", "guest", "anonymous", "anon", "deleted"]
    + ["noemail", "no email", "no-email", "nophone", "no phone", "no-phone"]
    + ["없음", "무", "미상", "미입력", "미등록", "해당없음", "해당 없음", "모름", "비공개"]
    + ["상동", "위와 같음", "위와 동일", "동일", "ditto", "same", "same as above", "同上", "〃"]
    + ["본인", "주문자와 동일", "구매자와 동일"]
    + ["비회원", "손님", "게스트", "익명", "탈퇴", "탈퇴회원", "삭제"]
    + ["미확인", "알수없음", "알 수 없음", "불명", "미기재", "미제공", "미공개", "공란", "(공백)"]
    + ["(비어 있음)", "(없음)", "해당사항없음", "해당사항 없음", "거부", "수집안함"]
    + ["なし", "無し", "不明", "未登録", "非会員", "无", "無", "空", "未知", "游客"]
    + [
        "該当なし",
        "未入力",
        "未設定",
        "空白",
        "不详",
        "不詳",
        "暂无",
        "没有",
        "沒有",
        "未填",
        "未填写",
    ]
    + ["<na>", "nat", "tbd", "tba", "not available", "not applicable", "not set", "not provided"]
    + ["no data", "no value", "no name", "noname", "missing", "blank", "(blank)", "(empty)"]
    + ["(none)", "(unknown)", "(not set)", "undef", "void", "true", "false", "-1", "-999"]
    + ["noemail@noemail", "k.a.", "k. a.", "keine", "kein", "keine angabe", "unbekannt", "leer"]
    + ["n/d", "n.d.", "nd", "s/n", "s/d", "n/c", "n/r", "ninguno", "ninguna", "desconocido"]
    + ["sin datos", "vacio", "vacío", "inconnu", "aucun", "aucune", "néant", "non renseigné"]
    + ["sconosciuto", "nessuno", "desconhecido", "nenhum", "não informado", "нет", "неизвестно"]
    + ["не указано", "пусто", "brak", "nieznany", "yok", "bilinmiyor", "onbekend", "geen"]
    + ["không có", "không rõ", "chưa có", "tidak ada", "tidak diketahui", "ไม่มี", "ไม่ระบุ"]
    + ["ukendt", "ukjent", "okänd", "saknas", "ingen", "ei ole", "tuntematon", "puudub"]
    + ["žádný", "není", "neznámý", "nincs", "ismeretlen", "necunoscut", "nėra", "nav", "nema"]
    + ["немає", "невідомо", "няма", "неизвестен", "κανένα", "άγνωστο", "אין", "לא ידוע"]
    + ["لا يوجد", "غير متوفر", "غير معروف", "ندارد", "نامشخص"]
) | frozenset(map(str.lower, NULLS))
# Days that programs write for none: the first or the last that they can store.
NO_DAYS = frozenset(
    ["0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01"]
    + ["9999-12-31"]
)


def is_placeholder(text: str) -> bool:
    """Returns whether the text is no reference, e-mail address, phone number or date."""
    if text.isdigit():
        return not text.strip("0")
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in _PLACEHOLDERS or plain.rstrip(".!") in _PLACEHOLDERS or plain in NO_DAYS:
        return True
    if len(plain) > 40 or (plain[:1].isalnum() and plain[0] not in "0x"):
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
