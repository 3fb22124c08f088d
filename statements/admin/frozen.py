"""The base of admin pages that become read-only once their object is published."""

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest

from statements.models import Statement, StatementVersion


def is_frozen(obj: Any) -> bool:
    """Returns whether the statement or version is published. The database then refuses changes."""
    if isinstance(obj, Statement):
        return obj.is_published()
    return isinstance(obj, StatementVersion) and obj.is_published


class FrozenOncePublished(BaseModelAdmin):
    """Makes the page read-only for every user once the object is published.

    For an inline, the object is the parent of its rows.
    """

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_delete_permission(request, obj)
