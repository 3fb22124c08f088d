"""The page where a user subscribes to alerts."""

import pytest
from django.urls import reverse
from django.utils.translation import override

from incidents.models import Incident
from notices.models import AlertSubscription


@pytest.fixture
def address(incident) -> str:
    return reverse("alerts")


def live(user) -> set[str]:
    return set(user.subscriptions.live().values_list("topic", flat=True))


def test_anonymous_users_sign_in_first(client, address):
    response = client.get(address)
    assert response.status_code == 302
    assert reverse("account_login") in response["Location"]


@pytest.mark.parametrize("first", ["en", "ko"])
def test_the_sign_in_page_says_why_alerts_need_it(client, incident, first):
    reason = "no other person can order messages"
    with override(first):
        alerts, my_data = reverse("alerts"), reverse("my_data")
    sign_in = "/en/account/sign-in/"  # also after a change of the language
    assert reason in client.get(sign_in, {"next": alerts}).text
    assert reason in client.post(sign_in, {"next": alerts, "email": "minji"}).text
    assert reason not in client.get(sign_in, {"next": my_data}).text
    assert reason not in client.get(sign_in).text


def test_ticking_subscribes_and_the_page_says_so(client, address, minji, incident):
    client.force_login(minji)
    assert client.get(address).content.decode().count("checked") == 1  # updates come at once
    response = client.post(address, {incident.slug: ["updates", "scams"]}, follow=True)
    assert live(minji) == {"updates", "scams"}
    shown = response.content.decode().split("<form")[0]
    labels = dict(AlertSubscription.Topic.choices)
    assert str(labels["updates"]) in shown
    assert str(labels["scams"]) in shown
    assert str(labels["my_data"]) not in shown
    assert response.content.decode().count("checked") == 3


def test_the_browser_ticks_no_ended_alert_again(client, address, minji, incident):
    """Browsers restore the boxes of a form after Back and a reload, unless it forbids that."""
    client.force_login(minji)
    form = client.get(address).text.partition('id="typed-form"')[2].partition(">")[0]
    assert 'autocomplete="off"' in form


def test_unticking_ends_it_and_the_history_stays(client, address, minji, incident):
    client.force_login(minji)
    client.post(address, {incident.slug: ["updates", "scams"]})
    client.post(address, {incident.slug: ["scams"]})
    assert live(minji) == {"scams"}
    client.post(address, {incident.slug: ["scams", "updates"]})
    assert minji.subscriptions.filter(topic="updates").count() == 2
    assert minji.subscriptions.filter(topic="scams").count() == 1


def test_saving_twice_changes_nothing(client, address, minji, incident):
    client.force_login(minji)
    for _time in range(2):
        client.post(address, {incident.slug: ["my_data"]})
    assert minji.subscriptions.count() == 1


def test_subscriptions_of_other_users_do_not_change(client, address, minji, seojun, incident):
    AlertSubscription.objects.create(user=seojun, incident=incident, topic="scams")
    client.force_login(minji)
    client.post(address, {incident.slug: ["updates"]})
    client.post(address, {})
    assert live(minji) == set()
    assert live(seojun) == {"scams"}


def test_an_unknown_topic_is_refused_with_a_message(client, address, minji, incident):
    client.force_login(minji)
    response = client.post(address, {incident.slug: ["everything"]})
    assert response.status_code == 200
    assert "error-summary" in response.content.decode()
    assert live(minji) == set()


def test_incidents_that_are_not_public_are_not_offered(client, address, minji, incident):
    Incident.objects.update(is_public=False)
    client.force_login(minji)
    assert incident.slug not in client.get(address).content.decode()
    client.post(address, {incident.slug: ["updates"]})
    assert live(minji) == set()


def test_updates_come_once_a_week_if_the_user_wants(client, address, minji, incident):
    client.force_login(minji)
    name = f"how_often_{incident.pk}"
    chosen = {incident.slug: ["updates", "scams"], name: "weekly"}
    page = client.post(address, chosen, follow=True).text
    assert set(minji.subscriptions.filter(is_weekly=True).values_list("topic", flat=True)) == {
        "updates"
    }
    assert "이번 사고의 새 소식 (일주일에 한 번)" in page
    assert "사기 주의 안내와 내 유출 내용의 변경은 언제나 바로 보냅니다." in page
    client.post(address, chosen | {name: "at_once"})
    assert not minji.subscriptions.filter(is_weekly=True).exists()
    assert minji.subscriptions.count() == 2


def test_the_choice_outlives_a_session_that_ended(client, address, minji, incident):
    name = f"how_often_{incident.pk}"
    client.post(address, {incident.slug: ["updates"], name: "weekly"})
    client.force_login(minji)
    chosen = next(line for line in client.get(address).text.splitlines() if '"weekly"' in line)
    assert "checked" in chosen
