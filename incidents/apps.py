from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IncidentsConfig(AppConfig):
    """Incidents, the people they affect and what leaked: import, encryption and "my data"."""

    name = "incidents"
    verbose_name = _("Incidents")

    def ready(self) -> None:
        # Imported here, because these modules import models, which must be loaded first.
        from incidents import desk_page, facts
        from incidents.desk_parts import incident_parts
        from incidents.models import DataClass, Incident, IncidentDataClass, IncidentJurisdiction

        desk_page.SOURCES.append(incident_parts)
        facts.SUBJECTS[DataClass] = ()
        facts.SUBJECTS[Incident] = (
            facts.RowSet(
                name="jurisdictions",
                model=IncidentJurisdiction,
                owner="incident",
                key="jurisdiction",
                values=("standing",),
            ),
            facts.RowSet(
                name="class_states",
                model=IncidentDataClass,
                owner="incident",
                key="data_class_id",
                values=("state", "basis"),
            ),
        )
