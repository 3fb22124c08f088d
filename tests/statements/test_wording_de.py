"""The lint finds in German what a regulator or a study criticised, and nothing else."""

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements.findings import Severity
from statements.wording import has_rules, lint
from tests.statements.linted import Linted

INVOLVED = ["Name", "Telefonnummer", "Anschrift", "Türcode", "Bestellung", "Passwort"]
OTHER = ["Lieferhinweis", "IP-Adresse", "E-Mail-Adresse"]
LINTED = Linted("de", INVOLVED, OTHER)
found, rules = LINTED.found, LINTED.rules


def test_german_has_rules():
    assert has_rules("de")


@pytest.mark.parametrize(
    "text",
    [
        "Die Daten von 48.200 Personen wurden kompromittiert.",
        "Ihre Telefonnummer wurde exponiert.",
        "Durch den Vorfall wurden Kundendaten offengelegt.",
    ],
)
def test_a_softer_word_for_a_leak_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("exposed", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Ihr Name könnte abgeflossen sein.",
        "Möglicherweise wurden Ihre Anschriften kopiert.",
        "Ihre Passwörter sind möglicherweise betroffen.",
        "Ihre Telefonnummern dürften entwendet worden sein.",
        "Ihre personenbezogenen Daten könnten betroffen sein.",
        "Die folgenden Daten können betroffen sein:\n\n- Namen",
        "Es ist nicht auszuschließen, dass Ihr Türcode abgeflossen ist.",
        "Ihr Name **könnte** abgeflossen sein.",
        "Kundendaten scheinen kopiert worden zu sein.",
    ],
)
def test_a_hedge_about_what_is_known_to_have_leaked_blocks(text):
    hedges = [finding for finding in found(text) if finding.rule == "hedge"]
    assert hedges
    assert all(finding.blocks for finding in hedges)


@pytest.mark.parametrize(
    "text",
    [
        "Ihr Name und Ihre Telefonnummer sind abgeflossen.",
        "Lieferhinweise könnten abgeflossen sein; das prüfen wir.",
        "IP-Adressen könnten kopiert worden sein.",
        "Wir wissen noch nicht, ob weitere personenbezogene Daten betroffen sein könnten.",
        "Betrüger könnten Sie mit Ihrem Namen ansprechen.",
        "Wer Ihre Telefonnummer hat, könnte Sie anrufen, weil sie abgeflossen ist.",
        "Im Namen des Unternehmens könnte jemand schreiben, dass Geld verloren ist.",
        "Fragen Sie nach Konten auf Ihren Namen.",
    ],
)
def test_what_is_no_hedge_or_really_not_known_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Es gibt keine Hinweise auf einen Missbrauch.",
        "Uns liegen keine konkreten Anhaltspunkte vor.",
        "Bisher ist kein Missbrauch bekannt.",
        "Ein Missbrauch der Daten wurde bisher nicht festgestellt.",
    ],
)
def test_no_evidence_blocks(text):
    (finding, *_more) = found(text)
    assert finding.rule == "no_evidence"
    assert finding.blocks


@pytest.mark.parametrize(
    "text",
    [
        "Wir wissen nicht, ob sie missbraucht wurden.",
        "Sie brauchen keine Beweise, um einen Schaden zu melden.",
        "Bewahren Sie Hinweise auf Betrug auf.",
    ],
)
def test_plain_ignorance_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Unbefugte Dritte erreichten unsere Systeme.",
        "Wir wurden Opfer eines Hackerangriffs.",
        "Das war das Werk von Cyberkriminellen.",
    ],
)
def test_pointing_at_an_outsider_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("third_party", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Jemand ohne Berechtigung hat auf Kundendaten zugegriffen.",
        "Geben Sie den Code keinem unbekannten Dritten.",
    ],
)
def test_saying_what_happened_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Der Täter benutzte Server im Ausland.",
        "Ein ehemaliger Mitarbeiter griff über Server im Ausland auf die Daten zu.",
        "Der Angreifer hat die Bestellungen kopiert.",
    ],
)
def test_an_allegation_stated_as_fact_blocks(text):
    (finding,) = found(text, basis=Basis.INVESTIGATION)
    assert finding.rule == "allegation"
    assert finding.blocks
    assert rules(text, basis=Basis.CONFIRMED) == []


@pytest.mark.parametrize(
    "text",
    [
        "Ein ehemaliger Mitarbeiter soll über Server im Ausland zugegriffen haben.",
        "Die Polizei ermittelt gegen einen ehemaligen Mitarbeiter, der Daten kopiert haben soll.",
        "Der Täter ist nicht bestätigt.",
    ],
)
def test_a_labelled_allegation_passes(text):
    assert rules(text, basis=Basis.ALLEGATION) == []


def test_the_suspects_words_warn_without_their_doubt():
    text = "Der Verdächtige erklärte, die Daten seien gelöscht"
    assert rules(f"{text}.") == ["suspect_statement"]
    assert rules(f"{text}; das ist nicht bestätigt.") == []


@pytest.mark.parametrize(
    "text", ["Zur Entschuldigung bekommen Sie 20 % Rabatt.", "Lösen Sie Ihren Gutschein ein."]
)
def test_advertising_blocks_a_mandatory_message_and_warns_elsewhere(text):
    mandatory, other = found(text), found(text, is_mandatory=False)
    assert {finding.rule for finding in mandatory} == {"marketing"}
    assert all(finding.blocks for finding in mandatory)
    assert other
    assert not any(finding.blocks for finding in other)


@pytest.mark.parametrize(
    "text",
    [
        "Nachrichten, die einen Gutschein versprechen, sind Betrug.",
        "Wir ersetzen den Schaden, den das Gesetz vorsieht.",
    ],
)
def test_a_warning_of_scams_or_compensation_is_no_advertising(text):
    assert rules(text) == []


def test_a_long_sentence_warns():
    assert rules(" ".join(["Wort"] * 26) + ".") == ["long_sentence"]
    assert rules(" ".join(["Wort"] * 25) + ".") == []


@pytest.mark.parametrize("inside", ["z. B.", "Nr. 3 bzw.", "am 18. November 2025", "d. h."])
def test_an_abbreviation_or_a_date_ends_no_sentence(inside):
    dozen = " ".join(["Wort"] * 12)
    assert rules(f"{dozen} {inside} {dozen}.") == ["long_sentence"]


def test_a_sentence_ends_before_a_date():
    dozen = " ".join(["Wort"] * 13)
    assert rules(f"{dozen}. 3. Mai 2026: {dozen}.") == []
    assert rules(f"{dozen} 2025. Mai und {dozen}.") == []


@pytest.mark.parametrize("piece", ["a", "könnten ", "kein ", "der Angreifer ", "Unbefugte "])
def test_the_time_to_lint_grows_with_the_length(piece):
    def seconds(times: int) -> float:
        text = piece * (10_000 // len(piece) * times)
        return min(
            timeit.repeat(lambda: lint(text, language="de", is_mandatory=True), number=1, repeat=3)
        )

    assert seconds(4) < 8 * seconds(1) + 0.05  # quadratic time would give 16


@given(st.text(), st.booleans())
def test_any_text_can_be_checked(text, is_mandatory):
    for finding in found(text, is_mandatory=is_mandatory):
        assert finding.span is not None
        assert text[slice(*finding.span)] == finding.quote
