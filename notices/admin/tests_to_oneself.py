"""The form “A test to yourself” on the pages of a statement version and of a draft notice."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.admin_site import RightMissingError, staff_of
from accounts.models import User
from foundations.languages import with_own_names
from foundations.rate_limits import seconds_to_wait
from incidents.desk_page import duration
from notices import tests_to_oneself
from notices.admin.history import HistoryMessages
from notices.models import Notice
from notices.tests_to_oneself import SentTest, TestRefusedError

DRAFT, APPROVE = "notices.add_notice", "notices.approve_notice"
_CHANNELS: dict[str, HistoryMessages] = {
    Notice.Channel.EMAIL: HistoryMessages.EMAIL,
    Notice.Channel.SMS: HistoryMessages.SMS,
}


def may_test(user: User) -> bool:
    """Returns whether the user writes or approves notices, and so may send a test to themselves."""
    return user.has_perm(DRAFT) or user.has_perm(APPROVE)


def require_test(request: HttpRequest) -> User:
    """Returns the signed-in user. Raises RightMissingError unless they may send a test."""
    staff = staff_of(request)
    if not may_test(staff):
        raise RightMissingError(DRAFT)
    return staff


def form_context(user: User, notices: list[Notice]) -> dict[str, Any]:
    """Returns what the form shows: for each notice, one a channel, to which contact it would go.

    The language of the desk is chosen, so that one press sends one message.
    """
    if not (may_test(user) and notices):
        return {}
    incident = notices[0].incident
    return {
        "own_test": {
            "ways": [
                (notice.channel, tests_to_oneself.own_contact(user, notice.channel))
                for notice in notices
            ],
            "languages": with_own_names(incident.languages),
            "chosen": incident.language_for(get_language() or ""),
        }
    }


def send(request: HttpRequest, notice: Notice) -> str:
    """Sends the message to the signed-in user in the chosen languages; tells what became of it.

    Returns the entry for the history of the page's object; "" if nothing was tried.
    """
    staff = require_test(request)
    known = notice.incident.languages
    languages = [code for code in known if code in request.POST.getlist("languages")]
    if not languages:
        messages.error(request, _("Choose a language."))
    elif wait := seconds_to_wait(request, "own_test", by_user=True):
        text = _("You sent many tests. The next one can be sent in %(time)s.")
        messages.error(request, text % {"time": duration(timedelta(seconds=wait))})
    else:
        return _send(request, notice, staff, languages)
    return ""


def _send(request: HttpRequest, notice: Notice, staff: User, languages: list[str]) -> str:
    try:
        sent = tests_to_oneself.send(notice, to=staff, languages=languages)
    except TestRefusedError as refusal:
        messages.error(request, str(refusal))
        return ""
    for each in sent:
        _tell(request, each)
    return HistoryMessages.OWN_TEST.stored(
        channel_words=_CHANNELS[notice.channel].stored(),
        languages=", ".join(languages),
        number=sum(each.is_sent for each in sent),
    )


def _tell(request: HttpRequest, sent: SentTest) -> None:
    level = messages.SUCCESS if sent.is_sent else messages.ERROR
    messages.add_message(request, level, sent.words)
