from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class StatementsConfig(AppConfig):
    """The app of what the company publishes: statements, legal duties, public pages, reports."""

    name = "statements"
    verbose_name = _("Statements")

    def ready(self) -> None:
        # Imported here, because these modules import models, which must be loaded first.
        from foundations import page_extensions
        from incidents import desk_page, facts, visibility
        from incidents.models.jurisdiction import FURTHER_JURISDICTIONS
        from statements import publishing
        from statements.desk_parts import statement_parts
        from statements.legal.checks import check_laws
        from statements.legal.own_laws import own_jurisdictions
        from statements.legal.review import fact_objection
        from statements.models import TimelineEntry

        checks.register(check_laws)
        FURTHER_JURISDICTIONS.append(own_jurisdictions)
        visibility.OBJECTIONS.append(publishing.objection_to_hiding)
        desk_page.SOURCES.append(statement_parts)
        facts.SUBJECTS[TimelineEntry] = ()
        facts.TEXT_REVIEWS.append(fact_objection)
        page_extensions.extend("my_data_part", "statements/extensions/incident_link.html")
        page_extensions.extend("desk_incident_tools", "statements/extensions/clocks_tool.html")
