"""The pages about alerts: to choose topics, and to unsubscribe from a mail without signing in."""

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
from notices import push_subscriptions
from notices.forms.alerts import (
    AlertsForm,
    PushForm,
    RenewalForm,
    chosen_topics,
    posted_choices,
    unsubscribe_from,
)
from notices.message_codes import subscription_of_token
from notices.models import AlertSubscription


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
        messages.success(request, _("Saved."))
        return redirect("alerts")
    context = {
        "form": form,
        "is_kept": kept is not None and posted is None,
        "chosen": chosen_topics(request.user),
        "push_key": settings.WEB_PUSH_KEY,
        "push_form": PushForm(auto_id=False),
        "browsers": request.user.push_subscriptions.order_by("subscribed_at"),
        # Not the hashed name of a static file: a worker keeps its address for years.
        "push_worker": f"{settings.STATIC_URL}js/push_worker.js",
    }
    return render(request, "notices/alerts/alerts.html", context)


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
    """Ends one alert subscription by POST. GET only shows a button.

    A repeated POST shows the same page. The pages for an unknown token and for one of a deleted
    account show no data.
    """
    key = subscription_of_token(token)
    if key is None:
        return render(request, "notices/alerts/unknown_token.html")
    live = AlertSubscription.objects.live().select_related("incident").filter(pk=key).first()
    if request.method == "POST":
        unsubscribe_from(key)
    if request.method == "POST" or live is None:
        return render(request, "notices/alerts/unsubscribed.html")
    return render(request, "notices/alerts/unsubscribe.html", {"subscription": live})
