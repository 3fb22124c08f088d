"""A value that cannot be decrypted is not shown; the log names its row."""

import html
import logging

import pytest
from django.urls import reverse
from django.utils.translation import override

from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from incidents import encryption
from incidents.models import AffectedPerson, Reveal

pytestmark = pytest.mark.django_db
ADDRESS, THEIRS = "서울특별시 강남구 테헤란로 558", "대구광역시 수성구 달구벌대로 14"


@pytest.fixture
def rows(minji, incident) -> tuple[AffectedPerson, AffectedPerson]:
    """Minji's row and Seojun's row."""
    file = file_of(incident)
    mine = person(incident, name="김민지", email=minji.email)
    expose(mine, file, "names", values=[("physical-addresses", ADDRESS)])
    theirs = person(incident, name="박서준", email="seojun@example.com")
    expose(theirs, file, "names", values=[("physical-addresses", THEIRS)])
    return mine, theirs


def copy_exposure(mine: AffectedPerson, theirs: AffectedPerson) -> None:
    """Copies Seojun's values into Minji's row."""
    mine.exposures.update(ciphertext=theirs.exposures.get().ciphertext)


def copy_contact(mine: AffectedPerson, theirs: AffectedPerson) -> None:
    """Copies Seojun's contact into Minji's row."""
    AffectedPerson.objects.filter(pk=mine.pk).update(contact=theirs.contact)


def swap_purpose(mine: AffectedPerson, theirs: AffectedPerson) -> None:
    """Copies Minji's contact to the place of her values."""
    mine.exposures.update(ciphertext=mine.contact)


def change_one_byte(mine: AffectedPerson, theirs: AffectedPerson) -> None:
    """Changes one byte, as a disk error would."""
    ciphertext = bytearray(mine.exposures.get().ciphertext or b"")
    ciphertext[-1] ^= 1
    mine.exposures.update(ciphertext=bytes(ciphertext))


def replace_data_keyset(mine: AffectedPerson, theirs: AffectedPerson) -> None:
    """Replaces the data keyset of the incident; the index keyset still finds the row."""
    incident = mine.incident
    incident.data_keyset, _ = encryption.new_incident_keysets(incident.slug)
    incident.save(update_fields=["data_keyset"])


DAMAGES = [copy_exposure, copy_contact, swap_purpose, change_one_byte, replace_data_keyset]


def ask(client, page: str, language: str):
    with override(language):
        url = reverse(page)
    return client.post(url, follow=True) if page == "my_data_reveal" else client.get(url)


@pytest.mark.parametrize("page", ["my_data", "my_data_reveal"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_decryption_failure_shows_a_plain_page_and_logs_the_row(
    client, minji, rows, caplog, damage, page
):
    mine, theirs = rows
    damage(mine, theirs)
    client.force_login(minji)
    step_up(client, minji)

    with caplog.at_level(logging.INFO):
        response = ask(client, page, "en")

    assert response.status_code == 503
    assert response["Retry-After"] == "3600"
    assert "no-store" in response["Cache-Control"]
    shown = html.unescape(response.content.decode())
    assert "<h1>We cannot show this right now</h1>" in shown
    assert "This does not mean that your data is safe." in shown
    assert "Try again in an hour." in shown
    link = '<a href="mailto:privacy@hanbit.example">'
    assert f"If it stays like this, ask Hanbit Store: {link}" in shown
    for private in ("민지", "서준", "테헤란로", "달구벌대로", "***", "not among"):
        assert private not in shown
    assert not Reveal.objects.exists()
    assert f"person {mine.pk} cannot be opened" in caplog.text
    for private in ("Traceback", "민지", "서준", "@example", "테헤란로", "달구벌대로"):
        assert private not in caplog.text


def test_the_page_is_in_korean_too(client, minji, rows):
    change_one_byte(*rows)
    client.force_login(minji)

    shown = ask(client, "my_data", "ko").content.decode()

    assert "한 시간 뒤에 다시 시도해 주십시오." in shown
    assert "privacy@hanbit.example" in shown


def test_a_wrong_master_keyset_shows_no_data(client, minji, rows, caplog, settings):
    client.force_login(minji)
    settings.MASTER_KEYSET = encryption.new_master_keyset()
    encryption.incident_cipher.cache_clear()

    response = ask(client, "my_data", "en")

    assert response.status_code == 503
    assert "not among" not in response.content.decode()
    assert f"incident {rows[0].incident_id} cannot be opened" in caplog.text
    assert "does not open with this master keyset" in caplog.text
    assert "Traceback" not in caplog.text


def test_the_other_sees_their_own_row_as_before(client, seojun, rows):
    copy_exposure(*rows)
    client.force_login(seojun)

    response = ask(client, "my_data", "en")

    assert response.status_code == 200
    assert "대구광역시 수성구" in response.content.decode()


@pytest.mark.parametrize("damage", [copy_exposure, copy_contact, change_one_byte])
def test_no_certificate_is_made_after_a_decryption_failure(client, minji, rows, caplog, damage):
    mine, theirs = rows
    damage(mine, theirs)
    client.force_login(minji)
    with override("en"):
        url = reverse("certificate", args=[mine.incident.slug])

    response = client.post(url, {"language": "en"})

    assert response.status_code == 503
    assert str(mine.pk) in caplog.text
    assert "서준" not in caplog.text
