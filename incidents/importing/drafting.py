"""Drafts a column mapping from what a file holds, for a person to confirm and correct.

A guess uses the name of a column and its content. If they disagree, the column is left out. What
leaked cannot be known from a file: the draft proposes it and says so.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from foundations.languages import SOURCE_LANGUAGE
from incidents.importing import column_names, contact_parts, mapping_writing, person_languages
from incidents.importing.cell_kinds import CellKind
from incidents.importing.column_names import (
    CLASS,
    DATE,
    EMAIL,
    EMAIL_PART,
    FIRST_NAME,
    LAST_NAME,
    NAME,
    PHONE,
    PHONE_PART,
    REFERENCE,
)
from incidents.importing.column_profiles import ColumnProfile
from incidents.importing.mapping_writing import Choices, quoted
from incidents.importing.previewing import Preview
from incidents.kinds import CONTACT_CLASSES
from incidents.models import DataClass

_MOST = 0.5

_CONTENT = {EMAIL: (CellKind.EMAIL, CellKind.ODD_EMAIL, CellKind.MASKED)}
# What columns are named, too, that hold the address or number with which people sign in.
_ROLES_OF_NUMBERS = ("", REFERENCE, CLASS + "usernames")
_ROLES_OF_ADDRESSES = (*_ROLES_OF_NUMBERS, CLASS + "physical-addresses")
_NO_ID = {CellKind.EMAIL, CellKind.PHONE, CellKind.DATE, CellKind.BLANK}
# Letters of names that begin with the family and have no space: Hangul, kana and Han.
_FAMILY_FIRST = re.compile("[\u1100-\u11ff\u3005\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_DAY_SHAPES = {"9999-99-99", "9999.99.99", "9999/99/99"}
_TIME_SHAPES = ("9999-99-99T99:99", "9999-99-99 99:99")


def draft(seen: Preview, classes: Iterable[DataClass]) -> str:
    """Returns a mapping as TOML with comments, for the data classes that the portal has.

    A line that says "confirm" is a guess. If the columns of ids are unknown, the mapping is refused
    until a person adds it.
    """
    known = {one.slug: one for one in classes}
    choices = guesses(seen, known)
    comments = _comments(choices, known) | _undecided_languages(seen, choices)
    if _has_phone(choices.roles):
        comments["region"] = "confirm: the country of phone numbers without a country code"
    text = mapping_writing.written(choices, comments)
    return (
        "\n".join([*_head(seen), text, *_unused(seen, choices), *_classes(known.values())]) + "\n"
    )


def guesses(seen: Preview, known: Iterable[str]) -> Choices:
    """Returns what the columns of a file probably mean. `known` holds the slugs of data classes."""
    slugs = set(known)
    roles = {column.name: _role(column, slugs) for column in seen.profile.columns if column.name}
    roles |= contact_parts.parts_of(seen.profile.columns)
    roles = _with_parts_of_names(_with_names_of_users(seen, roles))
    roles = _without_contacts_of_others(_without_unclear_classes(roles))
    roles = _with_one_reference(seen, roles)
    dates = {
        name: _date_kind(seen.profile.column(name)) for name, role in roles.items() if role == DATE
    }
    contacts = (NAME, FIRST_NAME, LAST_NAME, EMAIL, PHONE, EMAIL_PART, PHONE_PART)
    has_contact = any(role in contacts for role in roles.values())
    return Choices(
        format=seen.source.format,
        encoding=seen.source.encoding,
        region=seen.region if _has_phone(roles) else "",
        is_known=not has_contact,
        is_by_email=_is_by_email(seen, roles),
        roles=roles,
        date_kinds={name: kind for name, kind in dates.items() if kind},
        is_family_name_first=_is_family_name_first(seen, roles),
    )


def _role(column: ColumnProfile, slugs: set[str]) -> str:
    role = column_names.role_of(column.name)
    if column_names.is_of_another(column.name):
        return ""
    if column.share(CellKind.RESIDENT) > _MOST:
        role = CLASS + "government-issued-ids"
    elif column.share(CellKind.EMAIL) > _MOST and role in _ROLES_OF_ADDRESSES:
        role = EMAIL
    elif column.share(CellKind.PHONE) > _MOST and role in _ROLES_OF_NUMBERS:
        role = PHONE
    elif not column.values or not _fits(column, role):
        role = ""
    return role if not role.startswith(CLASS) or role.removeprefix(CLASS) in slugs else ""


def _fits(column: ColumnProfile, role: str) -> bool:
    """Returns whether most values of a column may be of the role that its name says."""
    kind = column.main_kind
    if role == EMAIL:
        return column.share(*_CONTENT[EMAIL]) > _MOST
    if role == PHONE:
        return kind not in (CellKind.EMAIL, CellKind.DATE)
    if role == REFERENCE:
        return kind not in _NO_ID
    if role in (NAME, FIRST_NAME, LAST_NAME):
        return column.share(CellKind.TEXT, CellKind.MASKED) >= _MOST
    if role == CLASS + "purchases" and kind == CellKind.NUMBER:  # how many
        return False
    if kind in (CellKind.DATE, CellKind.NUMBER) and role == CLASS + "usernames":  # "last login"
        return False
    # In India a PAN is the number of a person with the tax office.
    if role == CLASS + "credit-cards":
        return kind in (CellKind.CARD, CellKind.NUMBER, CellKind.MASKED)
    return kind not in (CellKind.EMAIL, CellKind.PHONE) or role != DATE


def _with_parts_of_names(roles: dict[str, str]) -> dict[str, str]:
    """Returns the roles with names in one column, or in columns of parts.

    A column such as 이름 next to one part of a name, as 성, is the other part. An Apelido next to
    another last name is a nickname.
    """
    last = [column for column, role in roles.items() if role == LAST_NAME]
    if len(last) > 1:
        roles = roles | {one: "" for one in last if column_names.may_be_nickname(one)}
    names = [column for column, role in roles.items() if role == NAME]
    parts = {FIRST_NAME, LAST_NAME} & set(roles.values())
    if len(names) == len(parts) == 1 and column_names.may_be_part_of_name(names[0]):
        return roles | {names[0]: LAST_NAME if parts == {FIRST_NAME} else FIRST_NAME}
    return {column: "" if names and role in parts else role for column, role in roles.items()}


def _with_names_of_users(seen: Preview, roles: dict[str, str]) -> dict[str, str]:
    """Returns the roles with a `UserName` as the name, if there is no other and it holds names.

    In East Asia it is the name of the user, next to a login in the letters of ASCII.
    """
    if {NAME, FIRST_NAME, LAST_NAME} & set(roles.values()):
        return roles
    names = [
        column
        for column, role in roles.items()
        if role == CLASS + "usernames"
        and column_names.may_be_name(column)
        and _are_family_first(seen, [column])
    ]
    return roles | dict.fromkeys(names, NAME)


def _is_family_name_first(seen: Preview, roles: dict[str, str]) -> bool:
    """Returns whether the first names are in letters of a language that writes the family first.

    Products name these columns in English, also where their users do not.
    """
    return _are_family_first(seen, [name for name, role in roles.items() if role == FIRST_NAME])


def _are_family_first(seen: Preview, names: Iterable[str]) -> bool:
    """Returns whether the examples of columns begin with a letter of such a language."""
    columns = map(seen.profile.column, names)
    shown = [example for column in columns for example in column.examples.get(CellKind.TEXT, [])]
    return bool(shown) and all(map(_FAMILY_FIRST.match, shown))


def _with_one_reference(seen: Preview, roles: dict[str, str]) -> dict[str, str]:
    """Returns the roles with at most one reference: the column of ids with the most values."""
    ids = [name for name, role in roles.items() if role == REFERENCE]
    if not ids:
        return roles
    best = max(ids, key=lambda name: _fitness_of_reference(seen.profile.column(name)))
    if _is_id_of_order(best, roles) and _is_by_email(seen, roles | dict.fromkeys(ids, "")):
        best = ""
    return {name: "" if name in ids and name != best else role for name, role in roles.items()}


def _fitness_of_reference(column: ColumnProfile) -> tuple[int, int]:
    return column.values, column_names.rank_of_reference(column.name)


def _is_id_of_order(column: str, roles: dict[str, str]) -> bool:
    """Returns whether a column of ids is likely that of orders, of which a person has several."""
    return CLASS + "purchases" in roles.values() and column_names.is_row_id(column)


def _without_unclear_classes(roles: dict[str, str]) -> dict[str, str]:
    """Returns the roles without states and countries alone, and account numbers of no bank.

    A country is no postal address, and the `Account Number` of a customer is no bank's.
    """
    place, account = CLASS + "physical-addresses", CLASS + "bank-account-numbers"
    places = [column for column, role in roles.items() if role == place]
    unclear: set[str] = set()
    if all(map(column_names.is_part_of_place, places)):
        unclear.update(places)
    if not any(map(column_names.is_of_bank, roles)):
        unclear.update(
            one for one in roles if roles[one] == account and column_names.is_account_number(one)
        )
    return {column: "" if column in unclear else role for column, role in roles.items()}


def _without_contacts_of_others(roles: dict[str, str]) -> dict[str, str]:
    """Returns the roles without contacts that are a recipient's as likely as the member's.

    An order names the buyer's phone as such, and the recipient's, beside the recipient, only phone.
    A list of contacts names the owner of each: the salesman.
    """
    roles = _without_contacts_of_staff(roles)
    if not any(map(column_names.is_of_another, roles)):
        return roles
    shared = (NAME, FIRST_NAME, LAST_NAME, EMAIL, PHONE)
    contacts = {name: role for name, role in roles.items() if role in shared}
    owned = {role for name, role in contacts.items() if column_names.is_of_owner(name)}
    return {
        name: "" if role in owned and not column_names.is_of_owner(name) else role
        for name, role in roles.items()
    }


def _without_contacts_of_staff(roles: dict[str, str]) -> dict[str, str]:
    kinds = (NAME, EMAIL, PHONE)
    unclear = {
        name
        for name, role in roles.items()
        if role in kinds and column_names.may_be_of_another(name)
    }
    clear = {role for name, role in roles.items() if name not in unclear}
    return {name: "" if name in unclear and role in clear else role for name, role in roles.items()}


def _has_phone(roles: Mapping[str, str]) -> bool:
    return any(role in (PHONE, PHONE_PART) for role in roles.values())


def _is_by_email(seen: Preview, roles: dict[str, str]) -> bool:
    """Returns whether there is no column of ids, and each row has an address that can be one."""
    emails = [seen.profile.column(name) for name, role in roles.items() if role == EMAIL]
    if not emails or REFERENCE in roles.values():
        return False
    return emails[0].kinds[CellKind.EMAIL] == emails[0].cells > 0


def _date_kind(column: ColumnProfile) -> str:
    """Returns "date" or "datetime" if all values are written so; else ""."""
    if column.share(CellKind.DATE) < 1:
        return ""
    shapes = column.examples.get(CellKind.DATE, [])
    if all(shape in _DAY_SHAPES for shape in shapes):
        return "date"
    return "datetime" if all(shape.startswith(_TIME_SHAPES) for shape in shapes) else ""


def _comments(choices: Choices, known: dict[str, DataClass]) -> dict[str, str]:
    comments = {
        "relation": "confirm: member, former_member or recipient",
        "reference": "confirm: no column of ids was found, so the address is the id"
        if choices.is_by_email
        else "confirm: the source's own id of a person; no two people share one",
        "contact_leaked": "confirm: remove what did not leak",
        "known": "confirm: the file has no contacts, so people come from an earlier file",
    }
    if {FIRST_NAME, LAST_NAME} & set(choices.roles.values()):
        comments["name"] = "confirm: these columns are the parts of one name, in this order"
    if others := choices.columns(NAME)[1:]:
        comments["name"] = f"confirm: the first of several; not {', '.join(map(quoted, others))}"
    for part, role in (("email", EMAIL), ("phone", PHONE)):
        if choices.columns(role)[1:]:
            comments[part] = "confirm: each column is a contact of the person"
    for part, role in (("email", EMAIL_PART), ("phone", PHONE_PART)):
        if choices.columns(role):
            comments[part] = "confirm: these columns are the parts of one contact, in this order"
    for slug, one in known.items():
        comments[CLASS + slug] = f"confirm: {_in_one_line(one.name.in_language(SOURCE_LANGUAGE))}"
    return comments


def _undecided_languages(seen: Preview, choices: Choices) -> dict[str, str]:
    """Returns the comment on languages without a text: an import is refused until it is decided."""
    used = choices.columns(column_names.LANGUAGE)[:1]
    counts = next((one.languages for one in seen.report.columns if one.name in used), {})
    if not counts:
        return {}
    entries = ", ".join(f'{quoted(value)} = "…"' for value in counts)
    return {"languages": f"{{ {entries} }}  # decide: {person_languages.in_words(counts)}"}


def _head(seen: Preview) -> Iterator[str]:
    yield f"# Drafted from {quoted(seen.source.name)}: {seen.profile.rows:,} rows."
    yield '# Read each line. A line that says "confirm" is a guess. See docs/import.md.'
    for remark in (*seen.report.remarks, *seen.report.advice):
        yield f"# {_in_one_line(remark)}"
    for column in seen.report.columns:
        for remark in column.remarks:
            yield f"# {quoted(column.name)}: {_in_one_line(remark)}"


def _unused(seen: Preview, choices: Choices) -> Iterator[str]:
    used_dates = set(choices.date_kinds)
    unused = [
        column
        for column in seen.report.columns
        if not choices.roles.get(column.name)
        or (choices.roles[column.name] == DATE and column.name not in used_dates)
    ]
    if unused:
        yield "# Columns that this mapping does not use:"
    for column in unused:
        kinds = ", ".join(f"{share} {kind}" for share, kind in column.kinds) or "nothing"
        yield f"#   {quoted(column.name)}: {kinds}"


def _classes(classes: Iterable[DataClass]) -> Iterator[str]:
    yield "# Data classes, for class = in a [[leaked]] block:"
    contact = set(CONTACT_CLASSES.values())
    for one in sorted(classes, key=lambda one: one.slug):
        own = (
            " (in contact_leaked, if the column is one of [person])" if one.slug in contact else ""
        )
        yield f"#   {one.slug}: {_in_one_line(one.name.in_language(SOURCE_LANGUAGE))}{own}"


def _in_one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
