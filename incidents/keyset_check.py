"""Finds incidents whose keysets the master keyset of the settings does not open."""

from django.db import connection

from incidents.encryption import EncryptionError
from incidents.models import Incident


def incidents_that_do_not_open() -> list[str]:
    """Returns the slugs of these incidents; shredded ones are left out.

    Returns [] before the first migration, when there is no table.
    """
    if Incident._meta.db_table not in connection.introspection.table_names():
        return []
    incidents = Incident.objects.filter(shredded_at=None).order_by("slug")
    return [one.slug for one in incidents if not _opens(one)]


def _opens(incident: Incident) -> bool:
    try:
        incident.cipher()
    except EncryptionError:
        return False
    return True
