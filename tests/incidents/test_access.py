"""Each URL, requested by each kind of user: what is private stays private, and nothing fails.

The URLs come from the resolver, so a new page is covered without a change here.
"""

import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, sign_in_to_desk, step_up

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]

ADDRESS, VALUE, NAME = "minji@example.com", "서울특별시 강남구 테헤란로 558", "김민지"
# Pages that anyone may read, and steps of a sign-in. All others need a user.
OPEN = re.compile(
    r"^$|^(ko|en)/($|statements/|incidents/|transparency|log|feed|check/|certificates/|advisories/"
    r"|alerts/unsubscribe/|stop/|account/(sign-in/|sign-out/|closed/|language/)|unsubscribe/)"
    r"|^(api/v3/|robots\.txt|sitemap\.xml|favicon\.ico|\.well-known/|admin/)"
)
ROLES = ["importer", "editor", "approver", "support", "auditor"]
IDENTITIES = ["visitor", "customer", "affected", "stepped-up", "staff", *ROLES, "superuser"]


def paths(key: str = "1") -> Iterator[str]:
    """Yields an address for each URL pattern, with a plausible value for each argument.

    `key` is the value of those that take any text, such as the keys of Django's own desk pages.
    """

    def walk(resolver: URLResolver, before: str) -> Iterator[str]:
        for pattern in resolver.url_patterns:
            route = before + plain(str(pattern.pattern), pattern, key)
            if isinstance(pattern, URLPattern):
                yield route
            else:
                yield from walk(pattern, route)

    yield from sorted(set(walk(get_resolver(), "")))


def plain(route: str, pattern: URLPattern | URLResolver, key: str) -> str:
    if not isinstance(pattern.pattern, RoutePattern):  # the language, or a regular expression
        return (
            "en/"
            if route.endswith("/") and len(route) == 3
            else re.sub(r"\(.*\)|[\^$\\]", "", route)
        )
    values = {"int": "1", "uuid": "00000000-0000-4000-8000-000000000001", "slug": "hanbit-2025"}
    return re.sub(r"<(?:(\w+):)?\w+>", lambda found: values.get(found[1] or "", key), route)


@pytest.fixture
def clients(incident, minji, seojun, editor) -> dict[str, Client]:
    row = person(incident, name=NAME, email=ADDRESS)
    expose(row, file_of(incident), "names", values=[("physical-addresses", VALUE)])
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


WRITES = re.compile(r"\s*(INSERT INTO|UPDATE|DELETE FROM)\s+\W?(\w+)")


def written(queries: CaptureQueriesContext) -> set[str]:
    """Returns what a request wrote, as "<statement> <table>"."""
    found = (WRITES.match(query["sql"]) for query in queries)
    return {f"{match[1]} {match[2]}" for match in found if match}


def test_methods_that_no_page_takes_are_refused_and_do_nothing(clients):
    wrong, identities = [], cycle(clients.items())
    for path in paths():
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"):
            identity, client = next(identities)
            with CaptureQueriesContext(connection) as queries:
                answer = client.generic(method, f"/{path}")
            if answer.status_code != 405 or list(queries):
                wrong.append(f"{identity} {method} /{path}: {answer.status_code}")
        taken = answer.headers.get("Allow", "").split(", ")
        if "POST" not in taken and clients["visitor"].post(f"/{path}").status_code != 405:
            wrong.append(f"/{path}: it takes POST, too")
    assert wrong == []


def test_head_does_nothing_that_get_does_not(clients):
    wrong = []
    for path, (identity, client) in zip(paths(), cycle(clients.items()), strict=False):
        with CaptureQueriesContext(connection) as of_get, undone():
            get = client.get(f"/{path}")
        with CaptureQueriesContext(connection) as of_head, undone():
            head = client.head(f"/{path}")
        is_same = head.status_code in (get.status_code, 405)
        if not is_same or not written(of_head) <= written(of_get):
            wrong.append(f"{identity} /{path}: {get.status_code}, {head.status_code}")
    assert wrong == []


class undone:  # noqa: N801
    """Context manager: what the block writes is undone."""

    def __enter__(self) -> None:
        self.point = transaction.savepoint()

    def __exit__(self, *_error: object) -> None:
        transaction.savepoint_rollback(self.point)


# Values that a form or a link of the portal never has, each for all parameters and fields at once.
ODD_VALUES = [
    *("\0", "-1", str(2**70), "9" * 5_000, "abc", "", "\u202e", "1e400", "NaN", "[" * 2_000, "{"),
    *("2026-99-99", "0001-01-01", "9999-12-31T23:59:59+14:00", "%", "'", "x" * 3_000),
]
# The names that views read by themselves, and those of forms, of Django and of allauth.
READ = re.compile(r'(?:GET|POST|posted)\.get(?:list)?\("(\w+)"')
SOURCES = [path for path in ROOT.glob("*/**/*.py") if "tests" not in path.parts]
PARAMETERS = [
    *sorted({name for path in SOURCES for name in READ.findall(path.read_text())}),
    *("page", "p", "q", "o", "e", "id", "next", "all", "_facets", "_popup", "_to_field", "kept"),
    *("email", "code", "credential", "contact", "language", "name", "reason", "passkey", "session"),
    *("incident__id__exact", "state__exact", "at__year", "_changelist_filters", "action", "form"),
]
ODD_BODIES: list[tuple[str, Any]] = [
    ("application/json", b"[" * 2_000),
    ("application/json", b'{"email": null}'),
    ("application/json", b"9" * 5_000),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="email"\r\n'),
    ("multipart/form-data", b"--x"),
    ("application/x-www-form-urlencoded; charset=nothing", b"email=1"),
    ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % each for each in range(2_000))),
    ("application/x-www-form-urlencoded", b"%FF=%FE&%00=%00&email[]=1&email=1&email=2&=&"),
    ("text/plain", b"email=1"),
]


@pytest.mark.parametrize("identity", ["visitor", "affected", "superuser"])
def test_no_value_and_no_body_makes_a_page_fail(clients, identity):
    client, failed = clients[identity], []
    for path, value, (kind, body) in zip(
        paths(), cycle(ODD_VALUES), cycle(ODD_BODIES), strict=False
    ):
        if "sign-out" in path or "logout" in path or path.startswith("en/account/close"):
            continue
        cookies, fields = client.cookies.copy(), {name: [value, value] for name in PARAMETERS}
        query = urlencode(fields, doseq=True)
        for method, target, sent in (
            ("GET", f"/{path}?{query}", ("", b"")),
            ("POST", f"/{path}", ("application/x-www-form-urlencoded", query.encode())),
            ("POST", f"/{path}", (kind, body)),
        ):
            with undone():
                answer = client.generic(method, target, sent[1], content_type=sent[0])
            client.cookies = cookies.copy()
            if answer.status_code >= 500:
                failed.append(f"{method} /{path} {value[:20]!r} {sent[0]} {sent[1][:20]!r}")
    assert failed == []


def test_no_key_in_an_address_makes_a_page_fail(clients):
    """Python reads no number of 5,000 digits, and takes digits of other scripts for a number."""
    usual, wrong = set(paths()), []
    for key in ("9" * 5_000, "9" * 19, "\u0663", "%00"):
        others = [path for path in paths(key) if path not in usual]
        assert len(others) > 50
        answers = {path: clients["superuser"].get(f"/{path}") for path in others}
        wrong += [path for path, answer in answers.items() if answer.status_code >= 500]
    assert wrong == []
