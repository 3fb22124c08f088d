from typing import TYPE_CHECKING

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from incidents.desk_page import PageParts
    from incidents.models import Incident


class IncidentsConfig(AppConfig):
    """Incidents, the people they affect and what leaked: import, encryption and "my data"."""

    name = "incidents"
    verbose_name = _("Incidents")

    def ready(self) -> None:
        # Imported here, because these modules import models, which must be loaded first.
        from accounts import joining, typed_contacts
        from accounts.team.superuser_acts import SUPERUSER_ACTS
        from foundations import page_extensions
        from incidents import desk_page, facts, joined_accounts
        from incidents.models import DataClass, Incident, IncidentDataClass, IncidentJurisdiction
        from incidents.models.incident import public_phone_regions

        SUPERUSER_ACTS.append(_("Shred the data of an incident, together with another superuser"))
        joining.MOVERS.append(joined_accounts.move_rows)
        typed_contacts.REGION_SOURCES.append(public_phone_regions)
        page_extensions.extend("account_links", "incidents/extensions/copy_link.html")
        desk_page.SOURCES.append(_incident_parts)
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


def _incident_parts(incident: "Incident") -> "PageParts":
    # Imported with the first page: the forms behind it take a fifth of the start of a process that
    # only prepares rows of an import.
    from incidents.desk_parts import incident_parts

    return incident_parts(incident)
