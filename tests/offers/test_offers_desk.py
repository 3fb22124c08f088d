"""Offers on the desk: facts of two people, the import of codes, counts, and who is told."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from harness.exposure_factory import class_id, file_of
from harness.sign_in import sign_in_to_desk
from incidents import team_messages
from incidents.desk_page import board_of
from incidents.models import DataClass, FactChange, TeamMessage
from offers import own_offers, pool
from offers.models import Offer, OfferClass, PoolCode
from tests.desk_pages import desk_url, page_text, save
from tests.incident_factory import another_incident
from tests.notice_factory import affected, draft_notice
from tests.offer_factory import TEXTS, codes, offer_of

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
ADD = "/admin/offers/offer/add/"
LARGEST = b"HB-0005\n" * 312_500  # octets: pool.MOST_BYTES


def desk_of(user: User) -> Client:
    client = Client()
    sign_in_to_desk(client, user)
    client.cookies["language"] = "en"
    return client


def values(incident, **fields):
    texts = {f"{name}_{code}": text for name, by in TEXTS.items() for code, text in by.items()}
    last_day = timezone.now().date() + timedelta(days=30)
    return {
        "incident": incident.pk,
        **texts,
        "link": "https://guard.example/hanbit",
        "ends_on": last_day.isoformat(),
        "has_codes": "on",
        "audience": "all",
        **fields,
    }


def upload(client: Client, offer: Offer, content: bytes, column: str = ""):
    file = SimpleUploadedFile("codes.csv", content)
    url = desk_url("offers_offer_codes", offer.pk)
    return client.post(url, {"file": file, "column": column}, follow=True)


# The facts


def test_an_offer_of_a_public_incident_takes_two(team, incident):
    save(desk_of(team["editor"]), ADD, **values(incident))
    assert not Offer.objects.exists()
    change = FactChange.objects.get()
    desk_of(team["approver"]).post(desk_url("incidents_factchange_confirm", change.pk))
    offer = Offer.objects.get()
    assert str(offer.title.in_language("en")) == TEXTS["title"]["en"]

    pool.add_codes(offer, codes(1))
    page = desk_url("offers_offer_change", offer.pk)
    reason = {"withdrawn_reason_en": "It ended.", "withdrawn_reason_ko": "끝났습니다."}
    save(desk_of(team["editor"]), page, **reason, reason="The partner stopped.")
    offer.refresh_from_db()
    assert offer.is_open
    change = FactChange.objects.waiting().get()
    desk_of(team["approver"]).post(desk_url("incidents_factchange_confirm", change.pk))
    offer.refresh_from_db()
    assert offer.is_withdrawn


def test_the_classes_of_an_offer_are_among_its_facts(editors_desk, approver, incident):
    chosen = {
        "audience": "classes",
        "classes-TOTAL_FORMS": 1,
        "classes-0-data_class": class_id("passwords"),
    }
    save(editors_desk, ADD, **values(incident, **chosen))
    change = FactChange.objects.get()
    desk = desk_of(approver)
    shown = page_text(desk.get(desk_url("incidents_factchange_change", change.pk)))
    assert DataClass.objects.get(slug="passwords").name.in_language("en") in shown
    desk.post(desk_url("incidents_factchange_confirm", change.pk))
    assert OfferClass.objects.get().data_class.slug == "passwords"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"audience": "classes"}, "Choose the data classes."),
        ({"audience": "notice"}, "Choose the notice."),
        ({"ends_on": "2020-01-01"}, "This day has passed."),
        ({"link": "http://guard.example/"}, "Enter a valid URL."),
        ({"title_ko": ""}, "Korean"),
        ({"withdrawn_reason_en": "It ended."}, "Korean"),
    ],
)
def test_half_an_offer_is_refused(editors_desk, incident, fields, error):
    assert error in page_text(save(editors_desk, ADD, **values(incident, **fields)))
    assert not FactChange.objects.exists()


def test_a_notice_of_another_incident_is_refused(editors_desk, incident, version, editor):
    other = another_incident(incident, "other-2025")
    notice = draft_notice(version, editor)
    fields = values(other, audience="notice", notice=notice.pk)
    assert "about another incident" in page_text(save(editors_desk, ADD, **fields))


# The pool


def test_the_importer_adds_the_codes_of_a_file(team, incident, empty_trail):
    offer, desk = offer_of(incident, count=0), desk_of(team["importer"])
    answer = page_text(upload(desk, offer, b"\xef\xbb\xbfHB-0001\r\nHB-0002\r\n"))
    assert "2 codes were added." in answer
    assert "0 handed out, 2 left" in answer
    rows = b'name,"the code"\n"Kim, A",HB-0003\nLee,HB-0004\n'
    assert "2 codes were added." in page_text(upload(desk, offer, rows, "the code"))
    found = {each.decrypt() for each in PoolCode.objects.select_related("offer__incident")}
    assert found == {f"HB-000{number}" for number in range(1, 5)}
    assert "HB-0001" not in answer + page_text(desk.get(desk_url("offers_offer_change", offer.pk)))


@pytest.mark.parametrize("content", [b"HBABCD\nHBABCE\n", b"ABCD\n", b"HBAB\nHB01\nHBCD\n"])
def test_a_first_code_of_letters_is_no_heading(content):
    assert pool.read_codes(content, "")[0] == (1, content.split()[0].decode())


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [
        (b"HB-0005\n\nHB-0006\n", "", "1 line is blank: 2"),
        (
            b"HB-0005\nHB 06\n=HB07\n\xeb\x82\x98\xeb\x82\x98\xeb\x82\x98\xeb\x82\x98\n",
            "",
            "3 lines are no code: 2, 3, 4",
        ),
        (b"HB-0005\nHB-0006\nHB-0005\n", "", "1 line repeats a code of the file: 3"),
        (b"Code\nHB-0005\n", "", "Line 1 looks like the heading of a column"),
        (b"promo_code\nabcd_efgh\n", "", "Line 1 looks like the heading of a column"),
        (b"Gutschein\nHBABCD\nHBABCE\n", "", "Line 1 looks like the heading of a column"),
        (b"HB-0005\nHB-0002\n", "", "1 line holds a code that the pool has already: 2"),
        (b"code\nHB-0005\n\nHB-0006\n", "code", "1 line is blank: 3"),
        (b"name,code\nKim\n", "code", "1 line is blank: 2"),
        (b"code\nHB-0005\n", "codes", "no CSV file with this column"),
        (b"code,code\nHB-0005,HB-0006\n", "code", "no CSV file with this column"),
        (b'code\n"HB-0005\n', "code", "no CSV file with this column"),
        ("HB-0005\n코드".encode("cp949"), "", "no text in UTF-8"),
        (b"", "", "The submitted file is empty"),
        (b"\n".join(b"%07d" % n for n in range(100_001)), "", "at most 100,000 codes"),
        (LARGEST, "", "312499 lines repeat a code"),
        (LARGEST + b"\n", "", "100,000 codes and 2.5 MB"),
    ],
)
def test_a_faulty_file_adds_nothing_and_names_its_lines(
    editors_desk, incident, content, column, words
):
    offer = offer_of(incident)
    answer = page_text(upload(editors_desk, offer, content, column))
    assert words in answer
    assert "HB-0005" not in answer
    assert PoolCode.objects.count() == 3


def test_what_the_codes_depend_on_stays(editors_desk, incident):
    offer = offer_of(incident)
    save(editors_desk, desk_url("offers_offer_change", offer.pk), has_codes=None, reason="x")
    assert not FactChange.objects.exists()


def test_the_counts_name_nobody(editors_desk, incident, minji):
    affected(file_of(incident), "김민지", "minji@example.com")
    offer = offer_of(incident)
    own_offers.take(minji, offer.pk)
    page = page_text(editors_desk.get(desk_url("offers_offer_change", offer.pk)))
    assert "1 handed out, 2 left" in page
    assert "minji" not in page
    lines = editors_desk.get(desk_url("offers_offer_counts", offer.pk)).text.splitlines()
    today = timezone.now().astimezone(incident.zone).date()
    assert lines == ["day,handed_out", f"{today},1"]


# Who is told


@pytest.mark.parametrize(
    ("count", "words", "is_told"),
    [
        (0, "customers do not see it yet", False),
        (2, "has only 2 codes left", True),
        (3, "", False),
    ],
)
def test_the_team_is_told_when_few_codes_are_left(team, incident, settings, count, words, is_told):
    settings.OFFER_CODES_FEW = 3
    offer_of(incident, count=count)
    with translation.override("en"):
        tasks = [task for task in board_of(incident).tasks if task.key.startswith("offer-")]
    assert [words in task.words for task in tasks] == ([True] if words else [])
    assert all(task.may(team["importer"]) and not task.may(team["support"]) for task in tasks)
    team_messages.queue()
    told = TeamMessage.objects.filter(kind="offers").values_list("to", flat=True)
    assert list(told) == ([f"mail:{team['importer'].pk}"] if is_told else [])


def test_the_team_is_told_again_when_a_filled_pool_runs_out_again(team, incident, settings, minji):
    settings.OFFER_CODES_FEW = 2
    offer = offer_of(incident, count=1)
    told = TeamMessage.objects.filter(kind="offers")
    team_messages.queue()
    first = told.get().pk
    team_messages.queue()
    assert told.get().pk == first
    pool.add_codes(offer, codes(2, first=10))
    team_messages.queue()
    assert not told.exists()
    PoolCode.objects.update(taken_at=timezone.now())
    team_messages.queue()
    assert told.get().event == f"task:offer-empty-{offer.pk}"
