from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OffersConfig(AppConfig):
    """Offers: what the company gives to those affected, and the codes that they take."""

    name = "offers"
    verbose_name = _("Offers")

    def ready(self) -> None:
        # Imported here, because these modules need the models.
        from accounts import joining
        from foundations import page_extensions
        from incidents import desk_page, facts, own_copy, purging, reencryption, views
        from incidents.encryption import OFFER_CODE
        from offers import own_offers, stored_rows
        from offers.desk_parts import offer_parts
        from offers.models import Offer, OfferClass, PoolCode

        facts.SUBJECTS[Offer] = (
            facts.RowSet(
                name="classes", model=OfferClass, owner="offer", key="data_class_id", values=()
            ),
        )
        joining.MOVERS.append(stored_rows.move_rows)
        purging.BEFORE_PURGE.append(stored_rows.forget_people)
        desk_page.SOURCES.append(offer_parts)
        views.FURTHER_CONTEXT.append(own_offers.my_data_context)
        own_copy.SECTIONS.append(own_offers.copy_section)
        page_extensions.extend("my_data_offers", "offers/extensions/my_data.html")
        page_extensions.extend("close_account_stays", "offers/extensions/stays.html")
        page_extensions.extend("own_copy", "offers/extensions/own_copy.html")
        reencryption.OTHER_APPS_COLUMNS.append(
            reencryption.EncryptedColumn(
                model=PoolCode,
                person="id",
                column="ciphertext",
                purpose=OFFER_CODE,
                incident="offer__incident",
            )
        )
