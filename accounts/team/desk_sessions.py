"""The end of a session on the desk without work for a time, and the form that it would have lost.

A form that is sent after the end is stored in the session, which is encrypted, for the same person
only. When this person has signed in again, a page offers to send the form.
"""

import time
from typing import Any

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User

KEPT_SECONDS = 60 * 60
MOST_CHARACTERS = 500_000  # of a form that is kept
_TIMES, _ENDED, _FORM = "accounts_desk_times", "accounts_desk_ended", "accounts_desk_form"
_WRITE_SECONDS = 30  # the session is not written more often


def note_work(request: HttpRequest) -> None:
    """Records that the person works on the desk. A page that reloads itself is no work."""
    if _is_automatic(request):
        return
    now, times = time.time(), request.session.get(_TIMES, {})
    marks = times.get("marks", False) or "Sec-Fetch-User" in request.headers
    if now - times.get("seen", 0) >= _WRITE_SECONDS or marks != times.get("marks", False):
        request.session[_TIMES] = {"began": times.get("began", now), "seen": now, "marks": marks}


def has_ended(request: HttpRequest) -> bool:
    """Returns whether the session of a member of the team is over.

    It is over after settings.DESK_IDLE_MINUTES without work, and settings.SESSION_COOKIE_AGE after
    its first page of the desk, because work alone would extend it without end.
    """
    if not request.user.is_authenticated:
        return False
    now, times = time.time(), request.session.get(_TIMES, {})
    if now - times.get("began", now) > settings.SESSION_COOKIE_AGE:
        return True
    proven = [entry["at"] for entry in get_authentication_records(request, request.user)]
    seen = max([times.get("seen", 0), *proven]) or now
    idle_seconds = settings.DESK_IDLE_MINUTES * 60
    return bool(idle_seconds) and now - seen > idle_seconds


def is_of_team(request: HttpRequest) -> bool:
    """Returns whether the request is of a member of the team, or of one whose session ended."""
    is_signed_in = request.user.is_authenticated
    return request.user.is_staff if is_signed_in else _fresh(request, _ENDED) is not None


def end(request: HttpRequest) -> HttpResponse:
    """Signs the person out, keeps the posted form, and redirects to the sign-in.

    A script's request gets 401 and signs no one out: the page that runs it may hold typed text.
    """
    if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
        return HttpResponse(status=401)
    if isinstance(request.user, User):
        person = request.user.pk
        logout(request)
        request.session[_ENDED] = {"person": person, "at": time.time()}
    text = _("You were signed out, because you had not worked on the desk for a time.")
    is_kept = _keep_form(request)
    if is_kept:
        text += " " + _("What you typed is kept for an hour: sign in to send it.")
    messages.warning(request, text)
    has_page = is_kept or request.method != "POST"
    return redirect_to_login(request.get_full_path() if has_page else reverse("admin:index"))


def answer_if_ended(request: HttpRequest) -> HttpResponse | None:
    """Returns the answer to a request of the desk whose session has ended, else None.

    A form that is sent after another tab ended the session is kept as well.
    """
    if has_ended(request):
        return end(request)
    if request.user.is_authenticated:
        request.session.pop(_ENDED, None)
        return None
    return end(request) if request.method == "POST" and _fresh(request, _ENDED) else None


def kept_form(request: HttpRequest) -> dict[str, Any] | None:
    """Returns the form that was kept for this person and this page: path, fields, typed, files.

    Forgets it if the form is sent, if `?kept=discard` asks for it, after KEPT_SECONDS, and if
    another person signed in. The caller has checked the second factor.
    """
    if _FORM not in request.session:
        return None
    kept = _fresh(request, _FORM)
    is_of_person = kept is not None and kept["person"] == request.user.pk
    is_of_page = kept is not None and request.path == kept["path"].partition("?")[0]
    is_done = (is_of_page and request.method == "POST") or request.GET.get("kept") == "discard"
    if not is_of_person or is_done:
        del request.session[_FORM]
        return None
    return kept if is_of_page else None


def _keep_form(request: HttpRequest) -> bool:
    """Stores the posted fields for the person whose session ended. Returns whether it did."""
    fields = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]
    if not fields or sum(len(name) + len(value) for name, value in fields) > MOST_CHARACTERS:
        return False
    request.session[_FORM] = {
        **request.session[_ENDED],
        "path": request.get_full_path(),
        "fields": fields,
        "typed": [(name, value) for name, value in fields if value and not _is_technical(name)],
        "files": [file.name for _field, files in request.FILES.lists() for file in files],
    }
    return True


def _is_technical(name: str) -> bool:
    """Returns whether a field of Django's admin pages is not for people."""
    return name.startswith(("_", "initial-")) or name.endswith("_FORMS") or "__prefix__" in name


def _fresh(request: HttpRequest, key: str) -> dict[str, Any] | None:
    stored = request.session.get(key)
    return stored if stored and time.time() - stored["at"] < KEPT_SECONDS else None


def _is_automatic(request: HttpRequest) -> bool:
    """Returns whether a page reloaded itself, or loaded a part of itself such as a script.

    Browsers mark a navigation that a person began with Sec-Fetch-User, and parts of a page with the
    mode "no-cors" (Fetch Metadata Request Headers, W3C). A script of ours that no person's act
    starts fetches in the mode "same-origin" and with the header X-Live-Part. A browser without the
    Sec-Fetch headers counts as a person otherwise, and so does each navigation in Safari, which
    sends the mode and never Sec-Fetch-User: its absence counts only in a session that sent it
    before.
    """
    if "X-Live-Part" in request.headers:
        return True
    mode = request.headers.get("Sec-Fetch-Mode")
    marks = request.session.get(_TIMES, {}).get("marks", False)
    is_reload = marks and mode == "navigate" and "Sec-Fetch-User" not in request.headers
    return mode in ("no-cors", "same-origin") or (is_reload and request.method == "GET")
