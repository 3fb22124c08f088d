"""The pages of the message check and of scam reports. They need no sign-in.

The message check uses POST, so that no URL and no log holds the pasted text; only the QR code of a
letter has an address with the letter's code. It has no CSRF token,
because a token needs a cookie, and this page has the same bytes for every reader. Another site
could therefore make a browser send a check, but it could not read the answer, and a check changes
nothing. A report is stored, so it is refused if the browser's Sec-Fetch-Site header names another
site.
"""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from foundations.few_at_once import FewAtOnce
from foundations.kept_answers import kept_by_browser
from foundations.page_cache import public_page
from foundations.rate_limits import limited, posted_texts, too_many_requests
from foundations.secret_urls import secret_url
from offers.models import Offer
from scams.forms import MessageCheckForm, ScamReportForm, TooManyReportsError, reported_to
from scams.message_check import answer_for
from statements.public.contexts import advisories

RETRY_SECONDS = 10 * 60  # in which about a sixth of the hour's reports become older than an hour
# A check takes up to a fifth of a second of a core. So a flood of them leaves most of the threads.
_checks = FewAtOnce(4)
CHECK_RETRY_SECONDS = 5
_LONGEST_CODE = 40  # characters of a code in an address, blanks and hyphens included
TOO_MANY_CHECKS = gettext_lazy("More messages are being checked right now than we can check.")
TOO_MANY_REPORTS = gettext_lazy("More reports are arriving right now than we can take.")
# The fields that a refused visitor gets back. A file has to be chosen again.
TYPED = ("text",)
TYPED_IN_REPORT = tuple(f"report-{name}" for name in ("text", "channel", "sender", "contact"))

logger = logging.getLogger(__name__)


def _kept_by_the_browser(view: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Decorates a view whose answers the portal does not store, and the browser for its Back."""

    @wraps(view)
    def answering(request: HttpRequest) -> HttpResponse:
        return kept_by_browser(view(request))

    return answering


@public_page
def message_check(request: HttpRequest) -> HttpResponse:
    """Shows the forms for a check and for a report, and the advisories."""
    return _page(request, form=MessageCheckForm(), report=ScamReportForm())


@csrf_exempt
@_kept_by_the_browser
@sensitive_post_parameters()
@limited("message_check", methods=["POST"], typed=TYPED)
def message_check_answer(request: HttpRequest) -> HttpResponse:
    """Shows the answer to a text or a mail's file, with the form to report it. Stores nothing.

    The language switch asks again with the text. A file would have to be chosen again. Answers 429
    while too many messages are being checked.
    """
    if request.method != "POST":
        return redirect("message_check")
    with _checks.place() as is_free:
        if is_free:
            return _answer_page(request)
    context = {"reason": TOO_MANY_CHECKS, "try_again": posted_texts(request, TYPED)}
    return too_many_requests(request, CHECK_RETRY_SECONDS, context)


def _answer_page(request: HttpRequest) -> HttpResponse:
    form = MessageCheckForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form=form, report=ScamReportForm())
    report = ScamReportForm(initial={"text": form.seen_text()})
    text = form.cleaned_data["text"]
    context = {
        "answer": form.answer(),
        "checked_text": text,
        "has_offers": Offer.objects.are_open(),
        **_report_context(report),
    }
    return render(request, "scams/answer.html", context)


@secret_url
@require_safe
@limited("message_check", methods=["GET", "HEAD"])
def message_checked(request: HttpRequest, code: str) -> HttpResponse:
    """Shows the answer to the code in the URL, from the QR code of a letter. Stores nothing.

    The language switch asks again with the URL. Answers 429 as `message_check_answer` does.
    """
    with _checks.place() as is_free:
        if not is_free:
            return too_many_requests(request, CHECK_RETRY_SECONDS, {"reason": TOO_MANY_CHECKS})
        answer = answer_for(code[:_LONGEST_CODE])
    report = ScamReportForm(initial={"text": code[:_LONGEST_CODE]})
    offers = Offer.objects.are_open()
    context = {"answer": answer, "has_offers": offers, **_report_context(report)}
    return render(request, "scams/answer.html", context)


@csrf_exempt
@_kept_by_the_browser
@sensitive_post_parameters()
def report_scam(request: HttpRequest) -> HttpResponse:
    """Stores a report of a suspicious message.

    Answers 403 to a request from another site, and 429 if there are too many reports.
    """
    if request.method != "POST":
        return redirect("message_check")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise PermissionDenied  # uncounted: another site could use up the limit of its visitors
    return _report(request)


@limited("scam_report", methods=["POST"], typed=TYPED_IN_REPORT)
def _report(request: HttpRequest) -> HttpResponse:
    form = ScamReportForm(request.POST)
    if not form.is_valid():
        return _page(request, form=MessageCheckForm(), report=form)
    try:
        form.save()
    except TooManyReportsError:
        logger.warning("scam reports are refused: too many in an hour")
        context = {"try_again": posted_texts(request, TYPED_IN_REPORT)}
        return too_many_requests(request, RETRY_SECONDS, {"reason": TOO_MANY_REPORTS, **context})
    return redirect("scam_reported")


@public_page
def scam_reported(request: HttpRequest) -> HttpResponse:
    """Thanks the visitor. The page is the same for every report, so that it reveals nothing."""
    return render(request, "scams/reported.html")


def _page(request: HttpRequest, *, form: MessageCheckForm, report: ScamReportForm) -> HttpResponse:
    context = {
        "form": form,
        "advisories": advisories(),
        "has_offers": Offer.objects.are_open(),
        **_report_context(report),
    }
    return render(request, "scams/check.html", context)


def _report_context(report: ScamReportForm) -> dict[str, Any]:
    return {
        "report": report,
        "may_report": reported_to() is not None,
        "report_days": settings.SCAM_REPORT_DAYS,
    }
