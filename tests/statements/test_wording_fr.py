"""The lint finds in French what a regulator or a study criticised, and nothing else."""

import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements.findings import Severity
from statements.wording import has_rules, lint
from tests.statements.linted import Linted

INVOLVED = ["Nom", "Numéro de téléphone", "Adresse postale", "Code d’entrée", "Commande"]
OTHER = ["Consigne de livraison", "Adresse IP", "Adresse e-mail"]
LINTED = Linted("fr", INVOLVED, OTHER)
found, rules = LINTED.found, LINTED.rules


def test_french_has_rules():
    assert has_rules("fr")


@pytest.mark.parametrize(
    "text",
    [
        "Les données de 48\u202f200 clients ont été exposées.",
        "L’exposition de votre numéro de téléphone est notre faute.",
        "Vos numéros de téléphone ont été compromis.",
    ],
)
def test_a_softer_word_for_a_leak_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("exposed", Severity.WARN)


def test_people_are_exposed_to_scams():
    assert rules("Les clients dont le nom a été divulgué sont exposés à l’hameçonnage.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Votre nom pourrait avoir été divulgué.",
        "Vos adresses postales ont pu être copiées.",
        "Votre numéro de téléphone aurait été divulgué.",
        "Vos numéros de téléphone peuvent être concernés.",
        "Certaines de vos données sont susceptibles d'avoir été consultées.",
        "Vos données personnelles ont peut-être été volées.",
        "Les informations peuvent inclure votre nom.",
        "Il n’est pas exclu que vos codes d'entrée aient fuité.",
        "Votre nom **pourrait** avoir été divulgué.",
    ],
)
def test_a_hedge_about_what_is_known_to_have_leaked_blocks(text):
    hedges = [finding for finding in found(text) if finding.rule == "hedge"]
    assert hedges
    assert all(finding.blocks for finding in hedges)


@pytest.mark.parametrize(
    "text",
    [
        "Votre nom et votre numéro de téléphone ont été divulgués.",
        "Des consignes de livraison ont pu être copiées ; nous vérifions.",
        "Des adresses IP pourraient avoir été consultées.",
        "Nous ne savons pas encore si d’autres données personnelles ont pu être copiées.",
        "Des escrocs peuvent vous appeler par votre nom.",
        "Un message envoyé en notre nom peut être une copie.",
        "Demandez s’il existe des comptes à votre nom.",
    ],
)
def test_what_is_no_hedge_or_really_not_known_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Il n’y a aucune preuve d’une utilisation frauduleuse.",
        "Nous n’avons aucun indice de fraude.",
        "Nous n’avons pas connaissance d’usages malveillants.",
        "À ce jour, aucun usage frauduleux n’a été signalé.",
    ],
)
def test_no_evidence_blocks(text):
    (finding, *_more) = found(text)
    assert finding.rule == "no_evidence"
    assert finding.blocks


@pytest.mark.parametrize(
    "text",
    [
        "Nous ne savons pas si elles ont été utilisées.",
        "Vous n’avez besoin d’aucune preuve pour signaler un préjudice.",
        "Gardez les preuves d’une arnaque.",
    ],
)
def test_plain_ignorance_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Un tiers non autorisé a atteint nos systèmes.",
        "Nous avons été victimes d’une cyberattaque.",
        "C’est l’œuvre de cybercriminels.",
    ],
)
def test_pointing_at_an_outsider_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("third_party", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Quelqu’un a eu accès sans autorisation aux données des clients.",
        "Ne communiquez le code à aucun tiers inconnu.",
    ],
)
def test_saying_what_happened_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Le coupable a utilisé des serveurs à l’étranger.",
        "Un ancien employé a copié les données depuis l’étranger.",
        "L’attaquant a téléchargé les commandes.",
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
        "Un ancien employé aurait utilisé des serveurs à l’étranger.",
        "La police enquête sur un ancien employé qui a copié des fichiers.",
        "L’identité du coupable n’est pas confirmée.",
    ],
)
def test_a_labelled_allegation_passes(text):
    assert rules(text, basis=Basis.ALLEGATION) == []


def test_the_suspects_words_warn_without_their_doubt():
    text = "Le suspect affirme avoir tout supprimé"
    assert rules(f"{text}.") == ["suspect_statement"]
    assert rules(f"{text} ; ce n’est pas confirmé.") == []


@pytest.mark.parametrize(
    "text",
    ["Pour nous excuser, nous vous offrons un bon d’achat.", "Profitez d’une remise de 20 %."],
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
        "Les messages qui promettent un bon d’achat sont des arnaques.",
        "Nous indemnisons le dommage prévu par la loi.",
        "La remise à zéro des mots de passe est faite.",
    ],
)
def test_a_warning_of_scams_or_compensation_is_no_advertising(text):
    assert rules(text) == []


def test_a_long_sentence_warns():
    assert rules(" ".join(["mot"] * 31) + ".") == ["long_sentence"]
    assert rules(" ".join(["mot"] * 30) + ".") == []


@pytest.mark.parametrize("piece", ["a", "pourrait ", "aucune ", "l’attaquant ", "pas "])
def test_the_time_to_lint_grows_with_the_length(piece):
    def seconds(times: int) -> float:
        text = piece * (10_000 // len(piece) * times)
        return min(
            timeit.repeat(lambda: lint(text, language="fr", is_mandatory=True), number=1, repeat=3)
        )

    assert seconds(4) < 8 * seconds(1) + 0.05  # quadratic time would give 16


@given(st.text(), st.booleans())
def test_any_text_can_be_checked(text, is_mandatory):
    for finding in found(text, is_mandatory=is_mandatory):
        assert finding.span is not None
        assert text[slice(*finding.span)] == finding.quote
