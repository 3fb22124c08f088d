"""The column mapping: a TOML file that defines the columns of a file. See docs/import.md.

It is validated in full before the first row is read. A refusal is one line that names, for each
fault, the file, the place in it and what to do.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal

import phonenumbers
from pydantic import (
    Strict,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from foundations.toml_files import TomlTable
from incidents.importing import formats, mapping_limits, placeholders
from incidents.importing.cell_templates import ProfiledContact
from incidents.importing.days import EXCEL
from incidents.importing.headers import name_key
from incidents.importing.mapping_faults import described, sentences
from incidents.importing.person_columns import (
    DateFormats,
    FirstPersonColumns,
    Leaks,
    PersonColumns,
    SecondPersonColumns,
)
from incidents.importing.reading import Declared, ImportRefusedError, Source
from incidents.importing.refusals import BETWEEN, RefusalMessages


class ColumnMapping(TomlTable):
    """The validated column mapping of one file."""

    format: Literal["", "csv", "jsonl", "spreadsheet"] = ""  # "" to detect it
    encoding: str = ""  # "" to detect it
    separator: str | None = None  # None to detect it, like the next two
    quote: str | None = None  # "" if no cell is quoted
    escape: str | None = None  # "" if a backslash is an ordinary character
    columns: Annotated[tuple[str, ...], Strict(False)] = ()  # by position; the file has no header
    sheet: str = ""  # of a spreadsheet; "" for the only one that is filled
    # Whether a row is rejected for undecodable bytes in a column that is not named here or only
    # describes, and for a date that cannot be read. Without it, they cost the value and not the
    # person.
    strict: bool = False
    region: str = ""  # of phone numbers without a country code; "" for that of the incident
    lost_zeros: bool = False  # whether a spreadsheet removed the zero before phone numbers
    nulls: Annotated[frozenset[str], Strict(False)] = placeholders.NULLS  # blank cells
    dates: dict[str, DateFormats] = {}  # the formats of the cells (incidents.importing.days)
    person: FirstPersonColumns
    second_person: SecondPersonColumns | None = None
    leaked: Leaks = ()  # of the person
    _name: str = ""

    @field_validator("separator")
    @classmethod
    def _separates(cls, separator: str) -> str:
        is_sign = re.fullmatch(r"[\x01-\x09\x0e-\x1f!-~]", separator) is not None
        if is_sign and not (separator.isalnum() or separator in "\"'\\"):
            return separator
        raise ValueError(partial(RefusalMessages.NO_SEPARATOR.stored))

    @field_validator("quote")
    @classmethod
    def _quotes(cls, quote: str) -> str:
        if quote not in ("", '"', "'"):
            raise ValueError(partial(RefusalMessages.NO_QUOTE.stored))
        return quote

    @field_validator("escape")
    @classmethod
    def _escapes(cls, escape: str) -> str:
        if escape not in ("", "\\"):
            raise ValueError(partial(RefusalMessages.NO_ESCAPE.stored))
        return escape

    @field_validator("columns")
    @classmethod
    def _are_different(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(map(name_key, columns)) - {""}) < len(columns):
            raise ValueError(partial(RefusalMessages.BAD_COLUMNS.stored))
        return columns

    @field_validator("region")
    @classmethod
    def _is_region(cls, region: str) -> str:
        if region and region not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(partial(RefusalMessages.NO_REGION.stored, name=repr(region)))
        return region

    @field_validator("second_person")
    @classmethod
    def _is_another(cls, second: SecondPersonColumns, info: ValidationInfo) -> SecondPersonColumns:
        if "person" in info.data and info.data["person"].role == second.role:
            raise ValueError(partial(RefusalMessages.BOTH_RECIPIENTS.stored))
        return second

    def model_post_init(self, _context: Any) -> None:
        """Sets the leaks of the person: the file has them at the top level."""
        self.person._leaks = self.leaked

    @property
    def name(self) -> str:
        """The name of the mapping file, for messages."""
        return self._name

    @property
    def takes_known_only(self) -> bool:
        """Returns whether rows of people that no earlier file named are rejected."""
        return self.person.known

    def used_columns(self) -> list[str]:
        """Returns every column that is read, once."""
        used = (column for person in self.people() for column in person.columns())
        return list(dict.fromkeys([*used, *self.dates]))

    def profiled_contacts(self) -> list[ProfiledContact]:
        """Returns the contacts of which the columns alone do not show whether they can be used.

        These are numbers, and addresses that are not a column as it is.
        """
        return [
            ProfiledContact(cells, is_number)
            for person in self.people()
            for is_number, each in ((False, person.email_cells), (True, person.phone_cells))
            for cells in each
            if is_number or not cells.only_column
        ]

    def check_amounts(self) -> None:
        """Raises ImportRefusedError if values are much larger than a row."""
        people = list(self.people())
        contacts = (
            cells
            for columns in people
            for cells in (columns.name_cells, *columns.email_cells, *columns.phone_cells)
            if cells
        )
        values = (leak.value for columns in people for leak in columns.leaks)
        mapping_limits.check_amounts(
            name=self.name,
            columns=(column for columns in people for column in columns.columns()),
            templates=(*contacts, *values),
            formats=self.dates.values(),
        )

    def declared(self) -> Declared:
        """Returns what the mapping says about the file."""
        return Declared(
            encoding=self.encoding,
            separator=self.separator,
            quote=self.quote,
            escape=self.escape,
            columns=self.columns,
            sheet=self.sheet,
            used=frozenset(self.used_columns()),
            identity=self.person.identity,
            describing=frozenset(self.columns_that_describe()),
            is_strict=self.strict,
            numbered_days=frozenset(one for one in self.dates if EXCEL in self.dates[one]),
            single=frozenset(self.dates).union(*(one.short_columns() for one in self.people())),
            both=frozenset().union(*(one.columns_of_both() for one in self.people())),
        )

    def check_source(self, source: Source) -> None:
        """Raises ImportRefusedError if the file has another format or lacks columns."""
        # A reject file is always CSV, also if the dump had another format.
        if self.format not in ("", source.format) and not source.is_reject_file:
            raise ImportRefusedError(
                RefusalMessages.OTHER_FORMAT.stored(
                    file=source.name,
                    mapping_words=self.name,
                    format=self.format,
                    found=source.format,
                )
            )
        lacking = RefusalMessages.HEADER_LACKS
        if not formats.named(source.format).has_header:
            lacking = RefusalMessages.ROWS_LACK
        elif len(source.header) == 1 < len(self.used_columns()):
            lacking = RefusalMessages.ONE_CELL
        self.check_header(source.header, file=source.name, lacking=lacking)

    def check_header(
        self,
        header: Collection[str],
        *,
        file: str,
        lacking: RefusalMessages = RefusalMessages.HEADER_LACKS,
    ) -> None:
        """Raises ImportRefusedError, which names the used columns that the header lacks."""
        missing = [column for column in self.used_columns() if column not in header]
        if missing:
            raise ImportRefusedError(
                lacking.stored(file=file, columns=", ".join(missing), mapping_words=self.name)
            )

    def people(self) -> Iterator[PersonColumns]:
        """Yields the columns of each person in a row."""
        yield self.person
        if self.second_person:
            yield self.second_person

    def columns_with_lines(self, long_classes: Collection[str]) -> set[str]:
        """Returns the columns of which a cell may hold several lines.

        They are used for values of `long_classes` (slugs), and for nothing shorter.
        """
        long, short = set[str](), set(self.dates)
        for columns in self.people():
            short.update(columns.short_columns())
            for leak in columns.leaks:
                used = long if leak.data_class in long_classes else short
                used.update(leak.value.columns())
        return long - short

    def columns_that_describe(self) -> set[str]:
        """Returns the columns that only describe a row or a value: dates and languages.

        If a cell of them cannot be decoded, it counts as blank, and the row is taken.
        """
        describing = set(self.dates) | {columns.language for columns in self.people()}
        kept = (leak for columns in self.people() for leak in columns.leaks)
        needed = {column for leak in kept for column in leak.value.columns()}
        needed |= {
            column
            for columns in self.people()
            for column in columns.short_columns()
            if column != columns.language
        }
        return describing - needed - {""}

    def language_columns(self) -> set[str]:
        """Returns the columns that hold the languages of people."""
        return {columns.language for columns in self.people()} - {""}

    def classes(self) -> set[str]:
        """Returns the slugs of the data classes that the people of the file can have."""
        second = self.second_person.classes() if self.second_person else set()
        return self.person.classes() | second

    def check_classes(self, known: Mapping[str, str]) -> None:
        """Raises ImportRefusedError, which names every class that is not in `known`.

        `known` holds what each data class is, by its slug. A class is proposed with its description
        only: the nearest slug may be another kind of data.
        """
        wrong = sorted(self.classes() - set(known))[: mapping_limits.MOST_FAULTS]
        if wrong:
            raise ImportRefusedError(
                BETWEEN.join(
                    RefusalMessages.NO_CLASS.stored(
                        mapping_words=self.name,
                        name=repr(slug),
                        advice_words=RefusalMessages.CHOICES.stored(
                            choices_words=described(slug, known) or RefusalMessages.NONE.stored()
                        ),
                    )
                    for slug in wrong
                )
            )

    def check_languages(self, known: Collection[str]) -> None:
        """Raises ImportRefusedError if people are to get a language that is not in `known`.

        `known` are the languages of the incident.
        """
        given = {code for person in self.people() for code in person.languages.values()}
        if wrong := sorted(given - set(known)):
            raise ImportRefusedError(
                RefusalMessages.NOT_OF_INCIDENT.stored(
                    mapping_words=self.name, given=", ".join(wrong), known=", ".join(known)
                )
            )


def sheet_named(text: str) -> str:
    """Returns the sheet that the text of a mapping names; "" if none, or if it is no TOML.

    Other faults of the mapping do not matter.
    """
    return _text_of(text, "sheet")


def region_named(text: str) -> str:
    """Returns the region that the text of a mapping names, as `sheet_named` does for the sheet."""
    return _text_of(text, "region")


def _text_of(text: str, key: str) -> str:
    try:
        mapping_limits.check_text(text, name="")
        found = tomllib.loads(text).get(key, "")
    except (ImportRefusedError, ValueError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""


def parse(text: str, *, name: str) -> ColumnMapping:
    """Returns the mapping in `text`. `name` is the name of its file, for messages.

    Raises ImportRefusedError with a sentence for each of the first faults.
    """
    mapping_limits.check_text(text, name=name)
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
        raise ImportRefusedError(BETWEEN.join(sentences(error, ColumnMapping, name))) from None
    except RecursionError:
        raise ImportRefusedError(RefusalMessages.DEEP_TOML.stored(mapping_words=name)) from None
    except ValueError as error:  # such as a number of thousands of digits
        raise ImportRefusedError(
            RefusalMessages.NOT_TOML.stored(mapping_words=name, error=error)
        ) from None
    mapping._name = name
    mapping.check_amounts()
    return mapping
