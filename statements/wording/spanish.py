"""The wording rules of Spanish."""

import re

from statements.wording.language_rules import ExposedWords, LanguageRules, Phrase, has_more_words

LONGEST_SENTENCE_WORDS = 30

# ---------------------------------------------------------------- "expuesto", "comprometido"

_DATA = re.compile(
    r"\b(?:datos?|informaci[oó]n|registros?|cuentas?|nombres?|direcci(?:ón|ones)|números?|correos?"
    r"|contraseñas?|códigos?|brechas?|incidentes?|filtraci(?:ón|ones)|clientes?|archivos?)\b",
    re.IGNORECASE,
)
_EXPOSED = re.compile(
    r"\b(?:expuest[oa]s?|exposici[oó]n(?:es)?|expusieron|expuso|comprometid[oa]s?|vulnerad[oa]s?)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\b(?:no|nunca|sin|evite|evitar)(?: \w+){0,2}\s$", re.IGNORECASE)
_OTHER_EXPOSURE = re.compile(
    r"\s(?:\w+ )?a(?:l| la| los| las)? (?:\w+ ){0,2}"
    r"(?:estafas?|fraudes?|phishing|riesgos?|peligros?|amenazas?|ataques?|abusos?|engaños?)\b",
    re.IGNORECASE,
)
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, before=_ADVICE, after=_OTHER_EXPOSURE)

# ---------------------------------------------------------------- hedges

_LEAKED = (
    r"(?:(?:filtrad|expuest|comprometid|afectad|accedid|obtenid|robad|sustraíd|copiad|divulgad"
    r"|extraíd|vist|descargad|implicad|incluid|vulnerad|consultad|perdid|revelad)[oa]s?)\b"
)
_HAVE = r"(?:haber(?:se)?|ser|verse|estar|quedar|resultar)"
_MAYBE = r"(?:pod(?:r[ií]an?|[ií]an?)|pueden?|pudo|pudieron|pudieran?|pudiesen?)"
_HEDGE = re.compile(
    rf"\b{_MAYBE}(?: \w+){{0,2}}? {_HAVE}(?: \w+){{0,3}}? {_LEAKED}"
    rf"|\bhabr[ií]an?(?: \w+){{0,2}}? {_LEAKED}"
    r"|\b(?:(?:(?:es|parece) (?:posible|probable)|puede(?: ser)?) que|quizás?|tal vez)"
    rf"(?: \w+){{0,4}}? (?:hayan?|hubier[ao]n?|hubiesen?|fueran?|fuesen?|estén?)"
    rf"(?: \w+){{0,2}}? {_LEAKED}"
    rf"|\bse (?:cree|estima) que(?: \w+){{0,4}}? (?:han?|fueron)(?: \w+){{0,2}}? {_LEAKED}"
    rf"|\b(?:posible|potencial|presunta|supuesta)mente(?: \w+)? {_LEAKED}"
    rf"|\bparecen? haber(?:se)?(?: \w+)? {_LEAKED}"
    r"|\b(?:información|datos|archivos|registros)\b.{0,40}?"
    r"\b(?:pueden?|podr[ií]an?) (?:también )?(?:incluir|contener|comprender)"
    r"|\bno (?:se descarta|(?:se puede|podemos|es posible) descartar)",
    re.IGNORECASE,
)
_PERSONAL_DATA = re.compile(
    r"\b(?:(?:sus|tus) datos|(?:su|tu) (?:información|cuenta)|datos personales"
    r"|información personal|(?:datos|información) de (?:los |sus |nuestros )?clientes"
    r"|(?:lo|los|las) siguientes?(?: datos)?"
    r"|(?:algunos|ciertos|determinados)(?: de sus)? datos)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:todavía|aún|desconoce\w*|no sabemos|no se sabe|investiga\w*|comproba\w+|examina\w*"
    r"|analiza\w*)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- phrases

_SCAM = re.compile(
    r"\b(?:estaf|fraud|phishing|smishing|suplant|se ha(?:cen?|gan?) pasar|fals[oa]|sospechos|engañ"
    r"|desconfí|cuidado|no (?:abra|pulse|responda|facilite|dé|haga|comparta|use)\b)",
    re.IGNORECASE,
)
_MISUSE = r"(?:(?:mal )?uso (?:indebido|fraudulento|ilícito)|mal uso|abusos?|fraudes?)"
_OUTSIDER = r"(?:extern|desconocid|malicios|malintencionad|ajen|sin identificar|no identificad)"
_NOT_CONFIRMED = re.compile(
    r"\bno (?:se )?(?:ha(?:n)? )?(?:sido )?(?:está(?:n)? )?(?:confirmad|verificad|comprobad"
    r"|contrastad)\w*|\bsin (?:confirmar|verificar|contrastar)"
    r"|\bno podemos (?:confirmar|verificar)",
    re.IGNORECASE,
)
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            r"\b(?:no|tampoco) (?:\w+ ){1,4}?(?:evidencias?|indicios?|señal(?:es)?|signos?"
            r"|constancia)\b"
            rf"|\b(?:no|tampoco) (?:\w+ ){{1,4}}?pruebas? de (?:que|{_MISUSE})"
            r"|\bsin (?:\w+ )?(?:evidencias?|indicios?|señales|signos|constancia) de\b"
            rf"|\b(?:no|tampoco) (?:se )?(?:ha|han|hemos|hay|consta|tenemos)\b(?: \w+){{0,4}}? "
            rf"(?:ningún |casos? de |denuncias? de )*{_MISUSE}",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:necesita|hace falta|hacen falta|requiere|es necesari)", re.IGNORECASE),
    ),
    Phrase(
        "third_party",
        re.compile(
            rf"\bterceros?(?: \w+)? (?:no autorizad|{_OUTSIDER})\w*"
            r"|\b(?:hackers?|atacantes?|actor(?:es)?|(?:ciber)?delincuentes?|piratas? informáticos?"
            rf") {_OUTSIDER}\w*"
            r"|\b(?:ciber)?ataques?(?: \w+)? (?:(?:muy|altamente) )?(?:sofisticad|dirigid|complej"
            r"|sin precedentes)\w*"
            r"|\bvíctimas? de (?:una? )?(?:\w+ )?(?:ciber|ataque|hackeo|delito|acci[oó]n delictiva)"
            r"\w*",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:no|nunca) (?:\w+ )?(?:diga|dé|comparta|facilite|envíe)\b", re.IGNORECASE),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            r"\b(?:sospechos|acusad|detenid|imputad|exemplead|antigu[oa] emplead|presunt[oa] autor)"
            r"\w*\b.{0,60}?\b(?:dijo|dice|declar|afirm|asegur|sostien|manifest|confes|admit"
            r"|reconoc)\w*"
            r"|\bsegún (?:el|la|los|las) (?:sospechos|acusad|detenid|imputad)\w*",
            re.IGNORECASE,
        ),
        _NOT_CONFIRMED,
    ),
]
_HARD_SELL = re.compile(
    r"\b(?:cup[oó]n(?:es)?|descuentos?|vales? (?:de|por|para|regalo)\b|rebajas?|promoci(?:ón|ones)"
    r"|promocional(?:es)?|ofertas?|tarjetas? regalo|regalos?|sorteos?|env[ií]os? (?:gratis"
    r"|gratuitos?)|puntos de (?:regalo|fidelidad)|cashback|compre (?:ya|ahora))\b",
    re.IGNORECASE,
)
_SOFT_SELL = re.compile(
    r"\bpara su (?:mayor )?comodidad\b|\b(?:apreciad|valorad|querid)[oa]s? (?:client|usuari)\w*"
    r"|\bclientes? (?:valios[oa]s?|preferentes?)\b|\bventajas? exclusivas?\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(
    r"\b(?:el|la|los|las|este|esta|dicho) (?:culpables?|ladr(?:ón|ones|ona)|delincuentes?"
    r"|perpetrador(?:es|a)?|infractor(?:es|a)?|autor(?:es|a)? (?:de la filtración|del ataque"
    r"|del robo|de los hechos)|responsables? (?:de la filtración|del ataque|del robo))\b",
    re.IGNORECASE,
)
_ACTOR = re.compile(
    r"\b(?:un|una|el|la|nuestr[oa]) (?:\w+ ){0,2}?(?:ex-?emplead[oa]|emplead[oa]|trabajador[a]?"
    r"|ingenier[oa]|hacker|atacante|intrus[oa])\b.{0,50}?\b(?:accedió|robó|sustrajo|usó|utilizó"
    r"|obtuvo|descargó|copió|filtró|extrajo|vendió|cometió|entró|causó|provocó|aprovechó)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:presunt|supuest|sospech|acusa|aleg|imputa|investiga|según|prensa|sin confirmar"
    r"|no (?:se )?(?:ha(?:n)? )?(?:sido )?(?:confirmad|verificad|probad|demostrad))",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?!)")


def _class_name(name: str) -> str:
    bare = re.sub(r"\([^)]*\)", " ", name)  # "Contraseña (con hash)" is written "contraseña"
    return r"\s".join(_with_plural(word) for word in bare.split())


def _with_plural(word: str) -> str:
    """Returns the pattern of a word in the singular and the plural: dirección, direcciones."""
    stem = re.escape(word)
    if word.endswith("ión"):
        return re.escape(word[:-2]) + "(?:ón|ones)"
    if word[-1:] in "aeiouáé":
        return f"{stem}s?"
    return stem if word.endswith("s") else f"{stem}(?:es)?"


RULES_OF_SPANISH = LanguageRules(
    class_name=_class_name,
    word_edge=r"\b",
    exposed=_EXPOSED_WORDS,
    hedge=_HEDGE,
    personal_data=_PERSONAL_DATA,
    unknown=_UNKNOWN,
    phrases=_PHRASES,
    scam=_SCAM,
    hard_sell=_HARD_SELL,
    soft_sell=_SOFT_SELL,
    culprit=_CULPRIT,
    actor=_ACTOR,
    possibility=_NEVER,
    label=_LABEL,
    is_long=has_more_words(LONGEST_SENTENCE_WORDS),
)
