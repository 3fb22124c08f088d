"""A new master key: all keysets are wrapped again, and the data is not touched."""

import os
import subprocess
import sys

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.second_factor_secrets import BOUND_TO_USER, decrypt_for, encrypt_for
from foundations import keys
from harness.exposure_factory import person
from harness.sign_in import give_app, give_recovery_codes
from incidents import encryption
from incidents.models import AffectedPerson, Incident

pytestmark = pytest.mark.django_db


@pytest.fixture
def master(settings) -> str:
    settings.MASTER_KEYSET = keys.new_master_keyset()
    return str(settings.MASTER_KEYSET)


@pytest.fixture
def minjis(master, incident) -> AffectedPerson:
    return person(incident, name="김민지", email="minji@example.com")


def rewrapped(capsys) -> str:
    call_command("rewrap_keysets")
    return str(capsys.readouterr().out)


def contact_of(row: AffectedPerson) -> dict[str, str]:
    encryption.incident_cipher.cache_clear()
    return AffectedPerson.objects.get(pk=row.pk).decrypt_contact()


def test_the_old_master_key_can_be_retired(minjis, editor, settings, capsys):
    give_app(editor, "secret")
    codes = give_recovery_codes(editor)
    passkey = {"credential": {BOUND_TO_USER: encrypt_for(editor.pk, "key")}}
    Authenticator.objects.create(user=editor, type=Authenticator.Type.WEBAUTHN, data=passkey)

    settings.MASTER_KEYSET = keys.rotated_master_keyset()
    assert contact_of(minjis)["n"] == "김민지"
    printed_line = rewrapped(capsys)
    assert "Keysets of 1 of 1 incidents and 3 of 3 second factors wrapped again" in printed_line
    settings.MASTER_KEYSET = keys.retired_master_keyset()

    assert contact_of(minjis)["n"] == "김민지"
    app = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert get_adapter().decrypt(app.data["secret"]) == "secret"
    again = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    assert again.wrap().get_unused_codes() == codes
    stored = Authenticator.objects.get(type=Authenticator.Type.WEBAUTHN).data["credential"]
    assert decrypt_for(editor.pk, stored[BOUND_TO_USER]) == "key"


def test_the_old_master_key_decrypts_nothing_any_more(minjis, master, settings, capsys):
    settings.MASTER_KEYSET = keys.rotated_master_keyset()
    rewrapped(capsys)

    settings.MASTER_KEYSET = master
    with pytest.raises(encryption.EncryptionError, match="does not open with this master keyset"):
        contact_of(minjis)


def test_a_second_run_changes_nothing_and_says_that_all_is_done(minjis, settings, capsys):
    settings.MASTER_KEYSET = keys.rotated_master_keyset()
    rewrapped(capsys)
    before = Incident.objects.values_list("data_keyset", "index_keyset").get()

    printed_line = rewrapped(capsys)

    assert "0 of 1 incidents" in printed_line
    assert "older keys can be retired" in printed_line
    after = Incident.objects.values_list("data_keyset", "index_keyset").get()
    assert [bytes(keyset or b"") for keyset in after] == [bytes(k or b"") for k in before]


def test_no_row_of_people_is_read(minjis, settings):
    settings.MASTER_KEYSET = keys.rotated_master_keyset()

    with CaptureQueriesContext(connection) as queries:
        call_command("rewrap_keysets")

    assert not [query for query in queries if "affectedperson" in query["sql"]]


def test_a_shredded_incident_is_left_out(minjis, incident, settings, capsys):
    incident.shred()
    settings.MASTER_KEYSET = keys.rotated_master_keyset()

    assert "0 of 0 incidents" in rewrapped(capsys)


def test_another_master_keyset_is_one_line_that_names_the_incident(minjis, settings):
    settings.MASTER_KEYSET = keys.new_master_keyset()

    with pytest.raises(CommandError, match="keyset of incident hanbit-2025 does not open"):
        call_command("rewrap_keysets")


def test_the_keysets_are_printed_for_the_operator(minjis, settings, capsys):
    def printed(*words: str) -> str:
        environment = {**os.environ, "MASTER_KEYSET": str(settings.MASTER_KEYSET)}
        done = subprocess.run(
            [sys.executable, "-m", "foundations.make_secret", *words],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
        return done.stdout.strip()

    settings.MASTER_KEYSET = printed("rotated-keyset")
    rewrapped(capsys)
    settings.MASTER_KEYSET = printed("retired-keyset")

    assert contact_of(minjis)["n"] == "김민지"
    assert len(settings.MASTER_KEYSET) < 300
