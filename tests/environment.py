"""The environment of the tests: a pytest plugin, so that it is set before Django reads it."""

import os
from pathlib import Path

os.environ.setdefault("BREACHPORTAL_MODE", "development")
# Servers of their own: a demonstration may be running beside the tests.
os.environ.setdefault("BREACHPORTAL_VAR", str(Path(__file__).parent.parent / "var" / "test"))
# What a test changes shows at once; tests/test_page_cache.py sets what production has.
os.environ.setdefault("PUBLIC_PAGE_SECONDS", "0")
