"""The wording rules of Chinese, in both scripts.

A pattern is written once, in simplified characters; `_pattern` lets it find the traditional ones
too. Words that differ by region, such as 黑客 and 駭客, stand side by side.
"""

import re

from statements.wording.language_rules import (
    ExposedWords,
    LanguageRules,
    Phrase,
    name_with_any_spaces,
)

LONGEST_SENTENCE_CHARACTERS = 70

# For each character of the patterns below: the simplified one, then the traditional ones.
_CHARACTERS = (
    "泄洩 资資 个個 数數 据據 账賬帳 户戶 号號 帐帳 会會 员員 "
    "码碼 邮郵 订訂 单單 备備 记記 录錄 项項 请請 别別 绝絕 "
    "于於 风風 险險 诈詐 骗騙 胁脅 访訪 问問 获獲 浏瀏 览覽 "
    "窃竊 复複 制製 载載 盗盜 响響 传傳 许許 样樣 虑慮 经經 "
    "当當 权權 无無 盖蓋 测測 计計 还還 确確 认認 滥濫 恶惡 "
    "损損 伤傷 并並併 暂暫 从從 没沒 钓釣 鱼魚 谎謊 称稱 点點 "
    "开開 启啟啓 骇駭 击擊 势勢 团團 组組 织織 显顯 体體 证證証 "
    "迹跡 征徵 谁誰 发發 现現 觉覺 观觀 报報 杂雜 进進 职職 "
    "雇僱 声聲 辩辯 说說説 实實 优優 价價 销銷 满滿 减減 红紅 "
    "赠贈 奖獎 运運 费費 礼禮 购購 积積 励勵 馈饋 贵貴 宾賓 "
    "为為爲 专專 属屬 谢謝 来來 长長 爱愛 护護 赖賴 顾顧 凶兇 "
    "师師 离離 内內 贩販 卖賣 带帶 导導 调調 侦偵 办辦 "
)
_BOTH = {ord(forms[0]): f"(?:{'|'.join(forms)})" for forms in _CHARACTERS.split()}


def _pattern(simplified: str) -> re.Pattern[str]:
    """Returns the pattern in both scripts; it must hold no such character in square brackets."""
    return re.compile(simplified.translate(_BOTH))


# ---------------------------------------------------------------- 曝光 for 泄露

_DATA = _pattern(
    "信息|资料|个资|数据|账户|账号|帐|客户|会员|姓名|地址|号码|邮箱|信箱|订单|备注|记录|项目|文件|名单"
)
_EXPOSED = _pattern("曝光|曝露|暴露")
_ADVICE = _pattern(r"(?:不要|切勿|请勿|勿|别|避免|以免|绝不)\S{0,8}$")
_OTHER_EXPOSURE = _pattern(r"(?:在|于)\S{0,8}(?:风险|危险|诈骗|威胁)|率|度")
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, before=_ADVICE, after=_OTHER_EXPOSURE)

# ---------------------------------------------------------------- hedges

_LEAK = "(?:泄露|泄漏|外泄|外流|流出|曝光|暴露)"
_TAKEN = "(?:访问|存取|获取|取得|查看|浏览|窃取|复制|下载|盗取|影响|波及|外传)"
_MAYBE = "(?:可能|或许|也许|恐怕?|疑似|似乎)(?:也|都|均|同样)?"
_DOUBT = "(?:可能性?|风险|疑虑|之虞|嫌疑)"
_HEDGE = _pattern(
    # 可能已泄露, 疑似外洩
    rf"{_MAYBE}(?:已经?|曾|有|会|被|遭到?|受到?)*{_LEAK}"
    # 可能已被访问; 被 or 已, because "可能取得" is a danger that comes after the leak
    rf"|{_MAYBE}(?:(?:已经?|曾)(?:被|遭到?|受到?)?|受到)(?:不当|非法|未经授权)?的?{_TAKEN}"
    rf"|{_MAYBE}(?:被|遭到?)(?:(?:不当|非法|不法|未经授权)的?{_TAKEN}|窃(?!听)|盗(?!用))"
    # 有泄露的可能, 不排除已外洩的可能性
    rf"|(?:有|存在|不排除|(?:无法|不能)(?:完全)?排除)\S{{0,6}}?{_LEAK}(?:的|之)?{_DOUBT}"
    rf"|{_LEAK}(?:的|之){_DOUBT}"
    # 可能包含您的姓名
    rf"|{_MAYBE}(?:会)?(?:包含|包括|涉及|含有|涵盖)"
    rf"|(?:据信|推测|推定|估计)\S{{0,6}}?{_LEAK}"
)
_PERSONAL_DATA = _pattern(
    "个人(?:信息|资料|数据)|个资|(?:您|客户|会员)的?(?:信息|资料|数据)|(?:以下|下列)(?:信息|资料|项目|各项)"
)
_UNKNOWN = _pattern("尚未|尚不|还不|仍在|正在|不清楚|不知道|(?:无法|不能)(?:确定|确认)")

# ---------------------------------------------------------------- phrases

_MISUSE = "(?:滥用|盗用|冒用|不当使用|不法使用|非法使用|恶意使用)"
_HARM = f"(?:{_MISUSE}|损害|损失|受害|被害|二次(?:伤害|侵害|被害))"
_NOT_YET = "(?:尚未|并未|暂未|从未|未曾|没有|目前未|至今未|未)"
_SCAM = _pattern(
    "诈骗|骗|诈|冒充|假冒|假借|钓鱼|可疑|谎称|不要(?:点|打开|开启|相信)|请勿|切勿|警惕|小心|当心"
)
_OUTSIDER = (
    "(?:第三方|第三者|外部(?:黑客|骇客|人员|人士|攻击者|势力)|(?:身份|身分)?不明的?(?:人士|人员|者)"
    "|不法(?:分子|人士|集团)|歹徒|(?:黑客|骇客)(?:组织|集团))"
)
_PHRASES = [
    Phrase(
        "no_evidence",
        _pattern(
            r"(?:没有|并无|尚无|暂无|未有|查无|无)(?:任何|明显|确切|具体|直接)*"
            r"(?:证据|迹象|征兆|迹证)(?!也|亦|仍|表明是谁)"
            rf"|{_NOT_YET}(?:发现|收到|接获|接到|查获|察觉|观察到|传出)[^。]{{0,15}}?"
            rf"(?:{_HARM}|证据|迹象|诈骗(?:案件|事件|通报|报告))"
            rf"|{_HARM}[^。]{{0,12}}?{_NOT_YET}(?:被)?(?:发现|发生|出现|接获|收到)"
        ),
        _pattern("是否|的(?:客户|人)也|不需要|无需"),
    ),
    Phrase(
        "third_party",
        _pattern(
            rf"{_OUTSIDER}[^。]{{0,25}}?(?:攻击|入侵|非法|未经授权|访问|存取|窃取|侵入|获取|取得|不当)"
            r"|(?:高度复杂|复杂|精密|先进|高明|前所未有|有组织)的?\S{0,6}?(?:攻击|入侵|手法|骇客|黑客)"
        ),
        _pattern("不要|切勿|请勿|勿|绝不|无法|不能|不得|以免"),
    ),
    Phrase(
        "suspect_statement",
        _pattern(
            r"(?:嫌疑人|嫌犯|被告(?!知)|前(?:员工|职员|雇员))[^。]{0,40}?"
            r"(?:供称|供述|供认|交代|坦承|承认|声称|辩称|自称|宣称|表示|说)|(?:据|依)嫌(?:疑人|犯)"
        ),
        _pattern(r"(?:尚未|未经|未获|无法|未)(?:得到)?(?:证实|确认|核实|查证)"),
    ),
]
_HARD_SELL = _pattern(
    "优惠|折扣|打折|折价|促销|满减|红包|赠品|抽奖|返现|免运费?|包邮|代金券|礼品卡|礼券|购物金|特价|特惠"
    "|(?:积分|点数)(?:赠送|奖励|返还|回馈)"
)
_SOFT_SELL = _pattern(
    "尊贵的?(?:客户|会员|贵宾)|贵宾|(?:为了?您的方便|为方便您|方便您)|专属礼遇"
    "|感谢您?(?:一直以来|长期)(?:以来)?的?(?:支持|爱护|信赖|惠顾)"
)

# ---------------------------------------------------------------- allegations

_CULPRIT = _pattern("(?<!诈骗)(?:罪犯|犯人|主犯|共犯|元凶|泄密者|泄露者|外泄者|加害人|作案者)")
_ACTOR = _pattern(
    r"(?:(?<!目)前\S{0,4}?(?:员工|职员|雇员|工程师)|离职(?:员工|人员|职员)|内部人员|内鬼|黑客|骇客|攻击者|入侵者)"
    r"[^。]{0,50}?(?:窃取|盗取|盗走|偷|下载|复制|泄露|外泄|访问了|存取了|入侵|非法|擅自|未经授权|贩卖"
    r"|出售|获取了|取得了|带走)"
)
_POSSIBLE = _pattern("可能|可以|会(?!员)|无法|不能|如果|以防|避免|是否")
_LABEL = _pattern(
    "涉嫌|嫌疑|嫌犯|疑似|被控|据称|据传|据报|报道|报导|媒体|正在(?:调查|侦办|侦查|核实|查证)|(?:调查|侦办|侦查)中"
    "|接受调查|声称|指控|(?:尚未|未经|未获|无法)(?:得到)?(?:证实|确认|核实|查证)"
)


def _is_long(sentence: str) -> bool:
    return len(re.findall("[一-鿿]", sentence)) > LONGEST_SENTENCE_CHARACTERS


RULES_OF_CHINESE = LanguageRules(
    class_name=name_with_any_spaces,
    word_edge="",  # Chinese has no spaces between words
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
