"""The portal's URLs, and pages to which `bench_surge` and `bench_journey` compare its own."""

from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_required
from django.db import connection
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


def write(_request: HttpRequest) -> HttpResponse:
    """Writes a row and returns the shortest response."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_write DEFAULT VALUES")
    return HttpResponse("Hello")


urlpatterns = [path("write/", write), *portal_patterns, *i18n_patterns(path("empty/", empty_page))]
