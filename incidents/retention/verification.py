"""Proves that deleted data cannot be opened any more, by trying it.

Each function returns one line in English for each fault, with numbers and ids, never a value.
"""

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from incidents import encryption
from incidents.encryption import CONTACT, EXPOSURE, EncryptionError, IncidentCipher
from incidents.models import (
    AffectedPerson,
    DataDeletion,
    Exposure,
    ExposureFile,
    Incident,
    Shredding,
    UploadPiece,
)

SAMPLE = 100  # ciphertexts that are tried with each keyset of the database

Step = DataDeletion.Step
Ciphertext = bytes | memoryview | None


def faults_of(record: DataDeletion) -> list[str]:
    """Returns what contradicts the record of a finished deletion."""
    if record.step == Step.CONTACTS or record.incident.shredded_at:
        return faults_of_contacts(record.incident)
    return faults_of_values(record)


def faults_of_values(record: DataDeletion) -> list[str]:
    """Returns what is left of the values: ciphertexts, stored uploads, and the destroyed keys."""
    incident, faults = record.incident, []
    files = ExposureFile.objects.filter(incident=incident).values_list("pk", flat=True)
    exposures = Exposure.objects.filter(file__in=list(files), ciphertext__isnull=False)
    if exposures.exists():
        faults.append(f"{incident.slug}: {exposures.count():,} rows still hold values")
    if UploadPiece.objects.filter(upload__incident=incident).exists():
        faults.append(f"{incident.slug}: uploaded files are still stored")
    if left := sorted(set(record.key_ids) & set(encryption.data_key_ids(*_data_keyset(incident)))):
        faults.append(f"{incident.slug}: the keyset still holds the destroyed keys {left}")
    return faults


def faults_of_contacts(incident: Incident) -> list[str]:
    """Returns what of a shredded incident can still be opened or found.

    It tries SAMPLE rows that no purge has deleted with the keysets of all other incidents, too.
    """
    try:
        incident.cipher()
        return [f"{incident.slug}: its keysets are still there; contacts can be found"]
    except EncryptionError:
        pass
    record = Shredding.objects.filter(incident=incident, done_at__isnull=False).first()
    faults = [] if record else [f"{incident.slug}: no record of its shredding"]
    opened = sum(_opens(cipher, incident) for cipher in _other_ciphers(incident))
    if opened:
        faults.append(f"{incident.slug}: {opened:,} values open with another incident's keyset")
    if UploadPiece.objects.filter(upload__incident=incident).exists():
        faults.append(f"{incident.slug}: uploaded files are still stored")
    return faults


def _data_keyset(incident: Incident) -> tuple[bytes, str]:
    return bytes(incident.data_keyset or b""), incident.slug


def _other_ciphers(incident: Incident) -> Iterator[IncidentCipher]:
    """Yields a cipher with the keysets of each other incident.

    The associated data is that of the shredded incident, as if its row had been given a keyset.
    """
    for other in Incident.objects.filter(shredded_at=None).exclude(pk=incident.pk):
        _pk, slug, data, index = other.keysets()
        try:
            yield IncidentCipher(incident_id=incident.pk, slug=slug, data=data, index=index)
        except EncryptionError:
            continue


def _opens(cipher: IncidentCipher, incident: Incident) -> int:
    """Returns how many of the sampled ciphertexts this cipher decrypts."""
    people = AffectedPerson.objects.filter(incident=incident).exclude(contact=b"")
    contacts = people.values_list("pk", "contact")[:SAMPLE]
    files = ExposureFile.objects.filter(incident=incident).values_list("pk", flat=True)
    exposures = Exposure.objects.filter(file__in=list(files), ciphertext__isnull=False)
    values = exposures.values_list("person_id", "ciphertext")[:SAMPLE]
    tried = chain(
        ((person, contact, CONTACT) for person, contact in contacts),
        ((person, value or b"", EXPOSURE) for person, value in values),
    )
    return sum(_decrypts(cipher, person, bytes(data), use) for person, data, use in tried)


def _decrypts(cipher: IncidentCipher, person: UUID, ciphertext: Ciphertext, purpose: bytes) -> bool:
    try:
        cipher.decrypt(bytes(ciphertext or b""), person=person, purpose=purpose)
    except EncryptionError:
        return False
    return True
