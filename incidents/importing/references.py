"""Tells a person's reference from other text in its column: labels, totals, footers, lossy numbers.

A report has such rows among the people. Each of them would become a person without contacts.
"""

import re
from collections.abc import Sequence

from incidents.importing.column_names import is_known

MOST_CHARACTERS = 160  # of a text that is compared with labels and footers
_USUAL = re.compile(r"(?:[A-Za-z]{1,8}[-_.]?)?\d{4,}|[0-9A-Fa-f-]{32,36}", re.ASCII)
# Of these, those that are no zero, no text for "nothing" and no contact, whatever the cells say.
_PLAIN = re.compile(
    r"[A-Za-z]{1,8}[-_]?\d{4,}|(?=[0-]*[1-9A-Fa-f])[0-9A-Fa-f-]{32,36}|(?!010\d{8}$)(?=\d{4})0+[1-9]\d*",
    re.ASCII,
)
# A number in the form that a spreadsheet shows: its last digits are lost.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d{1,3}|\d[.,]\d+[eE]\d{1,3}", re.ASCII)
_COUNTED = (
    r"rows?|records?|members?|users?|customers?|items?|lines?|entries|results?|"
    r"명|건|행|개|人|件|行|条|zeilen|datens[aä]tze|lignes|filas|registros|linhas|righe"
)
_TOTAL = (
    r"(?:grand |sub|row |record )?(?:total|count|sum|average)s?|평\s?균|平均值?|"
    r"합\s?계|총\s?계|소\s?계|누\s?계|"
    r"총\s?합\s?계|총합|합산|총|전체|計|小計|合計|总计|总数|小计|合计|"
    r"summe|(?:gesamt|teil)ergebnis|gesamt|gesamtsumme|insgesamt|anzahl|totale[ns]?|totali|totaux|totais|somme|"
    r"сумма|итого|всего|разом|усього|razem|celkem|összesen|toplam|totaal|antal|"
    r"yhteensä|tổng(?: cộng| số)?|jumlah|รวม(?:ทั้งหมด)?|المجموع|الإجمالي|סה.?כ|건수|총원|인원"
)
# People have such references, too, so that the other cells of the row decide.
_TOTALS = re.compile(
    rf"(?:{_TOTAL})(?:\s*[:=(\uff1a-].*|\s*[\d,.]+\s*(?:{_COUNTED})?\)?)?"
    rf"|\(?(?:total |총 ?|共 ?)?\d[\d,.]*\s*(?:{_COUNTED})(?:\(s\))?"
    r"(?:\s(?:affected|selected|returned|exported|fetched|in set|found)\b.*)?[.)]*"
    r"|(?:page|페이지|seite)\s*:?\s*\d+.*|\d+\s*/\s*\d+\s*(?:page|페이지|쪽)"
    r"|\W*(?:end of (?:file|report|data|list|export)|eof|이하\s?여백|끝|以下余白|以上)\W*"
    r"|commit(?: complete)?\.?",
    re.IGNORECASE,
)
# Of a group, as spreadsheets write them below it: `Seoul Total`, `서울 요약`, `Bonn Ergebnis`.
_SUBTOTAL = re.compile(
    rf".*\S (?:{_TOTAL}|요약|ergebnis|集計|汇总|résultat|risultato)", re.IGNORECASE
)
_CHECKSUM = re.compile(
    r"(?:sha-?(?:1|256|512)|md5|crc32|checksum|hash)\s*[:=]\s*[0-9a-f]{8,}", re.IGNORECASE
)
_FOOTER = re.compile(
    r"(?:time|duration|elapsed|execution time|query time)\s*[:=].*"
    r"|(?:예\)|예시\s*[:)]|샘플\s*[:)]|ex\)|example:).*"
    r"|(?:printed|exported|generated|created|downloaded) (?:on|at|by)\b.*"
    r"|(?:출력|작성|조회|생성|다운로드)\s?(?:일시?|일자|자)\s*[:\uff1a].*"
    r"|(?:insert (?:ignore )?into|replace into|update|delete from|create table|drop table|"
    r"alter table|lock tables|unlock tables|set names) \S.*"
    r"|(?:completion time|statement processed|query ok)\b.*",
    re.IGNORECASE,
)
_TYPE = re.compile(
    r"(?:tiny|small|medium|big)?int(?:eger)?|n?(?:var)?char2?|varchar|number|numeric|decimal|"
    r"(?:tiny|medium|long)?text|string|double(?: precision)?|float|real|bool(?:ean)?|"
    r"date(?:time)?2?|timestamp(?:tz)?|필수|선택|required|optional|mandatory|serial|uuid|"
    r"uniqueidentifier|clob|blob|object|문자열?|숫자|날짜|"
    r"u?int(?:4|8|16|32|64|128|256)|float(?:4|8|32|64)|bignumeric|date(?:time)?(?:32|64)|"
    r"utf8|(?:fixed)?string|(?:string|long|integer|timestamp)type|"
    r"(?:nullable|lowcardinality)\(.*\)"
)
_DIGEST = re.compile(r"(?:md|sha|crc)-?\d{1,3}", re.IGNORECASE)
_RECORD = re.compile(r"h|hd|hdr|head|header|t|tr|trl|tlr|trailer|f|footer", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]{2}")
_DIGIT = re.compile(r"\d")
_LONGEST_MARK = 40  # as `Anzahl der Datensätze`
_SUM = re.compile(
    rf"[-+]?0*(?:\d[ .,]?){{1,6}}(?: ?(?:%|{_COUNTED}))?|"
    r"(?=.*\d)(?=.*[a-f])[0-9a-f]{8,128}",
    re.IGNORECASE,
)
_COLUMN = re.compile(r"[a-z]{2,}(?:_[a-z]+)*_(?:id|no|seq|code|name|date|at|yn|type|status|amount)")
_TYPE_LENGTH = re.compile(r"\(\s*(?:\d+|max)(?:\s*(?:,\s*\d+|byte|char))?\s*\)")


def is_usual(reference: str) -> bool:
    """Returns whether the text is an id in a usual form, which needs no further test; fast."""
    return _USUAL.fullmatch(reference) is not None


def is_plain(reference: str) -> bool:
    """Returns whether the text is an id that is stored as it is, in any row; fast."""
    return _PLAIN.fullmatch(reference) is not None


def is_shortened(reference: str) -> bool:
    """Returns whether digits of a number are lost, as in `2.02511E+15`."""
    return _SHORTENED.fullmatch(reference) is not None


def is_total(reference: str) -> bool:
    """Returns whether the text may begin a row of totals or end a report, as `Total` or `(6 rows)`.

    A person can have it as a reference, too.
    """
    return len(reference) <= MOST_CHARACTERS and _TOTALS.fullmatch(reference.strip()) is not None


def is_subtotal(text: str) -> bool:
    """Returns whether the text names a sum, also of a group, as `Total` and `서울 요약` do."""
    return is_total(text) or (
        len(text) <= MOST_CHARACTERS and _SUBTOTAL.fullmatch(text.strip()) is not None
    )


def may_be_trailer(reference: str) -> bool:
    """Returns whether the text may mark a row of counts or a digest, as `T`, `Σ` and `MD5` do."""
    is_word = len(reference) <= _LONGEST_MARK and _DIGIT.search(reference) is None
    return is_word or _DIGEST.fullmatch(reference) is not None


def is_record(reference: str) -> bool:
    """Returns whether the text may mark the first or last record of a file, as `H` and `TRL` do."""
    return _RECORD.fullmatch(reference) is not None


def is_sum(text: str) -> bool:
    """Returns whether the text is a number, too small for that of a phone, or a digest.

    A digest has a letter: eight and more digits may be a number of a phone.
    """
    return _SUM.fullmatch(text.strip()) is not None


def is_checksum(reference: str) -> bool:
    """Returns whether the text may be the checksum of a file, or a reference that is a digest."""
    return len(reference) <= MOST_CHARACTERS and _CHECKSUM.fullmatch(reference.strip()) is not None


def is_footer(reference: str) -> bool:
    """Returns whether the text is of a report or a dump, and no person's, as `Time: 12 ms`."""
    if len(reference) > MOST_CHARACTERS:
        return False
    if reference.startswith('{"'):  # a row of JSON in a file of another format
        return True
    return reference == "\\." or _FOOTER.fullmatch(reference.strip()) is not None


def is_remark(reference: str, cells: Sequence[str]) -> bool:
    """Returns whether a row of several cells holds one text of several words, and nothing else.

    So a report names its source, or says that it is confidential.
    """
    is_text = " " in reference and _LETTERS.search(reference) is not None
    return is_text and len(cells) > 1 and sum(map(bool, map(str.strip, cells))) == 1


def is_label(text: str) -> bool:
    """Returns whether the text names a column, or the type of one, as `회원번호` and `int` do."""
    text = text.strip()
    if not text or len(text) > MOST_CHARACTERS:
        return False
    if _TYPE.fullmatch(text.lower()):
        return True
    if _DIGIT.search(text) and text[-1] != ")":  # most references have digits; few labels do
        return False
    plain = _TYPE_LENGTH.sub("", text).strip().lower()
    return bool(_TYPE.fullmatch(plain) or _COLUMN.fullmatch(plain)) or is_known(text)
