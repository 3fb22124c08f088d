"""Writes the TOML text of a column mapping from the choices that a person or a draft makes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from incidents.importing.column_names import (
    CLASS,
    DATE,
    DATE_OF,
    EMAIL,
    EMAIL_PART,
    FIRST_NAME,
    LANGUAGE,
    LAST_NAME,
    NAME,
    PHONE,
    PHONE_PART,
    REFERENCE,
    is_family_name_first,
)
from incidents.importing.contact_parts import parts_of_each_address, parts_of_each_number
from incidents.importing.placeholders import NULLS
from incidents.kinds import CONTACT_CLASSES


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What each column of a file means, and what leaked."""

    relation: str = "member"
    format: str = ""
    encoding: str = ""
    region: str = ""  # of phone numbers without a country code; "" for that of the incident
    is_known: bool = False  # take only people whom an earlier file named
    is_by_email: bool = False  # no column holds ids, so the e-mail address identifies the person
    roles: Mapping[str, str]  # by column; a role of column_names; "" for a column that is not used
    leaked: Iterable[str] = tuple(CONTACT_CLASSES)  # which of name, email and phone leaked
    languages: Mapping[str, str] = field(default_factory=dict)  # what people get, by value
    nulls: Iterable[str] = tuple(sorted(NULLS))  # the cells that are blank
    date_kinds: Mapping[str, str] = field(default_factory=dict)  # "date" or "datetime" by column
    is_family_name_first: bool = False  # the parts of names are in letters that are read so

    def columns(self, role: str) -> list[str]:
        """Returns the columns of a role, in the order of the file."""
        return [column for column, of_column in self.roles.items() if of_column == role]


def quoted(text: str) -> str:
    """Returns a TOML string in one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _joined(columns: Iterable[str], sign: str) -> str:
    """Returns the template of a contact in several columns."""
    return sign.join(f"{{{column}}}" for column in columns)


def written(choices: Choices, comments: Mapping[str, str] | None = None) -> str:
    """Returns the mapping as TOML. `comments` holds a comment for some lines, by their key.

    A key whose column is unknown is left as a comment, so that the mapping is refused until a
    person adds it, and the refusal names it.
    """
    writer = _Writer(choices, comments or {})
    return "\n".join([*writer.head(), *writer.person(), *writer.dates(), *writer.leaks()]) + "\n"


class _Writer:
    def __init__(self, choices: Choices, comments: Mapping[str, str]) -> None:
        self._choices, self._comments = choices, comments
        self._contacts = self._contact_columns()

    def _contact_columns(self) -> dict[str, list[str]]:
        """Returns the columns of each contact part; templates of contacts in several columns.

        A name is one column, or the first and last names in the order of the file; for columns such
        as 이름 and 성, or with such names, in the order of their language.
        """
        roles, columns = self._choices.roles, self._usable_columns
        parts = [column for column in roles if roles[column] in (FIRST_NAME, LAST_NAME)]
        if self._is_family_name_first(parts):
            parts.sort(key=lambda column: roles[column] == FIRST_NAME)
        addresses = parts_of_each_address(columns(EMAIL_PART))
        numbers = parts_of_each_number(columns(PHONE_PART))
        found = {
            "name": columns(NAME)[:1] or [one for one in parts if not set("{}") & set(one)],
            "email": columns(EMAIL) + [_joined(one, "@") for one in addresses],
            "phone": columns(PHONE) + [_joined(one, "-") for one in numbers],
        }
        return {part: columns for part, columns in found.items() if columns}

    def _is_family_name_first(self, columns: list[str]) -> bool:
        return self._choices.is_family_name_first or is_family_name_first(columns)

    def _contact_value(self, part: str, columns: list[str]) -> str:
        if len(columns) == 1:
            return quoted(columns[0])
        if part == "name":
            return quoted(_joined(columns, "" if self._is_family_name_first(columns) else " "))
        return f"[{', '.join(map(quoted, columns))}]"

    def _usable_columns(self, role: str) -> list[str]:
        """Returns the columns of a role. Braces in a name would make a template of it."""
        return [one for one in self._choices.columns(role) if not set("{}") & set(one)]

    def _line(self, key: str, value: str, comment: str = "") -> str:
        comment = comment or self._comments.get(key, "")
        return f"{key} = {value}" + (f"  # {comment}" if comment else "")

    def head(self) -> Iterator[str]:
        if self._choices.format in ("csv", "jsonl"):
            yield self._line("format", quoted(self._choices.format))
        if self._choices.encoding not in ("", "utf-8", "utf-8-sig"):
            yield self._line("encoding", quoted(self._choices.encoding))
        if self._choices.region:
            yield self._line("region", quoted(self._choices.region))
        elif "region" in self._comments:
            yield f'# region = "…"  # {self._comments["region"]}; without it that of the incident'
        if (nulls := set(self._choices.nulls)) != NULLS:
            yield self._line("nulls", f"[{', '.join(map(quoted, sorted(nulls)))}]")

    def person(self) -> Iterator[str]:
        choices = self._choices
        yield "\n[person]"
        yield self._line("relation", quoted(choices.relation))
        if choices.relation != "recipient":
            ids = choices.columns(EMAIL if choices.is_by_email else REFERENCE)
            yield (
                self._line("reference", quoted(ids[0]))
                if ids
                else '# reference = "…"  # '
                + (self._comments.get("reference") or "the column with the source's own id")
            )
        for part, columns in self._contacts.items():
            yield self._line(part, self._contact_value(part, columns))
        for column in choices.columns(LANGUAGE)[:1]:
            yield self._line("language", quoted(column))
            if choices.languages:
                entries = [
                    f"{quoted(one)} = {quoted(code)}" for one, code in choices.languages.items()
                ]
                yield self._line("languages", f"{{ {', '.join(entries)} }}")
            elif "languages" in self._comments:
                yield f"# languages = {self._comments['languages']}"
        if self._contacts:
            leaked = [part for part in self._contacts if part in set(choices.leaked)]
            yield self._line("contact_leaked", f"[{', '.join(map(quoted, leaked))}]")
        if choices.is_known:
            yield self._line("known", "true")

    def dates(self) -> Iterator[str]:
        guessed = self._choices.date_kinds
        kinds = {column: guessed.get(column) for column in self._choices.columns(DATE)}
        kinds |= {column: guessed.get(column, "date") for column in self._dates_of().values()}
        if not any(kinds.values()):
            return
        yield "\n[dates]"
        for column, kind in kinds.items():
            if kind:
                yield f"{quoted(column)} = {quoted(kind)}"

    def leaks(self) -> Iterator[str]:
        dates_of = self._dates_of()
        for slug, columns in self._leaked_columns().items():
            yield "\n[[leaked]]"
            yield self._line("class", quoted(slug), self._comments.get(CLASS + slug, ""))
            yield self._line("value", quoted(" ".join(f"{{{column}}}" for column in columns)))
            if slug in dates_of:
                yield self._line("date", quoted(dates_of[slug]))

    def _dates_of(self) -> dict[str, str]:
        """Returns the column with the dates of a data class, by its slug."""
        roles = self._choices.roles.items()
        return {
            role.removeprefix(DATE_OF): column for column, role in roles if role.startswith(DATE_OF)
        }

    def _leaked_columns(self) -> dict[str, list[str]]:
        """Returns the columns of each data class. A column with a brace cannot be in a value."""
        found: dict[str, list[str]] = {}
        for column in self._choices.columns(NAME)[1:]:
            found.setdefault(CONTACT_CLASSES["name"], []).append(column)
        for column, role in self._choices.roles.items():
            if role.startswith(CLASS):
                found.setdefault(role.removeprefix(CLASS), []).append(column)
        usable = {
            slug: [column for column in columns if not set("{}") & set(column)]
            for slug, columns in found.items()
        }
        return {slug: columns for slug, columns in usable.items() if columns}
