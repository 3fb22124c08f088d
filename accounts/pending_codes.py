"""Stores in a visitor's session the codes that wait to be entered, one for each contact."""

from enum import StrEnum
from typing import Any

from django.http import HttpRequest

MOST_PENDING = 4  # contacts of one session that wait for their codes, each in a tab


class Purpose(StrEnum):
    """The use of a code. The value is also the key of the code's state in the session."""

    SIGN_IN = "sign_in_code"
    STEP_UP = "step_up_code"
    NEW_CONTACT = "new_contact_code"


def state_of(request: HttpRequest, purpose: Purpose, contact: str) -> dict[str, Any] | None:
    """Returns the state of the code that waits for `contact`, or None.

    Without a contact it is the newest.
    """
    states = _states(request, purpose)
    return next((state for state in states if contact in ("", state["contact"])), None)


def keep(request: HttpRequest, purpose: Purpose, state: dict[str, Any]) -> None:
    """Stores the state of a code, as the newest, in place of the one of the same contact."""
    _write(request, purpose, [state, *_others(request, purpose, state["contact"])])


def forget(request: HttpRequest, purpose: Purpose, contact: str) -> None:
    """Removes the code of a contact from the session."""
    _write(request, purpose, _others(request, purpose, contact))


def _states(request: HttpRequest, purpose: Purpose) -> list[dict[str, Any]]:
    """Returns the states of all contacts, the newest first."""
    newest = request.session.get(purpose)
    return [newest, *request.session.get(_key_of_others(purpose), [])] if newest else []


def _others(request: HttpRequest, purpose: Purpose, contact: str) -> list[dict[str, Any]]:
    return [state for state in _states(request, purpose) if state["contact"] != contact]


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
