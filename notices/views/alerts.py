"""The pages about alerts: to choose topics, and to unsubscribe from a mail without signing in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from incidents.views import SignedInRequest
from notices.forms.alerts import AlertsForm, chosen_topics, unsubscribe_from
from notices.message_codes import subscription_of_token
from notices.models import AlertSubscription


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def alerts(request: SignedInRequest) -> HttpResponse:
    """Shows and saves the topics that the user subscribes to, by public incident."""
    form = AlertsForm(request.POST if request.method == "POST" else None, user=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("alerts")
    context = {"form": form, "chosen": chosen_topics(request.user)}
    return render(request, "notices/alerts/alerts.html", context)


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
