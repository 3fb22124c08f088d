"""The pages about alerts: to choose topics, and to end alerts from a message without signing in."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.ended_sessions import forget_choices, kept_choices, sign_in_required
from foundations.post_only import post_only
from foundations.rate_limits import limited
from foundations.secret_urls import secret_url
from incidents.views import SignedInRequest
from notices import alert_numbers, push_subscriptions
from notices.forms.alerts import (
    AlertsForm,
    PushForm,
    RenewalForm,
    chosen_topics,
    end_all,
    live_subscription,
    posted_choices,
    undo_end,
    unsubscribe_from,
)
from notices.message_codes import subscription_of_token

_ENDED = "notices_ended_alerts"  # in the session: what the button to end all alerts ended


@sign_in_required(keep=posted_choices)
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: SignedInRequest) -> HttpResponse:
    """Shows and saves the topics that the user subscribes to, by public incident."""
    kept = kept_choices(request)
    posted = request.POST if request.method == "POST" else None
    form = AlertsForm(posted, user=request.user, initial=kept)
    if form.is_valid():
        form.save()
        forget_choices(request)
        request.session.pop(_ENDED, None)
        messages.success(request, _("Saved."))
        return redirect("alerts")
    context = {
        "form": form,
        "is_kept": kept is not None and posted is None,
        "chosen": chosen_topics(request.user),
        "can_undo": bool(request.session.get(_ENDED)),
        "texts_are_offered": alert_numbers.are_offered(),
        "push_key": settings.WEB_PUSH_KEY,
        "push_form": PushForm(auto_id=False),
        "browsers": request.user.push_subscriptions.order_by("subscribed_at"),
        # Not the hashed name of a static file: a worker keeps its address for years.
        "push_worker": f"{settings.STATIC_URL}js/push_worker.js",
    }
    return render(request, "notices/alerts/alerts.html", context)


@sign_in_required(page="alerts")
@post_only(page="alerts")
def end_alerts(request: SignedInRequest) -> HttpResponse:
    """Ends all alerts of the user, who can undo it until the session ends or they choose again."""
    if ended := end_all(request.user):
        request.session[_ENDED] = ended
    messages.success(request, _("All your alerts have ended."))
    return redirect("alerts")


@sign_in_required(page="alerts")
@post_only(page="alerts")
def undo_end_alerts(request: SignedInRequest) -> HttpResponse:
    """Goes on with the alerts that `end_alerts` ended."""
    undo_end(request.user, request.session.pop(_ENDED, []))
    messages.success(request, _("Your alerts are as they were."))
    return redirect("alerts")


@sign_in_required(page="alerts")
@post_only(page="alerts")
def subscribe_browser(request: SignedInRequest) -> HttpResponse:
    """Adds the browser to those that get the user's alerts as push messages."""
    if settings.WEB_PUSH_KEY is not None and PushForm(request.POST).save(request.user):
        messages.success(request, _("This browser gets push messages now."))
    else:
        messages.error(request, _("This browser cannot get push messages from us."))
    return redirect("alerts")


@sign_in_required(page="alerts")
@post_only(page="alerts")
def end_browser(request: SignedInRequest, key: UUID) -> HttpResponse:
    """Ends the push messages to one of the user's browsers."""
    push_subscriptions.end_browser(request.user, key)
    messages.success(request, _("That browser gets no push messages any more."))
    return redirect("alerts")


@csrf_exempt  # the browser's worker posts here without a session; the earlier secret is the proof
@require_POST
@limited("push_renewal", methods=["POST"])
def renew_browser(request: HttpRequest) -> HttpResponse:
    """Replaces the address of a browser: 204, or 404 without the proof of the earlier address."""
    is_renewed = settings.WEB_PUSH_KEY is not None and RenewalForm(request.POST).renew()
    return HttpResponse(status=204 if is_renewed else 404)


@secret_url
@csrf_exempt  # RFC 8058: mail programs post here without a session; the signed token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ends one alert subscription by POST, or the one that followed it. GET only shows a button.

    A repeated POST shows the same page. The pages for an unknown token and for one of a deleted
    account show no data.
    """
    key = subscription_of_token(token)
    if key is None:
        return render(request, "notices/alerts/unknown_token.html")
    live = live_subscription(key)
    if live and request.method == "POST":
        unsubscribe_from(live)
    if request.method == "POST" or live is None:
        return render(request, "notices/alerts/unsubscribed.html")
    return render(request, "notices/alerts/unsubscribe.html", {"subscription": live})


@secret_url
@csrf_exempt  # a reader of the message has no session; its code is the proof
@require_http_methods(["GET", "HEAD", "POST"])
@limited("stop_texts", methods=["GET", "POST"])
def stop_texts(request: HttpRequest, code: str) -> HttpResponse:
    """Ends a user's alerts by text message by POST. GET only shows a button.

    `code` is that of one of these messages. A repeated POST shows the same page.
    """
    alert = alert_numbers.alert_of_code(code)
    if alert is None:
        return render(request, "notices/alerts/unknown_token.html")
    number = alert_numbers.number_of(alert)
    if request.method == "POST":
        number.delete()
    context = {"is_ended": not number.exists()}
    return render(request, "notices/alerts/stop_texts.html", context)
