"""The page of a user's own data, without the data of others."""

import logging
import re
from html import escape, unescape
from typing import Any
from urllib.parse import parse_qs, unquote, unquote_plus, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person, state
from incidents.masking import mask
from incidents.models import AffectedPerson, DataClass, DoneStep, ExposureBatch, Incident
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
pytest_plugins = ["tests.text_sign_in"]

XSS = "<img src=x onerror=alert(1)>"


@pytest.fixture
def file(incident):
    return file_of(incident)


@pytest.fixture
def leaked_minji(incident, file):
    """Minji's row: name, e-mail, two addresses, one entrance code, three orders."""
    minji = person(incident, name="김민지", email="Minji@Example.com", phone="010-1234-5678")
    expose(minji, file, "names", "email-addresses", "phone-numbers")
    addresses = ["서울특별시 강남구 테헤란로 558", "부산광역시 해운대구 센텀중앙로 730"]
    expose(minji, file, values=[("physical-addresses", addresses[0]), ("entrance-codes", "7585#")])
    expose(minji, file, values=[("physical-addresses", addresses[1])])
    for day in ("2025-10-28", "2025-10-28", "2024-03-01"):
        expose(minji, file, values=[("purchases", "혈압계 × 3", f"{day}T22:15:00+09:00")])
    return minji


def page_of(user: User | None, language: str = "en") -> Any:
    client = Client()
    if user:
        client.force_login(user)
    with override(language):
        return client.get(reverse("my_data"))


def text_of(user: User, language: str = "en") -> str:
    return page_text(page_of(user, language))


def test_an_anonymous_user_is_sent_to_sign_in(leaked_minji):
    response = page_of(None)
    assert response.status_code == 302
    with override("en"):
        assert response["Location"].startswith(reverse("account_login"))


def test_the_title_says_how_many_kinds_leaked(minji, leaked_minji):
    english, korean = text_of(minji), text_of(minji, "ko")
    assert "<h1>6 kinds of your data leaked</h1>" in english
    assert "<h1>개인정보 6가지가 유출되었습니다</h1>" in korean
    assert english.count("Found in the data that leaked") == 1
    assert english.count('class="state state-leaked">Leaked</span> 6') == 1


def test_a_title_of_two_kinds_names_them(seojun, incident, file):
    expose(person(incident, name="박서준", email=seojun.email), file, "names", "email-addresses")
    assert "<h1>Your name and e-mail address leaked</h1>" in text_of(seojun)


def test_what_leaked_of_one_place_stands_together(minji, incident, file):
    minjis = person(incident, email=minji.email)
    for address, code in (
        ("서울특별시 강남구 테헤란로 558", "7585#"),
        ("부산광역시 해운대구 1", "1234"),
    ):
        rows = [
            ("physical-addresses", address, "2025-03-01"),
            ("entrance-codes", code, "2025-03-01"),
        ]
        expose(minjis, file, values=rows)
    expose(minjis, file, values=[("delivery-notes", "문 앞", "2024-01-01")])
    text = text_of(minji)
    first, second = text.split('<li class="place">')[1:]
    assert ("서울특별시 강남구" in first) != ("부산광역시 해운대구" in first)
    for card in (first, second.split("</section>")[0]):
        assert card.count("Entrance code") == 1
        assert card.count("saved on 1 March 2025") == 1
    assert "<h3>2\u00a0addresses and 2\u00a0entrance codes</h3>" in text
    assert "saved on 1 January 2024" in text.split('<li class="place">')[0]


def test_orders_are_folded(minji, leaked_minji):
    orders = text_of(minji).split("<summary>3\u00a0orders</summary>")
    assert "ordered on 28 October 2025" in orders[1]
    assert "ordered on" not in orders[0]


def test_a_done_step_stays_done_until_it_is_undone(minji, seojun, incident, file, leaked_minji):
    expose(
        person(incident, name="박서준", email=seojun.email), file, values=[("entrance-codes", "1")]
    )
    client = Client()
    client.force_login(minji)

    def press(text: str, done: str) -> str:
        buttons = re.findall(r'name="step" value="(\w+)".*?visually-hidden">: (.*?)</span>', text)
        step = next(key for key, words in buttons if "shared entrance code" in words)
        with override("en"):
            url = reverse("my_data_step", args=[incident.slug])
        fields = {"step": step, "done": done, "at": "steps1"}
        response = client.post(url, fields)
        assert response["Location"] == "/en/my-data/#steps1"
        return page_text(client.get("/en/my-data/"))

    before = page_text(client.get("/en/my-data/"))
    after = press(before, "1")
    assert re.search(r"0 of \d+ done", before)
    assert re.search(r"1 of \d+ done", after)
    assert "shared entrance code" in before.split('<p class="lead">')[1].split("</p>")[0]
    assert "shared entrance code" not in after.split('<p class="lead">')[1].split("</p>")[0]
    assert re.search(r"\d+개 중 1개 완료", text_of(minji, "ko"))
    assert re.search(r"0 of \d+ done", text_of(seojun))
    assert re.search(r"0 of \d+ done", press(after, "0"))


@pytest.mark.parametrize("step", ["", "0" * 16, "x" * 5000])
def test_an_unknown_step_is_not_recorded(minji, incident, leaked_minji, step):
    client = Client()
    client.force_login(minji)
    with override("en"):
        url = reverse("my_data_step", args=[incident.slug])
    response = client.post(url, {"step": step, "done": "1", "at": "//evil.example"})
    assert response["Location"] == "/en/my-data/"
    assert not DoneStep.objects.exists()


def test_values_are_masked_counted_and_dated(minji, leaked_minji):
    text = text_of(minji)
    for shown in ("김*지", "M***@E***.com", "010-****-5678", "서울특별시 강남구 ***", "••••••"):
        assert shown in text
    assert "ordered on 28 October 2025 · 2 times" in text
    assert "1 March 2024" in text
    for hidden in ("김민지", "010-1234-5678", "테헤란로", "7585", "혈압계"):
        assert hidden not in text


def test_the_catalogue_defines_the_meaning_of_a_values_date(minji, incident, file):
    DataClass.objects.create(
        slug="subscriptions",
        name={"ko": "구독", "en": "Subscription"},
        unit={"ko": "건", "en": "subscription"},
        units={"en": "subscriptions"},
        sensitivity=DataClass.Sensitivity.LOW,
        masking=DataClass.Masking.TEXT,
        date_meaning=DataClass.DateMeaning.ORDERED,
    )
    row = person(incident, name="김민지", email="minji@example.com")
    day = "2024-03-01T09:00:00+09:00"
    expose(row, file, values=[("subscriptions", "잡지", day), ("physical-addresses", "서울", day)])
    text = text_of(minji)
    assert "ordered on 1 March 2024" in text
    assert "saved on 1 March 2024" in text


def test_the_page_is_not_stored(minji, leaked_minji):
    assert "no-store" in page_of(minji)["Cache-Control"]


def test_the_most_sensitive_class_gives_the_first_step(minji, leaked_minji):
    text = text_of(minji)
    steps = re.findall(r'name="step" value="(\w+)"', text)
    assert "change the shared entrance code" in text.split('<p class="lead">')[1].split("</p>")[0]
    assert len(set(steps)) == len(steps) > 5
    assert f"{len(steps) - 1} more steps" in text


def test_the_number_of_more_steps_leaves_out_the_done_ones(client, minji, incident, leaked_minji):
    client.force_login(minji)
    keys = list(dict.fromkeys(re.findall(r'name="step" value="(\w+)"', text_of(minji))))
    address = f"/en/my-data/step/{incident.slug}/"
    for done, key in enumerate(keys, start=1):
        page = client.post(address, {"step": key, "done": "1"}, follow=True).text
        left = len(keys) - done - 1  # and the next one, which stands alone
        words = f"{left} more steps" if left > 1 else "1 more step"
        assert left < 1 or f"<summary>{words}</summary>" in page
    assert " more step" not in page
    assert "<summary>The steps that you have done</summary>" in page


def test_two_rows_say_which_contact_found_which(minji, incident, file, leaked_minji):
    assert "Found by" not in text_of(minji)
    EmailAddress.objects.create(user=minji, email="minji@work.example", verified=True)
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    other = person(incident, name="김민지", email="minji@work.example", phone="010-9999-8888")
    expose(other, file, "names", "email-addresses")
    found = re.findall(r'<p class="basis">Found by: (.*?)</p>', text_of(minji))
    masked = f'{mask("minji@work.example", "email")} and <span class="whole">010-****-8888</span>'
    assert sorted(found) == sorted([mask(minji.email, "email"), masked])
    for language, _name in settings.LANGUAGES:
        assert "minji@work" not in text_of(minji, language).partition("<footer")[0]


def test_contacts_whose_masks_are_the_same_are_named_in_full(minji, incident, file, leaked_minji):
    EmailAddress.objects.create(user=minji, email="moon@elsewhere.com", verified=True)
    other = person(incident, name="김민지", email="moon@elsewhere.com")
    expose(other, file, "names", "email-addresses")
    found = re.findall(r'<p class="basis">Found by: (.*?)</p>', text_of(minji))
    assert sorted(found) == [minji.email, "moon@elsewhere.com"]


def test_customers_do_not_see_each_others_data(minji, seojun, incident, file, leaked_minji):
    other = person(incident, name="박서준", email="seojun@example.com")
    expose(other, file, "names", values=[("physical-addresses", "대구광역시 수성구 달구벌대로 14")])

    minjis, seojuns = text_of(minji), text_of(seojun)
    assert "박*준" in seojuns
    assert "대구광역시 수성구" in seojuns
    assert "김*지" not in seojuns
    assert "박*준" not in minjis
    assert "대구광역시" not in minjis


def test_a_recipient_does_not_see_the_owner_of_the_address_book(
    seojun, incident, file, leaked_minji
):
    recipient = person(
        incident, relation=AffectedPerson.Relation.RECIPIENT, name="박서준", phone="010-9999-8888"
    )
    expose(recipient, file, "names", "phone-numbers")
    VerifiedPhone.objects.create(user=seojun, number="+821099998888")

    text = text_of(seojun)
    assert "Your name and phone number leaked" in text
    assert "Somebody saved your name and phone number" in text
    assert "김*지" not in text
    assert str(leaked_minji.pk) not in text


def test_a_member_who_is_also_a_recipient_sees_both_rows(minji, incident, file, leaked_minji):
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    recipient = person(
        incident,
        relation=AffectedPerson.Relation.RECIPIENT,
        name="민지 언니",
        phone="010-9999-8888",
    )
    expose(recipient, file, "names", "phone-numbers")

    text = text_of(minji)
    assert "<h1>Your data leaked</h1>" in text
    assert "<h2>Your name and phone number leaked</h2>" in text
    assert "This is the data of your account at Hanbit Store." in text


def test_a_member_has_words_for_people_whose_addresses_they_saved(minji, leaked_minji):
    page = page_of(minji).text
    assert "Did you save other people’s addresses?" in page
    links = re.findall(r'href="((?:sms|mailto):\?[^"]+)"', page)
    written = [parse_qs(urlsplit(unescape(link)).query) for link in links]
    [text] = {sent["body"][0] for sent in written}
    assert f'<p class="notice-box">{escape(text)}</p>' in page
    assert text.startswith("Data leaked at Hanbit Store. I had saved your name")
    assert settings.PORTAL_HOST in text
    assert not any(own in text for own in ("김민지", "1234", "서울", "minji"))
    assert written[1]["subject"] == ["Data leaked at Hanbit Store"]


def text_in_android(link: str) -> str:
    """Returns the body as LaunchConversationActivity of Android's Messaging app reads it."""
    _scheme, _colon, rest = link.partition(":")
    fields = unquote(rest).partition("?")[2].split("&")
    return next(unquote_plus(one, errors="strict")[5:] for one in fields if one[:5] == "body=")


@pytest.mark.parametrize("company", ["Müller & Söhne", "100% Wool", "A+B?", "한빛&별"])
def test_a_text_message_keeps_the_signs_in_the_name_of_a_company(minji, leaked_minji, company):
    Incident.objects.update(company={"ko": company, "en": company})
    page = page_of(minji).text
    [link] = re.findall(r'href="(sms:[^"]+)"', page)
    assert link.startswith("sms:?&amp;body=Data%20leaked%20at%20")  # iOS reads what follows `&`
    [shown] = re.findall(r'<p class="notice-box">(Data leaked.*?)</p>', page)
    written = text_in_android(unescape(link))
    assert "%" not in written
    wide = str.maketrans("＆％＋", "&%+")
    assert written.translate(wide) == unescape(shown)


@pytest.mark.parametrize(
    ("relation", "held"),
    [
        (AffectedPerson.Relation.MEMBER, [("entrance-codes", "7585#")]),
        (AffectedPerson.Relation.RECIPIENT, [("physical-addresses", "서울특별시 강남구")]),
    ],
)
def test_a_row_without_an_address_book_has_no_words_for_others(
    minji, incident, file, relation, held
):
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    row = person(incident, relation=relation, name="김민지", phone="010-9999-8888")
    expose(row, file, "names", values=held)
    page = page_of(minji).text
    assert "What to do now" in page
    assert "sms:" not in page


def test_a_recipient_is_asked_for_the_name_that_the_sender_wrote(client, minji, incident, file):
    """The company has no address of a recipient, and its customer chose the name."""
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    recipient = AffectedPerson.Relation.RECIPIENT
    row = person(incident, relation=recipient, name="민지 이모", phone="010-9999-8888")
    expose(row, file, "names", "phone-numbers")
    text = text_of(minji)
    assert "Your name as the sender of the parcel wrote it" in text
    assert "It may be a short name or a nickname." in text
    for word in ("One of the two", "e‑mail address there", "add it as well"):
        assert word not in text
    client.force_login(minji)
    answer = f"/en/my-data/answer/{incident.slug}/"
    wrong = client.post(answer, {"answer": "김민지", "at": "answer1"}, follow=True).text
    assert "another name that the sender may have used" in wrong
    right = client.post(answer, {"answer": "민지 이모", "at": "answer1"}, follow=True).text
    assert "That matches" in right


def test_a_recipient_with_an_address_may_answer_with_it(minji, incident, file):
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    row = person(
        incident,
        relation=AffectedPerson.Relation.RECIPIENT,
        name="김민지",
        phone="010-9999-8888",
        email="imo@hanbit.example",
    )
    expose(row, file, "names", "phone-numbers", "email-addresses")
    assert "e‑mail address there" in text_of(minji)


def test_html_in_a_name_is_shown_as_typed(minji, incident, file):
    expose(person(incident, name=XSS, email=minji.email), file, "names")
    expose(person(incident, email=minji.email), file, values=[("delivery-notes", f"<b>{XSS}")])
    assert "<img src=x" not in page_of(minji).content.decode()
    assert "<b>" not in page_of(minji).content.decode()


def test_a_withdrawn_batch_does_not_count(minji, incident, file, leaked_minji):
    withdrawn = file_of(incident, number=2, state="withdrawn")
    expose(leaked_minji, withdrawn, values=[("passwords", "hunter2")])
    assert "password leaked" not in text_of(minji)


def test_a_customer_in_withdrawn_batches_only_is_not_affected(minji, incident, file):
    only = person(incident, name="김민지", email=minji.email)
    expose(only, file_of(incident, number=2, state="withdrawn"), "names")
    text = text_of(minji)
    assert "<h1>Your address is not among the leaked data we know</h1>" in text
    assert f'<li class="address">{minji.email}</li>' in text
    assert "김*지" not in text


def test_a_customer_without_rows_reads_whom_to_call(minji, incident, file):
    Incident.objects.update(contact_phone="02-000-0000")
    link = '<a href="tel:02-000-0000">02-000-0000</a>'  # a phone calls it by a tap
    assert f"Ask the company by telephone: {link}." in text_of(minji)


@pytest.mark.parametrize("rows_unread", [0, 3])
def test_a_customer_without_rows_can_add_another_contact(minji, incident, file, rows_unread):
    ExposureBatch.objects.update(rows_unread=rows_unread)
    text = text_of(minji)
    assert ("We cannot say that your data did not leak" in text) == bool(rows_unread)
    link = '<a href="/en/account/contacts/new/">add it here</a>'
    assert f"another e‑mail address: {link}" in text  # numbers are not taken here


def test_a_person_with_a_number_reads_nothing_of_what_only_a_number_finds(minji, incident, file):
    Incident.objects.update(contact_phone="02-000-0000")
    sentence = "to send you a parcel. An e‑mail address does not find that."
    assert sentence in text_of(minji)
    VerifiedPhone.objects.create(user=minji, number="+821099998888")
    text = text_of(minji)
    assert "not among the leaked data we know" in text
    assert sentence not in text


def test_where_numbers_are_taken_a_person_without_rows_adds_one(minji, incident, file, solapi):
    Incident.objects.update(contact_phone="02-000-0000")
    text = text_of(minji)
    assert "saved your name and phone number to send you a parcel" in text
    assert "Ask the company by telephone" not in text
    assert "another address or number: <a href" in text


@pytest.mark.parametrize("states", [[], ["open"], ["closed", "open"], ["withdrawn"]])
def test_not_affected_is_not_shown_before_the_scope_is_complete(minji, incident, states):
    for number, batch_state in enumerate(states, start=1):
        file_of(incident, number=number, state=batch_state)
    text = text_of(minji)
    assert "We do not know yet whether your data leaked" in text
    assert "not among the leaked data" not in text


def test_not_affected_is_not_shown_without_a_proven_address(minji, incident, file):
    minji.emailaddress_set.update(verified=False)
    assert "We do not know yet" in text_of(minji)


def test_one_complete_incident_does_not_clear_another(minji, incident, file):
    later = second_incident()
    file_of(later, state="open")
    text = text_of(minji)
    assert "<h1>What we know about your data</h1>" in text
    assert "<h2>Your address is not among the leaked data we know</h2>" in text
    assert "We do not know yet whether your data leaked" in text


def test_leaked_classes_come_before_others(minji, incident, leaked_minji):
    file_of(second_incident())
    text = text_of(minji)
    assert text.index("6 kinds of your data leaked") < text.index("is not among")


def test_an_incident_that_is_not_public_is_not_shown(minji, incident, leaked_minji):
    Incident.objects.update(is_public=False)
    text = text_of(minji)
    assert "There is nothing to show yet" in text
    assert "김*지" not in text


def test_a_shredded_incident_says_so(minji, incident, leaked_minji):
    incident.shred()
    text = text_of(minji)
    assert "The company has deleted this data" in text
    assert "not among" not in text


def test_each_class_says_its_state_and_basis(minji, incident, leaked_minji):
    state(incident, "names", "involved", "company")
    state(incident, "usernames", "possibly", "investigation")
    state(incident, "payment-data", "not_involved", "company")
    state(incident, "delivery-notes", "involved", "confirmed")
    text = text_of(minji)
    assert "Reported by the company" in text
    assert "Possibly leaked" in text
    assert "Under investigation" in text
    assert "Did not leak</span>: " in text
    assert "We hold no record that yours did." in text


def test_what_the_rows_hold_is_found_and_not_only_reported(minji, incident, leaked_minji):
    state(incident, "names", "involved", "company")
    text = text_of(minji)
    assert "Found in the data that leaked" in text
    assert "Reported by the company" not in text


def test_a_class_with_several_values_is_named_in_the_plural(minji, leaked_minji):
    page = text_of(minji)
    assert "<h3>2\u00a0addresses and 1\u00a0entrance code</h3>" in page
    assert "<h3>Address</h3>" not in page


def test_a_class_of_others_is_not_cleared_while_batches_are_open(minji, incident, leaked_minji):
    state(incident, "delivery-notes", "involved")
    file_of(incident, number=2, state="open")
    text = text_of(minji)
    assert "Not known yet" in text
    assert "We hold no record" not in text


def test_classes_in_the_rows_count_against_a_different_statement(minji, incident, leaked_minji):
    state(incident, "entrance-codes", "not_involved")
    text = text_of(minji)
    assert "1\u00a0entrance code" in text
    assert "Found in the data that leaked" in text
    assert "Did not leak" not in text


def test_forty_orders_show_five_and_fold_the_rest(minji, incident, file):
    shopper = person(incident, email=minji.email)
    for number in range(40):
        date = f"2025-01-{number % 28 + 1:02}"
        expose(shopper, file, values=[("purchases", f"{chr(0xAC00 + number)} 한 상자", date)])
    text = text_of(minji)
    assert "Your 40\u00a0orders leaked" in text
    assert "Show 35 more" in text
    before_fold = text.split("<details>")[-2]
    assert before_fold.count('class="value"') == 5


def test_a_later_scope_version_with_the_same_rows_counts_nothing_twice(minji, incident, file):
    shopper = person(incident, email=minji.email)
    for dump in (file, file_of(incident, number=2)):
        expose(shopper, dump, values=[("purchases", "혈압계 × 3", "2025-10-28")])
        expose(shopper, dump, values=[("physical-addresses", "부산광역시 해운대구 1")])
    text = text_of(minji)
    assert "Your 1\u00a0address and 1\u00a0order leaked" in text
    assert "times" not in text


def test_a_repeated_address_is_one_address(minji, incident, file):
    shopper = person(incident, email=minji.email)
    for _ in range(2):
        expose(shopper, file, values=[("physical-addresses", "부산광역시 해운대구 1")])
    text = text_of(minji)
    assert "Your 1\u00a0address leaked" in text
    assert "2 times" in text


def second_incident() -> Incident:
    later = Incident.objects.get()
    later.pk, later.slug = None, "hanbit-2026"
    later.title |= {"en": "Another leak"}
    later.make_keysets()
    later.save()
    return later


def test_a_ciphertext_of_another_row_is_not_shown(minji, incident, file, leaked_minji, caplog):
    other = person(incident, name="박서준", email="seojun@example.com")
    theirs = expose(other, file, values=[("physical-addresses", "대구광역시 수성구 달구벌대로 14")])
    leaked_minji.exposures.filter(ciphertext__isnull=False).update(ciphertext=theirs.ciphertext)
    second = second_incident()
    expose(person(second, name="김민지", email=minji.email), file_of(second), "names")

    with caplog.at_level(logging.ERROR):
        text = text_of(minji)
    assert "We cannot show this right now" in text
    assert "대구광역시" not in text
    assert "<h2>Your name leaked</h2>" in text
    assert str(leaked_minji.pk) in caplog.text
    for private in ("Traceback", "김민지", "minji@", "대구"):
        assert private not in caplog.text


def test_a_wrong_master_keyset_takes_one_incident_only(minji, incident, leaked_minji, caplog):
    second = second_incident()
    expose(person(second, name="김민지", email=minji.email), file_of(second), "names")
    Incident.objects.filter(pk=incident.pk).update(data_keyset=b"sealed by another master")

    with caplog.at_level(logging.ERROR):
        text = text_of(minji)
    assert "We cannot show this right now" in text
    assert "not among" not in text
    assert "<h2>Your name leaked</h2>" in text
    assert f"incident {incident.pk} cannot be opened" in caplog.text
    assert "Traceback" not in caplog.text


def test_an_exposure_of_an_unknown_class_shows_an_error_page(minji, incident, leaked_minji):
    leaked_minji.exposures.filter(ciphertext__isnull=True).update(data_classes=[9999])
    assert "We cannot show this right now" in page_of(minji).content.decode()


def test_a_class_that_only_the_encrypted_list_names_is_shown(minji, incident, leaked_minji):
    leaked_minji.exposures.filter(ciphertext__isnull=False).update(data_classes=[])
    assert "1\u00a0entrance code" in text_of(minji)


def test_the_number_of_queries_does_not_grow(
    minji, incident, file, leaked_minji, django_assert_max_num_queries, client
):
    client.force_login(minji)
    state(incident, "usernames", "possibly")
    with override("en"):
        url = reverse("my_data")
    with django_assert_max_num_queries(100) as few:
        client.get(url)

    second = second_incident()
    expose(person(second, email=minji.email), file_of(second), "names")
    for number in range(3):
        email = f"minji{number}@example.org"
        EmailAddress.objects.create(user=minji, email=email, verified=True)
        row = person(incident, name=f"김{number}", email=email)
        for order in range(100):
            expose(row, file, "names", values=[("purchases", f"{order} × 1", "2025-01-01")])
        state(incident, ["names", "purchases", "passwords"][number], "involved")

    # One more query: a page of several incidents reads the contacts in its footer.
    with django_assert_max_num_queries(len(few) + 1):
        response = client.get(url)
    assert response.content.decode().count("100\u00a0orders leaked") == 3


def test_a_number_that_finds_nothing_is_shown_as_people_write_it(client, incident):
    file_of(incident)
    client.force_login(User.objects.for_proven_phone("+821055556666", language="ko"))
    page = client.get("/ko/my-data/").text
    assert '<li class="address"><span class="whole">010-5555-6666</span></li>' in page
    assert "인증하신 번호는 지금까지 알려진 유출 자료에 없습니다" in page
    assert "+82" not in page
