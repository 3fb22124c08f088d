"""The portal's URLs and an empty page, to which `bench_surge` compares the page "my data"."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from breachportal.urls import handler500
from breachportal.urls import urlpatterns as portal_patterns

__all__ = ["handler500", "urlpatterns"]


@login_required
def empty_page(request: HttpRequest) -> HttpResponse:
    """Shows a page of a signed-in user without any content of its own."""
    return render(request, "base_private.html")


urlpatterns = [*portal_patterns, *i18n_patterns(path("empty/", empty_page))]
