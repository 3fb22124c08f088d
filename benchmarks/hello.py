"""Plain Django views without middleware, with which pages are compared.

`/` answers only, `/redirect/` redirects; `/write/` also writes a row to the table `bench_write` of
`DATABASE_URL`.
"""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path
from psycopg.conninfo import conninfo_to_dict


def hello(_request: HttpRequest) -> HttpResponse:
    """Returns the shortest response."""
    return HttpResponse("Hello")


def bare_redirect(_request: HttpRequest) -> HttpResponse:
    """Returns the shortest redirect."""
    return HttpResponseRedirect("/")


def write(_request: HttpRequest) -> HttpResponse:
    """Writes a row and returns the shortest response."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_write DEFAULT VALUES")
    return HttpResponse("Hello")


def _databases() -> dict[str, dict[str, object]]:
    if "DATABASE_URL" not in os.environ:
        return {}
    url = conninfo_to_dict(os.environ["DATABASE_URL"])
    names = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER"}
    database: dict[str, object] = {
        ours: url[theirs] for theirs, ours in names.items() if theirs in url
    }
    database |= {"ENGINE": "django.db.backends.postgresql", "CONN_MAX_AGE": None}
    return {"default": database}


urlpatterns = [path("", hello), path("redirect/", bare_redirect), path("write/", write)]
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["127.0.0.1"],
    SECRET_KEY="hello",  # noqa: S106
    MIDDLEWARE=[],
    DATABASES=_databases(),
)
django.setup()
application = get_wsgi_application()
