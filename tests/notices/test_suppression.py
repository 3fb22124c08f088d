"""The suppression list: who adds addresses, what is not sent to them, who lifts an entry."""

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import assume, given
from hypothesis import strategies as st

from accounts.models import User
from harness.sign_in import newest_code, sign_in, sign_in_to_desk
from incidents.encryption import EncryptionError
from incidents.models import Incident
from notices import decisions
from notices.models import Notice, ReturnedMail, Suppression
from notices.returned_mail import bounces, suppression_list
from notices.returned_mail.delivery_reports import DeliveryReport, ReportKind
from notices.returned_mail.phrases import PLAIN_WORDS, plain_pattern
from notices.returned_mail.reply_reading import Cause, cause_of, names_only_the_recipient
from tests.notice_factory import assert_adds_up, delivery_to, scam_alert, work, work_again
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

BOUNCE, COMPLAINT = Suppression.Source.BOUNCE, Suppression.Source.COMPLAINT


def url(name: str, *args) -> str:
    return reverse(f"admin:notices_suppression_{name}", args=args)


def add(client, address="Minji@Example.com ", source="stranger", incident="", reason="a call"):
    fields = {"address": address, "source": source, "incident": incident, "reason": reason}
    return client.post(url("add"), fields)


@pytest.mark.parametrize("is_for_all", [True, False], ids=["all incidents", "one incident"])
def test_an_address_reported_by_a_stranger_gets_nothing(
    client, draft, people, editor, approver, server, is_for_all
):
    sign_in_to_desk(client, editor)
    add(client, incident="" if is_for_all else draft.incident_id)
    decisions.approve(draft, by=approver)
    work(draft)
    assert recipients(server.taken) == ["seojun@example.com"]
    row = delivery_to(draft, people["minji"])
    assert (row.state, row.reply) == ("suppressed", "on the suppression list: stranger")
    assert_adds_up(draft)


def test_an_entry_is_valid_after_the_secret_key_was_changed(
    client, draft, people, editor, approver, server, settings
):
    sign_in_to_desk(client, editor)
    add(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another one, as random as the first, and long enough"
    decisions.approve(draft, by=approver)
    work(draft)
    assert recipients(server.taken) == ["seojun@example.com"]
    assert list(suppression_list.entries_of("email", "minji@example.com")) == [
        Suppression.objects.get()
    ]


def test_a_suppression_at_own_request_stops_alerts_but_not_mandatory_notices(
    client, draft, version, people, minji, editor, approver, server
):
    sign_in_to_desk(client, editor)
    add(client, source="request")
    alert = scam_alert(version, editor, minji)
    for notice in (draft, alert):
        decisions.approve(notice, by=approver)
        work(notice)
    assert delivery_to(draft, people["minji"]).state == "accepted"
    assert alert.deliveries.get().state == "suppressed"


def test_an_entry_for_another_incident_has_no_effect(draft, people, approver, server):
    other = type(draft.incident)(slug="other", aware_at=draft.incident.aware_at)
    other.make_keysets()
    other.save()
    index = suppression_list.index_in("email", "minji@example.com", other)
    add_bounce(index, other.pk)
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "accepted"


PLAIN = "550 5.1.1 <…>: Recipient address rejected: User unknown in virtual mailbox table"
OF_GMAIL = (
    "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 "
    "double-checking the recipient's email address for typos or 550-5.1.1 unnecessary spaces. For "
    "more information, go to 550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a6-b3 - gsmtp"
)
OF_OTHER = "550 5.1.1 The guardian of this mailbox does not exist"


def add_bounce(index, incident, *, reply=PLAIN, days_ago=0.0) -> None:
    at = timezone.now() - timedelta(days=days_ago)
    entry = suppression_list.bounce_entry(index, incident, reply, at)
    suppression_list.add_automatic([entry], channel="email", source=BOUNCE)


@pytest.mark.parametrize(
    ("days_ago", "replies", "is_held", "is_lasting"),
    [
        ([6], [PLAIN], True, False),
        ([8], [PLAIN], False, False),
        ([0], [OF_OTHER], False, False),
        ([0.9, 0], [OF_OTHER, OF_OTHER], False, False),
        ([0.9, 0], [OF_OTHER, PLAIN], True, False),
        ([20, 10], [PLAIN, PLAIN], True, True),
        ([10, 10], [PLAIN, PLAIN], False, False),
        ([10, 20, 10], [PLAIN, PLAIN, PLAIN], False, False),  # read again
        # A reply that is misread once is misread again.
        ([20, 10], [OF_OTHER, OF_OTHER], False, False),
        ([20, 6], [OF_OTHER, OF_OTHER], True, False),
        ([20, 6], [PLAIN, OF_OTHER], True, False),
        ([20, 6], [OF_OTHER, PLAIN], True, False),
        ([30, 20, 10], [OF_OTHER, OF_OTHER, PLAIN], False, False),
        ([30, 20, 10], [PLAIN, OF_OTHER, PLAIN], True, True),
    ],
)
def test_one_bounce_ends_by_itself_and_two_plain_ones_on_different_days_last(
    draft, people, days_ago, replies, is_held, is_lasting
):
    for days, reply in zip(days_ago, replies, strict=True):
        add_bounce(people["minji"].email_index, draft.incident_id, reply=reply, days_ago=days)
    entry = Suppression.objects.get()
    assert Suppression.objects.against(draft).exists() is is_held
    assert (entry.applies_until is None) is is_lasting


@given(st.text(max_size=300))
def test_no_reply_whatever_it_says_holds_an_address_for_longer_than_a_week(text):
    at = timezone.now()
    until = suppression_list.bounce_entry(uuid4(), 1, text, at).applies_until
    assert until is not None
    assert until <= at + timedelta(days=7)


@given(
    st.lists(st.sampled_from(sorted(PLAIN_WORDS)), max_size=10),
    st.text(st.characters(categories=["L"]), min_size=2, max_size=12),
    st.integers(0, 10),
)
def test_a_reply_with_a_word_that_is_not_listed_holds_back_nothing(words, other, place):
    assume(other.casefold() not in PLAIN_WORDS)
    words.insert(place, other)
    reply = f"550 5.1.1 {' '.join(words)}"
    assume(not plain_pattern("phrases").search(reply))
    at = timezone.now()
    assert suppression_list.bounce_entry(uuid4(), 1, reply, at).applies_until == at


@pytest.mark.parametrize(
    ("reply", "is_held"),
    [
        ("550 #5.1.1 user <…> not known", True),
        ("550 5.1.1 host host[192.0.2.5] said: 550 5.1.1 <…>... User unknown", True),
        (OF_GMAIL, True),
        (
            "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
            True,
        ),
        ("550 5.1.1 존재하지 않는 사용자입니다", True),
        ("550 5.1.1 该用户不存在", True),
        ("550 5.1.1 宛先のメールアドレスが存在しません", True),
        ("550 5.1.1 Empfänger unbekannt", True),
        # Another person, the server's own directory, a domain, us, a time, another code.
        ("550 5.1.1 백업 메일 주소가 존재하지 않습니다", False),
        ("550 5.1.1 备用邮箱不存在", False),
        ("550 5.1.1 上司のアドレスが存在しません", False),
        ("550 5.1.1 mailbox copy@other.example does not exist", False),
        ("550 5.1.1 user lookup failed, directory of users not found", False),
        ("550 5.1.1 failed to find user", False),
        ("550 5.1.1 domain portal.example not found", False),
        ("550 5.1.1 you are unknown to this user", False),
        ("550 5.1.1 user unknown until Monday", False),
        ("550 5.7.1 No such user", False),
        ("550 4.1.1 user unknown", False),
    ],
)
def test_only_a_reply_that_can_mean_nothing_else_holds_back(reply, is_held):
    at = timezone.now()
    until = suppression_list.bounce_entry(uuid4(), 1, reply, at).applies_until
    assert until == at + (timedelta(days=7) if is_held else timedelta())


EXIM = (
    "This message was created automatically by mail delivery software. A message that you sent "
    "could not be delivered to one or more of its recipients. This is a permanent error. The "
    "following address(es) failed: <…> "
)
GMAIL_REPORTS = (
    "Google tried to deliver your message, but it was rejected by the recipient domain. We "
    "recommend contacting the other email provider . The error that the other server returned was: "
)
YAHOO_REPORTS = (
    "Message from yahoo.com. Unable to deliver message to the following address(es). <…>: "
)
UNKNOWN_351 = "5.1.351 550 5.1.351 Remote server returned unknown recipient or mailbox unavailable"
WHOLE_REPLIES = [
    f"{EXIM}Unrouteable address",
    f"{EXIM}an MX or SRV record indicated no SMTP service",
    f"{GMAIL_REPORTS}550 550 5.1.1 user unknown (UserSearch) (state 14).",
    f"{UNKNOWN_351} -> 550 <…>: User unknown",
    "5.5.0 550 5.5.0 Adresse destinataire invalide. Invalid recipient. LPN007_416",
    "5.1.1 550 5.1.1 Requested action not taken: mailbox unavailable",
    "5.4.4 Host or domain name not found. Name service error for name=<…> type=A: Host not found",
    "4.1.1 450 4.1.1 <…>: Recipient address rejected: User unknown in virtual alias table",
    "5.7.27 550 Host does not accept mail",
    "Sorry, I couldn't find any host named <…>. (#5.1.2)",
    "550 5.1.2 <…>... Host unknown (Name server: <…>: host not found)",
    "550 5.1.1 <…>: Recipient address rejected: Bad destination system address",
    "550 5.1.6 <…>: Destination mailbox has moved, No forwarding address",
    "553 5.3.0 <…>... No such user here",
    "550 5.1.1 a640c23a62f3a-a9f31c2si1234566b.111 - gsmtp",
    "5.1.1 550 5.1.1 Address rejected <…>",
    "550 5.1.1 sid=i01K1n00l0kn1Em01 Address rejected <…>. [code=28]",
    "553 5.3.0 <…>... Addressee unknown, relay=[192.0.2.5]",
    "Remote server replied: 550 5.1.1 <…>... User unknown",
    "Sorry, no mailbox here by that name. vpopmail (#5.1.1)",
    f"{YAHOO_REPORTS}This user doesn't have a yahoo.com account <…> [0]",
    f"{YAHOO_REPORTS}Sorry your message to <…> cannot be delivered. This account has been disabled",
]


@pytest.mark.parametrize("reply", WHOLE_REPLIES)
def test_a_known_reply_holds_back_as_a_whole_only(reply):
    assert cause_of(reply) is Cause.ADDRESS
    assert names_only_the_recipient(reply)
    words = reply.split()
    for place in range(len(words) + 1):
        other = [*words[:place], "guardian", *words[place:]]
        assert not names_only_the_recipient(" ".join(other))


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "5.0.0",
        GMAIL_REPORTS,
        f"{GMAIL_REPORTS}550 5.7.1 blocked (state 14).",
        f"{UNKNOWN_351} -> 550 mailbox unavailable",
        "550 Unrouteable address",
        "550 Requested action not taken: mailbox unavailable",
        "450 4.1.1 <…>: Recipient address rejected: User unknown in virtual alias table",
        "550 5.7.27 Host does not accept mail",
        # The host is another one: a relay of ours, or the sender's domain.
        "Sorry, I couldn't find any host named relay.portal.example. (#5.1.2)",
        "550 5.1.2 <…>... Host unknown (Name server: portal.example: host not found)",
        "5.4.4 Invalid domain portal.example",
        # A refusal of us, another code, more words.
        "550 5.2.1 a640c23a62f3a-a9f31c2si1234566b.111 - gsmtp",
        "550-5.1.1 a640c23a62f3a-a9f31c2si1234566b.111 - gsmtp",
        "550 5.1.1 - gcdp a640c23a62f3a-a9f31c2si1234566b.111 - gsmtp",
        "550 5.1.1 blocked-by-policy - gsmtp",
        "550 #5.1.0 Address rejected.",
        "550 5.1.1 Address rejected",
        "550 5.1.1 Address rejected <sender>",
        "550 5.1.1 Address rejected <…>: Access denied",
        "553 5.3.0 <…>... Addressee unknown, relay=mail.portal.example",
        YAHOO_REPORTS,
        f"{YAHOO_REPORTS}Sorry, your message to <…> cannot be delivered. It is over quota.",
        "Remote server replied: 550 5.7.1 User unknown",
        # Words may be missing.
        "…550 5.1.1 user unknown",
        "550 5.1.1 user unknown…",
        f"550 5.1.1 user unknown {'- ' * 300}"[:500],
        "550 5.1.1 <…>: Recipient address rejected: unverified",
        "550 5.1.1 <…>: Recipient address rejected: undeliverable address: host",
        "550-5.1.1 User unknown",
        "550-5.1.1 User unknown 550-5.1.1 at this address",
        "550 5.2.1 The user you are trying to contact is",
        "550 5.2.1 This mailbox",
        "550 5.2.1 This mailbox has been",
        "550 5.1.1 <…",
        "550 5.1.1 user unknown (",
        "550 5.1.1 Recipient unknown,",
        "550 5.1.1 the address of the",
        "552 5.1.1 Boite",
        "554 5.2.1 STOREDRV.Deliver",
        f"{EXIM}Unrouteable address…",
    ],
)
def test_a_reply_that_only_resembles_a_known_one_holds_back_nothing(reply):
    assert not names_only_the_recipient(reply)


def test_a_report_about_a_forwarding_is_not_taken_with_a_later_bounce_of_the_chunk(
    draft, people, approver, server
):
    server.reply_next("recipient", "minji@example.com", "451 4.3.0 try again")
    decisions.approve(draft, by=approver)
    work(draft)
    report = DeliveryReport(ReportKind.BOUNCE, words=PLAIN, cause=Cause.ADDRESS, is_forwarded=True)
    forwarder = delivery_to(draft, people["seojun"])
    assert bounces.record_report(forwarder.pk, report) is ReturnedMail.Outcome.BOUNCED
    server.reply_next("recipient", "minji@example.com", "550 5.1.1 User unknown")
    work_again(draft)
    assert delivery_to(draft, people["minji"]).state == "bounced"
    assert [entry.index for entry in Suppression.objects.all()] == [people["minji"].email_index]


def test_a_bounce_from_before_a_lifting_is_not_added(draft, people, editor):
    index = people["minji"].email_index
    add_bounce(index, draft.incident_id, days_ago=1)
    assert suppression_list.lift(Suppression.objects.get(), by=editor, reason="a call")
    add_bounce(index, draft.incident_id, days_ago=1)
    assert not Suppression.objects.live().exists()


@pytest.mark.parametrize("is_lasting", [True, False])
def test_a_code_from_a_mail_to_the_address_lifts_its_bounces(
    client, draft, people, editor, approver, server, is_lasting
):
    for days in (9, 2) if is_lasting else (2,):
        add_bounce(people["minji"].email_index, draft.incident_id, days_ago=days)
    add_bounce(people["seojun"].email_index, draft.incident_id, days_ago=2)
    sign_in(client, "minji@example.com")
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "accepted"
    assert delivery_to(draft, people["seojun"]).state == "suppressed"
    client.post(reverse("account_logout"))
    sign_in_to_desk(client, editor)
    entry = Suppression.objects.get(index=people["minji"].email_index)
    assert "its owner entered a code from a mail to it" in client.get(url("change", entry.pk)).text


def test_a_code_that_adds_the_address_to_an_account_lifts_its_bounces(client, draft, people, minji):
    add_bounce(people["seojun"].email_index, draft.incident_id)
    sign_in(client, minji.email)
    client.post(reverse("new_contact"), {"email": "seojun@example.com"})
    assert Suppression.objects.live().exists()
    enter = {"code": newest_code(), "email": "seojun@example.com"}
    client.post(reverse("new_contact_code"), enter)
    assert not Suppression.objects.live().exists()


def test_no_other_sign_in_lifts_a_bounce(draft, people, minji, approver, server):
    add_bounce(people["minji"].email_index, draft.incident_id, days_ago=1)
    User.objects.filter(pk=minji.pk).update(last_login=timezone.now())  # as a passkey does
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "suppressed"


def test_a_code_lifts_only_bounces_and_no_lost_key_stops_it(
    client, draft, people, incident, monkeypatch
):
    index = people["minji"].email_index
    Suppression.objects.create(incident=incident, index=index, source=COMPLAINT)
    add_bounce(people["seojun"].email_index, incident.pk)
    sign_in(client, "minji@example.com")
    assert Suppression.objects.live().count() == 2

    def raise_lost(*_keysets):
        raise EncryptionError("lost")

    monkeypatch.setattr(Incident, "cipher", raise_lost)
    other = Client()
    sign_in(other, "seojun@example.com")
    assert "_auth_user_id" in other.session


@pytest.mark.parametrize("days", [(1,), (9, 1)], ids=["ending", "lasting"])
def test_a_person_or_a_complaint_replaces_a_bounce(client, draft, people, editor, days):
    for person in ("minji", "seojun"):
        for day in days:
            add_bounce(people[person].email_index, draft.incident_id, days_ago=day)
    sign_in_to_desk(client, editor)
    assert add(client, incident=draft.incident_id).status_code == 302
    index = people["minji"].email_index
    assert Suppression.objects.live().get(index=index).source == "stranger"
    index = people["seojun"].email_index
    complaint = suppression_list.AutomaticEntry(index, draft.incident_id, "abuse", timezone.now())
    suppression_list.add_automatic([complaint], channel="email", source=COMPLAINT)
    entry = Suppression.objects.live().get(index=index)
    assert (entry.source, entry.applies_until) == ("complaint", None)


def test_an_address_that_does_not_exist_is_not_tried_by_the_next_notice(
    draft, version, people, editor, approver, server
):
    server.reply_next("recipient", "minji@example.com", "550 5.1.1 no such user")
    server.reply_next("recipient", "seojun@example.com", "552 5.2.2 mailbox full")
    decisions.approve(draft, by=approver)
    work(draft)
    entry = Suppression.objects.get()
    assert (entry.index, entry.source) == (people["minji"].email_index, "bounce")
    again = Notice.objects.create(
        incident=draft.incident, version=version, kind="mandatory", created_by=editor
    )
    decisions.approve(again, by=approver)
    work(again)
    assert delivery_to(again, people["minji"]).state == "suppressed"
    assert delivery_to(again, people["seojun"]).state == "accepted"


@pytest.mark.parametrize(
    ("reply", "is_suppressed"),
    [
        ("550 Unknown user minji@example.com", False),
        (f"550 {'see our help ' * 37}Unknown user", False),  # nearly as long as the ledger stores
        ("550 5.1.1 User unknown", True),
    ],
)
def test_an_unknown_user_after_the_content_may_be_a_filter(
    draft, people, approver, server, reply, is_suppressed
):
    server.reply_next("message", "minji@example.com", reply)
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "bounced"
    assert Suppression.objects.exists() is is_suppressed


def test_the_approval_counts_those_on_the_list(client, draft, people, editor, approver):
    sign_in_to_desk(client, editor)
    add(client, incident=draft.incident_id)
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_approve", args=[draft.pk])).text
    assert '<th scope="row">Suppressed for this incident</th><td>1</td>' in page
    assert '<th scope="row">Reachable</th><td>1</td>' in page


# -------------------------------------------------------------------- at the desk


def test_no_address_can_be_read_anywhere(client, incident, people, editor, caplog):
    sign_in_to_desk(client, editor)
    with caplog.at_level(logging.INFO):
        add(client, incident=incident.pk)
        found = client.post(url("look_up"), {"address": "minji@example.com", "reason": "x"}).text
    entry = Suppression.objects.get()
    assert url("change", entry.pk) in found
    assert f"looked up suppressions [{entry.pk}]" in caplog.text
    for text in (
        client.get(url("changelist")).text,
        client.get(url("change", entry.pk)).text,
        caplog.text,
        "".join(LogEntry.objects.values_list("object_repr", flat=True)),
    ):
        assert "minji" not in text.lower()


def test_a_number_is_looked_up_too(client, editor):
    sign_in_to_desk(client, editor)
    add(client, address="010-1234-5678")
    assert Suppression.objects.get().channel == "sms"
    assert (
        "a call" in client.post(url("look_up"), {"address": "+82 10 1234 5678", "reason": "x"}).text
    )
    assert (
        "not on the list"
        in client.post(url("look_up"), {"address": "a@b.example", "reason": "x"}).text
    )
    assert "neither" in client.post(url("look_up"), {"address": "???", "reason": "x"}).text


def test_an_address_is_listed_once(client, editor):
    sign_in_to_desk(client, editor)
    add(client)
    assert "on the list already" in add(client).text
    assert Suppression.objects.count() == 1


def test_the_reason_for_adding_an_address_has_no_default(client, editor):
    sign_in_to_desk(client, editor)
    assert not client.get(url("add")).context["adminform"].form["source"].value()
    assert "This field is required" in add(client, source="").text
    assert not Suppression.objects.exists()


def test_a_lifted_entry_has_no_effect_and_stays_on_record(
    client, draft, people, editor, approver, server
):
    sign_in_to_desk(client, editor)
    add(client)
    entry = Suppression.objects.get()
    assert "all incidents" in client.get(url("change", entry.pk)).text
    assert "because it belongs to another person" in client.get(url("lift", entry.pk)).text
    client.post(url("lift", entry.pk), {"reason": "it is hers after all"})
    entry.refresh_from_db()
    assert (entry.lifted_by, entry.lifted_reason) == (editor, "it is hers after all")
    again = client.post(url("lift", entry.pk), {"reason": "again"}, follow=True)
    assert "Lifted already (editor@" in again.text
    decisions.approve(draft, by=approver)
    work(draft)
    assert delivery_to(draft, people["minji"]).state == "accepted"
    assert add(client).status_code == 302  # a new entry; the old one stays


@pytest.mark.parametrize(
    ("role", "may_add", "may_lift"),
    [("support", True, False), ("approver", False, True), ("editor", False, False)],
)
def test_support_adds_and_an_approver_lifts(client, editor, role, may_add, may_lift):
    sign_in_to_desk(client, editor)
    add(client)
    staff = User.objects.create_user(f"{role}@hanbit.example", is_staff=True)
    staff.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, staff)
    assert client.get(url("add")).status_code == (200 if may_add else 403)
    entry = Suppression.objects.get()
    assert client.get(url("lift", entry.pk)).status_code == (200 if may_lift else 403)


def test_customers_find_no_list(client, minji):
    client.force_login(minji)
    for name in ("changelist", "add", "look_up"):
        assert client.get(url(name)).status_code == 404
