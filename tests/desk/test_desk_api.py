"""The desk's API: a program with a token reads the state of the work, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.audit import acts, chain
from accounts.desk_api.tokens import PREFIX, ApiToken
from accounts.models import AuditEntry, User
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import Incident
from tests.desk_pages import page_text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_trail")]
LIST = "/api/desk/v1/incidents"
AUDIT = "/api/desk/v1/audit-entries"


@pytest.fixture
def superuser() -> User:
    return User.objects.create_superuser(email="root@company.example")


def token_by(user: User, **fields: Any) -> tuple[ApiToken, str]:
    values = {"label": "SOC", "expires_at": timezone.now() + timedelta(days=1), **fields}
    token = ApiToken(made_by=user, **values)
    secret = token.set_new_secret()
    token.save()
    return token, secret


def get(path: str, secret: str = "", **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    return Client().get(path, headers=headers, **more)


def test_a_token_reads_incidents(incident: Incident, superuser: User) -> None:
    token, secret = token_by(superuser)
    listed = get(LIST, secret).json()["incidents"]
    assert [one["slug"] for one in listed] == [incident.slug]
    answer = get(f"{LIST}/{incident.slug}", secret)
    record = answer.json()
    assert "no-store" in answer.headers["Cache-Control"]
    assert {clock["key"] for clock in record["clocks"]}
    assert all(isinstance(clock["seconds_left"], int) for clock in record["clocks"])
    assert [stage["order"] for stage in record["stages"]] == sorted(
        stage["order"] for stage in record["stages"]
    )
    token.refresh_from_db()
    assert token.last_used_on == timezone.now().date()


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {PREFIX}wrong",
        f"Bearer {PREFIX}{'x' * 100_000}",
        "Basic dXNlcjpwYXNz",
        "Bearer \x00",
        f"Token {PREFIX}",
    ],
)
def test_without_a_valid_token_nothing_is_read(authorization: str, incident: Incident) -> None:
    for path in (LIST, f"{LIST}/{incident.slug}", f"{LIST}/none", AUDIT):
        answer = Client().get(path, headers={"Authorization": authorization})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert set(answer.json()) == {"status", "error"}


def test_a_session_of_the_desk_is_no_token(incident: Incident, superuser: User) -> None:
    client = Client()
    sign_in_to_desk(client, superuser)
    assert client.get(LIST).status_code == 401


@pytest.mark.parametrize("end", ["revoked", "expired", "is_active", "is_superuser"])
def test_an_ended_token_reads_nothing(end: str, superuser: User) -> None:
    token, secret = token_by(superuser)
    assert get(LIST, secret).status_code == 200
    if end == "revoked":
        assert token.revoke()
        assert not token.revoke()
    elif end != "expired":
        User.objects.filter(pk=superuser.pk).update(**{end: False})  # the maker left
    else:
        ApiToken.objects.update(expires_at=timezone.now())
    assert get(LIST, secret).status_code == 401


def test_the_token_is_not_stored(superuser: User) -> None:
    token, secret = token_by(superuser)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_apitoken t")
        rows = str(cursor.fetchall())
        cursor.execute("SELECT e::text FROM accounts_auditentry e")
        trail = str(cursor.fetchall())
    assert secret not in rows + trail
    assert "accounts_apitoken" in trail
    assert bytes(token.digest).hex() not in trail


def test_the_audit_trail_takes_a_right_of_its_own(superuser: User) -> None:
    _token, secret = token_by(superuser)
    assert get(AUDIT, secret).status_code == 403
    _token, secret = token_by(superuser, reads_audit=True, label="SIEM")
    for number in range(5):
        acts.record(AuditEntry.Kind.COMMAND, by=superuser, about=AuditEntry, number=number)
    chain.link()
    read, after = [], 0
    while True:
        answer = get(f"{AUDIT}?limit=2&after={after}", secret).json()
        read += [entry["number"] for entry in answer["entries"]]
        if not answer["more"]:
            break
        after = read[-1]
    hashes = list(AuditEntry.objects.linked().values_list("hash", flat=True))
    assert read == list(range(1, len(hashes) + 1))
    assert answer["entries"][-1]["hash"] == bytes(hashes[-1] or b"").hex()


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=ten",
        "limit=1e3",
        "after=1.5",
        "after=99999999999999999999",
        "after=²",
        "before=3",
        "limit=%00",
    ],
)
def test_a_wrong_parameter_is_refused(query: str, superuser: User) -> None:
    _token, secret = token_by(superuser, reads_audit=True)
    answer = get(f"{AUDIT}?{query}", secret)
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.json()["error"]


def test_unknown_names_and_methods_have_answers(superuser: User) -> None:
    _token, secret = token_by(superuser)
    assert get(f"{LIST}/none", secret).status_code == 404
    answer = Client().post(LIST, headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"


def test_requests_are_limited_by_network(settings: Any, superuser: User) -> None:
    settings.PROOF_RATES = {**settings.PROOF_RATES, "desk_api": "2/m/ip"}
    answers = [get(LIST, f"{PREFIX}guess") for _try in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_notices_are_read_without_reading_deliveries(incident: Incident, superuser: User) -> None:
    _token, secret = token_by(superuser)
    with CaptureQueriesContext(connection) as queries:
        answer = get(f"{LIST}/{incident.slug}/notices", secret)
    assert answer.status_code == 200
    assert isinstance(answer.json()["notices"], list)
    assert not [query for query in queries if 'notices_delivery"' in query["sql"]]


def test_a_superuser_makes_a_token_that_is_shown_once(superuser: User) -> None:
    client = Client()
    sign_in_to_desk(client, superuser)
    url = "/admin/accounts/apitoken/add/"
    assert "confirm" in client.get(url).headers["Location"]
    step_up(client, superuser)
    page = client.post(url, {"label": "SIEM", "days": "30", "reads_audit": "on"})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert get(AUDIT, secret).status_code == 200
    token = ApiToken.objects.get()
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    shown = client.get(f"/admin/accounts/apitoken/{token.pk}/change/")
    assert secret not in shown.content.decode()
    assert "Revoke" in page_text(shown)
    client.post(f"/admin/accounts/apitoken/{token.pk}/revoke/", {"reason": "A lost laptop"})
    assert get(AUDIT, secret).status_code == 401
