"""What the imported data holds and nobody has said of the incident.

In the model case the shared entrance codes had leaked and the notice did not name them.
"""

from hashlib import sha256

from django.core.cache import cache
from django.db.models import QuerySet

from incidents.importing import mapping
from incidents.importing.reading import ImportRefusedError
from incidents.models import (
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    Incident,
    IncidentDataClass,
)

REMEMBERED_SECONDS = 60 * 60


def unclaimed_classes(incident: Incident) -> list[DataClass]:
    """The classes that people's data holds and that the incident does not state as leaked.

    Closed scope versions tell by their kept counts. Those that are open, or were never counted,
    are searched, and only for what a mapping gave that nobody stated: usually nothing.
    """
    stated = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    asked = DataClass.objects.exclude(pk__in=stated.values("data_class"))
    counted = incident.scope_counts.filter(
        batch__state=ExposureBatch.State.CLOSED, data_class__isnull=False, people__gt=0
    )
    held = set(asked.filter(pk__in=counted.values("data_class")))
    if files := _uncounted_files(incident):
        held |= _found(files, asked)
    return sorted(held, key=lambda data_class: data_class.position)


def _uncounted_files(incident: Incident) -> list[ExposureFile]:
    files = ExposureFile.objects.filter(batch__incident=incident, batch__counted_at=None)
    return list(
        files.exclude(state=ExposureFile.State.FAILED).exclude(
            batch__state=ExposureBatch.State.WITHDRAWN
        )
    )


def _found(files: list[ExposureFile], asked: QuerySet[DataClass]) -> set[DataClass]:
    """The classes that the files' exposures hold, of those asked that their mappings give."""
    given = asked.filter(slug__in=set().union(*map(_given, files)))
    return {kind for kind in given if _is_in(files, kind)}


def _is_in(files: list[ExposureFile], kind: DataClass) -> bool:
    """Whether any row holds the class; remembered, for no loaded file changes any more.

    What no row holds is found by reading all of them, and a draft is checked as it is typed.
    """
    exposures = Exposure.objects.filter(file__in=files, data_classes__contains=[kind.pk])
    if any(file.state != ExposureFile.State.LOADED for file in files):
        return exposures.exists()
    pks = "-".join(str(file.pk) for file in sorted(files, key=lambda file: file.pk))
    key = f"is-in:{kind.pk}:{sha256(pks.encode()).hexdigest()}"
    return bool(cache.get_or_set(key, exposures.exists, timeout=REMEMBERED_SECONDS))


def _given(file: ExposureFile) -> set[str]:
    """The classes that the file's mapping can give; all, if it is not understood any more."""
    try:
        return mapping.parse(file.mapping, name=file.name).classes()
    except ImportRefusedError:
        return set(DataClass.objects.values_list("slug", flat=True))
