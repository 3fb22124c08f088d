"""Desk pages of a task that is over: they say who did it and when, and lead to its object."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from foundations.formatting import moment


class TaskOverError(Exception):
    """The task of a page is over, or cannot begin yet.

    The desk shows what happened to `row` and redirects to its page. `what` is a state in words,
    such as "Published", `by` and `at` are who did it and when. Without `at`, the newest entry of
    the history of `row` is named.
    """

    def __init__(
        self, row: Model, what: Any, *, by: Any = None, at: datetime | None = None
    ) -> None:
        super().__init__(what)
        self.row, self.what, self.by, self.at = row, what, by, at

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Returns the redirect to the page of the row, which shows the message."""
        messages.info(request, self.words())
        opts = self.row._meta
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", self.row.pk)

    def words(self) -> str:
        """Returns the message in the active language."""
        done = [str(each) for each in (self.by, self.at and moment(self.at)) if each]
        if self.at is None:
            done = _last_entry(self.row)
        what = f"{self.what} ({', '.join(done)})" if done else str(self.what)
        return _("%(what)s. Nothing was changed now.") % {"what": what}


def require_waiting(proposal: Any) -> None:
    """Raises TaskOverError if a row of a second person is confirmed or withdrawn."""
    if at := proposal.confirmed_at:
        raise TaskOverError(proposal, _("Confirmed already"), by=proposal.confirmed_by, at=at)
    if proposal.withdrawn_at:
        raise TaskOverError(proposal, _("Withdrawn already"))


def _last_entry(row: Model) -> list[str]:
    """Returns who did something with `row` last, and when; nothing if the history is empty."""
    kind = ContentType.objects.get_for_model(row)
    history = LogEntry.objects.filter(content_type=kind, object_id=str(row.pk))
    last = history.select_related("user").order_by("-action_time").first()
    return [str(last.user), moment(last.action_time)] if last else []
