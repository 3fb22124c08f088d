"""Is this message from us? A page for everyone, an answer, and a report; nobody signs in.

The answer comes by POST, so that what was pasted stands in no URL and no log, and without a CSRF
token, because that takes a cookie and the page is the same bytes for everyone. Without one, another
site could make a browser ask, and would see nothing of the answer: asking changes nothing. A report
is kept, so that one is refused when the browser says that another site sent it.
"""

import logging
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from foundations.page_cache import public_page
from foundations.rate_limits import limited
from scams.forms import MessageCheckForm, ScamReportForm, TooManyReportsError, reported_to
from statements.public.contexts import advisories

logger = logging.getLogger(__name__)


@public_page
def message_check(request: HttpRequest) -> HttpResponse:
    """Asks for the code or the message."""
    return _page(request, form=MessageCheckForm(), report=ScamReportForm())


@csrf_exempt
@sensitive_post_parameters()
@limited("message_check", methods=["POST"])
def message_check_answer(request: HttpRequest) -> HttpResponse:
    """Says what we know of it, and offers to report it; nothing of it is kept."""
    if request.method != "POST":
        return redirect("message_check")
    form = MessageCheckForm(request.POST)
    if not form.is_valid():
        return _page(request, form=form, report=ScamReportForm())
    report = ScamReportForm(initial={"text": form.cleaned_data["text"]})
    context = {"answer": form.answer(), **_reporting(report)}
    return render(request, "scams/answer.html", context)


@csrf_exempt
@sensitive_post_parameters()
@limited("scam_report", methods=["POST"])
def report_scam(request: HttpRequest) -> HttpResponse:
    """Takes a report of a suspicious message."""
    if request.method != "POST":
        return redirect("message_check")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise PermissionDenied
    form = ScamReportForm(request.POST)
    if not form.is_valid():
        return _page(request, form=MessageCheckForm(), report=form)
    try:
        form.save()
    except TooManyReportsError:
        logger.warning("scam reports are refused: too many in an hour")
        return render(request, "429.html", status=429)
    return redirect("scam_reported")


@public_page
def reported(request: HttpRequest) -> HttpResponse:
    """Thanks; the same for every report, so that there is nothing to learn from it."""
    return render(request, "scams/reported.html")


def _page(request: HttpRequest, *, form: MessageCheckForm, report: ScamReportForm) -> HttpResponse:
    context = {"form": form, "advisories": advisories(), **_reporting(report)}
    return render(request, "scams/check.html", context)


def _reporting(report: ScamReportForm) -> dict[str, Any]:
    return {
        "report": report,
        "may_report": reported_to() is not None,
        "report_days": settings.SCAM_REPORT_DAYS,
    }
