"""Hypothesis strategies for exports with the defects of real ones, and the truth about them.

Every value is a token that occurs once in all the world, so that "no value of another person is on
this page" is a search for substrings.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.importing.reference_importer import COLUMNS

SEPARATORS = {",": ",", ";": ";", "\t": "\\t", "|": "|"}
PLACEHOLDERS = ("NULL", "\\N", "(null)", "nan")
DECLARED = ("-", "없음", "N/A", "none")  # blank only if the mapping says so
MAILBOX, SWITCHBOARD = "noemail@shared.example", "010-5550-1234"
MAPPING = """{keys}nulls = ["-", "없음", "N/A", "none"]
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
contact_leaked = ["name", "email", "phone"]
[dates]
joined_on = "date"
[[leaked]]
class = "entrance-codes"
value = "{{code}}"
[[leaked]]
class = "delivery-notes"
value = "{{note}}"
date = "joined_on"
"""


@dataclass(frozen=True)
class Script:
    """A writing system: how its people and notes are written, and the encodings that hold them."""

    encodings: tuple[str, ...]
    family: str
    letters: str  # two of these twenty end a name
    note: str


_UNICODE = ("utf-8", "utf-8-sig", "utf-16")
KOREAN = Script(
    (*_UNICODE, "cp949", "johab"),
    "남궁",
    "가나다라마바사아자차카타파하거너더러머버",
    "문 앞 상자 {}에 두세요",
)
SCRIPTS = (
    KOREAN,
    Script(
        (*_UNICODE, "windows-1252", "iso-8859-15", "mac-roman"),
        "Müñoz",
        "àáâãäåæçèéêëìíîïñòóô",
        "Laissez près de la boîte {}",
    ),
    Script(
        (*_UNICODE, "shift_jis", "euc-jp", "iso-2022-jp"),
        "渡辺",
        "あいうえおかきくけこさしすせそたちつてと",
        "玄関の箱{}に置いてください",
    ),
    Script(
        (*_UNICODE, "gbk", "gb18030"),
        "欧阳",
        "明华丽军勇艳强静敏磊洋杰娟涛超霞平刚桂兰",
        "请放在门口的箱子{}里",
    ),
    Script(
        (*_UNICODE, "big5"),
        "歐陽",
        "明華麗軍勇豔強靜敏磊洋傑娟濤超霞平剛桂蘭",
        "請放在門口的箱子{}裡",
    ),
)


@dataclass(frozen=True)
class Truth:
    """A person as the world knows them, whatever a file says."""

    number: int
    script: Script = KOREAN

    @property
    def name(self) -> str:
        letters = self.script.letters
        return self.script.family + letters[self.number // 20 % 20] + letters[self.number % 20]

    @property
    def email(self) -> str:
        return f"zq{self.number:03}vx@mail{self.number % 3}.example"

    @property
    def mobile(self) -> str:
        return f"010-{7103 + self.number * 13:04}-{3107 + self.number * 29:04}"

    @property
    def code(self) -> str:
        return f"KX{self.number:03}#7"

    @property
    def note(self) -> str:
        return self.script.note.format(f"WJ{self.number:03}")

    @property
    def contacts(self) -> tuple[str, str]:
        """Returns the address and the number in E.164."""
        return self.email, "+82" + re.sub(r"\D", "", self.mobile)[1:]

    @property
    def tokens(self) -> tuple[str, ...]:
        """Returns the texts that only this person's page may hold."""
        digits = re.sub(r"\D", "", self.mobile)
        return (self.name, self.email.partition("@")[0], digits[3:], self.code, self.note)

    def row(self) -> dict[str, str]:
        """Returns the row of a file without defects."""
        values = [str(1000 + self.number), self.name, self.email, self.mobile, self.code, self.note]
        return dict(zip(COLUMNS, [*values, "2025-11-18"], strict=True))


@dataclass
class ExportedFile:
    """One file of an export, with the mapping that reads it."""

    data: bytes
    text: str  # without the mark
    separator: str
    mapping: str
    contacts: set[str]  # every contact in any cell, taken or not, certain or not
    unclear: list[str] = field(default_factory=list)  # cells with a contact that is not certain
    mixed: list[str] = field(default_factory=list)  # rows in another encoding than the file


@dataclass
class Export:
    """Files, and the people whose data is in them."""

    files: list[ExportedFile]
    people: list[Truth]


Row = dict[str, str]


@st.composite
def exports(draw: st.DrawFn, *, most_people: int = 7) -> Export:
    """Draws an export of one or two files."""
    script = draw(st.sampled_from(SCRIPTS))
    people = [Truth(number, script) for number in range(draw(st.integers(2, most_people)))]
    rows = [person.row() for person in people]
    for _ in range(draw(st.integers(0, 4))):
        draw(st.sampled_from(ROW_DEFECTS))(draw, rows)
    if draw(st.booleans()):
        _same_reference(draw, rows)
    cut = draw(st.integers(1, len(rows)))
    parts = [rows[:cut], rows[cut:] + draw(_repeated(rows[:cut]))]
    count = Counter(row["member_id"] for part in parts for row in part)
    single = {reference for reference, times in count.items() if times == 1}
    return Export([draw(_file(part, script, single)) for part in parts if part], people)


def without_defects(script: Script, encoding: str) -> Export:
    """Returns an export of one file in the encoding."""
    people = [Truth(number, script) for number in range(7)]
    rows = [person.row() for person in people]
    text = ",".join(COLUMNS) + "\n" + _written(rows, ",", "\n", is_quoted=False)
    file = ExportedFile(text.encode(encoding), text, ",", _mapping(encoding, ","), _contacts(rows))
    return Export([file], people)


def _repeated(rows: list[Row]) -> st.SearchStrategy[list[Row]]:
    return st.lists(st.sampled_from(rows), max_size=2).map(lambda some: [dict(row) for row in some])


# Defects of cells


def _placeholder(draw: st.DrawFn, rows: list[Row]) -> None:
    row, column = draw(st.sampled_from(rows)), draw(st.sampled_from(COLUMNS[1:]))
    row[column] = draw(st.sampled_from(PLACEHOLDERS + DECLARED + ("", " ")))


def _no_reference(draw: st.DrawFn, rows: list[Row]) -> None:
    draw(st.sampled_from(rows))["member_id"] = draw(
        st.sampled_from(["", "NULL", "-", "guest", "비회원"])
    )


def _shared_contact(draw: st.DrawFn, rows: list[Row]) -> None:
    column, text = draw(st.sampled_from([("email", MAILBOX), ("mobile", SWITCHBOARD)]))
    for row in draw(st.lists(st.sampled_from(rows), min_size=2, max_size=6)):
        row[column] = text


def _placeholder_number(draw: st.DrawFn, rows: list[Row]) -> None:
    for row in draw(st.lists(st.sampled_from(rows), min_size=1, max_size=5)):
        row["mobile"] = draw(st.sampled_from(["010-0000-0000", "1588-1234", "02"]))


def _same_reference(draw: st.DrawFn, rows: list[Row]) -> None:
    first, second = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
    if all(row[column].startswith(sign) for row in (first, second) for column, sign in _OWN):
        second["member_id"] = first["member_id"]


_OWN = (("email", "zq"), ("mobile", "010-7"))


def _break_in_short_cell(draw: st.DrawFn, rows: list[Row]) -> None:
    row, column = draw(st.sampled_from(rows)), draw(st.sampled_from(COLUMNS[:5]))
    row[column] += draw(st.sampled_from(["\nx", "\u2028x", "\r\nx"]))


def _row_in_note(draw: st.DrawFn, rows: list[Row]) -> None:
    host, guest = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
    host["note"] = f"x\n{_SWALLOWED}{guest['member_id']}"


_SWALLOWED = "\0row:"  # replaced by the row with this reference when the file is written


def _lines_in_note(draw: st.DrawFn, rows: list[Row]) -> None:
    row = draw(st.sampled_from(rows))
    row["note"] += "\n초인종을 누르지 마세요"


def _two_contacts(draw: st.DrawFn, rows: list[Row]) -> None:
    row = draw(st.sampled_from(rows))
    if row["email"].startswith("zq") and "@mail9" not in row["email"]:
        row["email"] += f"; {row['email'][:7]}2@mail9.example"


def _unclear_contact(draw: st.DrawFn, rows: list[Row]) -> None:
    row = draw(st.sampled_from(rows))
    column, sign = draw(st.sampled_from(_OWN))
    is_whole = row[column].endswith((".example", *"0123456789")) and "~" not in row[column]
    if row[column].startswith(sign) and is_whole:
        row[column] += draw(st.sampled_from(UNCLEAR[column]))


def _end_of_another_number(draw: st.DrawFn, rows: list[Row]) -> None:
    row = draw(st.sampled_from(rows))
    if re.fullmatch(r"010-7\d{3}-\d{4}", row["mobile"]):
        row["mobile"] += f"~{(int(row['mobile'][-1]) + 1) % 10}"


# What makes a contact uncertain that stands before it.
UNCLEAR = {"email": (" (집)", "#", " 또는"), "mobile": (" #12", " 또는 010-12", " 내선 3")}


def _odd_date(draw: st.DrawFn, rows: list[Row]) -> None:
    draw(st.sampled_from(rows))["joined_on"] = draw(
        st.sampled_from(["2025. 11. 18.", "0000-00-00", "어제", "31/12/2025"])
    )


ROW_DEFECTS = (
    _placeholder,
    _placeholder,
    _no_reference,
    _shared_contact,
    _shared_contact,
    _placeholder_number,
    _break_in_short_cell,
    _lines_in_note,
    _row_in_note,
    _two_contacts,
    _unclear_contact,
    _unclear_contact,
    _end_of_another_number,
    _odd_date,
)

# Files and their defects


@st.composite
def _file(
    draw: st.DrawFn, rows: list[Row], script: Script, single: Collection[str]
) -> ExportedFile:
    """Draws a file of the rows. Those with a reference in `single` may be in another encoding."""
    separator = draw(st.sampled_from(sorted(SEPARATORS)))
    encoding = draw(st.sampled_from(script.encodings))
    line_end = draw(st.sampled_from(["\n", "\r\n"]))
    mark = draw(st.sampled_from(["", "", "", "\ufeff"]))  # where files were joined
    written = [
        _written([row], separator, line_end, is_quoted=bool(mark))
        for row in _with_swallowed(rows, separator)
    ]
    is_split = len(rows) > 1 and draw(st.integers(0, 3)) == 0
    if is_split:
        _split_quote(draw, written, rows, separator)
    if draw(st.integers(0, 5)) == 0:
        place = draw(st.integers(0, len(written) - 1))
        written[place] = written[place].rstrip("\r\n") + separator + "zz" + line_end
    if draw(st.integers(0, 7)) == 0:
        count = dict.fromkeys(COLUMNS, "") | {"member_id": str(len(rows)), "name": "총합계"}
        written.append(_written([count], separator, line_end, is_quoted=bool(mark)))
    place = draw(st.integers(0, len(written)))
    header = separator.join(COLUMNS) + line_end
    text = header + "".join(written)
    if mark or not _fits(text, encoding):
        encoding = "utf-8"
    data = (header + "".join(written[:place]) + mark + "".join(written[place:])).encode(encoding)
    mixed: list[str] = []
    if not (mark or is_split or encoding in _MARKED) and draw(st.integers(0, 3)) == 0:
        others = [one for one in script.encodings if one not in (encoding, *_MARKED)]
        data, mixed = draw(_mixed([header, *written], rows, encoding, others, single))
    return ExportedFile(
        data,
        text,
        separator,
        _mapping(encoding, separator),
        _contacts(rows),
        [
            row[column]
            for row in rows
            for column, endings in UNCLEAR.items()
            if row[column].endswith(endings)
        ],
        mixed,
    )


def _mapping(encoding: str, separator: str) -> str:
    keys = f'encoding = "{encoding.removesuffix("-sig")}"\n' if encoding != "utf-8" else ""
    return MAPPING.format(keys=f'{keys}separator = "{SEPARATORS[separator]}"\n')


_MARKED = ("utf-8-sig", "utf-16")


@st.composite
def _mixed(
    draw: st.DrawFn,
    lines: list[str],
    rows: list[Row],
    encoding: str,
    others: list[str],
    single: Collection[str],
) -> tuple[bytes, list[str]]:
    """Draws the bytes of the lines with one row in another encoding, and the text of that row.

    It is a row of a person who has no other one. Without such a row all are in `encoding`.
    """
    other = draw(st.sampled_from(others))
    places = [
        at
        for at, row in enumerate(rows, 1)
        if row["member_id"] in single and not lines[at].isascii() and _fits(lines[at], other)
    ]
    place = draw(st.sampled_from(places)) if places else 0
    data = [line.encode(other if at == place else encoding) for at, line in enumerate(lines)]
    return b"".join(data), [lines[place]] if place else []


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _with_swallowed(rows: list[Row], separator: str) -> list[Row]:
    """Returns the rows with each mark in a note replaced by a whole row."""
    by_reference = {row["member_id"]: row for row in rows}
    result = []
    for row in rows:
        before, mark, reference = row["note"].partition(_SWALLOWED)
        guest = by_reference.get(reference, row) | {"note": "x"}
        text = separator.join(guest[name].replace("\n", " ") for name in COLUMNS)
        result.append(row | {"note": before + text} if mark else row)
    return result


def _written(rows: list[Row], separator: str, line_end: str, *, is_quoted: bool) -> str:
    stream = io.StringIO()
    writer = csv.writer(
        stream,
        delimiter=separator,
        lineterminator=line_end,
        quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL,
    )
    writer.writerows([row[name] for name in COLUMNS] for row in rows)
    return stream.getvalue()


def _split_quote(draw: st.DrawFn, written: list[str], rows: list[Row], separator: str) -> None:
    """Opens a quote in the name of one row and closes it in that of a later one."""
    first = draw(st.integers(0, len(rows) - 2))
    last = draw(st.integers(first + 1, len(rows) - 1))
    for place, sign in ((first, '{sep}"{name}'), (last, '{sep}{name}"')):
        name = rows[place]["name"]
        if name and f"{separator}{name}{separator}" in written[place]:
            old, new = f"{separator}{name}", sign.format(sep=separator, name=name)
            written[place] = written[place].replace(old, new, 1)


def _contacts(rows: list[Row]) -> set[str]:
    """Returns the addresses and numbers that the cells of the rows hold."""
    found = set()
    for row in rows:
        found |= set(re.findall(r"[a-z0-9]+@[a-z0-9.]+", row["email"]))
        found |= {"+82" + re.sub(r"\D", "", number)[1:] for number in _numbers(row["mobile"])}
    return found


def _numbers(cell: str) -> list[str]:
    """Returns the numbers of a cell, also one of which it holds the last digit only."""
    found = re.findall(r"010-[1-9]\d{3}-\d{4}", cell)
    others = re.findall(r"(010-[1-9]\d{3}-\d{3})\d~(\d)", cell)
    return found + ["".join(parts) for parts in others]
