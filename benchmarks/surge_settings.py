"""The portal's settings for `bench_surge`, with an empty page beside the portal's own.

A few measured visitors open hundreds of pages a second, so there are no budgets for pages. A person
stays within the share that a process grants, which costs no exchange with Redis either.
"""

from breachportal.settings import *  # noqa: F403
from breachportal.settings import PROOF_RATES as _PROOF_RATES

ROOT_URLCONF = "benchmarks.surge_urls"
PROOF_RATES = _PROOF_RATES | {"own_pages": "", "own_pages_network": "", "desk_pages": ""}
