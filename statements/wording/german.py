"""The wording rules of German."""

import re
from collections.abc import Iterator

from statements.findings import Severity
from statements.wording.language_rules import Hit, LanguageRules, Phrase, has_more_words

LONGEST_SENTENCE_WORDS = 25

# ---------------------------------------------------------------- "exponiert", "kompromittiert"

_EXPOSED = re.compile(r"\b(?:exponier|kompromittier|offengeleg|offenlag)\w*", re.IGNORECASE)
_DATA = re.compile(
    r"\b\w*(?:daten|angaben|informationen|adressen?|nummern?|namen?|passw[oö]rter|passwort|codes?"
    r"|konten|konto|vorfall|datenpanne|kunden)\b",
    re.IGNORECASE,
)
_ADVICE = re.compile(r"\b(?:nie|niemals|niemandem)\b", re.IGNORECASE)


def _exposed(text: str, *, names_class: bool) -> Iterator[Hit]:
    if _ADVICE.search(text) or not (names_class or _DATA.search(text)):
        return
    for match in _EXPOSED.finditer(text):
        yield Hit("exposed", match.start(), match.end(), Severity.WARN)


# ---------------------------------------------------------------- hedges

_LEAKED = (
    r"(?:ab(?:geflossen|gegriffen|gerufen|handengekommen)|betroffen|eingesehen|entwendet|enthalten"
    r"|erbeutet|erlangt|geleakt|gelesen|gestohlen|kompromittiert|kopiert|offengelegt|preisgegeben"
    r"|veröffentlicht|verloren|zugänglich|in fremde Hände)"
)
_MAYBE = (
    r"(?:könnten?|dürften?|möglicherweise|eventuell|vielleicht|vermutlich|mutmaßlich|wahrscheinlich"
    r"|poten[tz]iell|womöglich|unter Umständen|gegebenenfalls)"
)
_SAME_CLAUSE = r"[^,;:.]{0,80}?"  # bounded, so that the time grows with the length of the text
_HEDGE = re.compile(
    rf"\b{_MAYBE}\b{_SAME_CLAUSE}\b{_LEAKED}\b"
    rf"|\bk(?:ann|önnen)\b{_SAME_CLAUSE}\b{_LEAKED}(?: worden)? sein\b"
    rf"|\b{_LEAKED}(?: worden)? (?:sein (?:könnten?|dürften?|k(?:ann|önnen))|zu sein scheinen)\b"
    rf"|\bschein(?:t|en)\b{_SAME_CLAUSE}\b{_LEAKED}(?: worden)? zu sein\b"
    r"|\bk(?:ann|önnen|önnten?)\b[^,;:.]{0,60}?\bumfassen\b"
    r"|\b(?:nicht (?:auszuschließen|ausgeschlossen|ausschließen)|möglich, dass)\b",
    re.IGNORECASE,
)
_PERSONAL_DATA = re.compile(
    r"\bIhrer? (?:personenbezogenen |persönlichen )?(?:Daten|Angaben|Informationen|Kundendaten)\b"
    r"|\b(?:personenbezogenen?|persönlichen?|folgenden?|einige|einzelne|bestimmte)"
    r"(?: Ihrer)? (?:Daten|Angaben|Informationen)\b|\bKundendaten\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\bnoch nicht\b|\bnoch unklar\b|\bwissen (?:wir )?(?:es )?nicht\b|\b(?:prüfen|untersuchen)\b"
    r"|\bwird (?:noch )?(?:geprüft|untersucht)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- phrases

_SCAM = re.compile(
    r"betrug|betrüg|phishing|smishing|gefälscht|\bfälsch|verdächtig|\bvorgeb|\bvorsicht|\block(?:en|t)"
    r"|sich als\b|öffnen sie k|klicken sie n",
    re.IGNORECASE,
)
_OUTSIDER = r"(?:unbefugte|unbekannte|fremde|externe|kriminelle|böswillige)[rnms]?"
_SUSPECT = r"(?:Tatverdächtige|Verdächtige|Beschuldigte)[nr]?"
_MISUSE = r"(?:Missbrauchs?|Betrugs?|Schadens?|Schäden|missbräuchlichen?)"
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            r"\bkein(?:e|en|er|erlei)? (?:\w+ ){0,2}(?:Hinweise?|Anhaltspunkte?|Anzeichen|Belege?"
            r"|Beweise?|Erkenntnisse|Indizien)\b"
            rf"|\bkein(?:e|en|erlei)? (?:(?:bekannten?|gemeldeten?) )?(?:Fälle von )?{_MISUSE}\b"
            rf"|\b{_MISUSE}\b[^,;:.]{{0,40}}?\bnicht (?:bekannt|festgestellt|erkennbar)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:brauchen|benötigen|nötig|erforderlich)\b", re.IGNORECASE),
    ),
    Phrase(
        "third_party",
        re.compile(
            rf"\b{_OUTSIDER} (?:Dritte[rnm]?|Täter\w*|Angreifer\w*|Hacker\w*|Personen)\b"
            r"|\bCyber-?kriminelle[rn]?\b|\b(?:hoch)?(?:professionelle|komplexe)[rnms]? "
            r"(?:Cyber|Hacker)?-?angriff\w*"
            r"|\bOpfer (?:eines|einer) (?:\w+ )?(?:Cyber|Hacker|Angriff)",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:geben|nennen|zeigen|verraten) Sie\b", re.IGNORECASE),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            rf"\b{_SUSPECT}\b.{{0,60}}?\b(?:sagte|erklärte|behauptete?|gab an|gestand|gestanden"
            r"|räumte|beteuerte|versicherte?)\b"
            rf"|\b(?:nach Angaben|nach Aussage|laut) (?:des|der|dem) {_SUSPECT}\b|\bGeständnis\w*",
            re.IGNORECASE,
        ),
        re.compile(
            r"\bnicht (?:bestätigt|überprüft|geprüft|belegt)|\bunbestätigt|\bnicht überprüfen",
            re.IGNORECASE,
        ),
    ),
]
_HARD_SELL = re.compile(
    r"\b(?:\w*gutscheine?n?|rabatte?n?|coupons?|sonderangebote?n?|preisnachl[aä]ss\w*|bonuspunkte?n?"
    r"|treuepunkte?n?|cashback|gratis|versandkostenfrei\w*|gewinnspiele?|rabattcodes?"
    r"|jetzt (?:kaufen|bestellen|einkaufen))\b",
    re.IGNORECASE,
)
_SOFT_SELL = re.compile(
    r"\b(?:zu Ihrer Bequemlichkeit|für Ihren Komfort|(?:geschätzte|treue)[rn]? Kund\w+"
    r"|exklusive[sn]? Angebote?n?)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(
    r"\b(?:der|die|den|dem|des) (?:(?:Haupt|Mit)?täter(?:in|innen|n|s)?|dieb(?:e|en|in|s)?"
    r"|schuldigen?|verursacher(?:in|n|s)?)\b",
    re.IGNORECASE,
)
_ACT = (
    r"(?:griff(?:en)?|zu(?:griff|gegriffen)|stahl(?:en)?|gestohlen|entwende\w+|kopiert\w*|lud(?:en)?"
    r"|heruntergeladen|erbeutete?n?|verkaufte?n?|missbrauchte?n?|missbraucht|verursachte?n?"
    r"|veröffentlichte?n?|nutzte?n?|drang(?:en)?|eingedrungen|verschafft\w*|verantwortlich)"
)
_ACTOR = re.compile(
    r"\b(?:ein|eine[mnrs]?|der|die|den|dem|unser\w*) (?:\w+ ){0,2}?(?:(?:ehemalig|früher)\w* "
    r"(?:\w+ ){0,2}?(?:mitarbeiter|beschäftigte|angestellte|entwickler|dienstleister)\w*"
    r"|ex-(?:mitarbeiter|angestellte)\w*|hacker\w*|angreifer\w*|innentäter\w*|eindringling\w*)\b"
    rf".{{0,60}}?\b{_ACT}\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"mutmaßlich|angeblich|verdacht|verdächtig|beschuldig|vorwurf|vorgeworfen|\bsoll(?:en)?\b|\blaut\b"
    r"|nach angaben|ermittel|untersuch|nicht (?:bestätigt|bewiesen|erwiesen)|unbestätigt"
    r"|(?:presse|medien)",
    re.IGNORECASE,
)
_CAN = re.compile(r"\bk(?:ann|önnen|önnten?)\b|\bdamit\b|\bwenn\b", re.IGNORECASE)


_ENDING = r"(?:e?[nrs]|es?|ern?)?"


def _class_name(name: str) -> str:
    """Returns the pattern of a name in every case and number: Passwort, Passwörter, Passwörtern."""
    *first, last = [re.escape(word) for word in re.split(r"[\s-]+", name.strip()) if word]
    adjectives = [re.sub(r"e[rs]?$", "e[nmrs]?", word) for word in first]
    noun = re.sub("[aou]", lambda vowel: f"[{vowel[0]}{'äöü'['aou'.index(vowel[0])]}]", last)
    # "im Namen", "in unserem Namen" and "auf Ihren Namen" name no one's name.
    return r"(?<!im )(?<!unserem )(?<!auf Ihren )" + r"[\s-]?".join([*adjectives, noun + _ENDING])


RULES_OF_GERMAN = LanguageRules(
    class_name=_class_name,
    word_edge=r"\b",
    exposed=_exposed,
    hedge=_HEDGE,
    personal_data=_PERSONAL_DATA,
    unknown=_UNKNOWN,
    phrases=_PHRASES,
    scam=_SCAM,
    hard_sell=_HARD_SELL,
    soft_sell=_SOFT_SELL,
    culprit=_CULPRIT,
    actor=_ACTOR,
    possibility=_CAN,
    label=_LABEL,
    is_long=has_more_words(LONGEST_SENTENCE_WORDS),
)
