"""The wording rules of French."""

import re

from statements.wording.language_rules import ExposedWords, LanguageRules, Phrase, has_more_words

LONGEST_SENTENCE_WORDS = 30
_OF = r"d(?:e |es |['’]|u )"

# ---------------------------------------------------------------- "exposé", "compromis"

_EXPOSED = re.compile(r"\b(?:exposée?s?|exposition|compromise?s?)\b", re.IGNORECASE)
_DATA = re.compile(
    r"\b(?:données?|informations?|coordonnées|adresses?|numéros?|noms?|mots? de passe|codes?"
    r"|comptes?|fichiers?|incident|fuite|clients?)\b",
    re.IGNORECASE,
)
_OTHER_EXPOSURE = re.compile(
    r"\s(?:à|au|aux)\s(?:\w+\s|['’\w]+['’]){0,2}?"
    r"(?:arnaque|escroquerie|fraude|hameçonnage|phishing|risque|danger|menace|attaque|spam)s?\b",
    re.IGNORECASE,
)
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, after=_OTHER_EXPOSURE)

# ---------------------------------------------------------------- hedges

_LEAKED = (
    r"(?:accéd|affect|compromis|concern|consult|copi|dérob|diffus|divulgu|expos|exfiltr|extrait|fuit"
    r"|inclus|obtenu|perdu|publi|récupér|touch|vol)(?:ée?s?|es?|s)?\b"
)
_SAME_CLAUSE = r"[^,;:.]{0,60}?"  # bounded, so that the time grows with the length of the text
_HEDGE = re.compile(
    rf"\b(?:pourrai(?:t|en?t)|peut|peuvent|(?:a|ont) (?:\w+ )?pu|semblent?|paraissent|paraît"
    rf"|(?:est|sont) susceptibles?)\b{_SAME_CLAUSE}\b(?:avoir été|être|avoir) (?:\w+ )?{_LEAKED}"
    rf"|\b(?:aurai|serai)(?:t|en?t)\b{_SAME_CLAUSE}\b{_LEAKED}"
    rf"|\b(?:potentiellement|possiblement|éventuellement|probablement|peut-être)\b{_SAME_CLAUSE}"
    rf"\b{_LEAKED}|\b{_LEAKED} (?:potentiellement|peut-être|probablement)\b"
    r"|\b(?:peut|peuvent|pourrai(?:t|en?t)) (?:\w+ )?(?:inclure|contenir|comprendre)\b"
    r"|\b(?:pas|être) exclue?s?\b|\bpas exclure\b",
    re.IGNORECASE,
)
_PERSONAL_DATA = re.compile(
    r"\bvos (?:données|informations|coordonnées)\b|\bdonnées (?:personnelles|à caractère personnel"
    r"|suivantes|des clients)\b|\b(?:certaines|une partie)(?: de vos)? (?:données|informations)\b"
    r"|\b(?:certaines|une partie) de vos\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\bpas encore\b|\bne sa(?:vons|it) pas\b|\b(?:ignorons|ignore|vérifions|examinons|enquêtons)\b"
    r"|\ben cours d['’](?:examen|enquête|analyse)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- phrases

_SCAM = re.compile(
    r"arnaque|escroc|escroquer|fraud|hameçonnage|phishing|smishing|usurp|\bfaux\b|\bfausse|suspect"
    r"|méfi|se fai\w+ passer|prétend|ne cliquez|n['’]ouvrez",
    re.IGNORECASE,
)
_MISUSE = (
    r"(?:(?:utilisations?|usages?) (?:frauduleu(?:x|ses?)|malveillante?s?|abusi(?:f|fs|ves?))"
    r"|fraudes?|abus|préjudices?)"
)
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            r"\baucune? (?:\w+ ){0,2}(?:preuve|indice|indication|élément|signe)\b"
            rf"|\b(?:aucun|aucune|aucun cas {_OF}?) ?{_MISUSE}"
            r"|\b(?:pas|rien) (?:\w+ ){0,2}(?:connaissance|constaté|détecté|relevé|identifié)"
            rf"(?: à ce jour)? {_OF}(?:\w+ ){{0,2}}?(?:{_MISUSE}|indices?|preuves?|signes?)",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:besoin|nécessaire|faut|demandons)\b", re.IGNORECASE),
    ),
    Phrase(
        "third_party",
        re.compile(
            r"\btiers (?:non autorisé|malveillant|inconnu)s?\b|\b(?:acteur|individu|personne)s? "
            r"(?:malveillant|non autorisé|inconnu)e?s?\b|\b(?:pirates?|hackers?) (?:informatiques?"
            r"|externes?|inconnus?)\b|\bcyber-?criminels?\b"
            r"|\b(?:cyber-?)?attaques? (?:informatique )?(?:sophistiquée?|inédite|ciblée)s?\b"
            r"|\bvictimes? d['’]une? (?:\w+ )?(?:cyber|attaque|piratage|acte|intrusion)\w*",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:communiquez|donnez|transmettez|dites|montrez)\b", re.IGNORECASE),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            r"\b(?:suspecte?|accusée?|mise? en cause|prévenue?)\b.{0,60}?\b(?:déclar|affirm|prétend"
            r"|assur|avou|reconnu|soutien|dit\b)\w*"
            r"|\b(?:selon|d['’]après) (?:le |la |l['’])(?:suspecte?|accusée?|mise? en cause"
            r"|prévenue?)\b|\baveux\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\bpas (?:encore )?(?:été )?(?:confirmé|vérifié|établi)|\bnon (?:confirmé|vérifié)"
            r"|\bpas (?:le |la |les )?(?:confirmer|vérifier)",
            re.IGNORECASE,
        ),
    ),
]
_HARD_SELL = re.compile(
    r"\b(?:bons? (?:d['’]achat|de réduction)|coupons?|codes? promo\w*|promotions?"
    r"|offres? spéciales?"
    r"|chèques?[- ]cadeaux?|cartes?[- ]cadeaux?|livraison (?:gratuite|offerte)|points de fidélité"
    r"|cashback|soldes|(?:remises?|réductions?) (?:de \d+|exceptionnelles?|sur)"
    r"|(?:achetez|commandez) (?:maintenant|vite))",
    re.IGNORECASE,
)
_SOFT_SELL = re.compile(
    r"\b(?:pour votre (?:confort|commodité)|fidèles? clients?|clients? (?:fidèles?|privilégiés?)"
    r"|offres? exclusives?)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(
    r"\b(?:le |la |les |du |des |aux? |l['’])(?:coupables?|voleurs?|malfaiteurs?|fautifs?"
    r"|auteurs? (?:de la fuite|du vol|des faits|de l['’](?:attaque|intrusion)))\b",
    re.IGNORECASE,
)
_WORKER = r"(?:employ|salari|collaborat|développeu|prestataire|ingénieu)\w*"
_ACTOR = re.compile(
    rf"\b(?:une? |le |la |notre |l['’])(?:\w+ ){{0,2}}?(?:ancien(?:ne)? (?:\w+ ){{0,2}}?{_WORKER}"
    rf"|ex-{_WORKER}|pirates?|hackers?|attaquante?s?|intrus)\b.{{0,60}}?\b(?:a|ont|avait|avaient)"
    r" (?:\w+ )?(?:accéd|vol|dérob|copi|télécharg|obten|utilis|exploit|exfiltr|vend|publi|caus"
    r"|commis|pirat|diffus)\w*",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"présum|soupçon|suspect|accus|\baurai(?:t|ent)\b|\bserai(?:t|ent)\b|\bselon\b|d['’]après"
    r"|enquêt|allég|prétend|pas (?:encore )?(?:été )?(?:confirmé|établi|prouvé)|non confirmé"
    r"|mise? en cause|\bla presse\b|\bles médias\b",
    re.IGNORECASE,
)
_CAN = re.compile(r"\bpeu(?:t|vent)\b|\bpourrai|\bpour que\b|\bafin que\b", re.IGNORECASE)


def _class_name(name: str) -> str:
    """Returns the pattern of a name in the singular or plural, with either apostrophe."""
    words = [re.escape(word) for word in re.split(r"[\s-]+", name.strip()) if word]
    forms = [re.sub("['’]", "['’]", re.sub(r"s$", "", word)) + "s?" for word in words]
    # "au nom de" and "en notre nom" name no one's name, and "à votre nom" neither.
    return r"(?<!au )(?<!notre )(?<!à votre )" + r"[\s-]?".join(forms)


RULES_OF_FRENCH = LanguageRules(
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
    possibility=_CAN,
    label=_LABEL,
    is_long=has_more_words(LONGEST_SENTENCE_WORDS),
)
