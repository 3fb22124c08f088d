"""The settings of company sign-on: a half configuration stops the start."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from breachportal.company_sign_on import staff

COMPLETE = {
    "ISSUER": "https://login.example.com/realms/staff",
    "CLIENT_ID": "portal",
    "CLIENT_SECRET": "secret",
    "NAME": "Example",
}


def read(monkeypatch, values, *, may_be_local=False):
    for name in (*COMPLETE, "VERIFIED_CLAIM", "SECOND_FACTORS"):
        monkeypatch.delenv(f"STAFF_SSO_{name}", raising=False)
    for name, value in values.items():
        monkeypatch.setenv(f"STAFF_SSO_{name}", value)
    return staff(may_be_local=may_be_local)


def test_without_variables_there_is_no_provider(monkeypatch):
    assert read(monkeypatch, {}) is None


def test_a_complete_configuration_is_read(monkeypatch):
    found = read(monkeypatch, {**COMPLETE, "SECOND_FACTORS": "mfa,hwk"})
    assert found["issuer"] == COMPLETE["ISSUER"]
    assert found["second_factors"] == ["mfa", "hwk"]


@pytest.mark.parametrize("missing", COMPLETE)
def test_a_half_configuration_names_what_is_missing(monkeypatch, missing):
    values = {name: value for name, value in COMPLETE.items() if name != missing}
    with pytest.raises(ImproperlyConfigured, match=f"STAFF_SSO_{missing}"):
        read(monkeypatch, values)


def test_a_setting_without_a_provider_is_refused(monkeypatch):
    with pytest.raises(ImproperlyConfigured, match="STAFF_SSO_ISSUER"):
        read(monkeypatch, {"SECOND_FACTORS": "mfa"})


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "login.example.com",
        "https://",
        "https://login.example.com?x=1",
        "https://user@login.example.com",
        "http://127.0.0.1:8000",
    ],
)
def test_an_issuer_without_https_is_refused(monkeypatch, issuer):
    with pytest.raises(ImproperlyConfigured, match="STAFF_SSO_ISSUER"):
        read(monkeypatch, {**COMPLETE, "ISSUER": issuer})


def test_outside_production_the_provider_may_be_this_machine(monkeypatch):
    values = {**COMPLETE, "ISSUER": "http://127.0.0.1:8000"}
    assert read(monkeypatch, values, may_be_local=True)


def test_the_page_names_settings_that_are_read(monkeypatch):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "company-sign-on.md"
    named = set(re.findall(r"`STAFF_SSO_([A-Z_]+?)(?:_FILE)?`", page.read_text(encoding="utf-8")))
    assert named == {*COMPLETE, "VERIFIED_CLAIM", "SECOND_FACTORS"}
