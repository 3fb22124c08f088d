"""Who reads which row: shared contacts, families, strangers, marks and twin mailboxes."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from accounts.twin_mailboxes import twins_of
from harness.exposure_factory import expose, file_of, person
from incidents.models import AffectedPerson, Incident, PersonMark, RowProof, WrongAnswer
from incidents.my_data import leaks_of
from incidents.person_names import may_name_one_person
from notices.models import Suppression
from notices.proof import certificates
from notices.returned_mail import suppression_list
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
Relation = AffectedPerson.Relation
MOTHER = {"name": "김영희", "phone": "010-1111-2222"}
SON = {"name": "박지훈", "phone": "010-3333-4444"}
SECRETS = {
    "mother": ("김영희", "김*희", "010-1111-2222", "2222", "부산광역시", "7585"),
    "son": ("박지훈", "박*훈", "010-3333-4444", "4444", "대구광역시", "9021"),
}


def leaked(incident: Incident, address: str, code: str, **fields: Any) -> AffectedPerson:
    """Creates a person of whom name, contacts, an address and an entrance code leaked."""
    row = person(incident, **fields)
    file = file_of(incident)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    expose(row, file, values=[("physical-addresses", address), ("entrance-codes", code)])
    return row


@pytest.fixture
def family(incident, minji) -> dict[str, AffectedPerson]:
    """A mother and a son who share the address of minji."""
    return {
        "mother": leaked(incident, "부산광역시 해운대구 1", "7585#", email=minji.email, **MOTHER),
        "son": leaked(incident, "대구광역시 수성구 2", "9021#", email=minji.email, **SON),
    }


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page(user: User, language: str = "en") -> str:
    with override(language):
        return page_text(signed_in(user).get(reverse("my_data")))


def answer(user: User, incident: Incident, text: str) -> str:
    with override("en"):
        url = reverse("my_data_answer", args=[incident.slug])
        return page_text(signed_in(user).post(url, {"answer": text}, follow=True))


def shows_none(text: str, *people: str) -> bool:
    return not any(secret in text for name in people for secret in SECRETS[name])


# ---------------------------------------------------------------- families


@pytest.mark.parametrize("language", ["ko", "en"])
def test_people_who_share_an_address_see_classes_and_no_values(minji, family, language):
    text = page(minji, language)
    assert shows_none(text, "mother", "son")
    heading = {"en": "Several people share your address", "ko": "여러 사람이 함께 쓰는"}
    assert heading[language] in text
    assert "not among" not in text
    names = {"en": "Person 2: ", "ko": "공동현관 출입번호"}
    assert names[language] in text


@pytest.mark.parametrize(("fact", "kind"), [("2222", "digits"), (" 김 영희 ", "name")])
def test_a_second_fact_opens_one_row_and_not_the_other(minji, incident, family, fact, kind, caplog):
    with caplog.at_level(logging.INFO):
        text = answer(minji, incident, fact)
    assert "That matches" in text
    assert "김*희" in text
    assert shows_none(text, "son")
    proof = RowProof.objects.get()
    assert (proof.user, proof.person, proof.fact) == (minji, family["mother"], kind)
    assert f"opened people ['{family['mother'].pk}']" in caplog.text
    assert fact not in caplog.text


def test_a_certificate_holds_opened_rows_only(minji, incident, family):
    assert certificates.issue(minji, incident, language="ko") is None
    answer(minji, incident, "2222")
    issued = certificates.issue(minji, incident, language="ko")
    assert issued
    found = certificates.find_certificate(issued.code)
    assert found
    shown = str([part.rows for part in found.parts])
    assert "김*희" in shown
    assert shows_none(shown, "son")
    assert [one.person for one in leaks_of(minji, incident)] == [family["mother"]]


def test_a_wrong_answer_opens_nothing_and_is_always_the_same(minji, incident, family):
    replies = {
        answer(minji, incident, text).split("<h1>")[0].split("csrf")[0]
        for text in ("0000", "김철수", "김", "")
    }
    assert len({"This does not match" in reply for reply in replies}) == 1
    assert not RowProof.objects.exists()


def test_a_wrong_answer_is_reported_once_above_and_at_its_field(minji, incident, family):
    client, my_data = signed_in(minji), "/en/my-data/"
    url = f"{my_data}answer/{incident.slug}/"
    answered = client.post(url, {"answer": "0000", "at": "answer1"}, follow=True).text
    summary, content = answered.split("<h1>")
    assert "<title>Error: " in summary
    assert 'class="error-summary"' in summary
    assert '<a href="#answer1">This does not match.' in summary
    assert 'id="answer1-error"' in content
    assert 'aria-describedby="answer1-hint answer1-error" aria-invalid="true"' in content
    again = client.get(my_data).text
    assert 'id="answer1"' in again
    assert "This does not match" not in again


def test_five_wrong_answers_a_day_and_then_the_time(minji, incident, family):
    for number in range(5):
        answer(minji, incident, f"000{number}")
    text = answer(minji, incident, "2222")
    assert "You can answer again from" in text
    assert shows_none(text, "mother", "son")
    assert WrongAnswer.objects.count() == 10

    WrongAnswer.objects.update(at=timezone.now() - timedelta(days=2))
    assert "That matches" in answer(minji, incident, "2222")


def test_twenty_wrong_answers_end_the_question(minji, incident, family):
    long_ago = timezone.now() - timedelta(days=9)
    for _ in range(20):
        WrongAnswer.objects.create(person=family["son"])
    WrongAnswer.objects.update(at=long_ago)
    text = answer(minji, incident, "4444")
    assert "No more answers are taken here" in text
    assert not RowProof.objects.exists()


def test_a_new_account_gets_no_new_answers(minji, incident, family):
    for number in range(5):
        answer(minji, incident, f"000{number}")
    minji.delete()
    again = User.objects.create_user("minji@example.com")
    assert "You can answer again from" in page(again)


def test_the_digits_of_the_number_that_found_the_rows_are_no_fact(minji, incident):
    VerifiedPhone.objects.create(user=minji, number="+821011112222")
    phone = {"phone": "010-1111-2222"}
    leaked(incident, "부산광역시 1", "7585#", name="김영희", email="a@example.com", **phone)
    leaked(incident, "대구광역시 2", "9021#", name="박지훈", email="b@example.com", **phone)
    assert "This does not match" in answer(minji, incident, "2222")
    assert "That matches" in answer(minji, incident, "박지훈")


def test_a_name_of_two_different_people_opens_neither(minji, incident):
    for phone in ("010-1111-2222", "010-3333-4444"):
        leaked(incident, "서울", "1#", name="고객님", email=minji.email, phone=phone)
    assert "This does not match" in answer(minji, incident, "고객님")
    assert "That matches" in answer(minji, incident, "4444")
    assert RowProof.objects.count() == 1


def test_another_verified_contact_opens_the_row(minji, incident, family):
    VerifiedPhone.objects.create(user=minji, number="+821011112222")
    text = page(minji)
    assert "김*희" in text
    assert "Several people share" in text
    assert shows_none(text, "son")


def test_rows_that_agree_are_one_person(minji, incident):
    rows = [
        leaked(incident, "서울", "1#", email=minji.email, **MOTHER),
        leaked(
            incident,
            "서울",
            "1#",
            name="김영희",
            email=minji.email,
            relation=Relation.FORMER_MEMBER,
        ),
    ]
    assert {one.person for one in leaks_of(minji, incident)} == set(rows)


def test_an_entry_of_an_address_book_with_another_full_name_is_another_person(minji, incident):
    VerifiedPhone.objects.create(user=minji, number="+821011112222")
    leaked(incident, "부산광역시 1", "7585#", **MOTHER)
    saved = leaked(
        incident,
        "대구광역시 2",
        "9021#",
        name="박지훈",
        phone="010-1111-2222",
        relation=Relation.RECIPIENT,
    )
    assert "Several people share" in page(minji)
    saved.delete()
    leaked(
        incident,
        "대구광역시 2",
        "9021#",
        name="영희 이모",
        phone="010-1111-2222",
        relation=Relation.RECIPIENT,
    )
    assert len(leaks_of(minji, incident)) == 2


def test_an_entry_with_the_names_of_different_people_shows_no_values(minji, incident):
    VerifiedPhone.objects.create(user=minji, number="+821011112222")
    saved = leaked(incident, "부산광역시 1", "7585#", relation=Relation.RECIPIENT, **MOTHER)
    other = [("names", "박지훈"), ("physical-addresses", "대구광역시 2")]
    expose(saved, file_of(incident), values=other)
    text = page(minji)
    assert "recorded with the names of different people" in text
    assert "Physical address" in text or "address" in text
    assert shows_none(text, "mother", "son")


@pytest.mark.parametrize(
    ("one", "other", "is_possible"),
    [
        ("김민지", "민지 언니", True),
        ("김민지", "엄마", True),
        ("김민지", "김민지(회사)", True),
        ("김민지", "박서준", False),
        ("Minji Kim", "Kim, Minji", True),
        ("Seán O'Connor", "Mary O'Connor", False),
        ("김민지", "이모부", True),
    ],
)
def test_names_of_an_address_book(one, other, is_possible):
    assert may_name_one_person(one, other) is is_possible


# ---------------------------------------------------------------- many people


@pytest.fixture
def crowd(incident, minji) -> list[AffectedPerson]:
    """Four people with the address of minji: more than the bound."""
    return [
        leaked(
            incident,
            f"서울 {n}",
            f"{n}#",
            name=f"홍길{n}",
            email=minji.email,
            phone=f"0101111000{n}",
        )
        for n in range(4)
    ]


def test_an_address_of_many_people_opens_nothing(minji, incident, crowd):
    text = page(minji)
    assert "Your address is recorded for many people" in text
    assert "서울" not in text
    assert "홍" not in text
    assert "not among" not in text
    for fact in ("0001", "홍길1"):
        assert "서울" not in answer(minji, incident, fact)
    assert leaks_of(minji, incident) == []
    assert not RowProof.objects.exists()


def test_the_heading_of_a_number_says_number(minji, incident):
    for n in range(4):
        leaked(incident, "서울", f"{n}#", name=f"홍길{n}", email=minji.email, phone="01033334444")
    leaked(incident, "부산광역시", "7585#", name="박지훈", phone="01055556666")
    for number in ("+821033334444", "+821055556666"):
        VerifiedPhone.objects.create(user=minji, number=number)
    index = suppression_list.index_in("sms", "+821055556666", incident)
    Suppression.objects.create(incident=incident, channel="sms", index=index, source="stranger")
    text = page(minji)
    for heading in (
        "Your address is recorded for many people",
        "Your number is recorded for many people",
        "This number does not prove whose data it is",
        "was told that this number belongs to another person",
        "010-3333-4444",
        "010-5555-6666",
    ):
        assert text.count(heading) == 1, heading
    assert "This address does not prove" not in text


def test_a_further_verified_contact_opens_one_row_of_many(minji, incident, crowd):
    VerifiedPhone.objects.create(user=minji, number="+821011110001")
    assert [one.person for one in leaks_of(minji, incident)] == [crowd[1]]


def test_the_bound_is_the_incidents(minji, incident, crowd):
    Incident.objects.update(shared_contact_bound=4)
    assert "That matches" in answer(minji, incident, "0001")


def test_people_of_withdrawn_versions_do_not_count(minji, incident):
    withdrawn = file_of(incident, number=2, state="withdrawn")
    for number in range(5):
        row = person(incident, name=f"홍길{number}", email=minji.email)
        expose(row, withdrawn, "names")
    own = leaked(incident, "서울", "1#", email=minji.email, **MOTHER)
    assert [one.person for one in leaks_of(minji, incident)] == [own]


# ---------------------------------------------------------------- strangers, marks, twins


@pytest.mark.parametrize("is_for_all", [True, False])
def test_an_address_of_a_stranger_opens_nothing_until_the_entry_is_lifted(
    minji, incident, editor, is_for_all
):
    leaked(incident, "부산광역시", "7585#", email=minji.email, **MOTHER)
    where = None if is_for_all else incident
    index = suppression_list.index_in("email", minji.email, where)
    entry = Suppression.objects.create(
        index=index, incident=where, channel="email", source="stranger", reason="a call"
    )
    text = page(minji)
    assert "does not prove whose data it is" in text
    assert shows_none(text, "mother")
    assert leaks_of(minji, incident) == []
    suppression_list.lift(entry, by=editor, reason="a mistake")
    assert len(leaks_of(minji, incident)) == 1


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("deceased", "Data of a person who has died"),
        ("restricted", "This data is restricted"),
        ("minor", "5 kinds of your data leaked"),
    ],
)
def test_a_mark_closes_the_row_until_it_is_lifted(minji, incident, editor, kind, heading):
    row = leaked(incident, "부산광역시", "7585#", email=minji.email, **MOTHER)
    mark = PersonMark.objects.create(
        incident=incident, person=row, kind=kind, reason="a call", marked_by=editor
    )
    text = page(minji)
    assert heading in text
    assert shows_none(text, "mother") == (kind != "minor")
    assert mark.lift(editor, "a mistake")
    assert not mark.lift(editor, "again")
    assert "김*희" in page(minji)


def test_a_correction_shows_its_note(minji, incident, editor):
    row = leaked(incident, "부산광역시", "7585#", email=minji.email, **MOTHER)
    PersonMark.objects.create(
        incident=incident,
        person=row,
        kind="corrected",
        reason="a call",
        note="The code is of 2023.",
        marked_by=editor,
    )
    assert "has corrected a record of yours: The code is of 2023." in page(minji)


def test_a_mark_cannot_be_changed_or_deleted(incident, editor):
    row = person(incident, name="김영희")
    mark = PersonMark.objects.create(
        incident=incident, person=row, kind="deceased", reason="x", marked_by=editor
    )
    marks = PersonMark.objects.filter(pk=mark.pk)
    for change in (lambda: marks.update(reason="y"), marks.delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    mark.lift(editor, "a mistake")
    with pytest.raises(IntegrityError), transaction.atomic():
        marks.update(lifted_at=None, lifted_by=None)


@pytest.mark.parametrize(
    ("own", "recorded"),
    [
        ("a@hanmail.net", "a@daum.net"),
        ("minji.kim@gmail.com", "minjikim@gmail.com"),
        ("minjikim@googlemail.com", "minji.kim@gmail.com"),
    ],
)
def test_the_owner_of_a_twin_is_told_to_prove_it(incident, own, recorded):
    leaked(incident, "부산광역시", "7585#", email=recorded, **MOTHER)
    user = User.objects.create_user(own)
    text = page(user)
    assert "Your mailbox is recorded under another spelling" in text
    assert recorded in text
    assert shows_none(text, "mother")
    assert "not among" not in text
    EmailAddress.objects.create(user=user, email=recorded, verified=True)
    assert "김*희" in page(user)


def test_addresses_without_documented_twins_have_none():
    assert twins_of("minji.kim@naver.com") == []
    assert twins_of("minji.kim@example.com") == []
    assert "minjikim+shop@gmail.com" in twins_of("minji.kim+shop@gmail.com")
    assert "minjikim@gmail.com" not in twins_of("minji.kim+shop@gmail.com")
    assert len(twins_of(f"{'a' * 40}@gmail.com")) <= 400


def test_a_user_reads_no_value_of_another(minji, seojun, incident, family):
    other = leaked(incident, "대전광역시 3", "4410#", name="박서준", email=seojun.email)
    answer(minji, incident, "2222")
    for language in ("ko", "en"):
        theirs = page(seojun, language)
        assert "박*준" in theirs
        assert shows_none(theirs, "mother", "son")
        assert "대전광역시" not in page(minji, language)
    assert [one.person for one in leaks_of(seojun, incident)] == [other]
