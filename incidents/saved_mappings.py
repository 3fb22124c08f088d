"""Saved mappings: what one keeps, how it fits the columns of an upload, and its file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from django.db import IntegrityError, transaction

from accounts.models import User
from incidents.importing import mapping_writing
from incidents.importing.column_names import REFERENCE
from incidents.importing.headers import name_key
from incidents.importing.mapping_writing import Choices
from incidents.importing.placeholders import is_placeholder
from incidents.models import SavedMapping
from incidents.upload_profiles import UploadProfile


@dataclass(frozen=True, kw_only=True)
class MappingFit:
    """How a saved mapping fits the columns of an upload."""

    saved: SavedMapping
    choices: Choices  # of the mapping, with the guesses for the columns that it does not name
    fitting: list[str]  # columns of the mapping with a meaning
    lacking: list[str]  # those that the file does not have
    further: list[str]  # columns of the file that the mapping does not name


def fit(saved: SavedMapping, profile: UploadProfile) -> MappingFit:
    """Returns how a saved mapping fits a file. Names are compared as an import compares them."""
    chosen, guessed = choices_of(saved), profile.choices
    names = [column.name for column in profile.report.columns]
    roles = {name_key(column): role for column, role in chosen.roles.items()}
    rest = _without_second_reference(guessed.roles, roles)
    in_file = set(map(name_key, names))
    used = columns_of(saved)
    choices = replace(
        chosen,
        format=guessed.format,
        encoding=guessed.encoding,
        roles={name: roles.get(name_key(name), rest.get(name, "")) for name in names},
        date_kinds=_date_kinds(chosen, names) | dict(guessed.date_kinds),
    )
    return MappingFit(
        saved=saved,
        choices=choices,
        fitting=[column for column in used if name_key(column) in in_file],
        lacking=[column for column in used if name_key(column) not in in_file],
        further=[name for name in names if name_key(name) not in roles],
    )


def _without_second_reference(
    guesses: Mapping[str, str], roles: Mapping[str, str]
) -> Mapping[str, str]:
    """Returns the guesses without the one of the reference, if the mapping has a reference."""
    if REFERENCE not in roles.values():
        return guesses
    return {column: "" if role == REFERENCE else role for column, role in guesses.items()}


def _date_kinds(chosen: Choices, names: list[str]) -> dict[str, str]:
    kinds = {name_key(column): kind for column, kind in chosen.date_kinds.items()}
    return {name: kinds[name_key(name)] for name in names if name_key(name) in kinds}


def fits(profile: UploadProfile) -> list[MappingFit]:
    """Returns each saved mapping with its fit, the one with the fewest differences first."""
    found = [fit(saved, profile) for saved in SavedMapping.objects.all()]
    return sorted(found, key=lambda one: (len(one.lacking) + len(one.further), one.saved.name))


def save(name: str, choices: Choices, *, by: User, replaces: bool) -> bool:
    """Saves the choices under a name. Returns False if another mapping has it already.

    With `replaces` that mapping is replaced. Names are compared without regard to case.
    """
    saved = SavedMapping.objects.filter(name__iexact=name).first()
    if saved and not replaces:
        return False
    saved = saved or SavedMapping(name=name)
    saved.choices, saved.by = _kept(choices), by
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError:  # another person saved one of this name meanwhile
        return False
    return True


def _kept(choices: Choices) -> str:
    """Returns what a saved mapping keeps of the choices: names of columns, and no value of a row.

    What people of other languages get is by cells, so each file asks for it again.
    """
    nulls = [text for text in choices.nulls if is_placeholder(text)]
    stored = asdict(replace(choices, languages={}, nulls=nulls, leaked=list(choices.leaked)))
    return json.dumps(stored, ensure_ascii=False)


def choices_of(saved: SavedMapping) -> Choices:
    """Returns the choices of a saved mapping."""
    return Choices(**json.loads(saved.choices))


def columns_of(saved: SavedMapping) -> list[str]:
    """Returns the columns that have a meaning, in the order of their file."""
    return [column for column, role in choices_of(saved).roles.items() if role]


def toml_of(saved: SavedMapping) -> str:
    """Returns the mapping file that import_exposures reads."""
    return mapping_writing.written(choices_of(saved))
