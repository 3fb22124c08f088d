"""Data classes that the imported data holds and the incident does not state.

In the incident that the design follows, shared entrance codes had leaked, and the notice did not
name them.
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

CACHE_SECONDS = 60 * 60


def unclaimed_classes(incident: Incident) -> list[DataClass]:
    """Returns the data classes of the imported data that the incident does not state as leaked."""
    stated = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    return held_classes(incident, DataClass.objects.exclude(pk__in=stated.values("data_class")))


def held_classes(incident: Incident, among: QuerySet[DataClass]) -> list[DataClass]:
    """Returns those of the classes `among` that the imported data of the incident holds.

    For closed scope versions it reads the stored counts. It searches the rows of versions that are
    open or were never counted, but only for classes that a mapping gives. Usually there is none.
    """
    counted = incident.scope_counts.filter(
        batch__state=ExposureBatch.State.CLOSED, data_class__isnull=False, people__gt=0
    )
    held = set(among.filter(pk__in=counted.values("data_class")))
    if files := _uncounted_files(incident):
        held |= _held_classes(files, among)
    return sorted(held, key=lambda data_class: data_class.position)


def _uncounted_files(incident: Incident) -> list[ExposureFile]:
    """Returns the files of batches without stored counts, without failed and withdrawn ones."""
    files = ExposureFile.objects.filter(batch__incident=incident, batch__counted_at=None)
    return list(
        files.exclude(state=ExposureFile.State.FAILED).exclude(
            batch__state=ExposureBatch.State.WITHDRAWN
        )
    )


def _held_classes(files: list[ExposureFile], candidates: QuerySet[DataClass]) -> set[DataClass]:
    """Returns the candidates that a mapping of the files gives and a row of the files holds."""
    given = candidates.filter(slug__in=set().union(*map(_classes_of_mapping, files)))
    return {data_class for data_class in given if _is_in(files, data_class)}


def _is_in(files: list[ExposureFile], data_class: DataClass) -> bool:
    """Returns whether a row of the files holds the class.

    The answer is cached once all files are loaded, because their rows do not change any more.
    Without the cache, a class that no row holds would need a scan of all rows at each live lint
    of a draft.
    """
    exposures = Exposure.objects.filter(file__in=files, data_classes__contains=[data_class.pk])
    if any(file.state != ExposureFile.State.LOADED for file in files):
        return exposures.exists()
    pks = "-".join(str(file.pk) for file in sorted(files, key=lambda file: file.pk))
    key = f"is-in:{data_class.pk}:{sha256(pks.encode()).hexdigest()}"
    return bool(cache.get_or_set(key, exposures.exists, timeout=CACHE_SECONDS))


def _classes_of_mapping(file: ExposureFile) -> set[str]:
    """Returns the slugs of the classes that the file's mapping can give.

    Returns all classes if the stored mapping is not valid any more.
    """
    try:
        return mapping.parse(file.mapping, name=file.name).classes()
    except ImportRefusedError:
        return set(DataClass.objects.values_list("slug", flat=True))
