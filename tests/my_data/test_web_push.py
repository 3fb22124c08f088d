"""Push messages of alerts: the standards, a real push service, the page, and what ends them."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from tink import TinkError

from accounts.models import User
from foundations import keys, make_secret, web_push
from foundations.web_push import PushAddress, VapidKey, WebPushError, as_base64url
from harness.sign_in import sign_in_to_desk
from notices import decisions, push_subscriptions, tasks
from notices.engine.web_push import retry_after
from notices.forms.notices import NoticeForm
from notices.models import AlertSubscription, Delivery, Destination, Notice, PushSubscription
from tests.my_data.push_service import LocalBrowser, LocalPushService, octets, verified
from tests.notice_factory import assert_adds_up, draft_notice, work, work_again
from tests.running.test_settings import COMPLETE, start

pytest_plugins = ["tests.notice_fixtures", "tests.tls_fixtures"]

State = Delivery.State

# ---------------------------------------------------------------- the standards


def test_the_example_of_the_standard_is_encrypted_alike():
    """RFC 8291, 5 and appendix A."""
    number = int.from_bytes(octets("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big")
    address = PushAddress(
        endpoint="https://push.example.net/push/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV",
        p256dh="BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNto"
        "IAiw4",
        auth="BTBZMqHH6r4Tts7J_aSIgg",
    )
    encrypted = web_push.encrypt(
        b"When I grow up, I want to be a watermelon",
        to=address,
        own_key=ec.derive_private_key(number, ec.SECP256R1()),
        salt=octets("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert as_base64url(encrypted) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWA"
        "mS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxs"
        "j_Qulcy4a-fN"
    )


@given(message=st.binary(max_size=web_push.MOST_OCTETS))
def test_a_browser_decrypts_every_message(message):
    browser = LocalBrowser("/1")
    encrypted = browser.address("https://push.example").encrypt(message)
    assert len(encrypted) <= web_push.RECORD_OCTETS
    assert browser.decrypt(encrypted).startswith(message.rstrip(b"\0\x02"))


def test_a_message_over_one_record_is_refused():
    address = LocalBrowser("/1").address("https://push.example")
    with pytest.raises(WebPushError):
        address.encrypt(b"x" * (web_push.MOST_OCTETS + 1))


def test_the_key_proves_who_sends():
    key = VapidKey(make_secret.vapid_key())
    header = key.authorization("https://push.example/a/b", contact="mailto:a@b.example")
    claims = verified(header, key.public)
    assert (claims["aud"], claims["sub"]) == ("https://push.example", "mailto:a@b.example")
    assert 0 < claims["exp"] - time.time() <= 24 * 3600


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://push.example/1",
        "https://other.example/1",
        "https://notpush.example/1",
        "https://push.example.thief.example/1",
        "https://push.example@thief.example/1",
        "https://thief.example#push.example",
        "https://thief.example\\.push.example/1",
        "https://push.example:8443/1",
        "https://127.0.0.1/1",
        "https://[::1]/1",
        "https://169.254.169.254/latest",
        "https://localhost/1",
        "https:///push.example",
        "https://push.example:x/1",
        "https://push.example/1\r\nHost: thief.example",
        "https://push.example/\u2028",
        "https://push.example/" + "1" * 2_000,
        "file:///etc/passwd",
        "",
    ],
)
def test_only_push_services_are_connected_to(endpoint):
    good = LocalBrowser("/1").address("https://push.example")
    with pytest.raises(WebPushError) as error:
        PushAddress(endpoint, good.p256dh, good.auth).check(["push.example"])
    assert "thief" not in str(error.value)
    good.check(["push.example"])
    PushAddress("https://eu.push.example/1", good.p256dh, good.auth).check(["push.example"])


@pytest.mark.parametrize(
    ("p256dh", "auth"),
    [("", ""), ("x", "x"), ("BA", "MDEyMzQ1Njc4OWFiY2RlZg"), ("한", "한"), ("A" * 87, "A" * 22)],
)
def test_wrong_keys_are_refused(p256dh, auth):
    with pytest.raises(WebPushError):
        PushAddress("https://push.example/1", p256dh, auth).check(["push.example"])


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120), ("999999999999", 7200), ("", None), ("soon", None), ("-5", None), ("٣", None)],
)
def test_the_wait_is_read(value, seconds):
    wait = retry_after({"retry-after": value})
    assert (wait and wait.total_seconds()) == seconds


def test_the_wait_may_be_a_date():
    wait = retry_after({"retry-after": http_date(time.time() + 90)})
    assert wait is not None
    assert 80 < wait.total_seconds() <= 90


@pytest.mark.parametrize("value", ["sesame", "A" * 43, "/" * 43])
def test_no_process_starts_with_a_wrong_key(tmp_path, value):
    done = start(tmp_path, **COMPLETE, WEB_PUSH_PRIVATE_KEY=value)
    assert done.returncode != 0
    assert "WEB_PUSH_PRIVATE_KEY" in done.stderr.splitlines()[-1]
    assert value not in done.stderr.splitlines()[-1]


def test_the_hosts_have_no_effect_without_a_key(tmp_path):
    done = start(tmp_path, **COMPLETE, WEB_PUSH_HOSTS="push.example")
    assert "WEB_PUSH_HOSTS: it needs WEB_PUSH_PRIVATE_KEY" in done.stderr


# ---------------------------------------------------------------- the send


@pytest.fixture
def key(settings) -> VapidKey:
    settings.WEB_PUSH_KEY = VapidKey(web_push.new_vapid_key())
    return settings.WEB_PUSH_KEY


@pytest.fixture
def service(settings, certificate, key, monkeypatch) -> Iterator[LocalPushService]:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with LocalPushService(certificate, key.public) as running:
        settings.WEB_PUSH_HOSTS = [running.url.removeprefix("https://")]
        yield running


def subscribed(service: LocalPushService, user, incident, path: str) -> LocalBrowser:
    browser = service.browser(path)
    push_subscriptions.add_browser(user, browser.address(service.url))
    AlertSubscription.objects.get_or_create(user=user, incident=incident, topic="scams")
    return browser


@pytest.fixture
def alert(version, editor) -> Notice:
    return draft_notice(version, editor, kind="alert", topic="scams", channel="push")


def send(alert: Notice, approver) -> Notice:
    decisions.approve(alert, by=approver)
    return work(alert)


def test_subscribers_browsers_get_title_and_link_in_their_language(
    service, alert, incident, minji, seojun, approver, settings
):
    minjis = [subscribed(service, minji, incident, path) for path in ("/1", "/2")]
    seojun.language = "en"
    seojun.save()
    seojuns = subscribed(service, seojun, incident, "/3")
    notice = send(alert, approver)
    assert (notice.planned, notice.accepted, notice.state) == (3, 3, "closed")
    assert_adds_up(notice)
    [korean], [english] = minjis[0].received, seojuns.received
    assert "개인정보 유출 안내" in korean["title"]
    assert "About your data" in english["title"]
    assert set(korean) == {"title", "url", "lang", "tag"}
    assert korean["url"].startswith(settings.PORTAL_URL)
    assert "/en/" in english["url"]
    assert minjis[1].received == [korean]
    assert len(seojuns.topics[0]) <= 32
    assert service.claims["aud"] == service.url


def test_who_does_not_subscribe_to_the_topic_gets_nothing(
    service, alert, incident, minji, seojun, approver
):
    browser = subscribed(service, minji, incident, "/1")
    other = service.browser("/2")
    push_subscriptions.add_browser(seojun, other.address(service.url))
    minji.subscriptions.update(unsubscribed_at=timezone.now())
    assert send(alert, approver).planned == 0
    assert not browser.received
    assert not other.received


def test_who_unsubscribes_before_the_send_gets_nothing(service, alert, incident, minji, approver):
    browser = subscribed(service, minji, incident, "/1")
    decisions.approve(alert, by=approver)
    tasks.plan_notice(alert.pk)
    minji.subscriptions.update(unsubscribed_at=timezone.now())
    tasks.send_chunks(alert.pk)
    assert not browser.received
    assert Delivery.objects.get(notice=alert).state == State.SUPPRESSED


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_the_service_forgot_ends(
    service, alert, incident, minji, approver, status
):
    subscribed(service, minji, incident, "/1")
    service.answers = [(status, {})]
    notice = send(alert, approver)
    assert (notice.unreachable, notice.bounced, notice.state) == (1, 0, "closed")
    assert not PushSubscription.objects.exists()
    assert minji.subscriptions.live().exists()  # alerts by e-mail go on


def test_many_browsers_that_are_gone_pause_nothing(
    service, alert, incident, minji, seojun, approver
):
    users = [minji, seojun, *(type(minji).objects.create_user(f"u{n}@a.example") for n in range(3))]
    for user in users:
        for number in range(8):
            subscribed(service, user, incident, f"/{user.pk}/{number}")
    service.answers = [(410, {})] * 39
    notice = send(alert, approver)
    assert (notice.unreachable, notice.accepted, notice.state) == (39, 1, "closed")
    assert PushSubscription.objects.count() == 1


def test_a_few_browsers_with_another_key_hold_back_no_warning(
    service, alert, incident, minji, seojun, approver
):
    """A customer may add browsers that subscribed elsewhere: the service answers 403."""
    for user in (minji, seojun):
        for number in range(10):
            subscribed(service, user, incident, f"/{user.pk}/{number}")
    service.answers = [*[(201, {})] * 8, *[(403, {})] * 6]
    assert send(alert, approver).accepted == 14
    assert not Destination.objects.filter(stopped_at__isnull=False).exists()


def test_a_busy_service_is_asked_again_after_its_wait(
    service, alert, incident, minji, seojun, approver
):
    browsers = [subscribed(service, one, incident, f"/{one.pk}") for one in (minji, seojun)]
    service.answers = [(429, {"Retry-After": "1800"})] * 2
    send(alert, approver)
    waits = [
        (row.not_before - timezone.now()).total_seconds()
        for row in Delivery.objects.filter(notice=alert)
        if row.not_before
    ]
    assert len(waits) == 2
    assert all(1700 < wait <= 1800 for wait in waits), waits
    service.answers = []
    assert work_again(alert).accepted == 2
    assert all(len(browser.received) == 1 for browser in browsers)


def test_a_refusal_of_our_key_bounces_no_browser(service, alert, incident, minji, approver):
    subscribed(service, minji, incident, "/1")
    service.answers = [(403, {})]
    notice = send(alert, approver)
    assert notice.bounced == 0
    assert PushSubscription.objects.exists()
    assert work_again(alert).accepted == 1


def test_an_error_of_the_service_is_tried_again(service, alert, incident, minji, approver):
    browser = subscribed(service, minji, incident, "/1")
    service.answers = [(503, {}), (302, {"Location": "https://127.0.0.1:1/"})]
    send(alert, approver)
    work_again(alert)
    assert work_again(alert).accepted == 1
    assert len(browser.received) == 1


def test_the_ledger_holds_no_endpoint(service, alert, incident, minji, approver):
    subscribed(service, minji, incident, "/secret-path")
    send(alert, approver)
    row = Delivery.objects.filter(notice=alert).values().get()
    assert "secret-path" not in str(row)
    assert str(minji.pk) not in str(row["recipient"])


def test_without_a_key_it_is_not_approved(alert, approver, settings):
    settings.WEB_PUSH_KEY = None
    with pytest.raises(decisions.ApprovalRefusedError, match="WEB_PUSH_PRIVATE_KEY"):
        decisions.approve(alert, by=approver)


@pytest.mark.parametrize(
    ("kind", "audience", "is_valid"),
    [
        *(("alert", "everybody", True), ("alert", "test", True), ("mandatory", "everybody", False)),
        ("mandatory", "test", False),
    ],
)
def test_push_is_for_alerts(version, kind, audience, is_valid):
    topic = "scams" if kind == "alert" else ""
    data = {"version": version.pk, "kind": kind, "topic": topic, "channel": "push"}
    form = NoticeForm(data | {"audience": audience})
    assert ("channel" not in form.errors) == is_valid


# ---------------------------------------------------------------- a test to one's own browsers


@pytest.fixture
def own_test(version, editor) -> Notice:
    return draft_notice(
        version, editor, kind="alert", topic="scams", channel="push", audience="test"
    )


def test_a_test_goes_to_the_browsers_of_its_author_alone(
    service, own_test, incident, editor, minji
):
    editor.language = "en"
    editor.save()
    own = service.browser("/1")
    push_subscriptions.add_browser(editor, own.address(service.url))
    subscriber = subscribed(service, minji, incident, "/2")
    decisions.approve(own_test, by=editor, people=1)  # needs no second person
    notice = work(own_test)
    assert (notice.planned, notice.accepted, notice.state) == (1, 1, "closed")
    assert_adds_up(notice)
    [message] = own.received
    assert message["title"].startswith("[Test] ")
    assert message["tag"] == f"test-{own_test.version_id}"
    assert subscriber.received == []


def test_the_alert_after_a_test_replaces_nothing_in_the_authors_browser(
    service, own_test, alert, incident, editor, approver
):
    own = subscribed(service, editor, incident, "/1")
    decisions.approve(own_test, by=editor)
    work(own_test)
    send(alert, approver)
    assert len({message["tag"] for message in own.received}) == 2


def test_a_test_without_a_browser_is_refused(service, own_test, editor):
    with override("en"), pytest.raises(decisions.ApprovalRefusedError, match="page of alerts"):
        decisions.approve(own_test, by=editor)


def test_the_author_sends_a_test_from_the_desk(client, service, editor, version):
    push_subscriptions.add_browser(editor, service.browser("/1").address(service.url))
    sign_in_to_desk(client, editor)
    data = {"version": version.pk, "kind": "alert", "topic": "scams", "channel": "push"}
    client.post(reverse("admin:notices_notice_add"), data | {"audience": "test"}, follow=True)
    draft = Notice.objects.get()
    approve = reverse("admin:notices_notice_approve", args=[draft.pk])
    seen = client.get(approve).context["form"].shown
    client.post(approve, {"people": "1", "seen": seen})
    notice = work(draft)
    assert (notice.approved_by, notice.accepted) == (editor, 1)


def test_a_push_test_has_no_typed_addresses(version):
    data = {"version": version.pk, "kind": "alert", "topic": "scams", "channel": "push"}
    form = NoticeForm(data | {"audience": "test", "test_addresses": "a@b.example"})
    with override("en"):
        errors = form.errors
    assert "own browsers" in errors["test_addresses"][0]


# ---------------------------------------------------------------- another address of a browser


def renewal(service: LocalPushService, old: LocalBrowser, new: LocalBrowser, **changed: str):
    before, after = old.address(service.url), new.address(service.url)
    proof = {"old_endpoint": before.endpoint, "old_auth": before.auth}
    address = {"endpoint": after.endpoint, "p256dh": after.p256dh, "auth": after.auth}
    client = Client(enforce_csrf_checks=True)  # of no session
    return client.post(reverse("renew_browser"), address | proof | changed)


def test_a_browser_with_another_address_gets_the_alert_that_is_on_its_way(
    service, alert, incident, minji, approver
):
    old = subscribed(service, minji, incident, "/1")
    decisions.approve(alert, by=approver)
    tasks.plan_notice(alert.pk)
    new = service.browser("/2")
    assert renewal(service, old, new).status_code == 204
    tasks.send_chunks(alert.pk)
    assert (len(old.received), len(new.received)) == (0, 1)
    assert renewal(service, old, new).status_code == 404  # it is unknown now


@pytest.mark.parametrize(
    "changed",
    [
        {"old_auth": "ZmVkY2JhOTg3NjU0MzIxMA"},
        {"old_auth": ""},
        {"old_endpoint": "https://push.example/unknown"},
        {"endpoint": "https://thief.example/1"},
        {"endpoint": "https://169.254.169.254/latest"},
        {"p256dh": "BA"},
    ],
)
def test_another_address_needs_the_proof_of_the_earlier_one(service, incident, minji, changed):
    old = subscribed(service, minji, incident, "/1")
    assert renewal(service, old, service.browser("/2"), **changed).status_code == 404
    [row] = PushSubscription.objects.all()
    assert row.decrypt_address() == old.address(service.url)


def test_another_address_is_taken_from_whom_had_it_before(service, incident, minji, seojun):
    old, new = (subscribed(service, one, incident, f"/{one.pk}") for one in (minji, seojun))
    assert renewal(service, old, new).status_code == 204
    [row] = PushSubscription.objects.all()
    assert (row.user, row.decrypt_address()) == (minji, new.address(service.url))


def test_without_a_key_no_address_changes(service, incident, minji, settings):
    old = subscribed(service, minji, incident, "/1")
    settings.WEB_PUSH_KEY = None
    assert renewal(service, old, service.browser("/2")).status_code == 404


# ---------------------------------------------------------------- at rest, and the end


def test_the_address_is_encrypted_and_bound_to_its_row(service, incident, minji, seojun):
    subscribed(service, minji, incident, "/1")
    subscribed(service, seojun, incident, "/2")
    first, second = PushSubscription.objects.order_by("subscribed_at")
    assert b"127.0.0.1" not in bytes(first.address)
    assert first.decrypt_address().endpoint == f"{service.url}/1"
    second.address = first.address
    with pytest.raises(TinkError):
        second.decrypt_address()


def test_a_new_master_key_encrypts_it_again(service, incident, minji, settings):
    subscribed(service, minji, incident, "/1")
    assert push_subscriptions.rewrap_push_subscriptions() == (0, 1)
    settings.MASTER_KEYSET = keys.rotated_master_keyset()
    assert push_subscriptions.rewrap_push_subscriptions() == (1, 1)
    assert push_subscriptions.rewrap_push_subscriptions() == (0, 1)
    settings.MASTER_KEYSET = keys.retired_master_keyset()
    assert PushSubscription.objects.get().decrypt_address().endpoint == f"{service.url}/1"


def test_a_closed_account_leaves_none(service, incident, minji):
    subscribed(service, minji, incident, "/1")
    minji.delete()
    assert not PushSubscription.objects.exists()


def test_a_browser_belongs_to_its_last_user(service, incident, minji, seojun):
    subscribed(service, minji, incident, "/1")
    subscribed(service, seojun, incident, "/1")
    assert PushSubscription.objects.get().user == seojun


@pytest.mark.django_db(transaction=True)
def test_two_users_may_add_one_browser_at_the_same_moment(service, minji, seojun):
    address = service.browser("/1").address(service.url)

    def add(user: User) -> None:
        try:
            push_subscriptions.add_browser(user, address)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, [minji, seojun] * 8))
    assert PushSubscription.objects.get().user in (minji, seojun)


def test_a_user_has_a_few_browsers(service, incident, minji):
    for number in range(12):
        subscribed(service, minji, incident, f"/{number}")
    ends = [one.decrypt_address().endpoint for one in minji.push_subscriptions.all()]
    assert len(ends) == push_subscriptions.MOST_BROWSERS
    assert f"{service.url}/0" not in ends


# ---------------------------------------------------------------- the page


def posted(browser: LocalBrowser, service: LocalPushService) -> dict[str, str]:
    return vars(browser.address(service.url))


def test_a_user_adds_and_ends_a_browser(client, service, incident, minji):
    client.force_login(minji)
    page = client.get(reverse("alerts")).content.decode()
    assert re.search(r"<form[^>]* hidden data-push-key=", page)
    data = posted(service.browser("/1"), service)
    response = client.post(reverse("subscribe_browser"), data, follow=True)
    [row] = minji.push_subscriptions.all()
    end = reverse("end_browser", args=[row.pk])
    assert end in response.content.decode()
    assert service.url not in response.content.decode()
    client.post(end)
    assert not minji.push_subscriptions.exists()


def test_an_endpoint_elsewhere_is_refused(client, service, incident, minji):
    client.force_login(minji)
    data = posted(service.browser("/1"), service) | {"endpoint": "https://10.0.0.1/"}
    client.post(reverse("subscribe_browser"), data)
    assert not minji.push_subscriptions.exists()


def test_the_browser_of_another_user_is_not_ended(client, service, incident, minji, seojun):
    subscribed(service, seojun, incident, "/1")
    client.force_login(minji)
    client.post(reverse("end_browser", args=[PushSubscription.objects.get().pk]))
    assert PushSubscription.objects.exists()


def test_without_a_key_the_page_offers_none(client, incident, minji, settings):
    settings.WEB_PUSH_KEY = None
    client.force_login(minji)
    assert "push" not in client.get(reverse("alerts")).content.decode()
    client.post(reverse("subscribe_browser"), {"endpoint": "https://a.example/"})
    assert not PushSubscription.objects.exists()
