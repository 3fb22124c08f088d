"""The mapping: a TOML file that says what the columns of a dump mean. See docs/import.md.

Everything in it is checked before the first row is read. Each refusal is one line that names the
file, the place in it, and the mend.
"""

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from incidents.importing.reading import CSV, ImportRefusedError, Source
from incidents.importing.refusals import RefusalMessages
from incidents.models import AffectedPerson

# The class that each contact column is a value of.
CONTACT_CLASSES = {"name": "names", "email": "email-addresses", "phone": "phone-numbers"}
FORMATS = ("", "csv", "jsonl")
DATE_TYPES = ("date", "datetime")
RELATIONS = [relation.name.lower() for relation in AffectedPerson.Relation]

_SLOT = re.compile(r"\{([^{}]+)\}")
_WRONG_KIND: dict[type, RefusalMessages] = {
    str: RefusalMessages.NOT_TEXT,
    bool: RefusalMessages.NOT_BOOLEAN,
    list: RefusalMessages.NOT_LIST,
}
T = TypeVar("T")


@dataclass(frozen=True)
class CellTemplate:
    """A value put together from a row's cells; a literal is written before its cell."""

    pieces: tuple[tuple[str, str], ...]  # (literal, column)
    tail: str

    @classmethod
    def parse(cls, text: str) -> "CellTemplate":
        """From `{postcode} {address1}`; raises ValueError without a slot or with a stray brace."""
        literals = _SLOT.split(text)[0::2]
        columns = _SLOT.findall(text)
        if not columns or any(brace in literal for literal in literals for brace in "{}"):
            raise ValueError(text)
        return cls(tuple(zip(literals, columns, strict=False)), literals[-1])

    def fill(self, row: dict[str, str]) -> str:
        """The value, or "" if every cell is blank. A blank cell goes with its literal."""
        value = ""
        for literal, column in self.pieces:
            if row[column].strip():
                value += (literal if value else literal.lstrip(" ,;/")) + row[column]
        return value + self.tail if value else ""


@dataclass(frozen=True, kw_only=True)
class LeakColumn:
    """One value that leaked: its class, and where it stands in a row."""

    data_class: str
    value: CellTemplate
    date: str = ""  # a column


@dataclass(frozen=True, kw_only=True)
class PersonColumns:
    """Which columns say who somebody is. An empty string: there is no such column."""

    relation: AffectedPerson.Relation
    identity: str  # the source's own id, or the phone of a recipient
    name: str
    email: str
    phone: str
    language: str
    contact_leaked: frozenset[str]  # of name, email, phone
    leaks: tuple[LeakColumn, ...]

    @property
    def has_contact(self) -> bool:
        """Whether a row says anything about how to reach the person."""
        return bool(self.name or self.email or self.phone)

    def columns(self) -> Iterator[str]:
        """Every column it uses."""
        yield from filter(None, (self.identity, self.name, self.email, self.phone, self.language))
        for leak in self.leaks:
            yield from (column for _, column in leak.value.pieces)

    def classes(self) -> set[str]:
        """The slugs of every data class it can give a row."""
        return {CONTACT_CLASSES[part] for part in self.contact_leaked} | {
            leak.data_class for leak in self.leaks
        }


@dataclass(frozen=True, kw_only=True)
class ColumnMapping:
    """What the columns of one file mean."""

    name: str  # of the mapping file, for messages
    format: str  # csv, jsonl, or "" for what the file shows itself to be
    encoding: str  # "" to detect it
    is_known: bool  # only people whom an earlier file named
    dates: dict[str, str]  # column: date or datetime
    person: PersonColumns
    second_person: PersonColumns | None

    def check_source(self, source: Source) -> None:
        """Raises ImportRefusedError if the file is of another format, or lacks columns."""
        # A reject file is a CSV, whatever the dump was.
        if self.format not in ("", source.format) and not source.is_reject_file:
            raise ImportRefusedError(
                RefusalMessages.OTHER_FORMAT.said(
                    file=source.name,
                    mapping_words=self.name,
                    format=self.format,
                    found=source.format,
                )
            )
        lacking = (
            RefusalMessages.HEADER_LACKS if source.format == CSV else RefusalMessages.ROWS_LACK
        )
        self.check_header(source.header, file=source.name, lacking=lacking)

    def check_header(
        self,
        header: Collection[str],
        *,
        file: str,
        lacking: RefusalMessages = RefusalMessages.HEADER_LACKS,
    ) -> None:
        """Raises ImportRefusedError naming the columns that the header lacks."""
        used = [*self.person.columns(), *self.dates]
        if self.second_person:
            used += self.second_person.columns()
        missing = [column for column in dict.fromkeys(used) if column not in header]
        if missing:
            raise ImportRefusedError(
                lacking.said(file=file, columns=", ".join(missing), mapping_words=self.name)
            )

    def classes(self) -> set[str]:
        """The slugs of every data class it can give a person."""
        second = self.second_person.classes() if self.second_person else set()
        return self.person.classes() | second

    def check_classes(self, known: Collection[str]) -> None:
        """Raises ImportRefusedError naming a class that is no data class."""
        for slug in sorted(self.classes() - set(known)):
            raise ImportRefusedError(
                RefusalMessages.NO_CLASS.said(
                    mapping_words=self.name, name=repr(slug), mend_words=_choices(slug, known)
                )
            )


def parse(text: str, *, name: str) -> ColumnMapping:
    """The mapping in `text`, from a file called `name`. Raises ImportRefusedError."""
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ImportRefusedError(
            RefusalMessages.NOT_TOML.said(mapping_words=name, error=error)
        ) from None
    top = _Table(content, file=name)
    if top.take("format", str, "") not in FORMATS:
        raise ImportRefusedError(RefusalMessages.NO_FORMAT.said(mapping_words=name))
    mapping = _mapping(top, name)
    top.finish()
    return mapping


def _mapping(top: "_Table", name: str) -> ColumnMapping:
    dates = _dates(top.table("dates"))
    person = top.table("person", is_required=True)
    is_known = person.take("known", bool, False)
    second = top.table("second_person") if "second_person" in top.content else None
    mapping = ColumnMapping(
        name=name,
        format=top.take("format", str, ""),
        encoding=top.take("encoding", str, ""),
        is_known=is_known,
        dates=dates,
        person=_person(person, _leaks(top, dates)),
        second_person=_second_person(second, dates) if second else None,
    )
    if mapping.second_person and mapping.person.relation == mapping.second_person.relation:
        raise ImportRefusedError(RefusalMessages.BOTH_RECIPIENTS.said(mapping_words=name))
    return mapping


def _dates(table: "_Table") -> dict[str, str]:
    dates = {column: table.take(column, str) for column in list(table.content)}
    for column, kind in dates.items():
        if kind not in DATE_TYPES:
            raise table.refused(
                RefusalMessages.NOT_AMONG, key=column, mend_words=_choices(kind, DATE_TYPES)
            )
    return dates


def _person(table: "_Table", leaks: tuple[LeakColumn, ...]) -> PersonColumns:
    relation = table.choice("relation", RELATIONS)
    identity = "phone" if relation == "recipient" else "reference"
    if identity == "phone" and "reference" in table.content:
        raise table.refused(RefusalMessages.RECIPIENT_REFERENCE)
    return _columns(table, relation=relation, identity=identity, leaks=leaks)


def _second_person(table: "_Table", dates: Collection[str]) -> PersonColumns:
    relation = table.choice("relation", ["recipient"])
    if "email" in table.content:
        raise table.refused(RefusalMessages.SECOND_EMAIL)
    return _columns(table, relation=relation, identity="phone", leaks=_leaks(table, dates))


def _columns(
    table: "_Table", *, relation: str, identity: str, leaks: tuple[LeakColumn, ...]
) -> PersonColumns:
    identity_column = table.content.get(identity)
    if not identity_column:
        raise table.refused(RefusalMessages.NO_IDENTITY, key=identity)
    if identity == "reference":
        table.take("reference", str)
    columns = PersonColumns(
        relation=AffectedPerson.Relation[relation.upper()],
        identity=identity_column,
        name=table.take("name", str, ""),
        email=table.take("email", str, ""),
        phone=table.take("phone", str, ""),
        language=table.take("language", str, ""),
        contact_leaked=_contact_leaked(table),
        leaks=leaks,
    )
    table.finish()
    return columns


def _contact_leaked(table: "_Table") -> frozenset[str]:
    """Must be said, not guessed: forgetting a class and claiming one too many are both untrue."""
    present = [part for part in CONTACT_CLASSES if part in table.content]
    if not present and "contact_leaked" not in table.content:
        return frozenset()
    if "contact_leaked" not in table.content:
        proposal = ", ".join(f'"{part}"' for part in present)
        raise table.refused(RefusalMessages.NO_CONTACT_LEAKED, columns=proposal)
    leaked = table.take("contact_leaked", list)
    for part in leaked:
        if part not in present:
            mend = _choices(str(part), present)
            raise table.refused(RefusalMessages.NO_SUCH_CONTACT, name=repr(part), mend_words=mend)
    return frozenset(leaked)


def _leaks(table: "_Table", dates: Collection[str]) -> tuple[LeakColumn, ...]:
    return tuple(_leak(block, dates) for block in table.tables("leaked"))


def _leak(block: "_Table", dates: Collection[str]) -> LeakColumn:
    data_class, text = block.take("class", str), block.take("value", str)
    date = block.take("date", str, "")
    if date and date not in dates:
        raise block.refused(RefusalMessages.NO_DATE, column=date)
    try:
        value = CellTemplate.parse(text)
    except ValueError:
        raise block.refused(RefusalMessages.NO_COLUMN_IN_VALUE) from None
    block.finish()
    return LeakColumn(data_class=data_class, value=value, date=date)


def _choices(wrong: str, right: Iterable[str]) -> str:
    right = sorted(right)
    near = difflib.get_close_matches(wrong, right, n=1)
    if near:
        return RefusalMessages.NEAR.said(near=near[0])
    return RefusalMessages.CHOICES.said(
        choices_words=", ".join(right) or RefusalMessages.NONE.said()
    )


class _Table:
    """A TOML table that is read key by key, and then may hold no other."""

    def __init__(
        self, content: dict[str, Any], *, file: str, path: str = "", number: int = 0
    ) -> None:
        """`number` is its place in an array of tables, from 1."""
        self.content, self._file, self._path, self._number = content, file, path, number
        self._known: set[str] = set()

    @property
    def place(self) -> str:
        """For messages."""
        if not self._path:
            return self._file
        if self._number:
            return RefusalMessages.BLOCK.said(
                mapping_words=self._file, table=self._path, number=self._number
            )
        return RefusalMessages.TABLE.said(mapping_words=self._file, table=self._path)

    def refused(self, why: RefusalMessages, **slots: str) -> ImportRefusedError:
        """The refusal of what stands in it."""
        return ImportRefusedError(why.said(place_words=self.place, **slots))

    def take(self, key: str, kind: type[T], default: T | None = None) -> T:
        """The value of `key`; without a default it must be there."""
        self._known.add(key)
        value = self.content.get(key, default)
        if value is None:
            raise self.refused(RefusalMessages.NO_KEY, key=key)
        if not isinstance(value, kind):
            raise self.refused(_WRONG_KIND.get(kind, RefusalMessages.NOT_TABLE), key=key)
        return value

    def choice(self, key: str, right: list[str]) -> str:
        """The value of `key`, one of `right`."""
        value = self.take(key, str)
        if value not in right:
            raise self.refused(
                RefusalMessages.NOT_AMONG, key=key, mend_words=_choices(value, right)
            )
        return value

    def table(self, key: str, *, is_required: bool = False) -> "_Table":
        """The table below `key`; empty if it is not there and need not be."""
        if is_required and key not in self.content:
            raise self.refused(RefusalMessages.NO_TABLE, key=key)
        return _Table(self.take(key, dict, {}), file=self._file, path=f"[{key}]")

    def tables(self, key: str) -> list["_Table"]:
        """The array of tables below `key`."""
        blocks = self.take(key, list, [])
        path = f"[[{'.'.join(filter(None, (self._path.strip('[]'), key)))}]]"
        if not all(isinstance(block, dict) for block in blocks):
            raise self.refused(RefusalMessages.NOT_BLOCKS, key=key, table=path)
        return [
            _Table(block, file=self._file, path=path, number=number)
            for number, block in enumerate(blocks, start=1)
        ]

    def finish(self) -> None:
        """Raises ImportRefusedError for a key that nobody asked for."""
        for key in self.content.keys() - self._known:
            raise self.refused(
                RefusalMessages.UNKNOWN_KEY, key=key, mend_words=_choices(key, self._known)
            )
