"""The lint and the comparison of figures read Spanish."""

import re
import timeit
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements import sample
from statements.findings import Severity
from statements.wording import RULES, has_rules, parity
from statements.wording.figures import figures
from tests.statements.linted import Linted

INVOLVED = [
    "Nombre",
    "Número de teléfono",
    "Dirección postal",
    "Código de acceso al edificio",
    "Pedido",
    "Contraseña (con hash)",
]
OTHER = ["Nota para el reparto", "Dirección IP"]
LINTED = Linted("es", INVOLVED, OTHER)
found, rules = LINTED.found, LINTED.rules


def test_spanish_has_rules():
    assert has_rules("es")


@pytest.mark.parametrize(
    "text",
    [
        "Sus datos personales han quedado expuestos.",
        "Lamentamos la exposición de la información de nuestros clientes.",
        "Las cuentas comprometidas son las siguientes.",
        "Su número de teléfono se ha visto comprometido.",
    ],
)
def test_another_word_for_leaked_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("exposed", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Sus datos personales se han filtrado.",
        "Está más expuesto a estafas con su nombre.",
        "Quien conoce su nombre aumenta la exposición al fraude.",
        "Evite exponer su contraseña.",
        "La empresa se ha comprometido a informarle.",
    ],
)
def test_other_uses_of_the_words_pass(text):
    assert "exposed" not in rules(text)


@pytest.mark.parametrize(
    "text",
    [
        "Su nombre y su número de teléfono podrían haberse filtrado.",
        "Los números de teléfono pueden haber sido copiados.",
        "Sus datos personales pudieron verse afectados.",
        "Las direcciones postales se habrían filtrado.",
        "Es posible que se haya filtrado su nombre.",
        "Puede que se hayan copiado sus pedidos.",
        "Quizá se haya filtrado su contraseña.",
        "Su código de acceso al edificio fue potencialmente copiado.",
        "La información puede incluir su nombre.",
        "No se descarta que se hayan filtrado sus datos personales.",
        "Parece haberse filtrado su **nombre**.",
        "Los siguientes datos podrían haber **sido** obtenidos:",
    ],
)
def test_a_hedge_about_what_is_known_to_have_leaked_blocks(text):
    hedges = [finding for finding in found(text) if finding.rule == "hedge"]
    assert hedges
    assert all(finding.blocks for finding in hedges)


@pytest.mark.parametrize(
    "text",
    [
        "Se filtraron su nombre y su número de teléfono.",
        "Puede ver qué datos se han filtrado y cambiar su contraseña.",
        "Es posible que le llame alguien que conoce su nombre.",
        "Puede haber recibido un mensaje con su nombre.",
        "Las direcciones IP podrían haberse copiado.",
        "Las notas para el reparto pueden haber sido copiadas.",
        "Todavía no sabemos si podrían haberse copiado más datos personales.",
    ],
)
def test_what_is_no_hedge_or_really_not_known_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "No hay indicios de uso indebido.",
        "No tenemos constancia de ningún fraude.",
        "No se han encontrado evidencias de que se hayan usado los datos.",
        "Hasta ahora no se ha detectado ningún uso fraudulento.",
        "No existen pruebas de que los datos se hayan utilizado.",
        "Seguimos trabajando, sin indicios de abuso.",
    ],
)
def test_no_evidence_blocks(text):
    (finding,) = found(text)
    assert finding.rule == "no_evidence"
    assert finding.blocks


@pytest.mark.parametrize(
    "text",
    [
        "No sabemos si se ha hecho un mal uso de ello.",
        "No hace falta ninguna evidencia para denunciar.",
        "Guarde las pruebas de la estafa y llame a la policía.",
        "No tenemos pruebas de quién lo hizo.",
    ],
)
def test_plain_ignorance_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Un tercero no autorizado accedió a nuestros sistemas.",
        "Fuimos víctimas de un ciberataque.",
        "Ha sido un ataque muy sofisticado.",
        "Unos hackers externos entraron en el sistema.",
    ],
)
def test_pointing_at_an_outsider_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("third_party", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Alguien sin permiso accedió a los datos de los clientes.",
        "No comparta el código con terceros desconocidos.",
        "Unos atacantes aprovecharon un fallo.",
        "El responsable del tratamiento es Hanbit.",
    ],
)
def test_saying_what_happened_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "El culpable usó servidores en el extranjero.",
        "Un antiguo empleado accedió a los datos.",
        "El atacante descargó los pedidos.",
        "El autor del ataque está en el extranjero.",
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
        "Un antiguo empleado presuntamente accedió a los datos.",
        "La policía investiga si un exempleado copió los datos.",
        "No se ha confirmado quién es el culpable.",
        "Retiramos los permisos de un antiguo empleado.",
    ],
)
def test_a_labelled_allegation_passes(text):
    assert rules(text, basis=Basis.ALLEGATION) == []


def test_the_suspects_words_warn_unless_their_doubt_is_said():
    (finding,) = found("El sospechoso declaró que borró los datos.")
    assert (finding.rule, finding.severity) == ("suspect_statement", Severity.WARN)
    assert rules("El sospechoso declaró que los borró; no se ha confirmado.") == []


@pytest.mark.parametrize(
    "text",
    ["Como disculpa recibe un descuento del 20 %.", "Use su cupón antes del domingo."],
)
def test_advertising_blocks_a_mandatory_message_and_warns_elsewhere(text):
    mandatory, other = found(text), found(text, is_mandatory=False)
    assert {finding.rule for finding in mandatory} == {"marketing"}
    assert all(finding.blocks for finding in mandatory)
    assert other
    assert not any(finding.blocks for finding in other)


def test_polite_advertising_warns():
    (finding,) = found("Para su comodidad hemos abierto una página.")
    assert (finding.rule, finding.severity) == ("marketing", Severity.WARN)


def test_a_warning_of_scams_is_no_advertising():
    assert rules("Los mensajes que prometen un descuento son estafas.") == []
    assert rules("Pagamos los daños que prevé la ley.") == []


def test_a_long_sentence_warns():
    words = " ".join(["palabra"] * 31)
    assert rules(f"{words}.") == ["long_sentence"]
    assert rules(" ".join(["palabra"] * 30) + ".") == []


def test_every_rule_says_what_to_write_instead_and_its_example_passes():
    sentence_rules = set(RULES) - {"double_passive", "no_rules"}
    for name in sorted(rule for rule in sentence_rules if not rule.startswith("parity")):
        suggestion = str(RULES[name].suggestion("es"))
        assert suggestion
        for example in re.findall("“(.+?)”", suggestion):
            assert rules(example, basis=Basis.ALLEGATION) == []


# ---------------------------------------------------------------- figures


def compared(es: str, en: str):
    return parity({"es": [("data_items", es)], "en": [("data_items", en)]})


@pytest.mark.parametrize(
    ("es", "en"),
    [
        ("33,7 millones de cuentas", "33.7 million accounts"),
        ("33.7 millones de cuentas", "33.7 million accounts"),
        ("33.700.000 cuentas", "33,700,000 accounts"),
        ("33 673 817 cuentas", "33,673,817 accounts"),
        ("33\u00a0673\u00a0817 cuentas", "33,673,817 accounts"),
        ("33\u202f673\u202f817 cuentas", "33,673,817 accounts"),
        ("48.200 clientes", "48,200 customers"),
        ("165 mil más", "165,000 more"),
        ("2500 millones", "2.5 billion"),
        ("3 mil millones", "3 billion"),
        ("18 de noviembre de 2025", "18 November 2025"),
        ("el 1.º de mayo de 2025", "on 1 May 2025"),
        ("18/11/2025", "18 November 2025"),
        ("18 nov. 2025", "18 Nov 2025"),
        ("del 24 de junio al 8 de noviembre de 2025", "from 24 June to 8 November 2025"),
        ("del 18 al 20 de noviembre", "18 to 20 November"),
        ("en mayo de 2025", "in May 2025"),
        ("desde 2026", "from 2026"),
        ("97 %", "97 per cent"),
        ("97,5 por ciento", "97.5 per cent"),
        ("en un plazo de 72 horas", "within 72 hours"),
        ("en las 72 horas siguientes", "within 72 hours"),
        ("de 9:00 a 18:00", "9:00 to 18:00"),
        ("de 9 a 18 h", "9 am to 6 pm"),
        ("a las 9 de la mañana", "at 9 a.m."),
        ("hasta las 18 horas", "until 6 p.m."),
        ("a las 14.05 h", "at 14:05"),
        ("a las 9.", "at 9 a.m."),
        ("llame al +82 2 1234 5678", "call +82 2 1234 5678"),
        ("llame al 900 123 456", "call 900 123 456"),
        ("en el 116 116", "on 116 116"),
        ("marque el 118", "dial 118"),
        ("artículo 34.1", "Article 34(1)"),
        ("la dirección 192.168.100.200", "the address 192.168.100.200"),
        ("versión 2.10.3", "version 2.10.3"),
        ("dos direcciones y un código", "2 addresses and 1 code"),
        ("las 4 últimas cifras", "the last four digits"),
        ("5.000 wones", "5,000 won"),
    ],
)
def test_the_same_figures_in_both_ways_of_writing_agree(es, en):
    assert compared(es, en) == []


@pytest.mark.parametrize(
    ("es", "en", "language", "quote"),
    [
        ("3,37 millones", "33.7 million", "en", "3,37 millones"),
        ("337.000 cuentas", "33,700 accounts", "en", "337.000"),
        ("18 de noviembre de 2025", "19 November 2025", "en", "18 de noviembre de 2025"),
        ("18/11/2025", "11 December 2025", "en", "18/11/2025"),
        ("40 %", "about 70 per cent", "en", "40 %"),
        ("72 horas", "within 27 hours", "en", "72"),
        ("a las 9 de la mañana", "at 9 p.m.", "en", "a las 9"),
        ("Se filtraron cuentas.", "4,536 accounts leaked.", "es", "4,536"),
        ("1,234 cuentas", "1,234 accounts", "en", "1,234"),
    ],
)
def test_another_figure_blocks(es, en, language, quote):
    findings = compared(es, en)
    assert (language, quote) in [(finding.language, finding.quote) for finding in findings]
    assert all(finding.blocks for finding in findings)


@pytest.mark.parametrize("separator", [".", " ", "\u00a0"])
@given(number=st.integers(0, 10**12 - 1))
def test_every_number_is_read(separator, number):
    text = f"unas {number:,} cuentas".replace(",", separator)
    assert [figure.value for figure in figures(text, "es")] == [number]


@given(st.integers(1, 999), st.integers(0, 99))
def test_every_decimal_of_a_million_is_read(whole, hundredths):
    value = (Decimal(whole) + Decimal(hundredths) / 100) * 10**6
    found = figures(f"{whole},{hundredths:02} millones de cuentas", "es")
    assert [figure.value for figure in found] == [value]


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_every_date_agrees_with_english(day):
    months = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    month = [*months.split(), "diciembre"][day.month - 1]
    for text in (f"el {day.day} de {month} de {day.year}.", f"el {day:%d/%m/%Y}", day.isoformat()):
        assert compared(text, f"on {day:%-d %B %Y}.") == []


@given(st.text(alphabet="0123456789.,:-/ hamil%yde", max_size=40))
def test_any_text_can_be_compared(text):
    assert figures(text, "es") == figures(text, "es")


@pytest.mark.parametrize("piece", ["a", "no ", "1.234", "pueden ", "1 ", "es posible que "])
def test_the_time_to_lint_grows_with_the_length(piece):
    def seconds(times: int) -> float:
        text = piece * (10_000 // len(piece) * times)
        return min(timeit.repeat(lambda: (found(text), figures(text, "es")), number=1, repeat=3))

    assert seconds(4) < 8 * seconds(1) + 0.1  # quadratic time would give 16


def test_the_texts_of_the_sample_pass():
    folder = Path(sample.__file__).parent / "eu-retailer"
    for path in sorted(folder.glob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for section in content.get("sections", []):
            text = section["body"]["es"]
            blocking = [one for one in found(text, basis=section["basis"]) if one.blocks]
            assert blocking == []
            assert [one for one in compared(text, section["body"]["en"]) if one.blocks] == []
