"""The auditor's page on the desk: it searches, shows and exports the audit trail."""

import json
from functools import partial
from typing import Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.admin_site import desk_path, require, staff_of
from accounts.audit import acts, search, trail_files
from accounts.audit.forms import TrailExportForm, TrailSearchForm, object_names
from accounts.models import AuditEntry

VIEW = "accounts.view_auditentry"
Kind = AuditEntry.Kind
CHANGES = (Kind.ADDED, Kind.CHANGED, Kind.DELETED)
# What the details of an act are called on the page. Others are shown by their key.
FACT_NAMES = {
    "found": gettext_lazy("Rows found"),
    "reason": gettext_lazy("Reason"),
    "format": gettext_lazy("Format"),
    "search": gettext_lazy("Search"),
    "step": gettext_lazy("Step of the sign-in"),
    "page": gettext_lazy("Page"),
    "right": gettext_lazy("Missing permission"),
    "what": gettext_lazy("What"),
    "number": gettext_lazy("Number"),
    "file": gettext_lazy("File"),
    "opened": gettext_lazy("With names and addresses"),
    "into": gettext_lazy("Account that stays"),
}
# What the code writes as the value of a fact. Other values are data.
FACT_VALUES = {
    "signed in": gettext_lazy("signed in"),
    "second factor": gettext_lazy("second factor"),
    "company sign-on": gettext_lazy("company account"),
    "backup": gettext_lazy("backup"),
    "rejected rows": gettext_lazy("rejected rows"),
    "proof": gettext_lazy("proof"),
    "not-reached": gettext_lazy("those not reached"),
    "in-doubt": gettext_lazy("those in doubt"),
    "letters": gettext_lazy("letters"),
    "not-printable": gettext_lazy("those without a letter"),
    True: gettext_lazy("yes"),
    False: gettext_lazy("no"),
}


class ChangedColumn(NamedTuple):
    """A column of a row before and after a change, as text. Both are "" for a hidden value."""

    column: str
    old: str
    new: str
    is_hidden: bool


class AuditEntryAdmin(admin.ModelAdmin):
    """The audit trail, read-only for all, superusers included."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        """Returns the pages of the trail, without Django's own, which count all entries."""
        own = partial(desk_path, self)
        return [
            own("", require_safe(self.find), "changelist"),
            own("export/", require_POST(self.export), "export"),
            own("<int:pk>/change/", require_safe(self.show), "change"),
        ]

    def find(self, request: HttpRequest) -> HttpResponse:
        """Shows a page of the entries that match the search. Raises RightMissingError."""
        require(request, VIEW)
        form = TrailSearchForm(request.GET)
        found = search.TrailPage([], None)
        if form.is_valid():
            found = search.page(form.search(), before=form.cleaned_data["before"])
        query = request.GET.copy()
        query.pop("before", None)
        names = object_names()
        context = self._context(request, _("Audit trail")) | {
            "form": form,
            "rows": [
                (entry, _object_name(entry, names), summary(entry), entry.kind in CHANGES)
                for entry in found.entries
            ],
            "found": found,
            "window": search.WINDOW,
            "query": query.urlencode(),
            "is_first": not request.GET.get("before"),
            "searched": [(name, value) for name, value in query.items() if value],
        }
        return TemplateResponse(request, "accounts/desk/audit_trail.html", context)

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows an entry with the old and the new values. Raises RightMissingError."""
        require(request, VIEW)
        entry = get_object_or_404(AuditEntry, pk=pk)
        context = self._context(request, _("Audit entry")) | {
            "entry": entry,
            "object_name": _object_name(entry, object_names()),
            "hash": bytes(entry.hash).hex() if entry.hash is not None else "",
            "changes": changes(entry) if entry.kind in CHANGES else [],
            "facts": [] if entry.kind in CHANGES else _facts(entry),
        }
        return TemplateResponse(request, "accounts/desk/audit_entry.html", context)

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """Streams the entries that match the search as a file, and records the export.

        Raises RightMissingError.
        """
        require(request, VIEW)
        form = TrailExportForm(request.POST)
        if not form.is_valid():
            return HttpResponse(form.errors.as_text(), content_type="text/plain", status=400)
        wanted, kind = form.search(), form.cleaned_data["format"]
        acts.record(
            Kind.EXPORT, by=staff_of(request), about=AuditEntry, format=kind, search=_stored(wanted)
        )
        return StreamingHttpResponse(
            trail_files.FORMATS[kind](search.all_entries(wanted)),
            content_type=trail_files.CONTENT_TYPES[kind],
            headers={"Content-Disposition": f'attachment; filename="audit-trail.{kind}"'},
        )

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}


def changes(entry: AuditEntry) -> list[ChangedColumn]:
    """Returns the columns of the entry of a changed row, sorted by name."""
    return [_change(column, value) for column, value in sorted(entry.details.items())]


def summary(entry: AuditEntry) -> str:
    """Returns a line about an entry: the columns that changed, or the facts of the act."""
    if entry.kind in CHANGES:
        return ", ".join(sorted(entry.details))
    return "; ".join(f"{name}: {value}" if name else value for name, value in _facts(entry))


def _change(column: str, value: Any) -> ChangedColumn:
    if isinstance(value, list) and len(value) == 2:
        return ChangedColumn(column, _text(value[0]), _text(value[1]), is_hidden=False)
    return ChangedColumn(column, "", "", is_hidden=True)


def _facts(entry: AuditEntry) -> list[tuple[str, str]]:
    """Returns (name, text) of the details of an act; of the desk's log only what it says."""
    if entry.kind == Kind.DESK:
        message = str(entry.details.get("message", ""))
        log = LogEntry(action_flag=entry.details.get("action"), change_message=message)
        return [("", log.get_change_message() or str(log.get_action_flag_display()))]
    return [
        (str(FACT_NAMES.get(name, name)), _value(name, value))
        for name, value in entry.details.items()
    ]


def _value(name: str, value: Any) -> str:
    """Returns the value of a fact of an act, translated if the code wrote it."""
    is_own = name in ("step", "what") or isinstance(value, bool)
    return str(FACT_VALUES[value]) if is_own and value in FACT_VALUES else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _object_name(entry: AuditEntry, names: dict[str, str]) -> str:
    name = names.get(entry.object_type, entry.object_type)
    return f"{name} {entry.object_id}".strip()


def _stored(wanted: search.TrailSearch) -> dict[str, str]:
    """Returns the search for the trail, without the text that was typed: it may be an address."""
    return {
        name: "…" if name.startswith("actor__") else str(value)
        for name, value in wanted.wanted().items()
    }
