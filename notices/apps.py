from typing import Any

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    """The app of notices: the send engine, alerts, returned mail and proof of delivery."""

    name = "notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        # Imported here, because these modules need the models.
        from anymail.signals import tracking

        from accounts import code_texts, codes, joining
        from foundations import page_extensions
        from incidents import (
            address_mails,
            desk_look_ups,
            desk_page,
            own_copy,
            own_rows,
            purging,
            reencryption,
            rewrapping,
        )
        from incidents.encryption import TEST_ADDRESS
        from incidents.retention import plans
        from notices import joined_accounts
        from notices import own_copy as notices_copy
        from notices.desk_parts import notice_parts, people_of_code, retention_blockers
        from notices.engine.code_texts import GatewayTextSender
        from notices.engine.gateways import check_text_gateway
        from notices.engine.ledger import detach_people
        from notices.engine.sending_plans import check_sending_plans
        from notices.models import TestAddress
        from notices.proof.notifications import notifications
        from notices.push_subscriptions import rewrap_push_subscriptions
        from notices.returned_mail.suppression_list import (
            STRANGERS,
            is_held_back,
            lift_bounces,
        )
        from statements.notifications import SOURCES

        checks.register(check_text_gateway)
        checks.register(check_sending_plans)
        # anymail reports webhook events by this signal only.
        tracking.connect(_take_event, dispatch_uid="notices")
        joining.MOVERS.append(joined_accounts.move_rows)
        codes.WHEN_ENTERED.append(lift_bounces)
        code_texts.SENDERS.append(GatewayTextSender())
        SOURCES.append(notifications)
        desk_page.SOURCES.append(notice_parts)
        own_rows.STRANGER_CHECKS.append(STRANGERS)
        address_mails.HELD_BACK.append(is_held_back)
        page_extensions.extend("sign_in_reason", "notices/extensions/sign_in_reason.html")
        page_extensions.extend("incident_figures", "notices/extensions/figures_link.html")
        page_extensions.extend("incident_alerts", "notices/extensions/alerts_link.html")
        page_extensions.extend("my_data_leaked", "notices/extensions/certificate_offer.html")
        page_extensions.extend("account_links", "notices/extensions/alerts_account_link.html")
        page_extensions.extend("account_links", "notices/extensions/messages_link.html")
        page_extensions.extend("account_links", "notices/extensions/claim_link.html")
        page_extensions.extend("my_data_foot", "notices/extensions/messages_link.html")
        page_extensions.extend("own_copy", "notices/extensions/own_copy.html")
        page_extensions.extend("desk_look_up", "notices/extensions/delivery_look_up_link.html")
        page_extensions.extend("desk_person", "notices/extensions/desk_person.html")
        desk_look_ups.PEOPLE_OF_CODES.append(people_of_code)
        own_copy.SECTIONS += [
            *(notices_copy.alerts, notices_copy.number, notices_copy.browsers),
            notices_copy.messages,
        ]
        purging.BEFORE_PURGE.append(detach_people)
        plans.BLOCKERS.append(retention_blockers)
        rewrapping.OF_OTHER_APPS.append(("push subscriptions", rewrap_push_subscriptions))
        reencryption.OTHER_APPS_COLUMNS.append(
            reencryption.EncryptedColumn(
                model=TestAddress,
                person="id",
                column="contact",
                purpose=TEST_ADDRESS,
                incident="notice__incident",
            )
        )


def _take_event(**received: Any) -> None:
    # Imported with the first event: anymail's client of HTTP takes a tenth of a process's start.
    from notices.engine.providers import take_event

    take_event(**received)
