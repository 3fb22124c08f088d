"""The wording rules of English."""

import re

from statements.wording.language_rules import ExposedWords, LanguageRules, Phrase, has_more_words

LONGEST_SENTENCE_WORDS = 30

# ---------------------------------------------------------------- "exposed"

_DATA = re.compile(
    r"\b(?:data|information|details?|records?|accounts?|names?|address(?:es)?|numbers?|e-?mails?"
    r"|passwords?|codes?|incident|breach|leak|customers?|files?)\b",
    re.IGNORECASE,
)
_EXPOSED = re.compile(r"\bexpos(?:ed?|es|ing|ures?)\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"(?:do not|don['’]t|never|not to|avoid|without|without you)(?: \w+)?\s$", re.IGNORECASE
)
_OTHER_EXPOSURE = re.compile(
    r"\s(?:you |people |customers )?to (?:\w+ ){0,2}"
    r"(?:scams?|fraud|phishing|risks?|harm|dangers?|threats?|attacks?|abuse|misuse|theft|spam)\b",
    re.IGNORECASE,
)
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, before=_ADVICE, after=_OTHER_EXPOSURE)

# ---------------------------------------------------------------- hedges

_LEAKED = (
    r"(?:leak(?:ed)?|expos(?:ed|ure)|accessed|compromised|affected|involved|impacted|obtained|taken"
    r"|stolen|copied|viewed|disclosed|acquired|included|downloaded|exfiltrated|breached|seen|lost"
    r"|left|reached|subject to)"
)
_MAYBE = r"(?:may|might|could)(?: (?:also|well|potentially|possibly|in some cases,?))*"
_HEDGE = re.compile(
    rf"\b{_MAYBE} have(?: (?:been|also|potentially|possibly|inadvertently|improperly))*"
    rf" {_LEAKED}"
    rf"|\b{_MAYBE} be (?:among the )?(?:affected|involved|impacted|compromised|included)"
    r"|\b(?:information|data|details|items|files?|records?)\b.{0,40}?\b(?:may|might|could)"
    r"(?: also)? (?:include|involve|contain)"
    r"|\b(?:potentially|possibly) (?:been )?(?:leaked|exposed|accessed|compromised|affected|stolen)"
    rf"|\b(?:appears?|seems?|(?:is|are) (?:believed|thought)) to have (?:been )?{_LEAKED}",
    re.IGNORECASE,
)
_PERSONAL_DATA = re.compile(
    r"\b(?:(?:your|customers?['’]?s?|personal|account) (?:personal |account )?"
    r"(?:data|information|details|accounts?|records?)|the following"
    r"|(?:some|certain|limited)(?: of your)? (?:data|information))\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:not (?:yet )?know|not yet known|not know yet|still|checking|investigating|examining)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- phrases

_SCAM = re.compile(
    r"\b(?:scam|fraud|phish|smish|impersonat|pretend|fake|suspicious|beware|do not|don['’]t|lure)",
    re.IGNORECASE,
)
_OUTSIDER = r"(?:unauthori[sz]ed|unknown|malicious|criminal|external|outside)"
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            r"\bno (?:\w+ ){0,2}(?:evidence|indications?|signs?(?!-))\b"
            r"|\bno (?:known |confirmed |reported |(?:reports?|cases?) of )+"
            r"(?:misuse|abuse|fraud|harm)\b"
            r"|(?:\bnot|n['’]t) (?:yet )?(?:been |have )?(?:find|found|seen|identified|detected"
            r"|discovered|have|aware of) any (?:\w+ ){0,2}"
            r"(?:evidence|indications?|signs?|misuse|fraud)\b"
            r"|\bunaware of any\b|\bnot (?:currently )?aware of any\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:need|needs|require|requires|required) no\b|\bno \w+ (?:is |are )?"
            r"(?:needed|required|necessary)\b",
            re.IGNORECASE,
        ),
    ),
    Phrase(
        "third_party",
        re.compile(
            rf"\b{_OUTSIDER} (?:third[- ]part(?:y|ies)|actors?|hackers?|attackers?)\b"
            r"|\bthird[- ]party (?:hack|attack|actor|criminal)\w*"
            r"|\b(?:sophisticated|highly targeted|unprecedented) (?:\w+ )?(?:cyber[- ]?)?"
            r"(?:attack|hack|criminal|intrusion)\w*"
            r"|\bvictims? of (?:a |an )?(?:\w+ )?(?:cyber|criminal|hack)\w*",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:do not|don['’]t|never) (?:tell|share|give|send)\b", re.IGNORECASE),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            r"\b(?:suspect|accused|perpetrator|former (?:\w+ )?employee)\b.{0,60}?\b"
            r"(?:said|says|stated|states|claims?|claimed|told|admitted|confessed|insists?)\b"
            r"|\baccording to the (?:suspect|accused)\b|\bconfess(?:ed|ion)\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\bnot (?:been )?(?:yet )?(?:confirmed|verified)|\bunconfirmed|\bunverified"
            r"|\bcannot (?:confirm|verify)",
            re.IGNORECASE,
        ),
    ),
]
_HARD_SELL = re.compile(
    r"\b(?:coupons?|discount(?:s|ed)?|vouchers?|promo(?:tions?|tional)?|special offers?"
    r"|gift cards?|free (?:shipping|delivery)|reward points|cash ?back|limited[- ]time"
    r"|(?:buy|shop|order) now)\b",
    re.IGNORECASE,
)
_SOFT_SELL = re.compile(
    r"\bfor your convenience\b|\bvalued (?:customer|member|user)s?\b|\bexclusive (?:offer|deal)"
    r"s?\b|\bgreat deals?\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(
    r"\b(?:the|this) (?:perpetrator|culprit|thief|offender|wrongdoer|leaker)s?\b", re.IGNORECASE
)
_ACTOR = re.compile(
    r"\b(?:a|an|the|one|our) (?:\w+ ){0,2}?(?:(?:former|ex|rogue|current)[- ](?:\w+ ){0,2}?"
    r"(?:employee|worker|engineer|developer|contractor)|hacker|attacker|insider|intruder)\b(?!['’])"
    r".{0,50}?\b(?:accessed|accessing|stole|took|used|obtained|downloaded|copied|leaked|exfiltrated"
    r"|broke|misused|committed|sold|hacked|responsible|caused|behind|carried out|got)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"\b(?:alleg|suspect|accus|reportedly|claim|unconfirmed|under investigation|investigating"
    r"|(?:is|are|was|were) (?:being )?(?:investigat|examin)|according to|charged"
    r"|(?:press|media|newspapers?|agency|yonhap) (?:\w+ )?report"
    r"|not (?:been )?(?:yet )?(?:confirmed|proven|verified))",
    re.IGNORECASE,
)
_NEVER = re.compile(r"(?!)")


def _class_name(name: str) -> str:
    words = [re.escape(word) for word in re.split(r"[\s-]+", name.strip()) if word]
    words[-1:] = [re.sub(r"(?:(?<=ss)es|(?<!s)s)$", "", words[-1]) + "(?:e?s)?"]
    return r"(?<!in )" + r"[\s-]?".join(words)  # "in order to" does not name an order


RULES_OF_ENGLISH = LanguageRules(
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
