"""A plain Django view without middleware, with which public pages are compared."""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def hello(_request: HttpRequest) -> HttpResponse:
    """Returns the shortest response."""
    return HttpResponse("Hello")


urlpatterns = [path("", hello)]
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="hello",  # noqa: S106
    MIDDLEWARE=[],
)
django.setup()
application = get_wsgi_application()
