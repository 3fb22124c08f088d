"""Sets the environment of the tests, as a pytest plugin that runs before Django's settings."""

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("BREACHPORTAL_MODE", "development")
# The tests have their own servers, because a demonstration may run at the same time.
var = os.environ.setdefault("BREACHPORTAL_VAR", str(Path(__file__).parent.parent / "var" / "test"))
# So has each of the processes that pytest-xdist starts: a test may empty or stop its servers.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and not var.endswith(worker):
    os.environ["BREACHPORTAL_VAR"] = f"{var}-{worker}"
# Hundreds of processes start, and compile 600 modules each if the first one does not store them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Pages show changes at once; only tests/pages/test_page_cache.py caches pages as production does.
os.environ.setdefault("PUBLIC_PAGE_SECONDS", "0")
# A code mail is in the outbox when the request ends; tests/accounts/test_code_mails.py sends as
# production.
os.environ.setdefault("CODE_MAIL_CONNECTIONS", "0")
os.environ.setdefault("CODE_TEXT_CONNECTIONS", "0")

# The same examples each time: a change is judged by what it changes. `make test-random` draws new.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile(
    "random", settings.get_profile("default"), derandomize=False, deadline=None
)


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the examples of property tests, and stops if translations are not compiled.

    Without them hundreds of tests would fail. Raises pytest.UsageError.
    """
    settings.load_profile(config.getoption("--hypothesis-profile") or "repeatable")
    for source in (Path(__file__).parent.parent / "locale").glob("*/LC_MESSAGES/django.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            raise pytest.UsageError(f"{source} is not compiled; run `make catalogues`")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects tests without collecting garbage, and leaves what is loaded out of it from then on.

    Modules and tests stay to the end, and a collection would go through all of them.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Returns how many processes `-n auto` starts: one more than the cores.

    Half of the time of all tests is waiting: for browsers, servers and bounds of seconds.
    """
    return (os.cpu_count() or 1) + 1


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names a parameter of bytes by its argument: a packed file holds the time of its packing.

    The processes of pytest-xdist must collect the same names.
    """
    return argname if isinstance(val, bytes) else None
