"""Public facts: what customers read of an incident besides its statements, as values by key.

Once an incident has been public, two people change its facts together (FactChange): a scam warning
that disappears, another telephone number or a later date would otherwise be one person's decision.

The facts of a row are its editable fields, and the rows that its desk page edits with it. A key is
the name of a field ("summary"), or the name of a row set and the key of a row
("jurisdictions.KR"). Values are what JSON can hold.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Field, Model
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from foundations.languages import LocalizedText, own_name
from foundations.localized_fields import LocalizedTextField

Facts = dict[str, Any]
Difference = dict[str, list[Any]]  # [old value, new value] by key; None: there is no such value


class FactsOutdatedError(Exception):
    """The facts are no longer those that the proposed change replaces."""


@dataclass(frozen=True)
class RowSet:
    """Rows that are part of the facts of their owner, such as the jurisdictions of an incident."""

    name: str  # the related name at the owner, which is the first part of a key
    model: type[Model]
    owner: str  # the foreign key to the owner
    key: str  # the column that distinguishes the owner's rows
    values: tuple[str, ...]


# The models with facts, each with its row sets. Apps fill it in AppConfig.ready.
SUBJECTS: dict[type[Model], tuple[RowSet, ...]] = {}
# Each function returns why a text may not be published as it is, or "". The arguments are the text,
# its language and the row that it belongs to. The apps above this one add their own.
TEXT_REVIEWS: list[Callable[[str, str, Model], str]] = []


def subject_model(label: str) -> type[Model]:
    """Returns the model with this label, such as "incidents.incident"."""
    return next(model for model in SUBJECTS if model._meta.label_lower == label)


def facts_of(row: Model) -> Facts:
    """Returns the facts of a row as the database has them. Returns {} for a row without a key."""
    if row.pk is None:
        return {}
    stored = type(row)._default_manager.get(pk=row.pk)
    facts = {field.name: field.value_from_object(stored) for field in _fields(type(row))}
    for rows in SUBJECTS[type(row)]:
        for each in rows.model._default_manager.filter(**{rows.owner: row.pk}).values():
            facts[f"{rows.name}.{each[rows.key]}"] = {name: each[name] for name in rows.values}
    return _as_json(facts)


def difference(before: Facts, after: Facts) -> Difference:
    """Returns the keys whose values differ, with both values."""
    keys = dict.fromkeys([*before, *after])
    return {
        key: [before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)
    }


def apply_difference(row: Model, changes: Difference) -> None:
    """Writes the new values to the row and its row sets. The caller is in a transaction.

    Raises FactsOutdatedError if a value is not the old value of `changes` any more.
    """
    current = facts_of(row)
    if any(current.get(key) != old for key, (old, _new) in changes.items()):
        raise FactsOutdatedError
    names = {key: new for key, (_old, new) in changes.items() if "." not in key}
    for field in _fields(type(row)):
        if field.name in names:
            setattr(row, field.attname, field.to_python(names[field.name]))
    if row.pk is None:
        row.save()
    elif names:
        row.save(update_fields=list(names))
    for key, (_old, new) in changes.items():
        if "." in key:
            _write_row(row, key, new)


def labelled(model: type[Model], changes: Difference) -> Iterator[tuple[str, str, str]]:
    """Yields (label, old value, new value) for each key, as the desk shows them."""
    for key, (old, new) in changes.items():
        if "." in key:
            rows, row_key = _row_set(model, key)
            label = _shown(_field(rows.model, rows.key), row_key)
            yield label, _shown_row(rows, old), _shown_row(rows, new)
        else:
            yield from _labelled_field(_field(model, key), old, new)


def _labelled_field(field: "Field[Any, Any]", old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    """Yields one entry; of a text by language, one for each language in which it changes."""
    label = capfirst(str(field.verbose_name))
    if not isinstance(field, LocalizedTextField):
        yield label, _shown(field, old), _shown(field, new)
        return
    before, after = LocalizedText(old), LocalizedText(new)
    for code, _text in (before | after).in_order():
        if before.get(code) != after.get(code):
            yield f"{label} ({own_name(code)})", before.get(code), after.get(code)


def text_objection(text: str, language: str, row: Model) -> str:
    """Returns the first reason against publishing the text, or ""."""
    return next((why for review in TEXT_REVIEWS if (why := review(text, language, row))), "")


def _fields(model: type[Model]) -> list["Field[Any, Any]"]:
    fields = model._meta.concrete_fields
    return [field for field in fields if field.editable and not field.primary_key]


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    for field in model._meta.concrete_fields:
        if name in (field.name, field.attname):
            return field
    raise FieldDoesNotExist(name)


class _FactEncoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return o.by_language() if isinstance(o, LocalizedText) else super().default(o)


def _as_json(facts: Facts) -> Facts:
    decoded: Facts = json.loads(json.dumps(facts, cls=_FactEncoder))
    return decoded


def _row_set(model: type[Model], key: str) -> tuple[RowSet, str]:
    name, _dot, row_key = key.partition(".")
    return next(rows for rows in SUBJECTS[model] if rows.name == name), row_key


def _write_row(owner: Model, key: str, values: Facts | None) -> None:
    rows, row_key = _row_set(type(owner), key)
    identity: dict[str, Any] = {rows.owner: owner, rows.key: row_key}
    if values is None:
        rows.model._default_manager.filter(**identity).delete()
    else:
        rows.model._default_manager.update_or_create(**identity, defaults=values)


def _shown(field: "Field[Any, Any]", value: Any) -> str:
    """Returns a value as a reader writes it: the label of a choice, the name of a row."""
    if value is None:
        return ""
    if field.related_model and not isinstance(field.related_model, str):
        return str(field.related_model._default_manager.filter(pk=value).first() or value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(dict(field.flatchoices).get(field.to_python(value), value))


def _shown_row(rows: RowSet, values: Facts | None) -> str:
    """Returns the values of a row; of a row that only exists, such as a chosen class, "yes"."""
    if values is None:
        return ""
    shown = ", ".join(_shown(_field(rows.model, name), value) for name, value in values.items())
    return shown if rows.values else _("yes")
