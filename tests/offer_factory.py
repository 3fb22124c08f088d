"""Makes offers with codes for tests."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from incidents.models import Incident
from offers import pool
from offers.models import Offer

TEXTS = {
    "title": {"ko": "신용 감시 1년", "en": "One year of credit monitoring"},
    "text": {"ko": "도용을 알려 주는 서비스입니다.", "en": "A service that reports misuse."},
    "use": {"ko": "아래 주소에서 코드를 넣습니다.", "en": "Enter the code at this address."},
}


def codes(count: int, *, first: int = 1) -> list[tuple[int, str]]:
    """Returns numbered codes, as a file of them is read: HB-0001, HB-0002, …"""
    return [(line, f"HB-{number:04}") for line, number in enumerate(range(first, first + count), 1)]


def offer_of(incident: Incident, *, count: int = 3, **fields: Any) -> Offer:
    """Creates an offer that ends in a month, with `count` codes in its pool."""
    last_day = timezone.now().date() + timedelta(days=30)
    values = {"link": "https://guard.example/hanbit", "ends_on": last_day, **TEXTS, **fields}
    offer = Offer.objects.create(incident=incident, **values)
    if count:
        pool.add_codes(offer, codes(count))
    return offer
