"""Lists of the desk over tables that grow with the people: pages by key, without a count.

Django's list counts the table for the number of pages, and skips rows to reach a deep page. Both
read millions of rows. Such a list goes from key to key instead. See docs/performance.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from django.http import HttpRequest

AFTER = "after"  # the parameter with the key of the last row of the page before
_MARK = "~"  # between the parts of a key; no part contains it


class KeyPages(ChangeList):
    """A page of a list, in the order of the admin's `page_key`. It reads one row more than shown.

    `further_query` is the query of the next page, "" on the last one. `is_first` is False on a
    page that another one led to.
    """

    further_query = ""

    def get_results(self, request: HttpRequest) -> None:  # noqa: ARG002
        """Reads the page after the key in the query, or the first one."""
        found = self.queryset
        if self._after:
            found = found.filter(_beyond(self._key(), self.opts.model, self._after))
        size = self.list_per_page
        rows: list[Any] = list(found.order_by(*self._key())[: size + 1])
        self.is_first = not self._after
        self.result_list = rows[:size]
        self.result_count = len(self.result_list)
        self.paginator = Paginator(self.result_list, size)
        self.full_result_count = None
        self.show_full_result_count = self.multi_page = self.can_show_all = False
        self.show_admin_actions = bool(rows)
        if len(rows) > size:
            self.further_query = query_after(self.filter_params, self._key(), rows[size - 1])

    def get_filters_params(self, params: Any = None) -> Any:
        """Returns the filters, without the key of the page, which it keeps for get_results."""
        found = super().get_filters_params(params)
        self._after: str = found.pop(AFTER, [""])[-1]
        return found

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Returns the query with other filters. It begins at the first page."""
        return super().get_query_string(new_params, [*(remove or ()), AFTER])

    def get_ordering(
        self,
        request: HttpRequest,  # noqa: ARG002
        queryset: Any,  # noqa: ARG002
    ) -> list[Any]:
        """Returns the order of the key. No other one has an index."""
        return [*self._key()]

    def _key(self) -> Sequence[str]:
        return self.model_admin.page_key  # type: ignore[attr-defined,no-any-return]


class OnlyFiltersAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The base of admins whose list is asked by its filters only, and by no other column.

    Django allows each column of the table. A list that is asked by an address says, without a
    reason and unrecorded, whether it is there, and the address gets into logs. `further_lookups`
    are those of links to the list, besides its filters.
    """

    further_lookups: ClassVar[Sequence[str]] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Returns whether `lookup` is of a filter of the list, or a further one."""
        if lookup in self.further_lookups:
            return True
        filters = {_first_part(str(each)) for each in self.get_list_filter(request)}
        is_of_filter = _first_part(lookup) in filters
        return is_of_filter and super().lookup_allowed(lookup, value, request)


class LargeTableAdmin(OnlyFiltersAdmin):
    """The base of admins of tables that grow with the people or their messages.

    The fields of `page_key` are one index, all with "-" or none; the last one is the primary key.
    Each filter of the list needs an index of its own that ends with the key. Nothing else sorts,
    and nothing is counted.
    """

    page_key: ClassVar[Sequence[str]] = ("-pk",)
    change_list_template = "accounts/desk/key_pages.html"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    list_per_page = 50  # most of the time of a page is to write its rows

    def get_changelist(
        self,
        request: HttpRequest,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> type[ChangeList]:
        """Returns KeyPages in place of Django's list."""
        return KeyPages


def _first_part(lookup: str) -> str:
    return lookup.partition(LOOKUP_SEP)[0]


def query_after(filters: Mapping[str, Any], key: Sequence[str], row: Model) -> str:
    """Returns the query of the page that begins after `row`, with these filters."""
    parts = [row.serializable_value(_field(type(row), part)) for part in key]
    after = _MARK.join(p.isoformat() if isinstance(p, datetime) else str(p) for p in parts)
    return urlencode({**filters, AFTER: after}, doseq=True)


def _field(model: type[Model], part: str) -> str:
    """Returns the attribute of a part of the key, such as "incident_id" of "-incident"."""
    name = part.removeprefix("-")
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    return str(field.attname)  # type: ignore[union-attr]


def _beyond(key: Sequence[str], model: type[Model], after: str) -> Any:
    """Returns the condition for rows beyond a key. Raises IncorrectLookupParameters."""
    names, texts = [_field(model, part) for part in key], after.split(_MARK)
    if len(texts) != len(names):
        raise IncorrectLookupParameters
    fields: list[Any] = [model._meta.get_field(name.removesuffix("_id")) for name in names]
    try:
        values = tuple(
            (field.target_field if field.is_relation else field).clean(text, None)
            for field, text in zip(fields, texts, strict=True)
        )
    except ValidationError as error:
        raise IncorrectLookupParameters from error
    compare = TupleLessThan if key[0].startswith("-") else TupleGreaterThan
    return compare(Tuple(*names), values)
