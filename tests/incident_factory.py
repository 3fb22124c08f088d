"""Makes further incidents for tests."""

from datetime import timedelta

from incidents.models import Incident


def another_incident(incident: Incident, slug: str, **fields: object) -> Incident:
    """Returns a copy of `incident` that is one day older and has its own keysets."""
    other = Incident.objects.get(pk=incident.pk)
    other.pk, other.slug, other.aware_at = None, slug, incident.aware_at - timedelta(days=1)
    for name, value in fields.items():
        setattr(other, name, value)
    other.make_keysets()
    other.save()
    return other
