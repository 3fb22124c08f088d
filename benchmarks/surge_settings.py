"""The portal's settings for `bench_surge`, with an empty page added to the portal's own.

A few measured visitors open hundreds of pages a second, so there are no budgets for pages. A person
stays within the share that a process grants, which costs no exchange with Redis either.
"""

from breachportal.settings import *  # noqa: F403
from breachportal.settings import PROOF_RATES as _PROOF_RATES
from harness.page_budgets import NO_BUDGETS

ROOT_URLCONF = "benchmarks.surge_urls"
PROOF_RATES = _PROOF_RATES | NO_BUDGETS
