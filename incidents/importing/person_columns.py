"""The parts of a column mapping about one person of a row: contacts, leaked values and dates."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    Strict,
    ValidationInfo,
    field_validator,
)

from foundations.toml_files import TomlTable
from incidents.importing import days, person_languages
from incidents.importing.cell_templates import CellTemplate, contact_template
from incidents.importing.mapping_faults import nearest_choices
from incidents.importing.refusals import RefusalMessages
from incidents.kinds import CONTACT_CLASSES, Relation

ColumnT = TypeVar("ColumnT", str, tuple[str, ...])


def _as_list(value: object) -> object:
    """Returns a text of the mapping as a list of one; "" as an empty list."""
    return ([value] if value else []) if isinstance(value, str) else value


# A text or a list of texts in the mapping.
TextOrTexts = Annotated[tuple[str, ...], Strict(False), BeforeValidator(_as_list)]


def _are_formats(formats: tuple[str, ...]) -> tuple[str, ...]:
    sentence = RefusalMessages.NO_DATE_FORMAT.stored
    wrong = [one for one in formats if not days.is_format(one)]
    if wrong or not formats:
        raise ValueError(partial(sentence, name=repr(next(iter(wrong), ""))))
    return formats


DateFormats = Annotated[TextOrTexts, AfterValidator(_are_formats)]


class LeakColumn(TomlTable):
    """One leaked value: its data class, and the columns that hold it."""

    data_class: str = Field(alias="class")
    value: CellTemplate
    date: str = ""  # the column with the date of the value, declared in [dates]; "" for none

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


def _is_language(code: str) -> str:
    if not person_languages.is_language_code(code):
        raise ValueError(partial(RefusalMessages.NO_LANGUAGE.stored, name=repr(code)))
    return code


Language = Annotated[str, AfterValidator(_is_language)]


class PersonColumns(TomlTable):
    """The columns that identify one person of a row. "" means that the file has no such column."""

    role: Literal["member", "former_member", "recipient"] = Field(alias="relation")
    reference: str = Field("", validate_default=True)
    # Each is a column, or a template such as {last}{first} or {phone1}-{phone2}-{phone3}.
    name: str = ""
    email: TextOrTexts = ()
    phone: TextOrTexts = Field((), validate_default=True)
    language: str = ""
    languages: dict[str, Language] = {}  # what people get, by the value of the column
    # No default, because a missing class and a class too many would both be untrue statements.
    contact_leaked: Annotated[frozenset[str], Strict(False)] = Field(None, validate_default=True)
    _leaks: tuple[LeakColumn, ...] = ()

    @field_validator("name", "email", "phone")
    @classmethod
    def _are_templates(cls, given: ColumnT) -> ColumnT:
        try:
            for text in [given] if isinstance(given, str) else given:
                contact_template(text)
        except ValueError:
            raise ValueError(partial(RefusalMessages.NO_COLUMN_IN_VALUE.stored)) from None
        return given

    @field_validator("reference", "phone")
    @classmethod
    def _identifies(cls, column: ColumnT, info: ValidationInfo) -> ColumnT:
        if (role := info.data.get("role")) is None:  # the role itself was refused
            return column
        if role == "recipient" and info.field_name == "reference" and column:
            raise ValueError(partial(RefusalMessages.RECIPIENT_REFERENCE.stored))
        is_identity = info.field_name == ("phone" if role == "recipient" else "reference")
        if is_identity and "{" in (column if isinstance(column, str) else "".join(column[:1])):
            raise ValueError(partial(RefusalMessages.JOINED_IDENTITY.stored))
        if is_identity and not column:
            raise ValueError(partial(RefusalMessages.NO_IDENTITY.stored))
        return column

    @field_validator("contact_leaked", mode="before")
    @classmethod
    def _is_given(cls, leaked: object, info: ValidationInfo) -> object:
        if leaked is not None:
            return leaked
        if present := _contact_parts(info):
            columns = ", ".join(f'"{part}"' for part in present)
            raise ValueError(partial(RefusalMessages.NO_CONTACT_LEAKED.stored, columns=columns))
        return []

    @field_validator("contact_leaked")
    @classmethod
    def _is_present(cls, leaked: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        present, sentence = _contact_parts(info), RefusalMessages.NO_SUCH_CONTACT.stored
        if wrong := sorted(leaked - set(present)):
            raise ValueError(
                *(
                    partial(sentence, name=repr(one), advice_words=nearest_choices(one, present))
                    for one in wrong
                )
            )
        return leaked

    @property
    def relation(self) -> Relation:
        """The relation of the person to the company."""
        return Relation[self.role.upper()]

    @property
    def identity(self) -> str:
        """The column that identifies the person: the reference, or the phone of a recipient."""
        return self.phone[0] if self.role == "recipient" else self.reference

    @property
    def name_cells(self) -> CellTemplate | None:
        """The template of the name, or None if the file has no name."""
        return contact_template(self.name) if self.name else None

    @property
    def email_cells(self) -> list[CellTemplate]:
        """The template of each e-mail address."""
        return list(map(contact_template, self.email))

    @property
    def phone_cells(self) -> list[CellTemplate]:
        """The template of each phone number."""
        return list(map(contact_template, self.phone))

    @property
    def leaks(self) -> tuple[LeakColumn, ...]:
        """The values that leaked of the person, without contact data."""
        return self._leaks

    @property
    def has_contact(self) -> bool:
        """Returns whether a column has a name, an e-mail address or a phone number."""
        return bool(self.name or self.email or self.phone)

    def columns(self) -> Iterator[str]:
        """Yields every column that is used; a column may be repeated."""
        yield from self.short_columns()
        for leak in self.leaks:
            yield from leak.value.columns()

    def short_columns(self) -> Iterator[str]:
        """Yields the columns of which a cell holds one line: reference, contact and language."""
        yield from filter(None, (self.identity, self.language))
        for cells in (*self.email_cells, *self.phone_cells, self.name_cells):
            yield from cells.columns() if cells else ()

    def columns_of_both(self) -> set[str]:
        """Returns the columns of which a cell holds an e-mail address or a phone number."""
        emails, numbers = (
            {column for cells in each for column in cells.columns()}
            for each in (self.email_cells, self.phone_cells)
        )
        return emails & numbers

    def classes(self) -> set[str]:
        """Returns the slugs of the data classes that a row of this person can have."""
        contact = {CONTACT_CLASSES[part] for part in self.contact_leaked}
        return contact | {leak.data_class for leak in self.leaks}


def _contact_parts(info: ValidationInfo) -> list[str]:
    """Returns the contact parts (name, email, phone) that have a column.

    A column that was refused is not in the validated data; it counts as given.
    """
    return [part for part in CONTACT_CLASSES if info.data.get(part, part)]


class FirstPersonColumns(PersonColumns):
    """The columns of the person that a row is about."""

    known: bool = False  # whether rows of people that no earlier file named are rejected


class SecondPersonColumns(PersonColumns):
    """The columns of a recipient who is named in the row of another person."""

    role: Literal["recipient"] = Field(alias="relation")
    leaked: Leaks = ()

    @field_validator("email")
    @classmethod
    def _has_no_email(cls, _columns: tuple[str, ...]) -> tuple[str, ...]:
        raise ValueError(partial(RefusalMessages.SECOND_EMAIL.stored))

    def model_post_init(self, _context: Any) -> None:
        """Sets the leaks: the file has them in this table."""
        self._leaks = self.leaked
