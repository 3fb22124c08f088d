"""The mapping: a TOML file that says what the columns of a dump mean. See docs/import.md.

It is checked in full before the first row is read. A refusal is one line that names, for each
fault, the file, the place in it and what to do.
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field, Strict, ValidationError, ValidationInfo, field_validator

from foundations import toml_files
from foundations.toml_files import Fault, FilePath, TomlTable
from incidents.importing.reading import CSV, ImportRefusedError, Source
from incidents.importing.refusals import BETWEEN, RefusalMessages
from incidents.models import CONTACT_CLASSES, AffectedPerson

_SLOT = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class CellTemplate:
    """A value made of a row's cells; a literal is written before its cell."""

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


class LeakColumn(TomlTable):
    """One value that leaked: its class, and where it stands in a row."""

    data_class: str = Field(alias="class")
    value: CellTemplate
    date: str = ""  # a column

    @field_validator("value", mode="before")
    @classmethod
    def _names_columns(cls, value: object) -> CellTemplate:
        try:
            return CellTemplate.parse(str(value))
        except ValueError:
            raise ValueError(partial(RefusalMessages.NO_COLUMN_IN_VALUE.stored)) from None

    @field_validator("date")
    @classmethod
    def _is_declared(cls, column: str, info: ValidationInfo) -> str:
        if column and column not in (info.context or ()):
            raise ValueError(partial(RefusalMessages.NO_DATE.stored, column=column))
        return column


Leaks = Annotated[tuple[LeakColumn, ...], Strict(False)]


class PersonColumns(TomlTable):
    """Which columns say who somebody is. An empty string: there is no such column."""

    role: Literal["member", "former_member", "recipient"] = Field(alias="relation")
    reference: str = Field("", validate_default=True)
    name: str = ""
    email: str = ""
    phone: str = Field("", validate_default=True)
    language: str = ""
    # Must be said, not guessed: forgetting a class and claiming one too many are both untrue.
    contact_leaked: Annotated[frozenset[str], Strict(False)] = Field(None, validate_default=True)
    _leaks: tuple[LeakColumn, ...] = ()

    @field_validator("reference", "phone")
    @classmethod
    def _identifies(cls, column: str, info: ValidationInfo) -> str:
        if (role := info.data.get("role")) is None:  # not understood
            return column
        if role == "recipient" and info.field_name == "reference" and column:
            raise ValueError(partial(RefusalMessages.RECIPIENT_REFERENCE.stored))
        is_identity = info.field_name == ("phone" if role == "recipient" else "reference")
        if is_identity and not column:
            raise ValueError(partial(RefusalMessages.NO_IDENTITY.stored))
        return column

    @field_validator("contact_leaked", mode="before")
    @classmethod
    def _is_said(cls, leaked: object, info: ValidationInfo) -> object:
        if leaked is not None:
            return leaked
        if present := _present(info):
            columns = ", ".join(f'"{part}"' for part in present)
            raise ValueError(partial(RefusalMessages.NO_CONTACT_LEAKED.stored, columns=columns))
        return []

    @field_validator("contact_leaked")
    @classmethod
    def _is_present(cls, leaked: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        present, said = _present(info), RefusalMessages.NO_SUCH_CONTACT.stored
        if wrong := sorted(leaked - set(present)):
            raise ValueError(
                *(partial(said, name=repr(one), mend_words=_choices(one, present)) for one in wrong)
            )
        return leaked

    @property
    def relation(self) -> AffectedPerson.Relation:
        """How they stand to the company."""
        return AffectedPerson.Relation[self.role.upper()]

    @property
    def identity(self) -> str:
        """The source's own id, or the phone of a recipient."""
        return self.phone if self.role == "recipient" else self.reference

    @property
    def leaks(self) -> tuple[LeakColumn, ...]:
        """The values that leaked of them, contact data apart."""
        return self._leaks

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
        contact = {CONTACT_CLASSES[part] for part in self.contact_leaked}
        return contact | {leak.data_class for leak in self.leaks}


def _present(info: ValidationInfo) -> list[str]:
    """The contact columns that are given; one that was refused counts, and is not in the data."""
    return [part for part in CONTACT_CLASSES if info.data.get(part, part)]


class FirstPersonColumns(PersonColumns):
    """The person that a row is about."""

    known: bool = False  # only people whom an earlier file named


class SecondPersonColumns(PersonColumns):
    """A recipient in the row of somebody else."""

    role: Literal["recipient"] = Field(alias="relation")
    leaked: Leaks = ()

    @field_validator("email")
    @classmethod
    def _has_no_email(cls, _column: str) -> str:
        raise ValueError(partial(RefusalMessages.SECOND_EMAIL.stored))

    def model_post_init(self, _context: Any) -> None:
        """Has leaks of its own."""
        self._leaks = self.leaked


class ColumnMapping(TomlTable):
    """What the columns of one file mean."""

    format: Literal["", "csv", "jsonl"] = ""  # "" for what the file shows itself to be
    encoding: str = ""  # "" to detect it
    dates: dict[str, Literal["date", "datetime"]] = {}  # by column
    person: FirstPersonColumns
    second_person: SecondPersonColumns | None = None
    leaked: Leaks = ()  # of the person
    _name: str = ""

    @field_validator("second_person")
    @classmethod
    def _is_another(cls, second: SecondPersonColumns, info: ValidationInfo) -> SecondPersonColumns:
        if "person" in info.data and info.data["person"].role == second.role:
            raise ValueError(partial(RefusalMessages.BOTH_RECIPIENTS.stored))
        return second

    def model_post_init(self, _context: Any) -> None:
        """Gives the person what leaked of them: the file has it at the top."""
        self.person._leaks = self.leaked

    @property
    def name(self) -> str:
        """The name of the mapping file, for messages."""
        return self._name

    @property
    def is_known(self) -> bool:
        """Whether only people whom an earlier file named are taken."""
        return self.person.known

    def check_source(self, source: Source) -> None:
        """Raises ImportRefusedError if the file is of another format, or lacks columns."""
        # A reject file is a CSV, whatever the dump was.
        if self.format not in ("", source.format) and not source.is_reject_file:
            raise ImportRefusedError(
                RefusalMessages.OTHER_FORMAT.stored(
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
                lacking.stored(file=file, columns=", ".join(missing), mapping_words=self.name)
            )

    def classes(self) -> set[str]:
        """The slugs of every data class it can give a person."""
        second = self.second_person.classes() if self.second_person else set()
        return self.person.classes() | second

    def check_classes(self, known: Collection[str]) -> None:
        """Raises ImportRefusedError naming a class that is no data class."""
        for slug in sorted(self.classes() - set(known)):
            raise ImportRefusedError(
                RefusalMessages.NO_CLASS.stored(
                    mapping_words=self.name, name=repr(slug), mend_words=_choices(slug, known)
                )
            )


def parse(text: str, *, name: str) -> ColumnMapping:
    """The mapping in `text`, from a file called `name`. Raises ImportRefusedError."""
    try:
        content = tomllib.loads(text)
        dates = content.get("dates")
        declared = dates if isinstance(dates, dict) else {}
        mapping = ColumnMapping.model_validate(content, context=declared)
    except tomllib.TOMLDecodeError as error:
        raise ImportRefusedError(
            RefusalMessages.NOT_TOML.stored(mapping_words=name, error=error)
        ) from None
    except ValidationError as error:
        sentences = (_sentence(fault, name) for fault in toml_files.faults(error, ColumnMapping))
        raise ImportRefusedError(BETWEEN.join(sentences)) from None
    mapping._name = name
    return mapping


# ---------------------------------------------------------------- what is wrong with it

_WRONG_TYPES = {
    "string_type": RefusalMessages.NOT_TEXT,
    "bool_type": RefusalMessages.NOT_BOOLEAN,
    "frozen_set_type": RefusalMessages.NOT_LIST,
    "tuple_type": RefusalMessages.NOT_LIST,
    "dict_type": RefusalMessages.NOT_TABLE,
    "model_type": RefusalMessages.NOT_TABLE,
}


def _sentence(fault: Fault, name: str) -> str:
    slots: dict[str, Any] = {
        "mapping_words": name,
        "place_words": _place(fault.table, name),
        "key": fault.key,
    }
    if fault.kind == "value_error":
        return str(fault.rule(**slots))
    if fault.kind == "missing":
        return (RefusalMessages.NO_TABLE if fault.wants else RefusalMessages.NO_KEY).stored(**slots)
    if fault.kind == "extra_forbidden":
        return RefusalMessages.UNKNOWN_KEY.stored(
            mend_words=_choices(fault.key, fault.choices), **slots
        )
    if fault.path == ("format",):
        return RefusalMessages.NO_FORMAT.stored(**slots)
    if fault.kind == "literal_error":
        return RefusalMessages.NOT_AMONG.stored(
            mend_words=_choices(str(fault.value), fault.choices), **slots
        )
    if fault.kind == "model_type" and isinstance(fault.path[-1], int):
        return RefusalMessages.NOT_BLOCKS.stored(table=_written(fault.path), **slots)
    return _WRONG_TYPES[fault.kind].stored(**slots)


def _place(path: FilePath, name: str) -> str:
    if not path:
        return name
    if isinstance(path[-1], int):
        return RefusalMessages.BLOCK.stored(
            mapping_words=name, table=_written(path), number=path[-1] + 1
        )
    return RefusalMessages.TABLE.stored(mapping_words=name, table=_written(path))


def _written(path: FilePath) -> str:
    """The header of the table as a file has it: `[person]`, `[[second_person.leaked]]`."""
    header = f"[{'.'.join(step for step in path if isinstance(step, str))}]"
    return f"[{header}]" if isinstance(path[-1], int) else header


def _choices(wrong: str, right: Iterable[str]) -> str:
    right = sorted(right)
    if near := toml_files.nearest(wrong, right):
        return RefusalMessages.NEAR.stored(near=near)
    return RefusalMessages.CHOICES.stored(
        choices_words=", ".join(right) or RefusalMessages.NONE.stored()
    )
