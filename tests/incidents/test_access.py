"""Each URL, requested by each kind of user: what is private stays private, and nothing fails.

The URLs come from the resolver, so a new page is covered without a change here.
"""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, sign_in_to_desk, step_up

pytestmark = pytest.mark.django_db

ADDRESS, VALUE, NAME = "minji@example.com", "서울특별시 강남구 테헤란로 558", "김민지"
# Pages that anyone may read, and steps of a sign-in. All others need a user.
OPEN = re.compile(
    r"^$|^(ko|en)/($|statements/|incidents/|transparency|log|feed|check/|certificates/|advisories/"
    r"|alerts/unsubscribe/|stop/|account/(sign-in/|sign-out/|closed/|language/)|unsubscribe/)"
    r"|^(api/v3/|robots\.txt|sitemap\.xml|favicon\.ico|\.well-known/|admin/)"
)
ROLES = ["importer", "editor", "approver", "support", "auditor"]
IDENTITIES = ["visitor", "customer", "affected", "stepped-up", "staff", *ROLES, "superuser"]


def paths() -> Iterator[str]:
    """Yields an address for each URL pattern, with a plausible value for each argument."""

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            route = before + plain(str(pattern.pattern), pattern)
            if isinstance(pattern, URLPattern):
                yield route
            else:
                yield from walk(pattern, route)

    yield from sorted(set(walk(get_resolver(), "")))


def plain(route: str, pattern: URLPattern | URLResolver) -> str:
    if not isinstance(pattern.pattern, RoutePattern):  # the language, or a regular expression
        return (
            "en/"
            if route.endswith("/") and len(route) == 3
            else re.sub(r"\(.*\)|[\^$\\]", "", route)
        )
    values = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000001", "slug": "hanbit-2025"}
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: values.get(found[1] or "", "1"), route)


@pytest.fixture
def clients(incident, minji, seojun, editor) -> dict[str, Client]:
    row = person(incident, name=NAME, email=ADDRESS)
    expose(row, file_of(incident), "names", values=[("physical-addresses", VALUE)])
    call_command("make_roles", verbosity=0)
    made = {name: Client(raise_request_exception=False) for name in IDENTITIES}
    sign_in(made["customer"], seojun.email)
    sign_in(made["affected"], minji.email)
    sign_in(made["stepped-up"], seojun.email)
    step_up(made["stepped-up"], seojun)
    without_factor = User.objects.create_user("new@portal.example", is_staff=True)
    sign_in(made["staff"], without_factor.contact)
    for role in ROLES:
        user = User.objects.create_user(f"{role}@portal.example", is_staff=True)
        user.groups.add(Group.objects.get(name=role))
        sign_in_to_desk(made[role], user)
    sign_in_to_desk(made["superuser"], editor)
    return made


def test_the_urls_are_found():
    found = list(paths())
    assert {"en/my-data/", "admin/", "en/account/mfa/", "en/account/"} <= set(found)
    assert len(found) > 150


FEWER = ["visitor", "customer", "staff", "support", "superuser"]  # enough for POST


@pytest.mark.parametrize(("method", "identities"), [("get", IDENTITIES), ("post", FEWER)])
def test_nothing_private_is_shown_to_others_and_no_page_fails(clients, method, identities):
    wrong = []
    for identity in identities:
        client = clients[identity]
        for path in paths():
            if "sign-out" in path or "logout" in path or path.startswith("en/account/close"):
                continue
            response = getattr(client, method)(f"/{path}")
            shown = b"" if response.streaming else response.content
            if problem := problem_of(
                identity, path, response.status_code, shown.decode("utf-8", "replace")
            ):
                wrong.append(f"{identity} {method} /{path}: {response.status_code} {problem}")
    assert wrong == []


def problem_of(identity: str, path: str, status: int, shown: str) -> str:
    """Returns what is wrong with an answer, or ""."""
    if status >= 500:
        return "it fails"
    if VALUE in shown:
        return "it shows an unmasked value"
    is_desk = path.startswith("admin/")
    if is_desk and identity in ("customer", "affected", "stepped-up") and status not in (404, 413):
        return "a customer learns of the desk"
    if is_desk and identity in ("visitor", "staff") and status == 200:
        return "the desk is open without a second factor"
    if identity == "visitor" and status == 200 and not OPEN.match(path):
        return "it is open to visitors"
    if path.startswith("en/account/mfa/") and identity == "customer" and status not in (302, 404):
        return "a customer has a second factor's page"
    return ""


def test_the_same_wrong_address_of_the_desk_is_404_for_a_customer_as_any_other(clients):
    answers = [
        clients["customer"].get(path) for path in ("/admin/", "/admin/nothing/", "/nothing/")
    ]
    assert {answer.status_code for answer in answers} == {404}
