"""The breach API, with two published clients of Have I Been Pwned: pyhibp and hibp (npm)."""

import json
import re
from datetime import UTC, datetime

import pyhibp
import pytest

from harness.exposure_factory import state
from incidents.models import DataClass
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
    routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{one.pattern}") for one in urlpatterns}
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


def test_pyhibp_is_refused_an_address(api, published):
    pyhibp.set_api_key("any")
    with pytest.raises(RuntimeError, match="401"):
        pyhibp.get_account_breaches(account="minji@example.com")
    with pytest.raises(RuntimeError, match="401"):
        pyhibp.get_pastes(email_address="minji@example.com")


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
