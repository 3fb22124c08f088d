"""The form with which the auditor searches and exports the audit trail."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.audit.search import TrailSearch
from accounts.models import AuditEntry, User

_GREATEST_KEY = 2**63 - 1
_AUDITED = """
SELECT DISTINCT c.relname FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
WHERE p.proname LIKE 'accounts_audit%'
"""


def object_names() -> dict[str, str]:
    """Returns {table: name in the active language}, also of the tables that join two models."""
    names = {}
    for model in apps.get_models():
        names[model._meta.db_table] = str(model._meta.verbose_name)
        for field in model._meta.local_many_to_many:
            names[field.m2m_db_table()] = f"{model._meta.verbose_name}: {field.verbose_name}"
    return names


def _objects() -> Iterator[tuple[str, str]]:
    """Yields the tables that entries are about: audited ones, and those with pages of the desk."""
    with connection.cursor() as cursor:
        cursor.execute(_AUDITED)
        tables = {name for (name,) in cursor.fetchall()}
    tables |= {model._meta.db_table for model in admin.site._registry}
    yield "", str(_("all objects"))
    names = ((table, name) for table, name in object_names().items() if table in tables)
    yield from sorted(names, key=lambda item: item[1])


class TrailSearchForm(forms.Form):
    """What to look for in the audit trail; without a value all entries are shown."""

    who = forms.CharField(
        label=_("Who"),
        required=False,
        max_length=320,
        help_text=_("An e-mail address of the team, or part of the name of a command or worker."),
    )
    kind = forms.ChoiceField(
        label=_("Kind of entry"),
        required=False,
        choices=[("", _("all kinds")), *AuditEntry.Kind.choices],
    )
    object_type = forms.ChoiceField(label=_("Kind of object"), required=False, choices=_objects)
    object_id = forms.CharField(label=_("Number of the object"), required=False, max_length=64)
    incident = forms.IntegerField(
        label=_("Number of the incident"), required=False, min_value=1, max_value=_GREATEST_KEY
    )
    since = forms.DateField(
        label=_("From the day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label=_("To the day"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.IntegerField(
        required=False, min_value=1, max_value=_GREATEST_KEY, widget=forms.HiddenInput
    )

    def clean(self) -> dict[str, Any]:
        """Refuses days in the wrong order, and the number of an object without its kind."""
        fields = self.cleaned_data
        since, until = fields.get("since"), fields.get("until")
        if since and until and until < since:
            self.add_error("until", _("This day is before the first one."))
        if fields.get("object_id") and not fields.get("object_type"):
            self.add_error("object_type", _("Choose the kind of the object with this number."))
        return fields

    def clean_since(self) -> date | None:
        """Returns the first day; refuses one that has no moment before it."""
        return _usable(self.cleaned_data["since"])

    def clean_until(self) -> date | None:
        """Returns the last day; refuses one that has no moment after it."""
        return _usable(self.cleaned_data["until"])

    def search(self) -> TrailSearch:
        """Returns the search of a valid form. An address of a user stands for the user's key."""
        fields = self.cleaned_data
        who = fields["who"].strip()
        user = User.objects.filter(email=who.lower()).first() if "@" in who else None
        until = fields["until"]
        return TrailSearch(
            actor_id=user.pk if user else None,
            actor="" if user else who,
            kind=fields["kind"],
            object_type=fields["object_type"],
            object_id=fields["object_id"].strip(),
            incident_id=fields["incident"],
            since=_start_of(fields["since"]) if fields["since"] else None,
            until=_start_of(until + timedelta(days=1)) if until else None,
        )


class TrailExportForm(TrailSearchForm):
    """What to export, in which format."""

    format = forms.ChoiceField(choices=[("csv", "CSV"), ("jsonl", "JSON Lines")])


def _usable(day: date | None) -> date | None:
    if day and not 1970 <= day.year <= 9998:
        raise ValidationError(_("Enter a day from 1970 on."))
    return day


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
