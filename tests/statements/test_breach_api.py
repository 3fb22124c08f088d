"""The breach API, with two published clients of Have I Been Pwned: pyhibp and hibp (npm)."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pyhibp
import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import look_up_keys
from accounts.models import User, VerifiedPhone
from harness import exposure_factory
from harness.exposure_factory import expose, file_of, person, state
from incidents.address_answer import answer_about
from incidents.models import AffectedPerson, DataClass, Incident, PersonMark
from notices.models import Suppression
from notices.returned_mail import suppression_list
from statements.breach_api import look_ups
from statements.breach_api.urls import urlpatterns
from tests import web_programs
from tests.incident_factory import another_incident

pytest_plugins = ["tests.notice_fixtures"]

FIELDS = {
    *("Name", "Title", "Domain", "BreachDate", "AddedDate", "ModifiedDate", "PwnCount"),
    *("Description", "LogoPath", "Attribution", "DisclosureUrl", "DataClasses", "IsVerified"),
    *("IsFabricated", "IsSensitive", "IsRetired", "IsSpamList", "IsMalware"),
    *("IsSubscriptionFree", "IsStealerLog"),
}
CALLS = """
import { breaches, breach, dataClasses } from "hibp";
const options = { baseUrl: process.argv[2], userAgent: "tests" };
console.log(JSON.stringify([
  await breaches(options), await breach("hanbit-2025", options),
  await breach("missing", options), await dataClasses(options)]));
"""

LOOK_UPS = """
import { search } from "hibp";
const answers = [];
for (const [account, options] of JSON.parse(process.argv[3])) {
  const asked = { ...options, baseUrl: process.argv[2], userAgent: "tests" };
  answers.push(await search(account, asked).catch(
    (error) => "retryAfterSeconds" in error
      ? `${error.name} ${error.retryAfterSeconds} ${error.message}` : error.message));
}
console.log(JSON.stringify(answers));
"""


@pytest.fixture
def published(incident, version):
    """An incident with a published statement, two leaked classes and one that did not leak."""
    state(incident, "names", "involved")
    state(incident, "email-addresses", "involved")
    state(incident, "passwords", "not_involved")
    incident.official_contacts |= {"en": "1577-0000\nhttps://www.Hanbit.example/help"}
    incident.reported_count = 3_000
    incident.first_public_at = datetime(2025, 11, 29, 9, 30, 12, tzinfo=UTC)
    incident.save()
    return incident


@pytest.fixture
def api(live_server, monkeypatch):
    """The base address of the API, set in pyhibp."""
    base = f"{live_server.url}/api/v3/"
    monkeypatch.setattr(pyhibp, "HIBP_API_BASE_URI", base)
    pyhibp.set_user_agent("tests")
    return base


def test_pyhibp_reads_the_public_incidents(api, published):
    [one] = pyhibp.get_all_breaches()
    assert set(one) == FIELDS
    assert one["Name"] == "hanbit-2025"
    assert one["PwnCount"] == 3_000
    assert one["DataClasses"] == ["Email addresses", "Names"]
    assert one["AddedDate"] == "2025-11-29T09:30:00Z"
    assert one["ModifiedDate"] >= one["AddedDate"]
    assert pyhibp.get_single_breach(breach_name="hanbit-2025") == one
    assert pyhibp.get_single_breach(breach_name="missing") == {}
    classes = pyhibp.get_data_classes()
    assert classes == sorted(set(classes))
    assert {"Names", "Passwords"} <= set(classes)


def test_pyhibp_finds_incidents_by_domain(api, published):
    [one] = pyhibp.get_all_breaches(domain="hanbit.example")
    assert one["Domain"] == "hanbit.example"
    assert pyhibp.get_all_breaches(domain="other.example") == []


def test_the_description_fits_the_paths_and_the_answers(client, settings, published):
    described = client.get("/api/v3/openapi.json").json()
    assert described["servers"] == [{"url": f"{settings.PORTAL_URL}/api/v3"}]
    routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{one.pattern}") for one in urlpatterns[:-1]}
    assert set(described["paths"]) == routes - {"/openapi.json"}
    breach = described["components"]["schemas"]["Breach"]
    [one] = client.get("/api/v3/breaches").json()
    assert set(breach["properties"]) == set(breach["required"]) == FIELDS == set(one)
    kinds = {"string": str, "integer": int, "boolean": bool, "array": list, "null": type(None)}
    for name, value in one.items():
        stated = breach["properties"][name]["type"]
        names = [stated] if isinstance(stated, str) else stated
        assert type(value) in [kinds[kind] for kind in names], name
    for path, answers in described["paths"].items():
        url = "/api/v3" + path.format(name="hanbit-2025", account="a@b.example")
        assert str(client.get(url).status_code) in answers["get"]["responses"], path


def test_names_in_the_query_ignore_case(client, published):
    path = "/api/v3/breaches"
    for name in ("domain", "Domain", "DOMAIN"):
        assert len(client.get(path, {name: "hanbit.example"}).json()) == 1
        assert client.get(path, {name: "other.example"}).json() == []
    assert client.get(path, {"IsSpamList": "True"}).json() == []


@pytest.fixture
def key(minji) -> str:
    """A look-up key of Minji."""
    _row, secret = look_up_keys.make(minji, "tests", "a form")
    return secret


@pytest.fixture
def leaked(published, minji, seojun):
    """The published incident with rows of Minji and Seojun, in a complete scope."""
    file = file_of(published)
    for user, name in ((minji, "김민지"), (seojun, "박서준")):
        row = person(published, name=name, email=user.email)
        expose(row, file, "names", values=[("entrance-codes", "7585#")])
    return published


def look_up(client, account, key, **query):
    """Returns the answer about an account."""
    headers = {"hibp-api-key": key} if key else {}
    return client.get(f"/api/v3/breachedaccount/{account}", query, headers=headers)


def test_pyhibp_looks_up_an_own_address(api, leaked, minji, seojun, key):
    pyhibp.set_api_key(key)
    [whole] = pyhibp.get_account_breaches(account=minji.email)
    assert set(whole) == FIELDS
    assert whole["DataClasses"] == ["Email addresses", "Names"]  # the incident's, not the person's
    [named] = pyhibp.get_account_breaches(account=" MINJI@example.com ", truncate_response=True)
    assert named == {"Name": "hanbit-2025"}
    assert pyhibp.get_pastes(email_address=minji.email) == []
    for account in (seojun.email, "unknown@example.com"):
        for ask in (pyhibp.get_account_breaches, pyhibp.get_pastes):
            with pytest.raises(RuntimeError, match="403"):
                ask(account)
    AffectedPerson.objects.filter(email_index__isnull=False).delete()
    assert pyhibp.get_account_breaches(account=minji.email) == []
    leaked.batches.update(state="open")
    with pytest.raises(NotImplementedError, match="503"):
        pyhibp.get_account_breaches(account=minji.email)
    with pytest.raises(RuntimeError, match="400"):  # 404 would be an all-clear
        pyhibp.get_account_breaches(account="")
    pyhibp.set_api_key("any")
    for ask in (pyhibp.get_account_breaches, pyhibp.get_pastes):
        with pytest.raises(RuntimeError, match="401"):
            ask(minji.email)


def test_the_npm_client_looks_up_an_own_address(api, leaked, minji, seojun, key, settings):
    web_programs.require()
    settings.PROOF_RATES = settings.PROOF_RATES | {"look_up": "8/m/key"}
    clear = f"mj+{minji.email}"
    EmailAddress.objects.create(user=minji, email=clear, verified=True)
    asked = [
        [minji.email, {"apiKey": key}],
        [minji.email, {"apiKey": key, "truncate": False}],
        [clear, {"apiKey": key}],
        [seojun.email, {"apiKey": key}],
        [minji.email, {}],
        [minji.email, {"apiKey": key}],
    ]
    script = web_programs.FOLDER / "look-ups.mjs"
    script.write_text(LOOK_UPS)
    printed = web_programs.run(str(script), api.rstrip("/"), json.dumps(asked))
    named, whole, unknown, strangers, without_key, over_limit = json.loads(printed)
    assert named == {"breaches": [{"Name": "hanbit-2025"}], "pastes": None}
    assert set(whole["breaches"][0]) == FIELDS
    assert unknown == {"breaches": None, "pastes": None}
    assert strangers.startswith("Forbidden")
    assert "Access denied" in without_key
    assert re.match(r"RateLimitError [1-6]?\d Rate limit is exceeded\.", over_limit)


def test_known_and_unknown_addresses_of_others_get_one_answer(client, leaked, seojun, key):
    """Nothing is searched for an address of another person, so no time tells what leaked."""
    with CaptureQueriesContext(connection) as known:
        answer = look_up(client, seojun.email, key)
    with CaptureQueriesContext(connection) as unknown:
        other = look_up(client, "unknown@example.com", key)
    assert (answer.status_code, answer.content) == (other.status_code, other.content)
    assert answer.status_code == 403
    assert len(unknown) <= len(known) <= 10  # the first one also reads the facts for all users
    assert not [one for one in known if "incidents_affectedperson" in one["sql"]]


def test_known_and_unknown_keys_get_one_answer(client, leaked, minji, key):
    minji.look_up_keys.end()
    for account in (minji.email, "unknown@example.com"):
        answers = []
        for sent in (key, "bpk_unknown", "x" * 5000, ""):
            with CaptureQueriesContext(connection) as queries:
                answer = look_up(client, account, sent)
            answers.append((answer.status_code, answer.content, len(queries)))
        assert {status for status, *_rest in answers} == {401}
        assert len(set(answers)) == 1
        assert answers[0][2] == 1


def test_an_answer_is_never_stored_and_needs_few_queries(client, leaked, minji, key):
    look_up(client, minji.email, key)
    with CaptureQueriesContext(connection) as queries:
        answer = look_up(client, minji.email, key)
    assert answer["Cache-Control"] == "private, no-store"
    assert not answer.cookies
    assert "7585" not in answer.text
    assert len(queries) <= 7


def share(incident: Incident, user: User) -> None:
    for name in ("김민지", "이서연"):
        expose(person(incident, name=name, email=str(user.email)), file_of(incident), "names")


def shred(incident: Incident, _user: User) -> None:
    incident.shred()


def open_scope(incident: Incident, _user: User) -> None:
    file_of(incident, number=2, state="open")


def leave_unread(incident: Incident, _user: User) -> None:
    incident.batches.update(rows_unread=1)


def twin(incident: Incident, user: User) -> None:
    User.objects.filter(pk=user.pk).update(email="min.ji@gmail.com")
    EmailAddress.objects.filter(user=user).update(email="min.ji@gmail.com")
    expose(person(incident, email="minji@gmail.com"), file_of(incident), "names")


def mark(kind: str) -> Callable[[Incident, User], None]:
    def marked(incident: Incident, user: User) -> None:
        row = person(incident, email=str(user.email))
        expose(row, file_of(incident), "names")
        PersonMark.objects.create(
            incident=incident, person=row, kind=kind, reason="x", marked_by=user
        )

    marked.__name__ = kind
    return marked


def withdraw(incident: Incident, user: User) -> None:
    expose(person(incident, email=str(user.email)), file_of(incident), "names")
    file_of(incident, number=2)
    exposure_factory.withdraw(incident.batches.get(number=1))


def hide(incident: Incident, _user: User) -> None:
    Incident.objects.update(is_public=False)


@pytest.mark.parametrize(
    "spoil",
    [
        *(share, shred, open_scope, leave_unread, twin, withdraw, hide),
        *(mark("deceased"), mark("restricted")),
    ],
)
def test_no_answer_clears_an_address_that_my_data_does_not_clear(
    client, incident, minji, key, spoil
):
    file_of(incident)
    assert look_up(client, minji.email, key).status_code == 404
    spoil(incident, minji)
    answer = look_up(client, EmailAddress.objects.get(user=minji).email, key)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert answer.json()["message"].startswith("This is no all-clear.")


def test_an_incident_that_is_hidden_meanwhile_leaves_no_empty_list(
    client, incident, minji, key, monkeypatch
):
    expose(person(incident, email=minji.email), file_of(incident), "names")
    assert look_up(client, minji.email, key).status_code == 200

    def then_hidden(*asked):
        answer = answer_about(*asked)
        hide(incident, minji)
        return answer

    monkeypatch.setattr(look_ups, "answer_about", then_hidden)
    assert look_up(client, minji.email, key).status_code == 503


def test_an_address_that_was_marked_as_a_strangers_reads_nothing(client, leaked, minji, key):
    index = suppression_list.index_in("email", minji.email, leaked)
    Suppression.objects.create(
        index=index, incident=leaked, channel="email", source="stranger", reason="a call"
    )
    assert look_up(client, minji.email, key).status_code == 503


def test_an_address_that_is_not_proven_any_more_is_refused(client, leaked, minji, key):
    EmailAddress.objects.filter(user=minji).update(verified=False)
    assert look_up(client, minji.email, key).status_code == 403


def test_each_address_has_its_own_answer(client, leaked, minji, key):
    EmailAddress.objects.create(user=minji, email="mj@example.com", verified=True)
    assert look_up(client, minji.email, key).json() == [{"Name": "hanbit-2025"}]
    assert look_up(client, "mj@example.com", key).status_code == 404
    assert look_up(client, minji.email, key, domain="HANBIT.example").status_code == 200
    VerifiedPhone.prove("+821041412002", minji)
    expose(person(leaked, phone="010-4141-2002"), file_of(leaked), "names")
    assert look_up(client, "mj@example.com", key).status_code == 404  # it is not in that row
    # The portal knows nothing of other domains, so it clears of none.
    assert look_up(client, "mj@example.com", key, domain="other.example").status_code == 503


def test_a_use_is_recorded_and_limited_by_key(client, settings, leaked, minji, key):
    settings.PROOF_RATES = settings.PROOF_RATES | {"look_up": "2/m/key"}
    _row, second = look_up_keys.make(minji, "second", "a form")
    statuses = [look_up(client, minji.email, key).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    refused = look_up(client, minji.email, key)
    assert 0 < int(refused["Retry-After"]) <= 60
    assert refused.json()["statusCode"] == 429
    assert look_up(client, minji.email, second).status_code == 200
    assert minji.look_up_keys.filter(last_used_at=None).count() == 0


def test_a_session_opens_no_look_up(client, leaked, minji):
    client.force_login(minji)
    assert look_up(client, minji.email, "").status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        *("api/v3/breacheddomain/hanbit.example", "api/v3/breaches/", "api/v3/BreachedAccount/a"),
        "breachedaccount/a@b.example",
    ],
)
def test_an_unknown_path_is_no_all_clear(client, settings, path):
    answer = client.get(f"/{path}")
    assert answer.status_code == 400
    assert f"{settings.PORTAL_URL}/api/v3/" in answer.json()["message"]


def test_the_npm_client_reads_the_public_incidents(api, published):
    web_programs.require()
    script = web_programs.FOLDER / "calls.mjs"
    script.write_text(CALLS)
    printed = web_programs.run(str(script), api.rstrip("/"))
    every, one, missing, classes = json.loads(printed)
    assert [each["Name"] for each in every] == ["hanbit-2025"]
    assert one == every[0]
    assert missing is None
    assert "Passwords" in classes


def test_only_public_incidents_are_returned(client, published):
    hidden = another_incident(published, "hidden-2025", is_public=False)
    assert [one["Name"] for one in client.get("/api/v3/breaches").json()] == ["hanbit-2025"]
    assert client.get(f"/api/v3/breach/{hidden.slug}").status_code == 404
    assert client.get("/api/v3/latestbreach").json()["Name"] == "hanbit-2025"


def test_without_a_public_incident_there_is_nothing(client, db):
    assert client.get("/api/v3/latestbreach").status_code == 404
    assert client.get("/api/v3/breaches").json() == []


def test_text_becomes_html_without_markup_of_its_own(client, published):
    company = "<b>A & B</b>"
    for name in ("company", "summary"):
        setattr(published, name, {"ko": company, "en": company})
    published.save()
    description = client.get("/api/v3/breach/hanbit-2025").json()["Description"]
    assert "<b>" not in description
    assert "&lt;b&gt;A &amp; B&lt;/b&gt;" in description


def test_a_class_without_a_name_at_have_i_been_pwned_has_its_own(client, published):
    DataClass.objects.filter(slug="names").update(hibp_name="")
    assert client.get("/api/v3/breach/hanbit-2025").json()["DataClasses"] == [
        "Email addresses",
        str(DataClass.objects.get(slug="names").name.get("en")),
    ]


def test_the_list_is_limited_and_says_when_to_come_again(client, settings, published):
    settings.PROOF_RATES = settings.PROOF_RATES | {"breach_api": "2/m/ip"}
    assert [client.get("/api/v3/breaches").status_code for _ in range(3)] == [200, 200, 429]
    refused = client.get("/api/v3/breaches")
    assert int(refused["Retry-After"]) > 0


def test_an_answer_reads_no_cookie_and_sets_none(client, minji, published):
    stranger = client.get("/api/v3/breaches")
    client.force_login(minji)
    customer = client.get("/api/v3/breaches", headers={"accept-language": "ko"})
    assert stranger.content == customer.content
    assert not customer.cookies
