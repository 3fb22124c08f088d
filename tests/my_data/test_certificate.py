"""A certificate: it shows one customer's own leak, and its code verifies it permanently."""

import html
import io
import logging
import re
import shutil
import subprocess
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User, VerifiedPhone
from foundations.logs import Line
from harness.exposure_factory import expose, file_of, person, withdraw
from harness.sign_in import step_up
from incidents.models import AffectedPerson, Incident
from notices import decisions
from notices.models import Certificate, Delivery, Notice
from notices.proof import certificates
from tests.notice_factory import work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db

needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="poppler reads the PDF")


@pytest.fixture
def leaked_minji(incident) -> AffectedPerson:
    """Minji's row: name, e-mail, phone, two postal addresses and an entrance code."""
    file = file_of(incident)
    row = person(incident, name="김민지", email="minji@example.com", phone="010-1234-5678")
    expose(row, file, "names", "email-addresses", "phone-numbers")
    addresses = ["서울특별시 강남구 테헤란로 558", "부산광역시 해운대구 센텀중앙로 730"]
    expose(row, file, values=[("physical-addresses", addresses[0]), ("entrance-codes", "7585#")])
    expose(row, file, values=[("physical-addresses", addresses[1])])
    return row


def url(incident: Incident, language: str = "en") -> str:
    with override(language):
        return reverse("certificate", args=[incident.slug])


def get_certificate(user: User, incident: Incident, language: str = "en"):
    client = Client()
    client.force_login(user)
    return client.post(url(incident), {"language": language})


def text_of(pdf: bytes) -> str:
    run = ["pdftotext", "-", "-"]
    done = subprocess.run(run, input=pdf, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def code_on(pdf: bytes) -> str:
    found = re.search(r"\b(?:[0-9A-Z]{4}-){4}[0-9A-Z]{4}\b", text_of(pdf))
    assert found
    return found[0]


def facts_of(response) -> str:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(text).split())


HIDDEN = ("김민지", "minji@", "1234", "테헤란로", "강남구", "7585", "센텀")


@needs_poppler
@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_certificate_shows_what_leaked_and_no_value(minji, incident, leaked_minji, language):
    response = get_certificate(minji, incident, language)
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"].startswith("attachment")
    assert "no-store" in response["Cache-Control"]
    text = text_of(response.content)
    shown = {
        "ko": ["개인정보 유출 확인서", "한빛상점", "김*지", "m***@e***.com", "2개 유출"],
        "en": ["Certificate of leaked personal data", "Hanbit Store", "김*지", "2 leaked"],
    }
    for words in shown[language]:
        assert words in text
    for value in HIDDEN:
        assert value not in text


@needs_poppler
def test_it_counts_in_the_words_of_my_data(minji, incident, leaked_minji):
    file = file_of(incident)
    for day in ("2025-06-24", "2025-07-02"):
        expose(leaked_minji, file, values=[("purchases", "감귤 5kg", day)])
    assert "주문 내역 2건 유출" in text_of(get_certificate(minji, incident, "ko").content)


@needs_poppler
def test_notices_are_listed_in_the_order_of_sending(
    minji, incident, notice, people, approver, server
):
    work(notice)
    second = Notice.objects.create(
        incident=incident, version=notice.version, kind="mandatory", created_by=notice.created_by
    )
    decisions.approve(second, by=approver)
    work(second)
    Delivery.objects.filter(notice=second).update(state="in_doubt", doubt_cause="connection_lost")
    text = text_of(get_certificate(minji, incident).content)
    assert text.index("accepted for delivery on") < text.index("whether it arrived is not known")


@needs_poppler
def test_the_certificate_shows_how_the_person_was_notified(minji, incident, notice, people, server):
    work(notice)
    text = text_of(get_certificate(minji, incident).content)
    assert "“About your data”, version 1" in text
    assert "Sent by e\u2011mail; accepted for delivery on" in text
    assert "KST" in text


@needs_poppler
def test_the_certificate_shows_that_nothing_was_sent(minji, incident, leaked_minji):
    text = text_of(get_certificate(minji, incident).content)
    assert "None was sent to this person so far." in text


@needs_poppler
@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_screen_reader_and_any_machine_can_read_it(minji, incident, leaked_minji, language):
    pdf = get_certificate(minji, incident, language).content
    info = subprocess.run(["pdfinfo", "-"], input=pdf, capture_output=True, check=True).stdout
    fonts = subprocess.run(["pdffonts", "-"], input=pdf, capture_output=True, check=True).stdout
    assert re.search(rb"Tagged: +yes", info)
    assert b"pdfuaid" in pdf  # as PDF/UA demands, or Typst refuses to say so
    assert b"NotoSansKR" in fonts
    assert all(line.split()[-5] == b"yes" for line in fonts.splitlines()[2:])  # embedded
    assert f"/Lang({language})".encode() in pdf.replace(b" ", b"")
    assert len(pdf) < 60_000


@needs_poppler
def test_the_qr_code_leads_to_the_verification_page(minji, incident, leaked_minji):
    pdf = get_certificate(minji, incident).content
    address = "http://127.0.0.1:8000/en/certificates/" + code_on(pdf).replace("-", "")
    run = ["pdfinfo", "-url", "-"]
    links = subprocess.run(run, input=pdf, capture_output=True, check=True).stdout.decode()
    assert address + "/" in links


@needs_poppler
def test_letters_missing_in_the_font_do_not_stop_the_certificate(minji, incident):
    row = person(incident, name="สมชาย 😀", email=minji.email)
    expose(row, file_of(incident), "names")
    assert "Certificate" in text_of(get_certificate(minji, incident).content)


@needs_poppler
def test_a_certificate_of_the_demonstration_is_marked(minji, incident, leaked_minji, settings):
    assert "demonstration" not in text_of(get_certificate(minji, incident).content)
    settings.IS_DEMO = True
    assert "This is a demonstration" in text_of(get_certificate(minji, incident).content)


def test_the_page_describes_the_certificate_before_it_is_made(
    minji, incident, leaked_minji, client
):
    client.force_login(minji)
    with override("en"):
        mine = client.get(reverse("my_data")).content.decode()
    assert url(incident) in mine
    page = client.get(url(incident))
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert not Certificate.objects.exists()


def test_another_user_gets_no_certificate(seojun, minji, incident, leaked_minji, client):
    assert client.post(url(incident), {"language": "en"}).status_code == 302
    assert get_certificate(seojun, incident).status_code == 404
    Incident.objects.update(is_public=False)
    assert get_certificate(minji, incident).status_code == 404
    assert not Certificate.objects.exists()


@needs_poppler
def test_each_customer_gets_their_own_certificate(minji, seojun, incident, leaked_minji):
    other = person(incident, name="박서준", email="seojun@example.com")
    expose(other, file_of(incident, number=2), "names")
    theirs, hers = (text_of(get_certificate(u, incident).content) for u in (seojun, minji))
    assert "박*준" in theirs
    assert "김*지" not in theirs
    assert "박*준" not in hers


@needs_poppler
def test_a_recipients_certificate_does_not_name_the_owner_of_the_address_book(
    seojun, incident, leaked_minji
):
    row = person(
        incident,
        relation=AffectedPerson.Relation.RECIPIENT,
        name="민지 남자친구",
        phone="010-9999-8888",
    )
    expose(row, file_of(incident, number=2), "names", "phone-numbers")
    VerifiedPhone.objects.create(user=seojun, number="+821099998888")

    text = text_of(get_certificate(seojun, incident).content)
    assert "the recipient of a parcel" in text
    assert "010-****-8888" in text
    for hint in ("민", "남", "김*지", "minji"):
        assert hint not in text


@needs_poppler
def test_the_code_shows_the_content_of_the_certificate_only(minji, incident, leaked_minji):
    pdf = get_certificate(minji, incident).content
    code = code_on(pdf)
    with override("ko"):
        answers = [
            Client().get(reverse("certificate_checked", args=[code.replace("-", "")])),
            Client().post(reverse("certificate_check"), {"code": f" {code.lower()} "}),
        ]
    for answer in answers:
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]
        shown = facts_of(answer)
        for words in ("김*지", "m***@e***.com", "2 leaked", "Hanbit Store"):
            assert words in shown
        for value in HIDDEN:
            assert value not in shown
        parts = re.findall(r"<d[td]>(.*?)</d[td]>", answer.content.decode())
        printed = text_of(pdf).replace(" ", "")
        assert parts
        for words in parts:
            assert html.unescape(words).replace(" ", "") in printed


@needs_poppler
def test_it_can_be_checked_after_the_data_is_shredded(minji, incident, leaked_minji):
    code = code_on(get_certificate(minji, incident).content)
    incident.shred()
    checked = certificates.find_certificate(code)
    assert checked
    assert any("김*지" in value for part in checked.parts for _name, value in part.rows)
    assert get_certificate(minji, incident).status_code == 404


def test_the_database_alone_reveals_no_certificate(minji, incident, leaked_minji):
    issued = certificates.issue(minji, incident, language="en")
    assert issued
    dump = io.StringIO()
    call_command("dumpdata", "notices.certificate", stdout=dump)
    for trace in (issued.code, certificates.written(issued.code), "김", "example.com"):
        assert trace not in dump.getvalue()
    stored = bytes(Certificate.objects.get().ciphertext)
    assert issued.code.encode() not in stored
    assert b"leaked" not in stored
    names = {field.name for field in Certificate._meta.get_fields()}
    assert names == {"id", "lookup", "incident", "language", "issued_at", "sha256", "ciphertext"}


def test_a_changed_record_is_not_valid(minji, incident, leaked_minji, caplog):
    one, two = (certificates.issue(minji, incident, language="en") for _ in range(2))
    assert one
    assert two
    assert one.code != two.code
    forged = Certificate.objects.get(pk=one.certificate.pk)
    forged.pk, forged.lookup = None, certificates._lookup("0" * 20)
    forged.save()
    assert certificates.find_certificate("0" * 20) is None
    assert "does not open with its code" in caplog.text
    assert certificates.find_certificate(two.code)


@pytest.mark.parametrize("change", [{"language": "ko"}, {"issued_at": timezone.now()}])
def test_a_record_can_be_neither_changed_nor_deleted(minji, incident, leaked_minji, change):
    certificates.issue(minji, incident, language="en")
    for act in (lambda rows: rows.update(**change), lambda rows: rows.delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            act(Certificate.objects.all())


@pytest.mark.parametrize("code", ["0" * 20, "7QK2-X9ND-4HTB", "' or 1=1", "0" * 5000])
def test_another_code_is_not_found(incident, client, code):
    with override("en"):
        answer = client.post(reverse("certificate_check"), {"code": code})
        scanned = client.get(reverse("certificate_checked", args=[code]))
    assert "genuine</h1>" not in answer.content.decode().replace("Is this certificate genuine", "")
    assert scanned.status_code == 404


def test_verifying_and_making_certificates_are_rate_limited(
    minji, incident, leaked_minji, client, settings
):
    rates = {"certificate_issue": "2/h/key", "certificate_check": "2/h/ip"}
    settings.PROOF_RATES = settings.PROOF_RATES | rates
    statuses = [get_certificate(minji, incident).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    with override("en"):
        address = reverse("certificate_check")
    tries = [client.post(address, {"code": "0" * 20}).status_code for _ in range(3)]
    assert tries[:2] == [200, 200]
    assert tries[2] == 429


def test_in_a_crowded_network_each_user_gets_fewer_documents(
    minji, seojun, incident, leaked_minji, settings
):
    """Accounts are free, so strangers behind the same carrier can use up a limit of its network."""
    rates = {"document_network": "2/h/ip", "document_in_crowd": "1/h/key"}
    settings.PROOF_RATES = settings.PROOF_RATES | rates
    stranger = Client()
    stranger.force_login(seojun)
    step_up(stranger, seojun)
    statuses = [stranger.post("/en/my-data/copy/").status_code for _turn in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert get_certificate(minji, incident).status_code == 200
    refused = get_certificate(minji, incident)
    assert (refused.status_code, bool(refused["Retry-After"])) == (429, True)
    assert "You may share the network with others" in refused.text


def test_who_is_refused_for_own_documents_does_not_crowd_the_network(
    minji, seojun, incident, leaked_minji, settings
):
    rates = {"own_copy": "1/h/key", "document_network": "2/h/ip", "document_in_crowd": "0/h/key"}
    settings.PROOF_RATES = settings.PROOF_RATES | rates
    stranger = Client()
    stranger.force_login(seojun)
    step_up(stranger, seojun)
    statuses = [stranger.post("/en/my-data/copy/").status_code for _turn in range(4)]
    assert statuses == [200, 429, 429, 429]
    assert get_certificate(minji, incident).status_code == 200


def test_scanned_and_typed_codes_count_together_in_every_language(client, settings):
    settings.PROOF_RATES = {"certificate_check": "3/h/ip"}
    code = "0" * 20
    statuses = []
    for language in ("ko", "en"):
        with override(language):
            scanned = reverse("certificate_checked", args=[code])
            typed = reverse("certificate_check")
        statuses += [
            client.get(scanned).status_code,
            client.post(typed, {"code": code}).status_code,
        ]
    assert statuses == [404, 200, 404, 429]
    assert client.get(scanned).status_code == client.head(scanned).status_code == 429


def test_the_log_names_keys_only(minji, incident, leaked_minji, caplog):
    with caplog.at_level(logging.INFO):
        issued = certificates.issue(minji, incident, language="en")
    assert issued
    assert f"user {minji.pk} was given certificate {issued.certificate.pk}" in caplog.text
    for private in (issued.code, "minji@", "김"):
        assert private not in caplog.text


@pytest.mark.parametrize(("rate", "status"), [("30/m/ip", 404), ("0/m/ip", 429)])
def test_a_code_in_an_address_is_not_logged(client, incident, settings, caplog, rate, status):
    settings.PROOF_RATES = {"certificate_check": rate}
    code = "7QK2X9ND4HTB90FCWZ6M"
    with override("en"):
        answer = client.get(reverse("certificate_checked", args=[code]))
    assert answer.status_code == status
    formatters = [handler.formatter for handler in logging.getLogger().handlers]
    configured = next(each for each in formatters if isinstance(each, Line))
    logged = "".join(configured.format(record) for record in caplog.records)
    assert "/en/certificates/…" in logged
    assert code not in logged


def test_a_wrong_keyset_gives_no_partial_certificate(minji, incident, leaked_minji):
    Incident.objects.filter(pk=incident.pk).update(data_keyset=b"sealed by another master")
    assert get_certificate(minji, incident).status_code == 503
    assert not Certificate.objects.exists()


def test_the_printed_time_equals_the_recorded_time(minji, incident, leaked_minji):
    issued = certificates.issue(minji, incident, language="en")
    assert issued
    assert timezone.now() - issued.certificate.issued_at < timedelta(minutes=1)


def test_a_user_without_leaked_data_reads_why_there_is_no_certificate(
    seojun, minji, incident, leaked_minji
):
    answer = get_certificate(seojun, incident)

    assert answer.status_code == 404
    assert "There is no certificate for you" in facts_of(answer)
    assert "What changed" not in facts_of(answer)


def test_after_a_withdrawal_the_page_says_what_changed(minji, incident, leaked_minji):
    batch = incident.batches.get()
    withdraw(batch, "a note", "not_leaked")

    answer = get_certificate(minji, incident)

    assert answer.status_code == 404
    text = facts_of(answer)
    assert "There is no certificate for you" in text
    assert "It was not part of the data that leaked." in text
    assert "can still be checked" in text


def test_after_the_shredding_the_page_says_so(minji, incident, leaked_minji):
    incident.shred()

    assert "has deleted the data for good" in facts_of(get_certificate(minji, incident))


def test_an_earlier_certificate_names_what_was_withdrawn_since(minji, incident, leaked_minji):
    expose(leaked_minji, file_of(incident, number=2), values=[("purchases", "coat")])
    unrelated = expose(person(incident, name="박서준"), file_of(incident, number=3), "names")
    before = certificates.issue(minji, incident, language="en")
    assert before
    withdraw(unrelated.file.batch, "a note", "mistakes")
    assert "was withdrawn later" not in checked_page(before.code)

    withdraw(incident.batches.get(number=2), "a note", "mistakes")
    after = certificates.issue(minji, incident, language="en")
    assert after

    text = checked_page(before.code)
    assert "This certificate is genuine" in text
    assert "Part of it was withdrawn later" in text
    assert "It had mistakes." in text
    assert "a note" not in text
    assert "was withdrawn later" not in checked_page(after.code)


def checked_page(code: str) -> str:
    with override("en"):
        return facts_of(Client().get(reverse("certificate_checked", args=[code])))


@needs_poppler
def test_the_answer_about_a_code_stays_in_another_language(minji, incident, leaked_minji, settings):
    code = code_on(get_certificate(minji, incident).content)
    page = Client().post("/en/certificates/", {"code": code}).text
    assert 'name="in_language" value="ko"' in page
    answer = Client().post("/ko/certificates/", {"code": code, "in_language": "ko"})
    assert "발급" in facts_of(answer)
    assert answer.cookies[settings.LANGUAGE_COOKIE_NAME].value == "ko"
