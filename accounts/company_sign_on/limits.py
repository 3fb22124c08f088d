"""The limit on sign-ins with the company's provider; a network above it is not refused by itself.

A company's whole team sits behind one address, and a carrier's customers do. So the networks above
the limit share a budget of the portal, and a browser that signed in before has a limit of its own.
See docs/decisions/0126.
"""

from django.http import HttpRequest

from accounts import known_devices
from foundations.rate_limits import seconds_to_wait

EVERY_NETWORK = "*"


def wait_of(request: HttpRequest) -> int:
    """Counts a request, and returns the seconds until this visitor may pass; 0: now."""
    if not seconds_to_wait(request, "company_sign_on"):
        return 0
    device = known_devices.name_of(request)
    if device and not seconds_to_wait(request, "company_sign_on_known", key=device):
        return 0
    return seconds_to_wait(request, "company_sign_on_in_crowd", key=EVERY_NETWORK)
