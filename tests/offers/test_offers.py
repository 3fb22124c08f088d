"""A customer takes a code of an offer: each affected person gets one, and sees it again."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from accounts import joining
from accounts.models import AuditEntry, User, VerifiedPhone
from harness.exposure_factory import class_id, expose, file_of, person, withdraw
from harness.sign_in import step_up
from incidents import purging, reencryption
from incidents.models import AffectedPerson, Incident, RowProof, Shredding
from incidents.my_data import masked, parts_for
from incidents.own_facts import own_facts
from notices.models import Delivery, Resend
from offers import own_offers, pool
from offers.models import Offer, OfferClass, OfferTaking, PoolCode, TakingClaim
from tests.incident_factory import another_incident
from tests.notice_factory import draft_notice
from tests.offer_factory import codes, offer_of

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
PAGE = "/en/my-data/"
CODE = re.compile(r"HB-\d{4}")
NUMBER = "+821041412002"


@pytest.fixture
def row(incident) -> AffectedPerson:
    """Minji's row."""
    found = person(incident, name="김민지", email="minji@example.com", phone="010-4141-2002")
    expose(found, file_of(incident), "names", "email-addresses", "phone-numbers")
    return found


@pytest.fixture
def offer(incident, row) -> Offer:
    return offer_of(incident)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def press(client: Client, offer: Offer, has: int = 0):
    return client.post(f"/en/offers/{offer.pk}/take/", {"has": has, "at": f"offer{offer.pk}"})


def codes_on(client: Client) -> list[str]:
    return sorted(CODE.findall(client.get(PAGE).text))


def by_phone(number: str = NUMBER) -> User:
    user = User.objects.create(language="en")
    VerifiedPhone.objects.create(user=user, number=number)
    return user


# Taking


def test_one_press_takes_one_code_which_stays(offer, minji):
    client = browser(minji)
    before = client.get(PAGE).text
    assert "One year of credit monitoring" in before
    assert "Get my code" in before
    assert not CODE.search(before)
    answer = press(client, offer)
    assert answer.url == f"{PAGE}#offer{offer.pk}"
    [code] = codes_on(client)
    page = client.get(PAGE).text
    assert "https://guard.example/hanbit" in page
    assert "Get my code" not in page
    press(client, offer)
    press(client, offer, has=1)
    assert codes_on(browser(minji)) == [code]
    assert OfferTaking.objects.get().code.decrypt() == code
    assert PoolCode.objects.filter(taken_at=None).count() == 2


def test_the_offer_stands_below_the_steps(offer, minji):
    page = browser(minji).get(PAGE).text
    assert page.index('id="steps1"') < page.index(f'id="offer{offer.pk}"')


def test_a_stranger_signs_in_first_and_one_without_a_row_takes_nothing(offer, seojun):
    assert press(Client(), offer).url.startswith("/en/account/sign-in/")
    client = browser(seojun)
    assert "credit monitoring" not in client.get(PAGE).text
    press(client, offer)
    assert "This offer is not open to you" in client.get(PAGE).text
    assert not OfferTaking.objects.exists()


def test_get_takes_nothing(offer, minji):
    answer = browser(minji).get(f"/en/offers/{offer.pk}/take/")
    assert answer.headers["Location"] == PAGE
    assert not OfferTaking.objects.exists()


def test_an_offer_of_an_incident_that_is_not_public_is_not_open(offer, minji):
    Incident.objects.update(is_public=False)
    press(browser(minji), offer)
    assert not OfferTaking.objects.exists()


def test_an_offer_is_not_shown_before_it_has_codes(incident, row, minji):
    offer = offer_of(incident, count=0)
    assert "credit monitoring" not in browser(minji).get(PAGE).text
    press(browser(minji), offer)
    assert not OfferTaking.objects.exists()


def test_an_offer_without_codes_is_its_link(incident, row, minji, seojun):
    offer_of(incident, count=0, has_codes=False)
    page = browser(minji).get(PAGE).text
    assert "https://guard.example/hanbit" in page
    assert "Get my code" not in page
    assert "guard.example" not in browser(seojun).get(PAGE).text


def test_twenty_presses_an_hour_are_taken(offer, minji):
    client = browser(minji)
    answers = {press(client, offer).status_code for _time in range(20)}
    assert answers == {302}
    refused = press(client, offer)
    assert refused.status_code == 429
    assert "You have done this very often" in refused.text
    assert "network" not in refused.text


# For whom


@pytest.mark.parametrize(("slug", "is_shown"), [("phone-numbers", True), ("passwords", False)])
def test_an_offer_for_data_classes_is_shown_to_their_people(incident, row, minji, slug, is_shown):
    offer = offer_of(incident, audience="classes")
    OfferClass.objects.create(offer=offer, data_class_id=class_id(slug))
    client = browser(minji)
    assert ("credit monitoring" in client.get(PAGE).text) is is_shown
    press(client, offer)
    assert OfferTaking.objects.exists() is is_shown


@pytest.mark.parametrize(
    ("state", "resend", "is_shown"),
    [
        ("accepted", None, True),
        ("bounced", None, False),
        ("bounced", {"sent_at": timezone.now()}, True),
        ("unreachable", {"sent_at": timezone.now()}, True),
        ("unreachable", {"refused": "x"}, False),
    ],
)
def test_an_offer_of_a_notice_is_shown_to_those_it_reached(
    incident, version, editor, row, minji, state, resend, is_shown
):
    notice = draft_notice(version, editor)
    reached = {"notice": notice, "recipient": row.pk, "person": row}
    delivery = Delivery.objects.create(**reached, state=state, language="ko")
    if resend:
        Resend.objects.create(delivery=delivery, asked_by=editor, reason="x", **resend)
    offer = offer_of(incident, audience="notice", notice=notice)
    press(browser(minji), offer)
    assert OfferTaking.objects.exists() is is_shown


# Once a person


def test_two_contacts_of_one_person_get_one_code(offer, minji):
    press(browser(minji), offer)
    other = by_phone()
    client = browser(other)
    RowProof.objects.create(user=other, person=AffectedPerson.objects.get(), fact="name")
    assert codes_on(client) == codes_on(browser(minji))
    press(client, offer)
    press(client, offer, has=1)
    assert OfferTaking.objects.count() == 1


def test_twins_of_one_mailbox_get_one_code(incident, offer):
    for email in ("min.ji@gmail.com", "minji@gmail.com"):
        expose(person(incident, name="김민지", email=email), file_of(incident), "names")
    users = [User.objects.create_user(each) for each in ("min.ji@gmail.com", "minji@gmail.com")]
    for user in users:
        press(browser(user), offer)
    assert OfferTaking.objects.count() == 1
    assert codes_on(browser(users[0])) == codes_on(browser(users[1]))


@pytest.mark.parametrize("name", ["김민지", "John Smith", "Familie Müller"])
def test_a_name_and_a_number_that_no_user_proved_join_no_rows(incident, name):
    offer, clients = offer_of(incident), []
    for email in ("one@example.com", "other@example.com"):
        row = person(incident, name=name, phone="010-4141-2002", email=email)
        expose(row, file_of(incident), "names")
        clients.append(browser(User.objects.create_user(email, language="en")))
    press(clients[0], offer)
    assert codes_on(clients[1]) == []
    press(clients[1], offer)
    assert OfferTaking.objects.count() == 2


def test_a_person_with_several_rows_gets_one_code(incident, offer, minji):
    recipient = AffectedPerson.Relation.RECIPIENT
    saved = person(incident, relation=recipient, name="민지 언니", phone="010-4141-2002")
    expose(saved, file_of(incident), "names")
    VerifiedPhone.objects.create(user=minji, number=NUMBER)
    client = browser(minji)
    RowProof.objects.create(user=minji, person=saved, fact="name")
    assert client.get(PAGE).text.count("Get my code") == 1
    press(client, offer)
    press(client, offer, has=1)
    assert OfferTaking.objects.count() == 1
    assert {claim.key for claim in TakingClaim.objects.all()} >= {saved.pk}


def test_a_family_with_one_address_gets_a_code_each(incident):
    file = file_of(incident)
    family = User.objects.create_user("family@example.com", language="en")
    for name in ("김민지", "박서준"):
        row = person(incident, name=name, email="family@example.com")
        expose(row, file, "names")
        RowProof.objects.create(user=family, person=row, fact="name")
    offer, client = offer_of(incident), browser(family)
    press(client, offer)
    press(client, offer)  # a second press of the same button
    assert len(codes_on(client)) == 1
    assert "Get the other person’s code" in client.get(PAGE).text
    press(client, offer, has=1)
    assert len(codes_on(client)) == 2
    press(client, offer, has=2)
    assert OfferTaking.objects.count() == 2


def test_people_without_a_shared_contact_get_a_code_each(incident, offer, minji):
    """A press for one of them leaves the other's code: the account may be of a parent."""
    other = person(incident, name="박서준", phone="010-5555-0001")
    expose(other, file_of(incident), "names")
    VerifiedPhone.objects.create(user=minji, number="+821055550001")
    client = browser(minji)
    RowProof.objects.create(user=minji, person=other, fact="name")
    press(client, offer)
    assert TakingClaim.objects.filter(key__in=AffectedPerson.objects.values("pk")).count() == 1
    assert "Get the other person’s code" in client.get(PAGE).text
    press(client, offer, has=1)
    assert len(codes_on(client)) == 2


def test_joined_accounts_keep_their_codes_and_get_no_further_one(incident, offer, minji):
    expose(
        person(incident, name="민지", phone="010-2222-3333", email="other@example.com"),
        file_of(incident),
        "names",
    )
    other = User.objects.create_user("other@example.com", language="en")
    press(browser(minji), offer)
    press(browser(other), offer)
    both = sorted(codes_on(browser(minji)) + codes_on(browser(other)))
    joining.join(minji, other)
    client = browser(minji)
    assert codes_on(client) == both
    press(client, offer, has=2)
    assert OfferTaking.objects.filter(user=minji).count() == 2


def test_a_number_alone_shows_no_code_before_the_second_fact(incident, offer):
    """The number can have passed to another person, who would take the only code."""
    user = by_phone()
    client = browser(user)
    page = client.get(PAGE).text
    assert "First answer the question above" in page
    assert "Get my code" not in page
    press(client, offer)
    assert not OfferTaking.objects.exists()
    client.post("/en/my-data/answer/hanbit-2025/", {"answer": "김민지"})
    press(client, offer)
    assert len(codes_on(client)) == 1
    RowProof.objects.all().delete()  # as after the next sign-in
    assert codes_on(client) == []


def test_a_taking_is_on_record(offer, minji, seojun):
    press(browser(minji), offer)
    taking, code = OfferTaking.objects.get(), PoolCode.objects.get(taken_at__isnull=False)
    refused = [
        lambda: taking.delete(),
        lambda: OfferTaking.objects.update(user=seojun),
        lambda: PoolCode.objects.filter(pk=code.pk).update(taken_at=None),
        lambda: PoolCode.objects.filter(taken_at=None)._raw_delete("default"),
        lambda: TakingClaim.objects.all().delete(),
        lambda: Offer.objects.update(has_codes=False),
        lambda: OfferTaking.objects.create(
            offer=offer, user=seojun, code=PoolCode.objects.filter(taken_at=None)[0]
        ),
    ]
    for change in refused:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


# At the same moment


@pytest.mark.django_db(transaction=True)
def test_many_connections_hand_each_code_out_once(incident, db):
    """Sixteen people press at once, four of them twice: the pool of ten goes to ten people."""
    users = []
    for number in range(16):
        email = f"person{number}@example.com"
        expose(person(incident, name=f"Person {number}", email=email), file_of(incident), "names")
        users.append(User.objects.create_user(email))
    offer = offer_of(incident, count=10)
    pressed = together([*users, *users[:4]], offer)
    assert pressed.count("empty") >= 6
    takings = OfferTaking.objects.all()
    assert len({taking.code_id for taking in takings}) == len(takings) == 10
    assert len({taking.user_id for taking in takings}) == 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seen", ["two tabs", "two accounts"])
def test_one_person_on_two_hosts_gets_one_code(incident, offer, minji, seen):
    if seen == "two tabs":
        users = [minji] * 6
    else:
        other = by_phone()
        RowProof.objects.create(user=other, person=AffectedPerson.objects.get(), fact="name")
        users = [minji, other] * 3
    together(users, offer)
    assert OfferTaking.objects.count() == 1
    assert PoolCode.objects.filter(taken_at__isnull=False).count() == 1


def together(users: list[User], offer: Offer) -> list[str]:
    """Lets each user take the offer at the same moment, over connections of their own."""
    start = Barrier(len(users))

    def one(user: User) -> str:
        try:
            start.wait()
            own_offers.take(user, offer.pk)
        except own_offers.PoolEmptyError:
            return "empty"
        finally:
            connection.close()
        return "taken"

    with ThreadPoolExecutor(len(users)) as threads:
        return list(threads.map(one, users))


# Afterwards


def test_an_empty_pool_says_so(incident, row, minji, seojun):
    expose(person(incident, name="Seojun", email="seojun@example.com"), file_of(incident), "names")
    offer = offer_of(incident, count=1)
    press(browser(minji), offer)
    client = browser(seojun)
    assert "All codes are handed out at the moment" in client.get(PAGE).text
    assert press(client, offer).status_code == 302
    assert OfferTaking.objects.count() == 1
    pool.add_codes(offer, codes(1, first=50))
    press(client, offer)
    assert codes_on(client) == ["HB-0050"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"withdrawn_reason": {"en": "The partner ended it.", "ko": "끝났습니다."}},
            "partner ended",
        ),
        ({"ends_on": timezone.now().date() - timedelta(days=3)}, "This offer ended on"),
    ],
)
def test_a_closed_offer_shows_the_taken_code_and_why(incident, offer, minji, seojun, fields, words):
    expose(person(incident, name="Seojun", email="seojun@example.com"), file_of(incident), "names")
    client = browser(minji)
    press(client, offer)
    [code] = codes_on(client)
    Offer.objects.update(**fields)
    page = client.get(PAGE).text
    assert code in page
    assert words in page
    other = browser(seojun)
    assert "credit monitoring" not in other.get(PAGE).text
    press(other, offer)
    assert OfferTaking.objects.count() == 1


def test_a_taken_code_stays_after_the_withdrawal_of_the_scope_version(incident, offer, minji):
    client = browser(minji)
    press(client, offer)
    [code] = codes_on(client)
    withdraw(incident.batches.get())
    assert codes_on(client) == [code]
    press(client, offer, has=1)
    assert OfferTaking.objects.count() == 1


@pytest.mark.parametrize("email", ["", "minji@example.com"])
def test_a_number_without_a_row_shows_no_code(incident, offer, email):
    user = by_phone()
    client = browser(user)
    client.post("/en/my-data/answer/hanbit-2025/", {"answer": "김민지"})
    press(client, offer)
    assert len(codes_on(client)) == 1
    withdraw(incident.batches.get())
    if email:
        EmailAddress.objects.create(user=user, email=email, verified=True)
    RowProof.objects.all().delete()  # as after the next sign-in
    assert len(codes_on(client)) == (1 if email else 0)


def test_a_closed_account_leaves_the_taking_and_a_new_one_sees_the_code(offer, minji):
    client = browser(minji)
    press(client, offer)
    [code] = codes_on(client)
    step_up(client, minji)
    assert "a code of an offer was handed out" in client.get("/en/account/close/").text
    minji.delete()
    assert OfferTaking.objects.get().user is None
    again = browser(User.objects.create_user("minji@example.com", language="en"))
    assert codes_on(again) == [code]


def test_the_copy_of_own_data_has_the_code(offer, minji):
    client = browser(minji)
    press(client, offer)
    [code] = codes_on(client)
    step_up(client, minji)
    copy = json.loads(client.post("/en/my-data/copy/", {"form": "json"}).content)
    assert [each["code"] for each in copy["offers"]] == [code]
    assert code in client.post("/en/my-data/copy/", {"form": "page"}).text


def test_the_trail_and_the_logs_hold_no_code(offer, minji, caplog, empty_trail):
    with caplog.at_level("DEBUG"):
        press(browser(minji), offer)
    entry = AuditEntry.objects.get(object_type="offers_offertaking")
    assert entry.incident_id == offer.incident_id
    assert set(entry.details) == {"id", "offer_id", "taken_at"}
    assert not any(CODE.search(record.getMessage()) for record in caplog.records)
    stored = b"".join(bytes(each.ciphertext) for each in PoolCode.objects.all())
    assert b"HB-" not in stored


def test_codes_are_encrypted_again_with_the_incident(incident, offer):
    reencryption.reencrypt_incident(incident, processes=0, wait=lambda _seconds: None)
    offer.refresh_from_db()
    found = sorted(each.decrypt() for each in PoolCode.objects.select_related("offer__incident"))
    assert found == [code for _line, code in codes(3)]


def test_shredding_ends_the_codes_and_the_purge_forgets_the_people(incident, offer, minji):
    press(browser(minji), offer)
    incident.refresh_from_db()
    incident.shred()
    client = browser(minji)
    assert "credit monitoring" not in client.get(PAGE).text
    purging.run(incident, wait=lambda _seconds: None)
    assert Shredding.objects.get().purged_at
    assert not TakingClaim.objects.exists()
    assert OfferTaking.objects.count() == 1  # the counts stay


def test_a_code_that_cannot_be_decrypted_does_not_break_the_page(incident, offer, minji):
    client = browser(minji)
    press(client, offer)
    PoolCode.objects.update(ciphertext=b"broken")
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "We cannot show this right now" in page.text


def test_offers_of_other_incidents_stay_apart(incident, offer, minji):
    another_incident(incident, "other-2025")
    assert browser(minji).get(PAGE).text.count("credit monitoring") == 1


def test_a_page_without_offers_costs_one_query(incident, row, minji, django_assert_max_num_queries):
    parts = parts_for(minji, own_facts(minji), masked)
    with django_assert_max_num_queries(1):
        assert own_offers.own_offers(minji, parts) == []
    offer_of(incident)
    with django_assert_max_num_queries(7):
        assert own_offers.own_offers(minji, parts)
