"""The rates of tests and benchmarks, which open hundreds of pages a minute as one account."""

# For settings.PROOF_RATES: no account and no network has a budget for pages.
NO_BUDGETS = {"own_pages": "", "own_pages_network": "", "desk_pages": ""}
