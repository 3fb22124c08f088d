"""What is sealed opens in its own row only, and not at all once its keys are gone."""

from uuid import UUID

import pytest

from incidents import sealing
from incidents.models import Incident
from incidents.sealing import CONTACT, EXPOSURE, KeysetShreddedError, SealingError

MINJI, SEOJUN = UUID(int=1), UUID(int=2)
SECRET = {"n": "김민지", "e": "minji@example.com"}


@pytest.fixture
def other_incident(incident) -> Incident:
    other = Incident(slug="other", aware_at=incident.aware_at)
    other.make_keysets()
    other.save()
    return other


def test_a_value_opens_in_its_own_row(incident):
    sealed = incident.seal().seal(SECRET, person=MINJI, purpose=CONTACT)

    assert b"minji" not in sealed
    assert incident.seal().open(sealed, person=MINJI, purpose=CONTACT) == SECRET


@pytest.mark.parametrize(("person", "purpose"), [(SEOJUN, CONTACT), (MINJI, EXPOSURE)])
def test_a_value_moved_to_another_person_or_purpose_does_not_open(incident, person, purpose):
    sealed = incident.seal().seal(SECRET, person=MINJI, purpose=CONTACT)

    with pytest.raises(SealingError) as caught:
        incident.seal().open(sealed, person=person, purpose=purpose)
    assert str(person) in str(caught.value)
    assert "minji" not in str(caught.value)


def test_a_value_moved_to_another_incident_does_not_open(incident, other_incident):
    sealed = incident.seal().seal(SECRET, person=MINJI, purpose=CONTACT)

    with pytest.raises(SealingError):
        other_incident.seal().open(sealed, person=MINJI, purpose=CONTACT)


def test_a_value_is_bound_to_its_incident_even_under_the_same_keys(incident):
    seal = incident.seal()
    sealed = seal.seal(SECRET, person=MINJI, purpose=CONTACT)
    twin = sealing.incident_seal(
        incident.pk + 1, incident.slug, incident.data_keyset, incident.index_keyset
    )

    with pytest.raises(SealingError):
        twin.open(sealed, person=MINJI, purpose=CONTACT)


def test_keysets_copied_to_another_incident_do_not_open(incident, other_incident):
    other_incident.data_keyset = incident.data_keyset

    with pytest.raises(SealingError, match="the data keyset of incident other does not open"):
        other_incident.seal()


def test_one_changed_byte_does_not_open(incident):
    sealed = bytearray(incident.seal().seal(SECRET, person=MINJI, purpose=CONTACT))
    sealed[-1] ^= 1

    with pytest.raises(SealingError):
        incident.seal().open(bytes(sealed), person=MINJI, purpose=CONTACT)


def test_the_wrong_master_keyset_opens_nothing(incident, settings):
    settings.MASTER_KEYSET = sealing.new_master_keyset()
    sealing.incident_seal.cache_clear()

    with pytest.raises(SealingError) as caught:
        incident.seal()
    assert str(caught.value) == (
        "the data keyset of incident hanbit-2025 does not open with this master keyset"
    )


def test_a_master_keyset_that_is_none_says_how_to_make_one(incident, settings):
    settings.MASTER_KEYSET = "secret words"
    sealing.incident_seal.cache_clear()

    with pytest.raises(SealingError, match=r"breachportal\.keys") as caught:
        incident.seal()
    assert "secret words" not in str(caught.value)


def test_production_makes_no_master_keyset_of_its_own(incident, settings):
    settings.MASTER_KEYSET, settings.IS_PRODUCTION = "", True
    sealing.incident_seal.cache_clear()

    with pytest.raises(SealingError, match="MASTER_KEYSET is not set"):
        incident.seal()


def test_a_shredded_incident_opens_nothing(incident):
    incident.shred()
    incident.refresh_from_db()

    with pytest.raises(KeysetShreddedError, match="hanbit-2025"):
        incident.seal()


def test_an_index_is_stable_and_of_its_incident_alone(incident, other_incident):
    index = incident.seal().email_index("minji@example.com")

    sealing.incident_seal.cache_clear()
    assert Incident.objects.get(pk=incident.pk).seal().email_index("minji@example.com") == index
    assert other_incident.seal().email_index("minji@example.com") != index


def test_indexes_of_different_kinds_never_meet(incident):
    seal = incident.seal()

    found = {
        seal.email_index("1"),
        seal.phone_index("1"),
        seal.person_id("member", "1"),
        seal.person_id("recipient", "1"),
    }
    assert len(found) == 4
