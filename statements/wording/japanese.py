"""The wording rules of Japanese.

The word for a leak is 漏えい, as the Personal Information Protection Commission writes it. The
patterns know 漏洩 and 流出 too, because companies write them.
"""

import re

from statements.wording.language_rules import (
    ExposedWords,
    LanguageRules,
    Phrase,
    name_with_any_spaces,
)

LONGEST_SENTENCE_CHARACTERS = 90

# ---------------------------------------------------------------- 露出 for 漏えい

_DATA = re.compile(
    "情報|データ|アカウント|お客|会員|氏名|名前|住所|番号|メール|履歴|メモ|項目|記録|ファイル|名簿"
)
_EXPOSED = re.compile("露出|暴露|(?:人目|外部|危険)に(?:さら|晒)され")
_ADVICE = re.compile(r"(?:し|させ|され)ない")
_OTHER_EXPOSURE = re.compile(r"(?:広告|検索|商品|メディア)の?$")
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, before=_OTHER_EXPOSURE, after=_ADVICE)

# ---------------------------------------------------------------- hedges

_LEAK = "(?:漏えい|漏洩|ろうえい|流出|露出)等?"
_TAKEN = "(?:閲覧|アクセス|取得|窃取|入手|コピー|複製|持ち出|盗|見|影響|外部に送信)"
# The past, because "アクセスされるおそれ" is a danger that comes after the leak.
_PAST = r"[ぁ-ん]{0,4}(?:た|てい[たる])"
_DOUBT = (
    r"(?:という|との)?(?:可能性|おそれ|恐れ|懸念|疑い)[がはもをの]?"
    r"(?:[あ有](?:る|り|っ|れ)|ござい|高|否定|排除|考え)"
)
_HEDGE = re.compile(
    # 漏えいした可能性があります, 漏えいのおそれがございます
    rf"{_LEAK}(?:の|(?:が|の)?(?:発生し|生じ)た|{_PAST}){_DOUBT}"
    # 閲覧された可能性を否定できません
    rf"|{_TAKEN}{_PAST}{_DOUBT}"
    # 漏えいしたかもしれません, 漏えいしたと考えられます
    rf"|(?:{_LEAK}|{_TAKEN}){_PAST}(?:もの)?"
    r"(?:か(?:も|と)(?:しれ|知れ)|と(?:思われ|み(?:られ|て)|見られ|考え|推[測定]|想定))"
    # 電話番号が含まれる可能性があります
    rf"|含(?:まれ|ん)[ぁ-ん]{{0,5}}(?:{_DOUBT}|場合が(?:あ|ござ)|かも(?:しれ|知れ))"
)
_PERSONAL_DATA = re.compile(
    r"個人(?:情報|データ)|(?:お客|会員)(?:様|さま)?の(?:情報|データ)|(?:次|以下|下記)の(?:項目|情報)"
)
_UNKNOWN = re.compile(
    r"まだ|[分わ]か(?:って|りま|らな)|判明して|不明|確認(?:中|して)|調査(?:中|して|を)"
)

# ---------------------------------------------------------------- phrases

_MISUSE = r"(?:悪用|不正(?:な)?(?:利用|使用)|[二2]次被害|なりすまし)"
_NOT_FOUND = (
    r"(?:(?:確認|発見|検知|検出|把握|認識)[ぁ-ん]{0,4}?(?:いません|おりません|いない|できません)"
    r"|見つか(?:って(?:い|おり)|り)ません|認められ[ぁ-ん]{0,3}ません|(?:あり|ござい)ません|受けて(?:い|おり)ません)"
)
_SCAM = re.compile(
    r"詐欺|フィッシング|なりすま|装[いっう]|かた[りるっ]|騙|だま|偽|不審|怪し|開かない|押さない|信じない|注意"
)
_OUTSIDER = (
    r"(?:第三者|外部の(?:者|人物|攻撃者|ハッカー|犯罪者)|何者か|身元不明の?\w{0,4}"
    r"|悪意のある\w{0,4}|ハッカー集団)"
)
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            rf"(?:証拠|形跡|痕跡|兆候)(?:は|が|も)[^。]{{0,15}}?{_NOT_FOUND}"
            rf"|{_MISUSE}[^。、]{{0,20}}?(?:は|が|も)[^。]{{0,15}}?{_NOT_FOUND}"
            rf"|被害(?:の(?:報告|連絡|申告|情報))?(?:は|も)[^。]{{0,15}}?{_NOT_FOUND}"
        ),
        re.compile(r"かどうか|証拠[^。]{0,8}(?:必要|不要)"),
    ),
    Phrase(
        "third_party",
        re.compile(
            rf"{_OUTSIDER}(?:による|により|によって|から|が|に)[^。]{{0,25}}?"
            r"(?:攻撃|侵入|不正|アクセス|犯行|ハッキング|窃取|取得|閲覧)"
            r"|(?:高度な|高度に\w{0,5}|巧妙な|前例のない|洗練された)\w{0,6}(?:攻撃|手口|ハッキング)"
            r"|サイバー攻撃の被害(?:に|を)"
        ),
        re.compile(
            r"(?:教え|渡さ|伝え|見せ|送ら|共有し|提供し)(?:ない|ては)|(?:でき|られ)ないよう"
        ),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            r"(?:容疑者|被疑者|元(?:従業員|社員|職員))(?:は|が|の|も)[^。]{0,40}?"
            r"(?:供述|自白|述べ|話し|主張|説明し|認め(?:て|ま))|供述(?:によ|して|しま)"
        ),
        re.compile(r"(?:確認|検証|裏付け)[ぁ-ん]{0,5}(?:いません|いない|おりません)|確認中"),
    ),
]
_HARD_SELL = re.compile(
    r"クーポン|割引|セール|キャンペーン|特典|プレゼント|送料無料|キャッシュバック|商品券|ギフト券"
    r"|お買い得|ポイント(?:を|の)?(?:還元|進呈|付与|プレゼント)"
)
_SOFT_SELL = re.compile(
    r"お得|ご愛顧|お客(?:様|さま)の(?:ご)?(?:利便|便宜)|大切なお客(?:様|さま)(?:へ|各位)|会員限定"
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(r"(?<!詐欺の)(?:真?犯人|主犯|共犯|加害者|漏えい者|流出させた者)")
_ACTOR = re.compile(
    r"(?:元\w{0,6}?(?:従業員|社員|職員|スタッフ|技術者)|退職者|退職した\w{0,6}(?:従業員|社員|職員)"
    r"|内部の(?:者|人物|犯行)|ハッカー|攻撃者|侵入者)(?:が|は|に|の|も)[^。]{0,50}?"
    r"(?:漏えいさせ|流出させ|持ち出|盗|窃取|不正に|取得し|入手し|ダウンロードし|アクセスし|コピーし|侵入し|売)"
)
_POSSIBLE = re.compile(r"可能性|おそれ|恐れ|かもしれ|(?:でき|られ)(?:る|ます|ない|ません)|場合")
_LABEL = re.compile(
    r"疑い|疑惑|容疑|被疑|捜査(?:中|し|を)|調査(?:中|を受け)|とされ|と(?:の|いう)(?:報道|主張|指摘)|報道"
    r"|主張|供述|(?:確認|証明)[ぁ-ん]{0,5}(?:いません|いない|おりません)"
)


def _is_long(sentence: str) -> bool:
    return len(re.findall("[ぁ-んァ-ヶ一-鿿]", sentence)) > LONGEST_SENTENCE_CHARACTERS


RULES_OF_JAPANESE = LanguageRules(
    class_name=name_with_any_spaces,
    word_edge="",  # particles follow a name without a space
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
    possibility=_POSSIBLE,
    label=_LABEL,
    is_long=_is_long,
)
