from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class NoticesConfig(AppConfig):
    """What we tell them: publishing, sending, alerts, proof."""

    name = "notices"
    verbose_name = _("Notices")

    def ready(self) -> None:
        # Imported when the models are loaded, which it reads.
        from anymail.signals import tracking

        from incidents import purging, resealing
        from incidents.sealing import SCAM_REPORT, TEST_ADDRESS
        from notices.engine.ledger import forget_people
        from notices.engine.providers import take_event
        from statements.legal.checks import check_laws
        from notices.models import ScamReport, TestAddress

        checks.register(check_laws)
        tracking.connect(take_event, dispatch_uid="notices")  # anymail's only way out
        purging.BEFOREHAND.append(forget_people)
        resealing.FURTHER += [
            resealing.SealedColumn(
                model=TestAddress,
                person="id",
                column="contact",
                purpose=TEST_ADDRESS,
                incident="notice__incident",
            ),
            resealing.SealedColumn(
                model=ScamReport,
                person="id",
                column="sealed",
                purpose=SCAM_REPORT,
                incident="incident",
            ),
        ]
