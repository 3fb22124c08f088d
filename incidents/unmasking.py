"""For how long one session shows the user's values unmasked, and which rows it has shown so far."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest

from accounts.models import User
from incidents.my_data import record_reveals
from incidents.my_data_parts import MyDataPart

# Django empties the session when another user signs in or the user signs out.
_KEY = "incidents_unmasking"


def begin(request: HttpRequest) -> None:
    """Lets this session show the values for settings.STEP_UP_MINUTES."""
    request.session[_KEY] = {"until": time.time() + settings.STEP_UP_MINUTES * 60, "shown": []}


def end(request: HttpRequest) -> None:
    """Hides the values at once."""
    request.session.pop(_KEY, None)


def seconds_left(request: HttpRequest) -> int:
    """Returns the seconds for which this session still shows the values; 0 if it does not."""
    until = request.session.get(_KEY, {}).get("until", 0)
    return max(0, int(until - time.time()))


def ends_at(request: HttpRequest) -> datetime:
    """Returns when the values hide themselves. Call it only if `seconds_left` is not 0."""
    return datetime.fromtimestamp(request.session[_KEY]["until"], UTC)


def record_shown(request: HttpRequest, user: User, parts: Iterable[MyDataPart]) -> None:
    """Records a Reveal for each row of `parts` that this unmasking has not shown before.

    So a reload is not another look, and a row that is imported meanwhile is recorded.
    """
    state = request.session[_KEY]
    new = [part for part in parts if part.person and str(part.person.pk) not in state["shown"]]
    shown = [str(person.pk) for person in record_reveals(user, new)]
    request.session[_KEY] = state | {"shown": state["shown"] + shown}
