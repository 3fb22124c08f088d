"""The budget of an account for its pages: by cost, of accounts and networks, without Redis too."""

from types import SimpleNamespace

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts import code_states, page_budgets
from accounts.models import CodeState
from breachportal import rates
from foundations import rate_limits
from harness.sign_in import sign_in_to_desk
from tests.customer_pages import LEFT_OUT, ONLY_ASKED, POSTED, customer_urls

# Pages that a signed-in customer gets without the budget, because they are no own pages: they
# belong to visitors, and have limits of networks or none that cost more than an unknown address.
OF_VISITORS = {
    *("api_account", "api_pastes", "certificate_check", "certificate_checked", "end_reminder"),
    *("unsubscribe", "stop_texts", "stop_claim"),
    *("message_check", "message_check_answer", "message_checked", "report_scam", "scam_reported"),
    *("account_login", "sign_in_begin", "sign_in_code", "sign_in_code_again"),
    *("company_sign_on_connect", "company_sign_on", "company_sign_on_callback"),
    "passkey_sign_in",
}


@pytest.fixture(autouse=True)
def shares(monkeypatch):
    """Lets each request be counted by Redis, as if the process had granted its shares."""
    monkeypatch.setattr(page_budgets, "SHARE", 0)
    monkeypatch.setattr(page_budgets, "_taken", page_budgets.ProcessCounts())


def use(settings, **changed: str) -> None:
    settings.PROOF_RATES = {**settings.PROOF_RATES, **changed}


@pytest.fixture
def browser(client, minji, settings) -> Client:
    """A signed-in browser of minji, who reads English, with a budget of six units a minute."""
    use(settings, own_pages="6/m/key")
    client.force_login(minji)
    return client


def page(name: str, *arguments: str) -> str:
    with override("en"):
        return reverse(name, args=arguments)


def statuses(client: Client, name: str, times: int) -> list[int]:
    return [client.get(page(name)).status_code for _each in range(times)]


def test_one_account_gets_429_with_the_reason_and_the_way_on(browser):
    assert statuses(browser, "my_data", 7) == [200] * 6 + [429]
    refused = browser.get(page("my_data"))
    assert 1 <= int(refused["Retry-After"]) <= 60
    words = refused.content.decode()
    assert "Very many pages were opened with your account" in words
    assert f'href="{page("home")}"' in words


def test_a_page_that_costs_more_counts_more(browser):
    assert statuses(browser, "my_messages", 2) == [200, 429]
    assert statuses(browser, "my_data", 3) == [200, 200, 429]


def test_several_devices_share_the_budget_of_their_account(browser, minji, seojun):
    other = Client(REMOTE_ADDR="198.51.100.9")
    other.force_login(minji)
    assert statuses(browser, "my_data", 3) + statuses(other, "my_data", 4) == [200] * 6 + [429]
    other.force_login(seojun)
    assert statuses(other, "my_data", 1) == [200]


def test_a_person_who_reloads_on_three_devices_never_meets_the_budget(minji, settings):
    settings.PROOF_RATES = rates.OF_PAGES
    devices = [Client(REMOTE_ADDR=f"198.51.100.{number}") for number in range(3)]
    for device in devices:
        device.force_login(minji)
    pages = ["account", "my_data", "my_data", "alerts", "my_messages", "my_tickets"] * 3
    assert {device.get(page(name)).status_code for name in pages for device in devices} == {200}


def test_a_refused_form_keeps_what_was_typed_also_in_another_language(browser, incident):
    ask, typed = page("ask", incident.slug), {"kind": "question", "text": "Is my door safe?"}
    statuses(browser, "my_data", 6)
    refused = browser.post(ask, typed)
    assert refused.status_code == 429
    assert 'name="text" value="Is my door safe?"' in refused.content.decode()
    with override("ko"):
        korean = reverse("ask", args=[incident.slug])
    switch = {**typed, "to_language": "ko"}
    switched = browser.post(korean, switch, headers={"Sec-Fetch-Site": "same-origin"})
    words = switched.content.decode()
    assert (switched.status_code, 'lang="ko"' in words) == (429, True)
    assert 'name="text" value="Is my door safe?"' in words
    assert "to_language" not in words.partition('<form id="typed-form"')[2].partition("</form>")[0]


def test_a_thief_does_not_keep_the_owner_from_ending_the_other_sessions(browser, minji):
    thief = Client(REMOTE_ADDR="203.0.113.66")
    thief.force_login(minji)
    assert statuses(thief, "my_data", 7)[-1] == 429
    assert statuses(thief, "sessions", 7)[-1] == 429
    assert statuses(browser, "my_data", 1) == [429]
    assert statuses(browser, "sessions", 1) == [200]
    assert browser.post(page("account_logout")).status_code == 302


def test_in_a_crowded_network_each_account_has_a_narrower_budget(client, settings, minji, seojun):
    use(settings, own_pages="50/m/key", own_pages_in_crowd="2/m/key")
    use(settings, own_pages_network="5/m/ip,9/m/site")
    client.force_login(minji)
    assert statuses(client, "my_data", 8) == [200] * 7 + [429]
    assert b"You may share the network with others." in client.get(page("my_data")).content
    client.force_login(seojun)
    assert statuses(client, "my_data", 3) == [200, 200, 429]
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    elsewhere.force_login(minji)
    assert statuses(elsewhere, "my_data", 1) == [200]


def test_a_process_grants_a_share_without_redis_and_counts_what_is_above_it(
    browser, monkeypatch, settings
):
    monkeypatch.setattr(page_budgets, "SHARE", 4)
    assert statuses(browser, "my_data", 4) == [200] * 4
    counts = rate_limits._client(django_settings.REDIS_URL)
    assert not counts.keys("*:pages:own_pages:*")
    assert statuses(browser, "my_data", 7) == [200] * 6 + [429]


def test_many_accounts_of_one_network_get_no_share_each(client, settings, monkeypatch, minji):
    monkeypatch.setattr(page_budgets, "SHARE", 9)
    monkeypatch.setattr(page_budgets, "SHARE_OF_NETWORK", 3)
    use(settings, own_pages_network="1/m/ip,2/m/site", own_pages_in_crowd="2/m/key")
    client.force_login(minji)
    assert statuses(client, "my_data", 7) == [200] * 6 + [429]


def test_the_shares_begin_again_each_minute(monkeypatch):
    now = 1_000_000.0
    monkeypatch.setattr(page_budgets, "time", SimpleNamespace(monotonic=lambda: now))
    counts = page_budgets.ProcessCounts()
    assert [counts.take("user:1", 3), counts.take("user:1", 3)] == [3, 6]
    now += 60
    assert counts.take("user:1", 3) == 3


def test_the_budget_counts_nested_decorators_once(browser):
    browser.get(page("new_contact"))  # `fresh_code_required`, and the page to which it leads
    with_counts = rate_limits._client(django_settings.REDIS_URL)
    [name] = with_counts.keys("*:pages:own_pages:*")
    assert with_counts.zcard(name) == 1


@pytest.mark.parametrize("url", sorted({*POSTED, *ONLY_ASKED, "close_account"} - LEFT_OUT))
def test_each_own_page_has_the_budget(client, minji, settings, url):
    use(settings, own_pages="0/m/key")
    client.force_login(minji)
    values = dict.fromkeys(customer_urls()[url], "x")
    values |= {"pk": "1"} if "pk" in values else {}
    values |= {"number": "1"} if "number" in values else {}
    values |= {"key": "00000000-0000-4000-8000-000000000001"} if "key" in values else {}
    with override("en"):
        address = reverse(url, kwargs=values)
    answers = {client.get(address).status_code, client.post(address).status_code}
    assert (429 in answers) == (url not in OF_VISITORS)


def test_a_member_of_the_team_has_a_budget_for_the_desk(client, editor, settings):
    sign_in_to_desk(client, editor)
    cost = page_budgets.COSTS_ON_DESK["index"]
    use(settings, desk_pages=f"{2 * cost}/m/key")
    answers = [client.get("/admin/") for _each in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert answers[2]["Retry-After"]


def test_without_redis_the_database_counts_a_quarter(browser, settings, monkeypatch, minji):
    monkeypatch.setattr(code_states, "_away_until", 0.0)
    settings.REDIS_URL = "unix:///nonexistent/redis.sock"
    use(settings, own_pages="24/m/key")
    assert statuses(browser, "my_data", 7) == [200] * 6 + [429]
    assert CodeState.objects.filter(key__contains="own_pages").exists()
    monkeypatch.setattr(code_states, "_away_until", 0.0)


def test_a_weight_counts_as_many_requests_and_is_given_back_whole(rf):
    request = rf.get("/", REMOTE_ADDR="192.0.2.1")

    def attempt(weight: int):
        step = rate_limits.CountStep("ask", "10/h/key", "minji", weight)
        return rate_limits.attempt_in_order(request, scope="tests", steps=[step]).usages[0]

    first = attempt(6)
    assert (attempt(5).wait_seconds > 0, attempt(4).wait_seconds) == (True, 0)
    assert attempt(1).wait_seconds > 0
    first.roll_back()
    assert [attempt(6).wait_seconds, attempt(1).wait_seconds > 0] == [0, True]
