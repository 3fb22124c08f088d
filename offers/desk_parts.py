"""What this app contributes to an incident's page: pools without codes, or with few."""

from collections.abc import Iterator

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundations.formatting import number
from incidents.desk_page import DeskTask, PageParts
from incidents.models import Incident, MessageKind
from offers.models import Offer, PoolCode

IMPORT = "offers.import_codes"


def offer_parts(incident: Incident) -> PageParts:
    """Returns the tasks to import codes. The team gets a message if an open offer runs out."""
    if incident.shredded_at:
        return PageParts()
    offers = Offer.objects.filter(incident=incident, has_codes=True)
    return PageParts(tasks=[task for offer in offers if offer.is_open for task in _tasks(offer)])


def _tasks(offer: Offer) -> Iterator[DeskTask]:
    codes = PoolCode.objects.filter(offer=offer)
    left = codes.filter(taken_at__isnull=True)[: settings.OFFER_CODES_FEW].count()
    if left >= settings.OFFER_CODES_FEW:
        return
    if not codes.exists():
        state, words = "new", _("Import the codes of “%(offer)s”: customers do not see it yet")
    elif not left:
        state, words = "empty", _("“%(offer)s” has no code left: import more, or withdraw it")
    else:
        state = "few"
        words = ngettext(
            "“%(offer)s” has only %(n)s code left: import more",
            "“%(offer)s” has only %(n)s codes left: import more",
            left,
        )
    yield DeskTask(
        key=f"offer-{state}-{offer.pk}",
        words=words % {"offer": offer, "n": number(left)},
        url=reverse("admin:offers_offer_codes", args=[offer.pk]),
        right=IMPORT,
        message_kind="" if state == "new" else MessageKind.OFFERS,
    )
