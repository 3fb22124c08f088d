"""Stores in a visitor's session the codes that wait to be entered, one for each address."""

from enum import StrEnum
from typing import Any

from django.http import HttpRequest

MOST_PENDING = 4  # addresses of one session that wait for their codes, each in a tab


class Purpose(StrEnum):
    """The use of a code. The value is also the key of the code's state in the session."""

    SIGN_IN = "sign_in_code"
    STEP_UP = "step_up_code"


def state_of(request: HttpRequest, purpose: Purpose, email: str) -> dict[str, Any] | None:
    """Returns the state of the code that waits for `email`, or None.

    Without an address it is the newest.
    """
    states = _states(request, purpose)
    return next((state for state in states if email in ("", state["email"])), None)


def keep(request: HttpRequest, purpose: Purpose, state: dict[str, Any]) -> None:
    """Stores the state of a code, as the newest, in place of the one of the same address."""
    _write(request, purpose, [state, *_others(request, purpose, state["email"])])


def forget(request: HttpRequest, purpose: Purpose, email: str) -> None:
    """Removes the code of an address from the session."""
    _write(request, purpose, _others(request, purpose, email))


def _states(request: HttpRequest, purpose: Purpose) -> list[dict[str, Any]]:
    """Returns the states of all addresses, the newest first."""
    newest = request.session.get(purpose)
    return [newest, *request.session.get(_key_of_others(purpose), [])] if newest else []


def _others(request: HttpRequest, purpose: Purpose, email: str) -> list[dict[str, Any]]:
    return [state for state in _states(request, purpose) if state["email"] != email]


def _write(request: HttpRequest, purpose: Purpose, states: list[dict[str, Any]]) -> None:
    others = _key_of_others(purpose)
    request.session.pop(purpose, None)
    request.session.pop(others, None)
    if states:
        request.session[purpose] = states[0]
    if states[1:]:
        request.session[others] = states[1:MOST_PENDING]


def _key_of_others(purpose: Purpose) -> str:
    return f"{purpose}_others"
