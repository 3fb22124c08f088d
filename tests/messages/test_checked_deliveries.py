"""The message check and the record of a delivery, and the page without a sent notice."""

from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import timezone

from foundations.few_at_once import FewAtOnce
from incidents.models import Incident
from notices import decisions, message_codes
from notices.models import AlertSubscription, Chunk, Delivery, Notice
from scams import message_check, views
from scams.message_check import MessageVerdict
from statements import sample
from statements.models import Statement
from tests.localized import merged
from tests.messages.test_message_check import SCAM, ask, words
from tests.notice_factory import delivery_to, work

pytest_plugins = ["tests.notice_fixtures"]


def mail_to(server, person: str) -> str:
    """Returns the text part of the mail to `person`."""
    mail = next(mail.message for mail in server.taken if person in mail.to)
    return str(mail.get_body(("plain",)).get_content())


@pytest.fixture
def sent(notice, server, people) -> Notice:
    """The notice, delivered to Minji and Seojun."""
    return work(notice)


@pytest.fixture
def code(sent, people) -> str:
    return message_codes.message_code(delivery_to(sent, people["minji"]).pk)


def test_a_code_names_the_notice_the_day_and_the_channel(client, sent, code, people):
    at = datetime(2025, 11, 18, 20, 30, tzinfo=UTC)  # already the 19th in Seoul
    Delivery.objects.filter(recipient=people["minji"].pk).update(ended_at=at)
    page = words(ask(client, code))
    assert "We sent a message with this code" in page
    assert "About your data" in page
    assert "19 November 2025 (KST)" in page
    assert "e\u2011mail" in page
    assert "safe" not in page.lower()


@pytest.mark.parametrize("person", ["minji", "seojun"])
@pytest.mark.parametrize("quoted", [False, True])
def test_the_whole_message_is_recognised_in_both_languages(sent, server, person, quoted):
    text = mail_to(server, person)
    if quoted:
        text = "\n".join(f"> {line}" for line in text.splitlines())
        text = f"From: notice@portal.example\nTo: {person}@example.com\nSubject: Fwd\n\n{text}"
    answer = message_check.answer_for(text)
    assert answer.strange == []
    assert answer.verdict == MessageVerdict.SENT
    assert answer.is_compared


def test_traces_that_the_notice_names_are_not_reported(client, sent, code, incident):
    Incident.objects.filter(pk=incident.pk).update(
        contact_phone="02-345-6789",
        official_contacts={"ko": "문자: 1577-7011\nhttps://www.hanbit.example"},
    )
    ours = "https://kisa.example/scams privacy@hanbit.example (02)345 6789 1577-7011 hanbit.example"
    assert message_check.answer_for(f"{ours} {code}").verdict == MessageVerdict.SENT


def test_on_a_host_of_many_only_our_own_page_is_ours(sent, code, incident):
    official = "https://pf.kakao.com/_hanbit\nhttps://www.instagram.com/hanbit/"
    Incident.objects.filter(pk=incident.pk).update(**merged("official_contacts", ko=official))
    ours = "pf.kakao.com/_hanbit https://instagram.com/hanbit?x=1"
    assert message_check.answer_for(f"{ours} {code}").verdict == MessageVerdict.SENT
    strange = message_check.answer_for(
        f"https://pf.kakao.com/_evil {code} instagram.com/hanb1t"
    ).strange
    assert [one.shown for one in strange] == ["pf.kakao.com/_evil", "instagram.com/hanb1t"]


@pytest.mark.parametrize(
    "state", ["pending", "cancelled", "suppressed", "unreachable", "deferred", "bounced"]
)
def test_a_delivery_that_was_not_accepted_is_answered_like_an_unknown_code(
    client, sent, code, people, state
):
    rows = Delivery.objects.filter(recipient=people["minji"].pk)
    rows.update(state=state, data_classes=[])
    never = message_codes.message_code(2**35)
    assert ask(client, code).content.replace(code.encode(), b"") == ask(
        client, never
    ).content.replace(never.encode(), b"")
    assert SCAM in words(ask(client, code))


def test_a_message_that_bounced_later_still_counts_as_sent(client, sent, code, people):
    before = ask(client, code).content
    rows = Delivery.objects.filter(recipient=people["minji"].pk)
    assert rows.get().data_classes  # written when the server accepted it
    rows.update(state="bounced", reply="5.1.1 no such user")
    assert ask(client, code).content == before


def test_a_delivery_in_doubt_is_reported_as_in_doubt(client, sent, code, people):
    Delivery.objects.filter(recipient=people["minji"].pk).update(
        state="in_doubt", doubt_cause="connection_lost"
    )
    page = words(ask(client, code))
    assert "We sent a message with this code" in page
    assert "we cannot say yet whether it arrived" in page


def test_a_message_on_the_wire_is_known_before_the_server_answers(client, sent, code, people):
    delivery = Delivery.objects.get(recipient=people["minji"].pk)
    Delivery.objects.filter(pk=delivery.pk).update(state="pending", ended_at=None)
    assert SCAM in words(ask(client, code))
    leased = {"state": "leased", "leased_until": timezone.now(), "on_wire": [delivery.pk]}
    Chunk.objects.filter(notice=sent).update(**leased)
    page = words(ask(client, code))
    assert "We sent a message with this code" in page
    assert "we cannot say yet whether it arrived" in page


@pytest.mark.parametrize("state", ["deferred", "accepted"])
def test_a_possible_duplicate_is_reported_as_one(client, sent, code, people, state):
    rows = Delivery.objects.filter(recipient=people["minji"].pk)
    rows.update(state=state, is_possible_duplicate=True)
    page = words(ask(client, code))
    assert "We sent a message with this code" in page
    assert "It may have come twice." in page


def test_it_answers_after_the_affected_people_are_deleted(client, sent, code, people, incident):
    incident.shred()
    people["minji"].delete()
    assert "We sent a message with this code" in words(ask(client, code))


def test_the_answer_shows_nothing_of_the_recipient(client, sent, code, people):
    other = message_codes.message_code(delivery_to(sent, people["seojun"]).pk)
    when = datetime(2025, 12, 1, tzinfo=UTC)
    Delivery.objects.update(ended_at=when)
    mine, theirs = ask(client, code).content, ask(client, other).content
    assert mine.replace(code.encode(), b"") == theirs.replace(other.encode(), b"")


def test_an_alerts_code_is_answered_too(client, server, version, incident, minji, editor, approver):
    AlertSubscription.objects.create(user=minji, incident=incident, topic="updates")
    alert = Notice.objects.create(
        incident=incident, version=version, kind="alert", topic="updates", created_by=editor
    )
    decisions.approve(alert, by=approver)
    work(alert)
    text = mail_to(server, "minji")
    answer = message_check.answer_for(text)
    assert answer.verdict == MessageVerdict.SENT
    assert answer.strange == []
    assert "127.0.0.1:8000/check" in text


def test_every_mail_gives_the_address_of_the_page_as_text(sent, server):
    assert "127.0.0.1:8000/check" in mail_to(server, "minji")
    assert "127.0.0.1:8000/check" in mail_to(server, "seojun")
    assert Client().get("/check", follow=True).status_code == 200


def test_too_many_questions_of_one_network_are_refused(db, client, settings):
    settings.PROOF_RATES = {"message_check": "3/m/ip"}
    assert [ask(client, "7QK2").status_code for _turn in range(4)] == [200, 200, 200, 429]
    other = Client(REMOTE_ADDR="198.51.100.7")
    assert ask(other, "7QK2").status_code == 200


def test_what_a_refused_visitor_pasted_is_kept_up_to_a_length(db, client, settings):
    settings.PROOF_RATES = {"message_check": "0/m/ip"}
    assert 'name="text" value="Is &lt;this&gt; yours?"' in ask(client, "Is <this> yours?").text
    for too_long in ("x" * 200_000, " "):
        refused = ask(client, too_long)
        assert refused.status_code == 429
        assert 'name="text"' not in refused.text


def test_a_flood_of_messages_leaves_threads_and_keeps_what_was_pasted(db, client, monkeypatch):
    monkeypatch.setattr(views, "_checks", FewAtOnce(1))
    with views._checks.place():
        refused = ask(client, "Is <this> yours?")
    assert (refused.status_code, refused["Retry-After"]) == (429, "5")
    assert 'name="text" value="Is &lt;this&gt; yours?"' in refused.text
    assert ask(client, "Is <this> yours?").status_code == 200


@pytest.mark.parametrize("path", ["check/", "check/reported/"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_page_is_the_same_bytes_for_everyone(incident, minji, path, language):
    stranger, customer = Client(), Client(headers={"accept-language": "ko"})
    customer.force_login(minji)
    pages = [one.get(f"/{language}/{path}") for one in (stranger, customer)]
    assert pages[0].content == pages[1].content
    assert not pages[0].cookies
    assert pages[0]["Cache-Control"].startswith("public")
    assert pages[0]["ETag"]


def test_every_public_page_links_to_the_message_check(client, version):
    for path in ("", "incidents/hanbit-2025/", "incidents/hanbit-2025/log/"):
        assert 'href="/en/check/"' in client.get(f"/en/{path}").content.decode()


def test_the_page_exists_without_an_incident(client, db):
    assert client.get("/ko/check/").status_code == 200
    assert "7QK2" not in words(ask(client, "7QK2-X9ND-4HTB"))


def test_the_page_lists_the_advisories(client, incident, editor, approver):
    sample.load_sample_incident()
    advisory = Statement.objects.get(kind="advisory").advisory
    page = words(client.get("/en/check/"))
    assert advisory.issuer.get("en") in page
