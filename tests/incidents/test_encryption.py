"""Ciphertexts decrypt in their own row only, and not at all once the keys are deleted."""

import json
import os
from uuid import UUID

import pytest
import tink
from hypothesis import given
from hypothesis import strategies as st
from tink import aead

from foundations.keys import master_keyset
from incidents import encryption
from incidents.bulk_encryption import BulkDecryptor, BulkEncryptor
from incidents.encryption import CONTACT, EXPOSURE, EncryptionError, KeysetShreddedError
from incidents.models import Incident

MINJI, SEOJUN = UUID(int=1), UUID(int=2)
SECRET = {"n": "김민지", "e": "minji@example.com"}


@pytest.fixture
def other_incident(incident) -> Incident:
    other = Incident(slug="other", aware_at=incident.aware_at)
    other.make_keysets()
    other.save()
    return other


def test_a_value_is_decrypted_in_its_own_row(incident):
    ciphertext = incident.cipher().encrypt(SECRET, person=MINJI, purpose=CONTACT)

    assert b"minji" not in ciphertext
    assert incident.cipher().decrypt(ciphertext, person=MINJI, purpose=CONTACT) == SECRET


@pytest.mark.parametrize(("person", "purpose"), [(SEOJUN, CONTACT), (MINJI, EXPOSURE)])
def test_a_value_moved_to_another_person_or_purpose_is_not_decrypted(incident, person, purpose):
    ciphertext = incident.cipher().encrypt(SECRET, person=MINJI, purpose=CONTACT)

    with pytest.raises(EncryptionError) as caught:
        incident.cipher().decrypt(ciphertext, person=person, purpose=purpose)
    assert str(person) in str(caught.value)
    assert "minji" not in str(caught.value)


def test_a_value_moved_to_another_incident_is_not_decrypted(incident, other_incident):
    ciphertext = incident.cipher().encrypt(SECRET, person=MINJI, purpose=CONTACT)

    with pytest.raises(EncryptionError):
        other_incident.cipher().decrypt(ciphertext, person=MINJI, purpose=CONTACT)


def test_a_value_is_bound_to_its_incident_even_under_the_same_keys(incident):
    cipher = incident.cipher()
    ciphertext = cipher.encrypt(SECRET, person=MINJI, purpose=CONTACT)
    twin = encryption.incident_cipher(
        incident.pk + 1, incident.slug, incident.data_keyset, incident.index_keyset
    )

    with pytest.raises(EncryptionError):
        twin.decrypt(ciphertext, person=MINJI, purpose=CONTACT)


def test_keysets_copied_to_another_incident_are_not_unwrapped(incident, other_incident):
    other_incident.data_keyset = incident.data_keyset

    with pytest.raises(EncryptionError, match="the data keyset of incident other does not open"):
        other_incident.cipher()


def test_a_value_with_one_changed_byte_is_not_decrypted(incident):
    ciphertext = bytearray(incident.cipher().encrypt(SECRET, person=MINJI, purpose=CONTACT))
    ciphertext[-1] ^= 1

    with pytest.raises(EncryptionError):
        incident.cipher().decrypt(bytes(ciphertext), person=MINJI, purpose=CONTACT)


def test_the_wrong_master_keyset_decrypts_nothing(incident, settings):
    settings.MASTER_KEYSET = encryption.new_master_keyset()
    encryption.incident_cipher.cache_clear()

    with pytest.raises(EncryptionError) as caught:
        incident.cipher()
    assert str(caught.value) == (
        "the data keyset of incident hanbit-2025 does not open with this master keyset"
    )


def test_an_invalid_master_keyset_error_says_how_to_make_one(incident, settings):
    settings.MASTER_KEYSET = "secret words"
    encryption.incident_cipher.cache_clear()

    with pytest.raises(EncryptionError, match=r"foundations\.make_secret") as caught:
        incident.cipher()
    assert "secret words" not in str(caught.value)


def test_production_makes_no_master_keyset_of_its_own(incident, settings):
    settings.MASTER_KEYSET, settings.IS_PRODUCTION = "", True
    encryption.incident_cipher.cache_clear()

    with pytest.raises(EncryptionError, match="MASTER_KEYSET is not set"):
        incident.cipher()


def test_a_shredded_incident_decrypts_nothing(incident):
    incident.shred()
    incident.refresh_from_db()

    with pytest.raises(KeysetShreddedError, match="hanbit-2025"):
        incident.cipher()


def test_an_index_is_stable_and_of_its_incident_alone(incident, other_incident):
    index = incident.cipher().email_index("minji@example.com")

    encryption.incident_cipher.cache_clear()
    assert Incident.objects.get(pk=incident.pk).cipher().email_index("minji@example.com") == index
    assert other_incident.cipher().email_index("minji@example.com") != index


def test_indexes_of_different_kinds_never_collide(incident):
    cipher = incident.cipher()

    found = {
        cipher.email_index("1"),
        cipher.phone_index("1"),
        cipher.person_id("member", "1"),
        cipher.person_id("recipient", "1"),
    }
    assert len(found) == 4


def test_bulk_ciphertexts_equal_those_of_tink(incident):
    """Tink decrypts it, and its layout is that of Tink."""
    cipher, bulk = incident.cipher(), BulkEncryptor(*incident.keysets())
    person = cipher.person_id("member", "7")
    for plain in (b'{"n":"\xea\xb9\x80"}', b'""', b'"' + b"x" * 10_000 + b'"'):
        ours = bulk.encrypt_bytes(plain, person.bytes, CONTACT)
        theirs = cipher.encrypt(json.loads(plain), person=person, purpose=CONTACT)
        assert cipher.decrypt(ours, person=person, purpose=CONTACT) == json.loads(plain)
        assert (len(ours), ours[:5]) == (len(theirs), theirs[:5])
        with pytest.raises(EncryptionError):
            cipher.decrypt(ours, person=person, purpose=EXPOSURE)


def test_bulk_decryption_accepts_any_key_of_the_incident(incident):
    data, index = bytes(incident.data_keyset), bytes(incident.index_keyset)
    person, value = UUID(int=7), {"n": "김민지", "e": "minji@example.com"}
    older = incident.cipher().encrypt(value, person=person, purpose=CONTACT)
    data, key = encryption.add_data_key(data, incident.slug)
    data = encryption.use_data_key(data, incident.slug, key)
    newer = encryption.incident_cipher(incident.pk, incident.slug, data, index)
    opener = BulkDecryptor(incident.pk, incident.slug, data, index)
    for ciphertext in (older, newer.encrypt(value, person=person, purpose=CONTACT)):
        assert opener.decrypt(ciphertext, person=person, purpose=CONTACT) == value


def test_bulk_decryption_uses_tink_for_other_key_types():
    other = tink.new_keyset_handle(aead.aead_key_templates.XCHACHA20_POLY1305)
    data = tink.proto_keyset_format.serialize_encrypted(other, master_keyset(), b"data:hanbit")
    _, index = encryption.new_incident_keysets("hanbit")
    keysets = (1, "hanbit", data, index)
    ciphertext = encryption.incident_cipher(*keysets).encrypt(
        "값", person=UUID(int=7), purpose=CONTACT
    )
    assert BulkDecryptor(*keysets).decrypt(ciphertext, person=UUID(int=7), purpose=CONTACT) == "값"


def test_bulk_decryption_refuses_what_tink_refuses(incident):
    opener, person = BulkDecryptor(*incident.keysets()), UUID(int=7)
    ciphertext = incident.cipher().encrypt("값", person=person, purpose=CONTACT)
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    for wrong, whose, purpose in (
        (ciphertext, UUID(int=8), CONTACT),
        (ciphertext, person, EXPOSURE),
        (changed, person, CONTACT),
        (ciphertext[:10], person, CONTACT),
        (b"", person, CONTACT),
    ):
        with pytest.raises(EncryptionError):
            opener.decrypt(wrong, person=whose, purpose=purpose)


@given(st.text())
def test_bulk_blind_indexes_equal_those_of_tink(value):
    data, index = encryption.new_incident_keysets("hanbit")
    cipher = encryption.incident_cipher(1, "hanbit", data, index)

    assert (
        BulkEncryptor(1, "hanbit", data, index).blind_index(f"email\0{value}")
        == cipher.blind_index("email", value).bytes
    )


def test_two_ciphertexts_of_one_value_differ(incident):
    bulk = BulkEncryptor(*incident.keysets())
    ciphertext = {bulk.encrypt_bytes(b"1", bytes(16), CONTACT) for _ in range(1000)}

    assert len(ciphertext) == 1000


def test_a_forked_process_uses_no_nonce_of_its_parent(incident):
    """Two values under one nonce and key would reveal each other."""
    bulk = BulkEncryptor(*incident.keysets())
    bulk.encrypt_bytes(b"1", bytes(16), CONTACT)  # more nonces are ready now
    reading, writing = os.pipe()
    if not (child := os.fork()):
        os.write(writing, b"".join(nonces_of(bulk)))
        os._exit(0)
    os.waitpid(child, 0)
    taken = os.read(reading, 12 * 50)
    of_child = {taken[start : start + 12] for start in range(0, len(taken), 12)}
    assert len(of_child) == 50
    assert of_child.isdisjoint(nonces_of(bulk))


def nonces_of(bulk: BulkEncryptor) -> list[bytes]:
    return [bulk.encrypt_bytes(b"1", bytes(16), CONTACT)[5:17] for _ in range(50)]


def test_bulk_encryption_refuses_other_key_types():
    """The bulk encryptor knows one key type and refuses others."""
    other = tink.new_keyset_handle(aead.aead_key_templates.XCHACHA20_POLY1305)
    wrapped = tink.proto_keyset_format.serialize_encrypted(other, master_keyset(), b"data:hanbit")
    _, index = encryption.new_incident_keysets("hanbit")

    with pytest.raises(EncryptionError, match="AesGcmKey only"):
        BulkEncryptor(1, "hanbit", wrapped, index)
