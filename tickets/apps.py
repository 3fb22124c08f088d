from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    """Tickets: customers' questions, requests and complaints, and the company's answers."""

    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self) -> None:
        # Imported here, because these modules need the models.
        from accounts import joining
        from foundations import page_extensions
        from incidents import desk_page, own_copy, reencryption
        from incidents.encryption import TICKET
        from incidents.retention import plans
        from tickets import joined_accounts
        from tickets.correspondence import copy_section
        from tickets.desk_parts import retention_blockers, ticket_parts
        from tickets.models import TicketMessage

        joining.MOVERS.append(joined_accounts.move_rows)
        desk_page.SOURCES.append(ticket_parts)
        plans.BLOCKERS.append(retention_blockers)
        page_extensions.extend("account_links", "tickets/extensions/account_link.html")
        page_extensions.extend("claim_refused", "tickets/extensions/claim_refused.html")
        page_extensions.extend("my_data_part", "tickets/extensions/my_data_link.html")
        page_extensions.extend("close_account_stays", "tickets/extensions/stays.html")
        page_extensions.extend("own_copy", "tickets/extensions/own_copy.html")
        own_copy.SECTIONS.append(copy_section)
        page_extensions.extend("desk_person", "tickets/extensions/desk_person.html")
        reencryption.OTHER_APPS_COLUMNS.append(
            reencryption.EncryptedColumn(
                model=TicketMessage,
                person="id",
                column="ciphertext",
                purpose=TICKET,
                incident="ticket__incident",
            )
        )
