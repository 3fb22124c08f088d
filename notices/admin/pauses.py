"""The desk's pages for the automatic pause: limits, stopped destinations, bounces taken back."""

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin_site import staff_of
from notices import decisions, taken_back
from notices.admin.history import HistoryMessages
from notices.engine.provider_replies import advice_on
from notices.forms.pauses import LimitsForm, TakeBackForm
from notices.models import Destination, Notice

if TYPE_CHECKING:
    from notices.admin.notices import NoticeAdmin


def limits(admin: "NoticeAdmin", request: HttpRequest, notice: Notice) -> HttpResponse:
    """Shows and stores the notice's own limits for the automatic pause."""
    form = LimitsForm(request.POST or None, notice=notice)
    if request.method == "POST" and form.is_valid():
        now = form.save()
        entry = HistoryMessages.LIMITS.stored(
            bounce=f"{now.bounce:g}", refusal=f"{now.refusal:g}", complaint=f"{now.complaint:g}"
        )
        admin.log_change(request, notice, entry)
        messages.success(request, _("Saved. The senders use the new limits at once."))
        return redirect("admin:notices_notice_change", notice.pk)
    context = admin.page_context(request, notice, _("Limits for the automatic pause"))
    return TemplateResponse(request, "admin/notices/notice/limits.html", context | {"form": form})


def let_destination_go_on(
    admin: "NoticeAdmin", request: HttpRequest, notice: Notice
) -> HttpResponse:
    """Lets a stopped destination go on, unless it was stopped again since the page was read."""
    name = request.POST.get("name", "")
    # PostgreSQL refuses NUL in a statement.
    stopped = "\0" not in name and notice.destinations.filter(name=name).first()
    is_read = stopped and stopped.stopped_at_text == request.POST.get("stopped", "")
    if is_read and decisions.let_destination_go_on(notice, name):
        admin.log_change(request, notice, HistoryMessages.GOES_ON.stored(name=name))
        messages.success(request, _("Goes on."))
    else:
        messages.warning(request, _("Nothing was done: the notice is in another state now."))
    return redirect("admin:notices_notice_change", notice.pk)


def stopped_destinations(notice: Notice) -> list[tuple[Destination, str]]:
    """Returns the stopped destinations, each with the URL of the provider's page about its reply;
    "" if the words are not known.
    """
    stopped = notice.destinations.filter(stopped_at__isnull=False).order_by("name")
    advices = ((one, advice_on(one.name, one.reply)) for one in stopped)
    return [(one, advice.page if advice else "") for one, advice in advices]


def take_back(admin: "NoticeAdmin", request: HttpRequest, notice: Notice) -> HttpResponse:
    """Shows the bounces by their reply, and takes back those with one reply."""
    form = TakeBackForm(request.POST or None)
    if request.method == "POST" and (changed := form.take_back(notice, by=staff_of(request))):
        entry = HistoryMessages.TAKEN_BACK.stored(number=changed, **form.cleaned_data)
        admin.log_change(request, notice, entry)
        text = ngettext("%(n)s message is sent again.", "%(n)s messages are sent again.", changed)
        messages.success(request, text % {"n": f"{changed:,}"})
        return redirect("admin:notices_notice_taken_back", notice.pk)
    context = admin.page_context(request, notice, _("Bounces by reply")) | {
        "form": form,
        "replies": taken_back.bounces_by_reply(notice),
        "is_open": notice.closed_at is None,
    }
    return TemplateResponse(request, "admin/notices/notice/taken_back.html", context)
