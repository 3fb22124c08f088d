"""Rules for every request and every response."""

import re
import time
from io import BytesIO
from typing import Any

import pytest
from csp.utils import build_policy
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.urls import reverse

from breachportal.middleware import response_headers
from breachportal.request_bodies import UNBUFFERED, limit_uploads, uploads_by_importers
from harness.product import ROOT

pytestmark = pytest.mark.django_db

MOST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE


@pytest.mark.parametrize("path", ["/ko/account/sign-in/", "/admin/", "/ko/nothing/here/"])
def test_a_body_that_is_too_large_is_not_read(client, path):
    response = client.post(path, headers={"content-length": str(MOST + 1)})
    assert response.status_code == 413


def test_a_body_of_unknown_length_is_not_read(client):
    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    response = client.post(reverse("account_login"), {"email": "minji@example.com"}, **chunked)
    assert response.status_code == 413


@pytest.mark.parametrize("length", ["", "0", str(MOST), "junk", "-1"])
def test_smaller_bodies_are_read(rf, length):
    request = rf.post("/", CONTENT_LENGTH=length)
    answer = HttpResponse()
    assert limit_uploads(lambda _: answer)(request) is answer


def test_a_large_upload_is_refused_before_its_body(rf: RequestFactory):
    body = BytesIO(b"x" * (MOST + 1))
    request = rf.generic("POST", "/")
    request.META |= {"CONTENT_LENGTH": str(MOST + 1), "wsgi.input": body}
    assert limit_uploads(lambda _: pytest.fail("it was let through"))(request).status_code == 413
    assert body.tell() == 0


@pytest.mark.parametrize("path", [settings.UPLOAD_PATH, "/admin/offers/offer/7/codes/"])
def test_files_are_read_of_the_team_only(rf: RequestFactory, minji, editor, path):
    """nginx does not buffer uploads, so a slow one of a stranger would hold a place for ten."""

    def read(user: object, path: str = path, **session: object) -> bool:
        request: Any = rf.post(path, {"typed": "text"})
        request.user, request.session = user, session
        uploads_by_importers(lambda _: HttpResponse())(request)
        return request.POST.get("typed") == "text"

    assert not read(AnonymousUser())
    assert not read(minji)
    assert read(editor)
    ended = {"person": editor.pk, "at": time.time()}  # the typed text of a member is kept
    assert read(AnonymousUser(), accounts_desk_ended=ended)
    assert read(AnonymousUser(), path="/en/check/answer/")
    site = (ROOT / "deploy" / "nginx" / "breachportal.conf").read_text(encoding="utf-8")
    unbuffered = re.findall(r"location (?:= |~ \^)(\S+?)\$? \{[^}]*request_buffering off", site)
    assert [one for one in unbuffered if re.fullmatch(one, path)]
    assert all(UNBUFFERED.fullmatch(one.replace("[0-9]+", "7")) for one in unbuffered)


@pytest.mark.parametrize(
    "path",
    [
        "//admin/incidents/upload/add/",
        "/x/../admin/incidents/upload/add/",
        "/admin/./incidents/upload/add/",
        "/admin/incidents/upload/add/.",
        "/admin/incidents/upload/add/x/..",
        "/admin/offers//offer/7/codes/",
        "/admin/offers/offer/7/codes/\n",
    ],
)
def test_a_path_that_nginx_reads_as_an_upload_opens_no_body_of_a_stranger(rf, path):
    """nginx passes the path on as it came, but takes the location of `//` as that of `/`."""
    request: Any = rf.post("/", {"typed": "text"}, PATH_INFO=path)
    assert request.path == path
    request.user, request.session = AnonymousUser(), {}
    uploads_by_importers(lambda _: HttpResponse())(request)
    assert "typed" not in request.POST


@pytest.mark.parametrize("cookie", ["", "x", "short", "x" * 31, "'; --"])
def test_a_public_page_ignores_an_unknown_cookie_and_sets_none(cookie):
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = cookie
    response = client.get("/ko/")
    assert response.status_code == 200
    assert response["Cache-Control"].startswith("public")
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_a_private_page_keeps_its_cookies(client):
    client.cookies[settings.SESSION_COOKIE_NAME] = "short"
    response = client.get(reverse("account_login"))
    assert response.cookies
    assert "Cookie" in response["Vary"]


def test_other_vary_headers_of_a_public_page_stay(rf):
    def view(_request):
        headers = {"Cache-Control": "public, max-age=60", "Vary": "Accept-Encoding, Cookie"}
        return HttpResponse(headers=headers)

    assert response_headers(view)(rf.get("/"))["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "path", ["/ko/", "/ko/account/sign-in/", "/nothing", "/static/favicon.svg"]
)
def test_no_other_site_may_load_what_the_portal_serves(client, path):
    response = client.get(path)
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response


@pytest.mark.parametrize(
    "path", ["/ko/", "/ko/account/sign-in/", "/ko/nothing/here/", "/ko/my-data/"]
)
def test_each_response_has_the_policy_of_the_settings(client, path):
    response = client.get(path)
    assert response["Content-Security-Policy"] == build_policy()
    assert "script-src 'self'" in build_policy()


@pytest.mark.parametrize("name", ["400.html", "500.html", "503.html", "database_away.html"])
def test_an_error_page_without_a_context_says_whose_it_is(settings, name):
    page = render_to_string(name)
    assert f'<span class="site-address">{settings.PORTAL_HOST}</span>' in page
    assert f'<strong class="address">{settings.PORTAL_URL}</strong>' in page
