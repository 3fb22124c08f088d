"""Desk pages of a task that is over: they say who did it and when, and lead to its object."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import override

from foundations.formatting import moment


class TaskOverError(Exception):
    """The task of a page is over, or cannot begin yet.

    The desk shows what happened to `row` and redirects to its page. `what` is a state in words,
    such as "Published", `by` and `at` are who did it and when. If the row does not keep who it was,
    `act` is what the desk writes of it into the history, in English: the newest such entry says it.
    """

    def __init__(
        self, row: Model, what: Any, *, by: Any = None, at: datetime | None = None, act: str = ""
    ) -> None:
        super().__init__(what)
        self.row, self.what, self.by, self.at, self.act = row, what, by, at, act

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Returns the redirect to the page of the row, which shows the message.

        A script that renews a part of a page loads the page again, and that request stores it.
        """
        if "X-Live-Part" not in request.headers:
            messages.info(request, self.words())
        opts = self.row._meta
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", self.row.pk)

    def words(self) -> str:
        """Returns the message in the active language."""
        by, at = self.by, self.at
        if self.act and not by and (entry := _entry_of(self.row, self.act)):
            by, at = entry.user, entry.action_time
        done = [str(each) for each in (by, at and moment(at)) if each]
        what = f"{self.what} ({', '.join(done)})" if done else str(self.what)
        return _("%(what)s. Nothing was changed now.") % {"what": what}


def require_waiting(proposal: Any) -> None:
    """Raises TaskOverError if a row of a second person is confirmed or withdrawn."""
    if at := proposal.confirmed_at:
        raise TaskOverError(proposal, _("Confirmed already"), by=proposal.confirmed_by, at=at)
    if at := proposal.withdrawn_at:
        raise TaskOverError(proposal, _("Withdrawn already"), at=at, act="Withdrawn.")


def require_done(proposal: Any, is_done: bool) -> None:
    """Raises TaskOverError if an act did nothing because its row waits no more.

    Raises PermissionDenied if the row waits: what the user may do changed meanwhile.
    """
    if not is_done:
        proposal.refresh_from_db()
        require_waiting(proposal)
        raise PermissionDenied


def _entry_of(row: Model, act: str) -> LogEntry | None:
    """Returns the newest entry about this act in the history of `row`, in any desk language."""
    written = []
    for language in settings.DESK_LANGUAGES:
        with override(language):
            written.append(_(act))
    kind = ContentType.objects.get_for_model(row)
    history = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk))
    acts = history.filter(change_message__in=written).select_related("user")
    return acts.order_by("-action_time").first()


def link_to(row: Model, words: Any) -> SafeString:
    """Returns the words as a link to the page of the row, such as a proposal that waits."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), words)
