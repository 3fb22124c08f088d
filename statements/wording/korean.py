"""The wording rules of Korean."""

import re
from collections.abc import Iterator

from statements.wording.language_rules import Hit, LanguageRules, Phrase, name_with_any_spaces

LONGEST_SENTENCE_SYLLABLES = 80

# ---------------------------------------------------------------- 노출 for 유출

_DATA = re.compile(
    "정보|데이터|계정|고객|회원|이름|성명|주소|번호|메일|내역|메모|항목|기록|파일|명단"
)
_INCIDENT = re.compile(
    r"\s?(?:된|되었|됐|사고|사실|사태|사건|항목|통지|규모|경위|원인|범위|여부|로\s?인|으로\s?인)"
)
# Innocent uses: advice to readers, advertising, and "exposed to" a risk.
_ADVICE = re.compile(r"(?:을|를|이|가)?\s?(?:하지|시키지|되지\s?(?:않도록|않게|않으려|마))")
_OTHER_EXPOSURE = re.compile(
    r"(?:광고|검색|상품|화면|화면에|햇빛|햇볕|(?:위험|위협|피싱|스미싱|범죄|공격|사기|피해)에)\s?$"
)


def _exposed(text: str, *, names_class: bool) -> Iterator[Hit]:
    is_about_data = names_class or _DATA.search(text)
    for match in re.finditer("노출", text):
        before, after = text[: match.start()], text[match.end() :]
        is_innocent = _ADVICE.match(after) or _OTHER_EXPOSURE.search(before)
        if not is_innocent and (is_about_data or _INCIDENT.match(after)):
            yield Hit("exposed", match.start(), match.end())


# ---------------------------------------------------------------- hedges

_LEAKED = "(?:유출|노출|누출|침해|탈취|접근|열람|조회|복사|반출|공개|포함|해당|영향)"
_PAST = r"(?:이\s?|을\s?|를\s?)?(?:되었|됐|하였|했|당했|받았|이루어졌|있었)을"
_HEDGE = re.compile(
    # 유출되었을 수 있습니다, 유출되었을 가능성이 있습니다, 유출됐을 것으로 보입니다
    rf"{_LEAKED}{_PAST}\s?(?:수(?:도|가)?|가능성|개연성|여지|것으로)"
    r"(?:이|도|가|을|를)?\s?(?:있|보|추정|예상|판단|높|배제)"
    # 유출된 것으로 추정됩니다
    rf"|{_LEAKED}(?:된|한|당한)\s?것으로\s?(?:보[이입인]|추정|예상|판단|생각)"
    # 유출 가능성이 있습니다, 유출될 가능성을 배제할 수 없습니다
    r"|(?:유출|노출|누출|침해|탈취)(?:의|된|될)?\s?(?:가능성|개연성|여지)"
    r"(?:이|도|가|을|를)?\s?(?:있|높|배제)"
    # 일부 고객의 전화번호가 포함될 수 있습니다
    rf"|일부.{{0,60}}?{_LEAKED}(?:될|돼\s?있을|되어\s?있을|되었을|됐을|할|했을)"
    r"\s?수(?:도|가)?\s?있"
    # 빠져나갔을 수 있습니다
    r"|(?:빠져나갔|새어\s?나갔|흘러나갔|넘어갔)을\s?(?:수|가능성|것으로)(?:도|가|이)?\s?(?:있|보|추정)"
)
_PERSONAL_DATA = re.compile(
    r"개인\s?정보|(?:고객|회원)(?:님)?(?:의|들의)?\s?(?:정보|데이터)|다음\s?(?:항목|정보)"
)
_UNKNOWN = re.compile(r"아직|알지 못|모릅니다|확인하고 있|확인 중|조사하고 있|조사 중")

# ---------------------------------------------------------------- phrases

_NOT_FOUND = r"(?:없(?:습|었|다|음|는\s?것)|(?:발견|확인)(?:되|하)지|(?:드러나|나타나)지|찾지)"
_MISUSE = r"(?:악용|오용|도용|2차\s?피해|2차\s?유출|부정\s?사용)"
_SCAM = re.compile(
    r"사기|사칭|피싱|스미싱|속이|속지|미끼|의심|누르지|클릭하지|열지|믿지|주의하|현혹|조심"
)
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            rf"(?:정황|증거|흔적|징후)(?:은|는|이|가|도|을|를)?\s?"
            rf"(?:(?:현재|아직|지금)(?:까지)?\s?)?{_NOT_FOUND}"
            rf"|{_MISUSE}.{{0,30}}?{_NOT_FOUND}"
            # 현재까지 확인된 피해는 없습니다
            rf"|(?:확인|보고|발견|접수|신고)된\s?(?:\S{{1,6}}\s)?피해\S{{0,3}}\s?{_NOT_FOUND}"
            # 확인되지 않았습니다 … 악용
            rf"|(?:확인|발견)되지\s?않.{{0,30}}?{_MISUSE}"
        ),
    ),
    Phrase(
        "third_party",
        re.compile(
            r"(?:제\s?3자|제삼자|외부인|외부\s?(?:해커|공격자|세력|조직)|해커\s?(?:집단|조직)"
            r"|(?:신원|정체)\s?(?:미상|불상|불명)\S{0,8})"
            r".{0,25}?(?:공격|소행|침입|해킹|범행|불법|무단|접근|침해|탈취|유출)"
            r"|(?:고도화된|지능적인|정교한|고도의)\s?\S{0,6}\s?(?:해킹|공격|수법)"
        ),
        re.compile(r"(?:수 없|하지 못|못하)(?:도록|게)|알려\s?주지|말하지|넘기지|제공하지"),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            r"(?:용의자|피의자|전(?:직)?\s?직원|유출자)(?:는|은|가|이|의|도).{0,40}?"
            r"(?:진술|자백|말했|밝혔|주장|답했)|진술(?:에\s?따르면|했습니다|하였습니다)|자백했"
        ),
        re.compile(r"확인(?:되지|된 (?:사실|것)이 아)|검증되지|아직 확인|확인 중"),
    ),
    Phrase(
        "double_passive",
        # Bounded, because otherwise a text without spaces takes quadratic time.
        re.compile(
            r"\w{0,20}(?:되어|보여|쓰여|잊혀|놓여|나뉘어|불리워)(?:지|진|졌|져|질|집니)\w{0,20}"
        ),
    ),
]
_HARD_SELL = re.compile(
    r"쿠폰|할인|특가|적립금|프로모션|사은품|경품|무료\s?배송|구매\s?이용권|포인트\s?(?:지급|적립)"
)
_SOFT_SELL = re.compile(r"혜택|이벤트|(?:고객님|여러분)의\s?편의를\s?위해|소중한\s?고객")

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(r"(?<![가-힣])(?:범인|유출자(?!료)|가해자|주범|공범)")
_ACT = (
    r"(?:유출(?:하|했|한|시)|탈취|빼(?:내|돌|갔|냈)|반출|소행|훔|무단|접근(?:하|했|한)|접속(?:하|했|한)"
    r"|저질|팔아)"
)
# 전 직원 alone may mean "all staff", so the pattern requires an act as well.
_ACTOR = re.compile(
    r"(?:전(?:직)?\s?(?:\S{2,6}\s?)?직원|퇴사자|퇴직자|(?:퇴사한|퇴직한)\s?(?:\S{2,6}\s?)?직원|내부자"
    rf"|해커|공격자|침입자)(?:이|가|은|는|의|에\s?의한|로서)?.{{0,50}}?{_ACT}"
)
_CAN = re.compile(r"수\s?(?:있|없)|하지 못|하면|못하(?:도록|게)")
_LABEL = re.compile(
    r"혐의|의혹|주장|추정|의심|용의자|피의자|수사\s?(?:중|하고|받)|조사\s?(?:중|하고|받)|보도|알려졌|알려진"
    r"|진술|확인되지\s?않|확인된 (?:사실|것)이 아"
)


def _is_long(sentence: str) -> bool:
    return len(re.findall("[가-힣]", sentence)) > LONGEST_SENTENCE_SYLLABLES


RULES_OF_KOREAN = LanguageRules(
    class_name=name_with_any_spaces,
    word_edge="",  # particles follow a name without a space
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
    is_long=_is_long,
)
