""" "My data" tells on which day which files added data to a row, and what was new on it."""

import html
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from accounts.models import User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person, withdraw
from harness.sign_in import step_up
from incidents.models import AffectedPerson, ExposureBatch, ExposureFile, FactChange, Incident
from incidents.my_data import leaks_of
from tests.desk_pages import page_text
from tests.my_data.test_certificate import get_certificate, needs_poppler, text_of

pytestmark = pytest.mark.django_db
TITLE = "What was added, and when"
ORDER = ("purchases", "A coat × 1", "2025-01-01")


@pytest.fixture
def public(incident) -> Incident:
    """An incident that became public on 29 November, in its zone."""
    incident.first_public_at = at(29, month=11)
    incident.save()
    return incident


@pytest.fixture
def row(public) -> AffectedPerson:
    """Minji's row: the name and the address, in a file that was loaded two days earlier."""
    row = person(public, name="김민지", email="minji@example.com")
    expose(row, loaded(public, at(27, month=11)), "names", "email-addresses")
    return row


def at(day: int, *, month: int = 12, hour: int = 3) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def loaded(incident: Incident, when: datetime, *, number: int = 1, **values) -> ExposureFile:
    file = file_of(incident, number=number)
    for name, value in {"state": "loaded", "finished_at": when, **values}.items():
        setattr(file, name, value)
    file.save()
    return file


def page(user: User, language: str = "en") -> str:
    client = Client()
    client.force_login(user)
    with translation.override(language):
        return page_text(client.get(reverse("my_data")))


def history(user: User) -> list[tuple[str, str]]:
    """Returns the day and the content of each line, as the page shows them."""
    found = re.search(f"{TITLE}</h2>.*?</section>", page(user), re.DOTALL)
    line = r'<span>(.*?)</span> <span class="value-date">(.*?)</span>'
    lines = re.findall(line, found[0]) if found else []
    return [(day, html.unescape(content)) for content, day in lines]


def additions(user: User, incident: Incident) -> list[tuple[date, list[str]]]:
    with translation.override("en"):
        (own,) = leaks_of(user, incident)
        return [(one.day, one.lines) for one in own.additions]


def test_a_later_file_is_told_with_its_day_the_newest_first(public, row, minji):
    assert TITLE not in page(minji)
    expose(row, loaded(public, at(3), number=2), "names", values=[ORDER])

    assert history(minji) == [
        ("3 December 2025", "Orders"),
        ("29 November 2025", "Names and e-mail addresses"),
    ]


def test_files_from_before_the_publication_count_on_its_day(public, row, minji):
    expose(row, loaded(public, at(28, month=11), number=2), values=[ORDER])

    assert TITLE not in page(minji)
    assert additions(minji, public) == [
        (date(2025, 11, 29), ["Names, e-mail addresses and orders"])
    ]


def test_files_of_one_day_are_one_line_and_the_day_is_that_of_the_incident(public, row, minji):
    expose(row, loaded(public, at(2, hour=16)), values=[ORDER])  # 1 a.m. of the 3rd in Seoul
    expose(row, loaded(public, at(3)), values=[("entrance-codes", "7585#")])

    assert additions(minji, public)[0] == (date(2025, 12, 3), ["Entrance codes and orders"])


def test_more_values_of_a_kind_are_told_and_the_same_again_are_not(public, row, minji):
    expose(row, loaded(public, at(1), number=2), values=[ORDER])
    expose(row, loaded(public, at(2), number=3), values=[ORDER])
    expose(row, loaded(public, at(3), number=4), values=[ORDER, ("purchases", "A hat × 1", "")])

    assert history(minji)[0] == ("3 December 2025", "More entries: orders")
    assert [day for day, _what in history(minji)] == [
        "3 December 2025",
        "1 December 2025",
        "29 November 2025",
    ]


def test_the_corrected_rows_of_a_file_have_a_day_of_their_own(public, row, minji):
    file = ExposureFile.objects.get()
    expose(row, loaded(public, at(5), corrects=file), values=[ORDER])

    assert history(minji)[0] == ("5 December 2025", "Orders")


def test_a_replaced_version_is_told_with_the_withdrawal_and_does_not_count(public, row, minji):
    expose(row, loaded(public, at(1), number=2), values=[ORDER])
    expose(row, loaded(public, at(4), number=3), values=[ORDER, ("dates-of-birth", "1990-01-01")])
    withdraw(public.batches.get(number=2), public_reason=ExposureBatch.PublicReason.REPLACED)

    text = page(minji)
    assert history(minji)[0] == ("4 December 2025", "Orders and dates of birth")
    assert len(history(minji)) == 2
    assert text.index(TITLE) < text.index("What changed") < text.index("A corrected version")


def test_a_withdrawal_is_told_with_the_day_of_what_stays(public, row, minji):
    expose(row, loaded(public, at(1), number=2), values=[ORDER])
    withdraw(public.batches.get(number=2))

    assert history(minji) == [("29 November 2025", "Names and e-mail addresses")]


def test_a_long_history_is_folded_after_three_days(public, row, minji):
    for day in range(1, 6):
        order = ("purchases", f"Order {day}", "")
        expose(row, loaded(public, at(day), number=day + 1), values=[order])

    section = page(minji).partition(TITLE)[2].partition("</section>")[0]
    assert "<summary>Show 3 more</summary>" in section
    assert section.index("3 December 2025") < section.index("<details>")
    assert section.index("<details>") < section.index("2 December 2025")


def test_no_line_comes_from_another_persons_row(public, row, minji, seojun):
    other = person(public, name="박서준", email=seojun.email)
    expose(other, loaded(public, at(3), number=2), values=[("passwords", "hunter2")])

    assert TITLE not in page(minji)
    assert TITLE not in page(seojun)
    assert additions(seojun, public) == [(date(2025, 12, 3), ["Passwords"])]


def test_a_row_that_does_not_open_has_no_history(public, row, minji):
    expose(person(public, name="김민수", email=minji.email), loaded(public, at(2)), "names")
    expose(row, loaded(public, at(3), number=2), values=[ORDER])

    assert TITLE not in page(minji)


def test_the_history_of_a_row_that_only_a_number_found_holds_no_value(public, minji):
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    row = person(public, name="김민지", phone="010-9999-8888")
    expose(row, loaded(public, at(1)), "names", "phone-numbers")
    expose(row, loaded(public, at(3), number=2), values=[("names", "김민준"), ORDER])

    lines = history(minji)
    assert [day for day, _what in lines] == ["3 December 2025", "1 December 2025"]
    assert not re.search("[가-힣]|coat", str(lines))


def test_the_history_takes_no_query(public, row, minji, django_assert_num_queries):
    expose(row, loaded(public, at(3), number=2), values=[ORDER])
    client = Client()
    client.force_login(minji)
    client.get("/en/my-data/")
    with django_assert_num_queries(5):
        assert TITLE in client.get("/en/my-data/").text


def test_both_forms_of_the_copy_hold_it_and_the_withdrawal(public, row, minji):
    expose(row, loaded(public, at(3), number=2), values=[ORDER])
    expose(row, loaded(public, at(4), number=3), values=[("dates-of-birth", "1990-01-01")])
    withdraw(public.batches.get(number=3), public_reason=ExposureBatch.PublicReason.MISTAKES)
    client = Client()
    client.force_login(minji)
    step_up(client, minji)

    (part,) = json.loads(client.post("/en/my-data/copy/", {"form": "json"}).content)["incidents"]
    assert part["added"] == [
        {"day": "2025-12-03", "what": ["Orders"]},
        {"day": "2025-11-29", "what": ["Names and e-mail addresses"]},
    ]
    (withdrawn,) = part["withdrawn"]
    assert (withdrawn["kinds"], withdrawn["reason"]) == ("dates of birth", "It had mistakes.")
    text = page_text(client.post("/en/my-data/copy/", {"form": "page"}))
    assert "<li>3 December 2025: Orders</li>" in text
    assert "withdrew what follows: dates of birth. The reason: It had mistakes." in text


@needs_poppler
def test_the_certificate_names_each_day_the_oldest_first(public, row, minji):
    expose(row, loaded(public, at(3), number=2), values=[ORDER])

    text = text_of(get_certificate(minji, public, "en").content)
    assert "Added on 29 November 2025 Names and e-mail addresses" in text
    assert "Added on 3 December 2025 Orders" in text
    assert text.index("29 November 2025 Names") < text.index("3 December 2025 Orders")


@needs_poppler
def test_a_certificate_of_one_day_names_no_day_of_an_addition(public, row, minji):
    assert "Added on" not in text_of(get_certificate(minji, public, "en").content)


def shown_again(incident: Incident, editor: User, approver: User, *times: datetime) -> None:
    """Records that two people hid the incident and made it public, in turn, at these times."""
    for number, when in enumerate(times):
        FactChange.objects.create(
            incident=incident,
            model="incidents.incident",
            object_id=incident.pk,
            changes={"is_public": [number % 2 == 0, number % 2 == 1]},
            proposed_by=editor,
            confirmed_by=approver,
            confirmed_at=when,
        )


def test_a_file_of_a_hidden_time_counts_on_the_day_of_its_end(
    public, row, minji, editor, approver, django_assert_num_queries
):
    shown_again(public, editor, approver, at(2), at(6), at(8), at(9))
    expose(row, loaded(public, at(1), number=2), values=[ORDER])
    expose(row, loaded(public, at(3), number=3), values=[("dates-of-birth", "1990-01-01")])
    expose(row, loaded(public, at(7), number=4), values=[("delivery-notes", "At the door")])

    days = [day for day, _lines in additions(minji, public)]
    assert days == [date(2025, 12, 7), date(2025, 12, 6), date(2025, 12, 1), date(2025, 11, 29)]
    client = Client()
    client.force_login(minji)
    client.get("/en/my-data/")
    with django_assert_num_queries(5):
        client.get("/en/my-data/")


def test_what_came_and_went_while_the_incident_was_hidden_is_not_told(
    public, row, minji, editor, approver
):
    hidden, shown = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)
    shown_again(public, editor, approver, hidden, shown)
    expose(row, loaded(public, timezone.now(), number=2), values=[ORDER])
    withdraw(public.batches.get(number=2))
    assert "withdrew" not in page(minji)
