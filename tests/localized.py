"""Changes of one language of a text in the database, past the model."""

from typing import Any

from django.db.models import F, Func, JSONField, Value


def merged(name: str, **texts: str) -> dict[str, Any]:
    """Returns the argument of `update` that changes the field `name` in these languages only."""
    given = Value(texts, output_field=JSONField())
    return {name: Func(F(name), given, template="%(expressions)s", arg_joiner=" || ")}
