from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScamsConfig(AppConfig):
    """The message check ("Is this message from us?") and scam reports."""

    name = "scams"
    verbose_name = _("Scams")

    def ready(self) -> None:
        # Imported here, because these modules need the models.
        from accounts import desk_look_ups
        from foundations import page_extensions
        from incidents import desk_page, reencryption
        from incidents.encryption import SCAM_REPORT
        from scams.desk_parts import scam_parts
        from scams.models import ScamReport

        desk_look_ups.OF_NO_CUSTOMER.append(ScamReport._meta.db_table)
        desk_page.SOURCES.append(scam_parts)
        page_extensions.extend("my_messages", "scams/extensions/check_link.html")
        reencryption.OTHER_APPS_COLUMNS.append(
            reencryption.EncryptedColumn(
                model=ScamReport,
                person="id",
                column="ciphertext",
                purpose=SCAM_REPORT,
                incident="incident",
            )
        )
