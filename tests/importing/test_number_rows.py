"""What a number opens: its own row, masked, and nothing of the person who saved the number."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from incidents.models import AffectedPerson, Incident, Reveal, RowProof, WrongAnswer
from notices.engine import audiences
from notices.models import AlertSubscription
from notices.proof import certificates
from tests.desk_pages import page_text
from tests.notice_factory import draft_notice, scam_alert

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
HALMONI = "+821041412002"
OWNERS = ("박지훈", "jihun", "5555-0101", "0101", "성암로", "마포구", "7731", "경비실")
Relation = AffectedPerson.Relation


@pytest.fixture
def halmoni(db) -> User:
    """A person who signed in with a number and has no address."""
    user = User.objects.create(password="!", language="en")
    VerifiedPhone.objects.create(user=user, number=HALMONI)
    return user


@pytest.fixture
def book(incident: Incident) -> Incident:
    """A customer's row, and the rows of two people of that customer's address book."""
    file = file_of(incident)
    owner = person(incident, name="박지훈", email="jihun@example.com", phone="010-5555-0101")
    expose(
        owner,
        file,
        *("names", "email-addresses", "phone-numbers"),
        values=[
            ("physical-addresses", "서울특별시 마포구 성암로 189"),
            ("entrance-codes", "7731#"),
            ("delivery-notes", "경비실에 맡겨 주세요"),
        ],
    )
    for name, phone in (("김순자", "010-4141-2002"), ("이영호", "010-4141-2003")):
        recipient = person(incident, relation=Relation.RECIPIENT, name=name, phone=phone)
        expose(recipient, file, "names", "phone-numbers")
    return incident


def seen_by(user: User, incident: Incident) -> tuple[str, str]:
    """Returns the pages that the user can open, and the content of the certificate."""
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    step_up(client, user)
    paths = ["my_data", "account", "sessions", "alerts", "new_contact", "close_account"]
    with override("en"):
        pages = [page_text(client.get(reverse(path))) for path in paths]
        pages.append(page_text(client.post(reverse("my_data_reveal"), follow=True)))
        pages.append(page_text(client.get(reverse("certificate", args=[incident.slug]))))
        issued = certificates.issue(user, incident, language="en")
        assert issued
        checked = client.get(reverse("certificate_checked", args=[issued.code]))
    return "\n".join(pages), page_text(checked)


def test_a_recipient_sees_the_own_row_and_nothing_of_its_owner(halmoni, book):
    pages, certificate = seen_by(halmoni, book)
    for text in (pages, certificate):
        assert not [secret for secret in (*OWNERS, "이영호", "2003") if secret in text]
    assert "김" not in pages  # a part of the name would help to guess it
    assert "010-****-2002" in pages
    assert "We do not tell who" in pages
    assert "김" not in certificate  # an entry of an address book can name its owner


def test_a_number_alone_shows_masked_values_also_after_step_up(halmoni, incident):
    row = person(incident, name="김순자", email="halmoni@example.com", phone="010-4141-2002")
    expose(row, file_of(incident), "names", "phone-numbers", values=[("entrance-codes", "7731#")])
    pages, certificate = seen_by(halmoni, incident)
    assert "김" not in certificate  # as on the page: a part of the name would help to guess it
    assert "7731#" not in pages
    assert "김순자" not in pages
    assert "Only a phone number led here" in pages
    assert "Show in full" not in pages
    assert not Reveal.objects.exists()


def test_a_second_fact_shows_the_values_of_a_shared_number(halmoni, incident):
    file = file_of(incident)
    for number, name in enumerate(("김순자", "이영호")):
        row = person(incident, name=name, email=f"{number}@example.com", phone="010-4141-2002")
        expose(row, file, "names", values=[("entrance-codes", f"77{number}1#")])
    client = Client(headers={"accept-language": "en"})
    client.force_login(halmoni)
    step_up(client, halmoni)
    with override("en"):
        locked = page_text(client.get(reverse("my_data")))
        assert "Several people share your address or number" in locked
        assert "김" not in locked
        client.post(reverse("my_data_answer", args=[incident.slug]), {"answer": "김순자"})
        shown = page_text(client.post(reverse("my_data_reveal"), follow=True))
    assert "7701#" in shown
    assert "7711#" not in shown


@pytest.fixture
def own(incident: Incident) -> AffectedPerson:
    """The row of a customer, in which the number is one contact of two."""
    row = person(incident, name="김순자", email="sunja.kim@example.com", phone="010-4141-2002")
    values = [("entrance-codes", "7731#"), ("names", "김순자")]
    expose(row, file_of(incident), "names", values=values)
    return row


def browser_of(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    step_up(client, user)
    return client


def answer(client: Client, incident: Incident, text: str) -> str:
    with override("en"):
        url = reverse("my_data_answer", args=[incident.slug])
        return page_text(client.post(url, {"answer": text}, follow=True))


def in_full(client: Client) -> str:
    with override("en"):
        return page_text(client.post(reverse("my_data_reveal"), follow=True))


@pytest.mark.parametrize("fact", ["김 순자", "sunja.kim", "Sunja.Kim@Example.com"])
def test_a_second_fact_shows_the_row_of_a_number_in_full(halmoni, incident, own, fact):
    client = browser_of(halmoni)
    assert "김" not in in_full(client)
    assert "That matches" in answer(client, incident, fact)
    shown = in_full(client)
    assert "김순자" in shown
    assert "7731#" in shown
    assert Reveal.objects.get().person == own


@pytest.mark.parametrize("wrong", ["김", "2002", "sun", "@example.com", "example.com", "", "김순"])
def test_a_part_of_the_fact_or_the_number_itself_is_no_second_fact(halmoni, incident, own, wrong):
    client = browser_of(halmoni)
    assert "This does not match" in answer(client, incident, wrong)
    assert "7731#" not in in_full(client)
    assert not RowProof.objects.exists()


def test_the_next_sign_in_asks_for_the_fact_again(halmoni, incident, own):
    answer(browser_of(halmoni), incident, "김순자")
    thief = browser_of(User.objects.get(pk=halmoni.pk))  # with the number in another phone
    assert "7731#" not in in_full(thief)
    answer(thief, incident, "이영호")
    assert "7731#" not in in_full(thief)
    answer(thief, incident, "김순자")
    assert "7731#" in in_full(thief)
    assert RowProof.objects.count() == 1


def test_guesses_are_limited_over_all_accounts(halmoni, incident, own):
    client = browser_of(halmoni)
    for guess in ("김영자", "김숙자", "김미자", "김말자", "김춘자"):
        answer(client, incident, guess)
    User.objects.get().phones.all().delete()
    other = User.objects.create(password="!", language="en")
    VerifiedPhone.objects.create(user=other, number=HALMONI)
    client = browser_of(other)
    answer(client, incident, "김순자")
    assert "7731#" not in in_full(client)
    assert "There were too many wrong answers" in in_full(client)
    assert WrongAnswer.objects.count() == 5


def test_a_row_without_name_and_address_asks_nothing(halmoni, incident):
    expose(person(incident, phone="010-4141-2002"), file_of(incident), "phone-numbers")
    with override("en"):
        page = page_text(browser_of(halmoni).get(reverse("my_data")))
    assert "Only a phone number led here" in page
    assert "Or show that this data is yours" not in page


def test_a_fact_shows_a_recipient_the_own_row_only(halmoni, book):
    client = browser_of(halmoni)
    for guess in ("박지훈", "jihun@example.com"):
        assert "This does not match" in answer(client, book, guess)
    answer(client, book, "김순자")
    shown = in_full(client)
    assert "김순자" in shown
    assert not [secret for secret in (*OWNERS, "이영호", "2003") if secret in shown]


def test_an_alert_by_mail_counts_people_without_an_address(halmoni, minji, version, editor):
    notice = scam_alert(version, editor, halmoni, minji)
    assert {one.user for one in audiences.subscribers(notice)} == {halmoni, minji}
    push = draft_notice(version, editor, kind="alert", topic="scams", channel="push")
    assert audiences.subscribers(push).count() == AlertSubscription.objects.count() == 2
