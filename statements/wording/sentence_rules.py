"""The lint rules that look at one sentence each, with their patterns.

A rule must be worth its false alarms. Each one therefore excludes the innocent uses of its words,
such as "Tell no third party" or "kept from being exposed to scams". RULES holds the reasons.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from incidents.models import Basis
from statements.findings import Severity
from statements.wording.class_names import ClassNames
from statements.wording.plain_text import Sentence

LONGEST_SENTENCE_WORDS = 30  # English
LONGEST_SENTENCE_SYLLABLES = 80  # Korean


@dataclass(frozen=True, kw_only=True)
class LintContext:
    """The arguments of `lint` that rules read besides the text."""

    language: str  # of the text, one of LINTED_LANGUAGES
    involved: ClassNames  # the names of the leaked data classes
    own_domains: Collection[str]
    shop_domains: Collection[str]
    is_mandatory: bool  # the text is part of a mandatory notice
    basis: str  # the Basis of the section


class Hit(NamedTuple):
    """Words of a sentence that violate a rule."""

    rule: str
    start: int  # index in the sentence
    end: int
    severity: Severity | None = None  # None: the rule's own


# ---------------------------------------------------------------- 노출 for 유출, "exposed"

_KO_DATA = re.compile(
    "정보|데이터|계정|고객|회원|이름|성명|주소|번호|메일|내역|메모|항목|기록|파일|명단"
)
_KO_INCIDENT = re.compile(
    r"\s?(?:된|되었|됐|사고|사실|사태|사건|항목|통지|규모|경위|원인|범위|여부|로\s?인|으로\s?인)"
)
# Innocent uses: advice to readers, advertising, and "exposed to" a risk.
_KO_ADVICE = re.compile(r"(?:을|를|이|가)?\s?(?:하지|시키지|되지\s?(?:않도록|않게|않으려|마))")
_KO_OTHER_EXPOSURE = re.compile(
    r"(?:광고|검색|상품|화면|화면에|햇빛|햇볕|(?:위험|위협|피싱|스미싱|범죄|공격|사기|피해)에)\s?$"
)
_EN_DATA = re.compile(
    r"\b(?:data|information|details?|records?|accounts?|names?|address(?:es)?|numbers?|e-?mails?"
    r"|passwords?|codes?|incident|breach|leak|customers?|files?)\b",
    re.IGNORECASE,
)
_EN_EXPOSED = re.compile(r"\bexpos(?:ed?|es|ing|ures?)\b", re.IGNORECASE)
_EN_ADVICE = re.compile(
    r"(?:do not|don['’]t|never|not to|avoid|without|without you)(?: \w+)?\s$", re.IGNORECASE
)
_EN_OTHER_EXPOSURE = re.compile(
    r"\s(?:you |people |customers )?to (?:\w+ ){0,2}"
    r"(?:scams?|fraud|phishing|risks?|harm|dangers?|threats?|attacks?|abuse|misuse|theft|spam)\b",
    re.IGNORECASE,
)


def _exposed(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    text = sentence.text
    if context.language == "ko":
        is_about_data = _KO_DATA.search(text) or context.involved.in_sentence(text)
        for match in re.finditer("노출", text):
            before, after = text[: match.start()], text[match.end() :]
            is_innocent = _KO_ADVICE.match(after) or _KO_OTHER_EXPOSURE.search(before)
            if not is_innocent and (is_about_data or _KO_INCIDENT.match(after)):
                yield Hit("exposed", match.start(), match.end())
    elif _EN_DATA.search(text) or context.involved.in_sentence(text):
        for match in _EN_EXPOSED.finditer(text):
            before, after = text[: match.start()], text[match.end() :]
            if not (_EN_ADVICE.search(before) or _EN_OTHER_EXPOSURE.match(after)):
                yield Hit("exposed", match.start(), match.end(), Severity.WARN)


# ---------------------------------------------------------------- hedges

_KO_LEAKED = "(?:유출|노출|누출|침해|탈취|접근|열람|조회|복사|반출|공개|포함|해당|영향)"
_KO_PAST = r"(?:이\s?|을\s?|를\s?)?(?:되었|됐|하였|했|당했|받았|이루어졌|있었)을"
_KO_HEDGE = re.compile(
    # 유출되었을 수 있습니다, 유출되었을 가능성이 있습니다, 유출됐을 것으로 보입니다
    rf"{_KO_LEAKED}{_KO_PAST}\s?(?:수(?:도|가)?|가능성|개연성|여지|것으로)"
    r"(?:이|도|가|을|를)?\s?(?:있|보|추정|예상|판단|높|배제)"
    # 유출된 것으로 추정됩니다
    rf"|{_KO_LEAKED}(?:된|한|당한)\s?것으로\s?(?:보[이입인]|추정|예상|판단|생각)"
    # 유출 가능성이 있습니다, 유출될 가능성을 배제할 수 없습니다
    r"|(?:유출|노출|누출|침해|탈취)(?:의|된|될)?\s?(?:가능성|개연성|여지)"
    r"(?:이|도|가|을|를)?\s?(?:있|높|배제)"
    # 일부 고객의 전화번호가 포함될 수 있습니다
    rf"|일부.{{0,60}}?{_KO_LEAKED}(?:될|돼\s?있을|되어\s?있을|되었을|됐을|할|했을)"
    r"\s?수(?:도|가)?\s?있"
    # 빠져나갔을 수 있습니다
    r"|(?:빠져나갔|새어\s?나갔|흘러나갔|넘어갔)을\s?(?:수|가능성|것으로)(?:도|가|이)?\s?(?:있|보|추정)"
)
_KO_PERSONAL_DATA = re.compile(
    r"개인\s?정보|(?:고객|회원)(?:님)?(?:의|들의)?\s?(?:정보|데이터)|다음\s?(?:항목|정보)"
)
_KO_UNKNOWN = re.compile(r"아직|알지 못|모릅니다|확인하고 있|확인 중|조사하고 있|조사 중")

_EN_LEAKED = (
    r"(?:leak(?:ed)?|expos(?:ed|ure)|accessed|compromised|affected|involved|impacted|obtained|taken"
    r"|stolen|copied|viewed|disclosed|acquired|included|downloaded|exfiltrated|breached|seen|lost"
    r"|left|reached|subject to)"
)
_EN_MAYBE = r"(?:may|might|could)(?: (?:also|well|potentially|possibly|in some cases,?))*"
_EN_HEDGE = re.compile(
    rf"\b{_EN_MAYBE} have(?: (?:been|also|potentially|possibly|inadvertently|improperly))*"
    rf" {_EN_LEAKED}"
    rf"|\b{_EN_MAYBE} be (?:among the )?(?:affected|involved|impacted|compromised|included)"
    r"|\b(?:information|data|details|items|files?|records?)\b.{0,40}?\b(?:may|might|could)"
    r"(?: also)? (?:include|involve|contain)"
    r"|\b(?:potentially|possibly) (?:been )?(?:leaked|exposed|accessed|compromised|affected|stolen)"
    rf"|\b(?:appears?|seems?|(?:is|are) (?:believed|thought)) to have (?:been )?{_EN_LEAKED}",
    re.IGNORECASE,
)
_EN_PERSONAL_DATA = re.compile(
    r"\b(?:(?:your|customers?['’]?s?|personal|account) (?:personal |account )?"
    r"(?:data|information|details|accounts?|records?)|the following"
    r"|(?:some|certain|limited)(?: of your)? (?:data|information))\b",
    re.IGNORECASE,
)
_EN_UNKNOWN = re.compile(
    r"\b(?:not (?:yet )?know|not yet known|not know yet|still|checking|investigating|examining)\b",
    re.IGNORECASE,
)


def _hedge(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    """Yields a hedge about data that is known to have leaked.

    The sentence names a leaked class, or writes "your data" without a statement that facts are
    unknown.
    """
    text = sentence.text
    is_korean = context.language == "ko"
    hedge = (_KO_HEDGE if is_korean else _EN_HEDGE).search(text)
    if not hedge or not context.involved:
        return
    unknown = (_KO_UNKNOWN if is_korean else _EN_UNKNOWN).search(text)
    is_vague = (_KO_PERSONAL_DATA if is_korean else _EN_PERSONAL_DATA).search(text) and not unknown
    if is_vague or context.involved.in_sentence(text):
        yield Hit("hedge", hedge.start(), hedge.end())


# ---------------------------------------------------------------- phrases


class _Phrase(NamedTuple):
    """A rule's pattern, and the pattern of other words in the sentence that make it innocent."""

    rule: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None


_KO_NOT_FOUND = r"(?:없(?:습|었|다|음|는\s?것)|(?:발견|확인)(?:되|하)지|(?:드러나|나타나)지|찾지)"
_KO_MISUSE = r"(?:악용|오용|도용|2차\s?피해|2차\s?유출|부정\s?사용)"
_KO_SCAM = re.compile(
    r"사기|사칭|피싱|스미싱|속이|속지|미끼|의심|누르지|클릭하지|열지|믿지|주의하|현혹|조심"
)
_EN_SCAM = re.compile(
    r"\b(?:scam|fraud|phish|smish|impersonat|pretend|fake|suspicious|beware|do not|don['’]t|lure)",
    re.IGNORECASE,
)
_OUTSIDER = r"(?:unauthori[sz]ed|unknown|malicious|criminal|external|outside)"

_PHRASES: dict[str, list[_Phrase]] = {
    "ko": [
        _Phrase(
            "no_evidence",
            re.compile(
                rf"(?:정황|증거|흔적|징후)(?:은|는|이|가|도|을|를)?\s?"
                rf"(?:(?:현재|아직|지금)(?:까지)?\s?)?{_KO_NOT_FOUND}"
                rf"|{_KO_MISUSE}.{{0,30}}?{_KO_NOT_FOUND}"
                # 현재까지 확인된 피해는 없습니다
                rf"|(?:확인|보고|발견|접수|신고)된\s?(?:\S{{1,6}}\s)?피해\S{{0,3}}\s?{_KO_NOT_FOUND}"
                # 확인되지 않았습니다 … 악용
                rf"|(?:확인|발견)되지\s?않.{{0,30}}?{_KO_MISUSE}"
            ),
        ),
        _Phrase(
            "third_party",
            re.compile(
                r"(?:제\s?3자|제삼자|외부인|외부\s?(?:해커|공격자|세력|조직)|해커\s?(?:집단|조직)"
                r"|(?:신원|정체)\s?(?:미상|불상|불명)\S{0,8})"
                r".{0,25}?(?:공격|소행|침입|해킹|범행|불법|무단|접근|침해|탈취|유출)"
                r"|(?:고도화된|지능적인|정교한|고도의)\s?\S{0,6}\s?(?:해킹|공격|수법)"
            ),
            re.compile(r"(?:수 없|하지 못|못하)(?:도록|게)|알려\s?주지|말하지|넘기지|제공하지"),
        ),
        _Phrase(
            "suspect_statement",
            re.compile(
                r"(?:용의자|피의자|전(?:직)?\s?직원|유출자)(?:는|은|가|이|의|도).{0,40}?"
                r"(?:진술|자백|말했|밝혔|주장|답했)|진술(?:에\s?따르면|했습니다|하였습니다)|자백했"
            ),
            re.compile(r"확인(?:되지|된 (?:사실|것)이 아)|검증되지|아직 확인|확인 중"),
        ),
        _Phrase(
            "double_passive",
            # Bounded, because otherwise a text without spaces takes quadratic time.
            re.compile(
                r"\w{0,20}(?:되어|보여|쓰여|잊혀|놓여|나뉘어|불리워)(?:지|진|졌|져|질|집니)\w{0,20}"
            ),
        ),
    ],
    "en": [
        _Phrase(
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
        _Phrase(
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
        _Phrase(
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
    ],
}
LINTED_LANGUAGES = _PHRASES.keys()
_HARD_SELL = {
    "ko": re.compile(
        r"쿠폰|할인|특가|적립금|프로모션|사은품|경품|무료\s?배송|구매\s?이용권|포인트\s?(?:지급|적립)"
    ),
    "en": re.compile(
        r"\b(?:coupons?|discount(?:s|ed)?|vouchers?|promo(?:tions?|tional)?|special offers?"
        r"|gift cards?|free (?:shipping|delivery)|reward points|cash ?back|limited[- ]time"
        r"|(?:buy|shop|order) now)\b",
        re.IGNORECASE,
    ),
}
_SOFT_SELL = {
    "ko": re.compile(r"혜택|이벤트|(?:고객님|여러분)의\s?편의를\s?위해|소중한\s?고객"),
    "en": re.compile(
        r"\bfor your convenience\b|\bvalued (?:customer|member|user)s?\b|\bexclusive (?:offer|deal)"
        r"s?\b|\bgreat deals?\b",
        re.IGNORECASE,
    ),
}


def _phrases(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    for phrase in _PHRASES[context.language]:
        if not (phrase.unless and phrase.unless.search(sentence.text)):
            for match in phrase.pattern.finditer(sentence.text):
                yield Hit(phrase.rule, match.start(), match.end())


def _marketing(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    text = sentence.text
    if (_KO_SCAM if context.language == "ko" else _EN_SCAM).search(text):
        return  # a warning about scams, such as "Messages that promise a coupon are scams"
    classes = " ".join(context.involved.in_sentence(text))
    for match in _HARD_SELL[context.language].finditer(text):
        if match[0] not in classes:  # the data that leaked may be coupon codes
            severity = Severity.BLOCK if context.is_mandatory else Severity.WARN
            yield Hit("marketing", match.start(), match.end(), severity)
    for match in _SOFT_SELL[context.language].finditer(text):
        yield Hit("marketing", match.start(), match.end())


# ---------------------------------------------------------------- allegations stated as facts

_KO_CULPRIT = re.compile(r"(?<![가-힣])(?:범인|유출자(?!료)|가해자|주범|공범)")
_KO_ACT = (
    r"(?:유출(?:하|했|한|시)|탈취|빼(?:내|돌|갔|냈)|반출|소행|훔|무단|접근(?:하|했|한)|접속(?:하|했|한)"
    r"|저질|팔아)"
)
# 전 직원 alone may mean "all staff", so the pattern requires an act as well.
_KO_ACTOR = re.compile(
    r"(?:전(?:직)?\s?(?:\S{2,6}\s?)?직원|퇴사자|퇴직자|(?:퇴사한|퇴직한)\s?(?:\S{2,6}\s?)?직원|내부자"
    rf"|해커|공격자|침입자)(?:이|가|은|는|의|에\s?의한|로서)?.{{0,50}}?{_KO_ACT}"
)
_KO_CAN = re.compile(r"수\s?(?:있|없)|하지 못|하면|못하(?:도록|게)")
_KO_LABEL = re.compile(
    r"혐의|의혹|주장|추정|의심|용의자|피의자|수사\s?(?:중|하고|받)|조사\s?(?:중|하고|받)|보도|알려졌|알려진"
    r"|진술|확인되지\s?않|확인된 (?:사실|것)이 아"
)
_EN_CULPRIT = re.compile(
    r"\b(?:the|this) (?:perpetrator|culprit|thief|offender|wrongdoer|leaker)s?\b", re.IGNORECASE
)
_EN_ACTOR = re.compile(
    r"\b(?:a|an|the|one|our) (?:\w+ ){0,2}?(?:(?:former|ex|rogue|current)[- ](?:\w+ ){0,2}?"
    r"(?:employee|worker|engineer|developer|contractor)|hacker|attacker|insider|intruder)\b(?!['’])"
    r".{0,50}?\b(?:accessed|accessing|stole|took|used|obtained|downloaded|copied|leaked|exfiltrated"
    r"|broke|misused|committed|sold|hacked|responsible|caused|behind|carried out|got)\b",
    re.IGNORECASE,
)
_EN_LABEL = re.compile(
    r"\b(?:alleg|suspect|accus|reportedly|claim|unconfirmed|under investigation|investigating"
    r"|(?:is|are|was|were) (?:being )?(?:investigat|examin)|according to|charged"
    r"|(?:press|media|newspapers?|agency|yonhap) (?:\w+ )?report"
    r"|not (?:been )?(?:yet )?(?:confirmed|proven|verified))",
    re.IGNORECASE,
)


def _allegation(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    text = sentence.text
    is_korean = context.language == "ko"
    label = _KO_LABEL if is_korean else _EN_LABEL
    if context.basis == Basis.CONFIRMED or label.search(text):
        return
    for match in (_KO_CULPRIT if is_korean else _EN_CULPRIT).finditer(text):
        yield Hit("allegation", match.start(), match.end())
    for match in (_KO_ACTOR if is_korean else _EN_ACTOR).finditer(text):
        if not _KO_CAN.search(text):
            yield Hit("allegation", match.start(), match.end())


# ---------------------------------------------------------------- reading level


def _too_long(sentence: Sentence, context: LintContext) -> Iterator[Hit]:
    if context.language == "ko":
        is_long = len(re.findall("[가-힣]", sentence.text)) > LONGEST_SENTENCE_SYLLABLES
    else:
        words = [word for word in sentence.text.split() if re.search(r"[^\W_]", word)]
        is_long = len(words) > LONGEST_SENTENCE_WORDS
    if is_long:
        yield Hit("long_sentence", 0, len(sentence.text))


SENTENCE_RULES: list[Callable[[Sentence, LintContext], Iterator[Hit]]] = [
    _exposed,
    _hedge,
    _phrases,
    _marketing,
    _allegation,
    _too_long,
]
