"""What several pages of the desk show of scope versions."""

from typing import Any

from django.db.models import QuerySet, Sum
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundations.languages import own_name
from incidents.models import AffectedPerson, DataClass, ExposureBatch
from incidents.scope_counts import Tally


def shown_tally(tally: Tally | None) -> SafeString | str:
    """Returns the number of people in all, by relation, by language and by data class, as HTML.

    Without a tally, returns a sentence that people are counted when a scope version is closed.
    """
    if tally is None:
        return _("Counted once a scope version is closed.")
    relations = dict(AffectedPerson.Relation.choices)
    lines = [(_("everybody"), tally.people)]
    lines += [(str(relations[key]), people) for key, people in sorted(tally.by_relation.items())]
    lines += [(own_name(key), people) for key, people in sorted(tally.by_language.items())]
    lines += [
        (str(data_class.name), tally.by_class[data_class.pk])
        for data_class in DataClass.objects.filter(pk__in=tally.by_class)
    ]
    return format_html_join("", "<div>{}: {}</div>", [(name, f"{n:,}") for name, n in lines])


def import_help() -> str:
    """Returns a sentence on the two ways to import files."""
    return _(
        "Smaller files are added under “Uploaded files”, larger ones loaded on the server: "
        "manage.py import_exposures (see docs/import.md)."
    )


def with_row_sums(batches: QuerySet[ExposureBatch]) -> QuerySet[Any]:
    """Adds the sums `taken` and `rejected` over the rows of each batch's files.

    A sum is None if a batch has no file.
    """
    return batches.annotate(taken=Sum("files__rows_taken"), rejected=Sum("files__rows_rejected"))
