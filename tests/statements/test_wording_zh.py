"""The lint and the parity check find in both scripts of Chinese what they find in English."""

import time
import timeit
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements.wording import han_figures, has_rules, lint, parity
from statements.wording.figure_day import Day
from statements.wording.figures import figures

INVOLVED = {
    "zh-hans": ["姓名", "电话号码", "地址", "门禁密码", "订单", "密码（哈希）"],
    "zh-hant": ["姓名", "電話號碼", "地址", "門禁密碼", "訂單", "密碼（雜湊）"],
}
OTHER = {"zh-hans": ["配送备注", "IP地址"], "zh-hant": ["配送備註", "IP位址"]}


def rules(text: str, language: str, *, basis=Basis.COMPANY) -> list[str]:
    found = lint(
        text,
        language=language,
        is_mandatory=True,
        involved_classes=INVOLVED[language],
        other_classes=OTHER[language],
        own_domains=["notice.hanbit.example"],
        basis=basis,
    )
    return [finding.rule for finding in found]


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant"])
def test_chinese_has_rules(language):
    assert has_rules(language)


@pytest.mark.parametrize(
    ("simplified", "traditional", "rule"),
    [
        ("客户的个人信息被曝光。", "客戶的個人資料遭曝光。", "exposed"),
        ("数据暴露在外。", "資料暴露在外。", "exposed"),
        ("您的姓名可能已泄露。", "您的姓名可能已外洩。", "hedge"),
        ("您的地址疑似外泄。", "您的地址疑似外洩。", "hedge"),
        ("电话号码有泄露的可能。", "電話號碼有外洩的可能。", "hedge"),
        ("不排除订单已泄露的可能性。", "不排除訂單已外洩的可能性。", "hedge"),
        ("您的个人信息可能已被访问。", "您的個人資料可能已被存取。", "hedge"),
        ("您的个人信息可能遭窃取。", "您的個人資料可能遭竊取。", "hedge"),
        ("泄露的信息可能包括您的姓名。", "外洩的資料可能包括您的姓名。", "hedge"),
        ("存在门禁密码泄露的风险。", "存在門禁密碼外洩的風險。", "hedge"),
        ("密码（哈希）可能已泄露。", "密碼（雜湊）可能已外洩。", "hedge"),
        ("目前没有证据表明信息被使用。", "目前沒有證據顯示資料遭使用。", "no_evidence"),
        ("尚未发现信息被滥用的情况。", "尚未發現資料遭濫用的情形。", "no_evidence"),
        ("目前未接到客户受害的报告。", "目前未接獲客戶受害的通報。", "no_evidence"),
        ("盗用的情况尚未发生。", "盜用的情形尚未發生。", "no_evidence"),
        ("第三方非法访问了系统。", "第三方非法存取系統。", "third_party"),
        ("这是高度复杂的网络攻击。", "這是高度複雜的網路攻擊。", "third_party"),
        ("身份不明的人员入侵了系统。", "身分不明的人士入侵系統。", "third_party"),
        ("嫌疑人供称已删除数据。", "嫌犯供稱已刪除資料。", "suspect_statement"),
        ("作为道歉，我们赠送优惠券。", "為表歉意，我們致贈購物金。", "marketing"),
        ("尊贵的客户：", "尊貴的會員：", "marketing"),
        ("为了您的方便，我们开设了页面。", "為了您的方便，我們開設了頁面。", "marketing"),
        ("罪犯使用了海外服务器。", "元兇使用海外伺服器。", "allegation"),
        ("一名前员工窃取了客户信息。", "一名前員工竊取了客戶資料。", "allegation"),
        ("黑客下载了订单。", "駭客下載了訂單。", "allegation"),
        ("啊" * 71 + "。", "啊" * 71 + "。", "long_sentence"),
    ],
)
def test_what_a_notice_must_not_say_is_found(simplified, traditional, rule):
    assert set(rules(simplified, "zh-hans")) == {rule}
    assert set(rules(traditional, "zh-hant")) == {rule}


@pytest.mark.parametrize(
    ("simplified", "traditional"),
    [
        ("您的姓名和电话号码已泄露。", "您的姓名和電話號碼已外洩。"),
        ("不要向他人暴露您的密码。", "不要對他人暴露您的密碼。"),
        ("配送备注可能已泄露，我们正在调查。", "配送備註可能已外洩，我們正在調查。"),
        ("尚不清楚其他个人信息是否可能已泄露。", "尚不清楚其他個人資料是否可能已外洩。"),
        ("骗子可能利用您的电话号码。", "詐騙者可能利用您的電話號碼。"),
        ("您的电话号码可能会收到诈骗短信。", "您的電話號碼可能會收到詐騙簡訊。"),
        ("我们不知道信息是否被滥用。", "我們不知道資料是否遭濫用。"),
        ("没有证据也可以报案。", "沒有證據也可以報案。"),
        ("没有收到短信的客户也请注意。", "沒有收到簡訊的客戶也請注意。"),
        ("请不要把验证码告诉第三方。", "請不要把驗證碼告訴第三方。"),
        ("我们已采取措施，使第三方无法访问。", "我們已採取措施，使第三方無法存取。"),
        ("未经许可的人访问了客户信息。", "未經許可的人存取了客戶資料。"),
        ("嫌疑人供称已删除，但尚未证实。", "嫌犯供稱已刪除，但尚未證實。"),
        ("一名前员工涉嫌窃取信息。", "一名前員工涉嫌竊取資料。"),
        ("黑客会利用泄露的信息。", "駭客會利用外洩的資料。"),
        ("赠送优惠券的短信是诈骗。", "贈送優惠券的簡訊是詐騙。"),
        ("目前的员工都下载了新的应用。", "目前的員工都下載了新的應用程式。"),
        ("请被告知的客户更改密码。", "請被告知的客戶變更密碼。"),
        ("第一份通知写了“曝光”。个人信息已泄露。", "第一份通知寫了「曝光」。個人資料已外洩。"),
        ("我们依法赔偿损失。", "我們依法賠償損失。"),
        ("信息已泄露。" * 20, "資料已外洩。" * 20),
        (
            "请见https://notice.hanbit.example/zh-hans/，谢谢。",
            "請見https://notice.hanbit.example/zh-hant/，謝謝。",
        ),
    ],
)
def test_plain_words_pass(simplified, traditional):
    assert rules(simplified, "zh-hans") == []
    assert rules(traditional, "zh-hant") == []


def test_a_confirmed_act_is_no_allegation():
    assert rules("黑客下载了订单。", "zh-hans", basis=Basis.CONFIRMED) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2025年11月18日发现。", [Day(11, 18, 2025)]),
        ("民國114年11月18日", [Day(11, 18, 2025)]),
        ("11月18号至20号", [Day(11, 18), Day(11, 20)]),
        ("11月18日到30日内", [Day(11, 18), Decimal(30)]),
        ("12月份", [Day(12)]),
        ("上午9点至11点30分", ["09:00", "11:30"]),
        ("下午3點半", ["15:30"]),
        ("晚上12点", ["00:00"]),
        ("中午12時", ["12:00"]),
        ("凌晨0时5分", ["00:05"]),
        ("下午3:05", ["15:05"]),
        ("18時36分", ["18:36"]),
        ("24時", ["00:00"]),
        ("48時", [Decimal(48)]),
        ("以下3点", [Decimal(3)]),
        ("72小时内", [Decimal(72)]),
        ("3个月", [Decimal(3)]),
        ("3370万个账户", [Decimal(33_700_000)]),
        ("3,370萬個帳號", [Decimal(33_700_000)]),
        ("1.2亿", [Decimal(120_000_000)]),
        ("1億2,000萬元", [Decimal(120_000_000)]),
        ("十萬人", [Decimal(100_000)]),
        ("两万人", [Decimal(20_000)]),
        ("一百萬兩千人", [Decimal(1_002_000)]),
        ("三千零七十万", [Decimal(30_700_000)]),
        ("几十万人，两三万人，千万不要，十万火急，万一", []),
        ("百分之99", [Decimal(99)]),
        ("99％", [Decimal(99)]),
    ],
)
def test_figures(text, values):
    assert [figure.value for figure in figures(text, "zh-hans")] == values
    assert [figure.value for figure in figures(text, "zh-hant")] == values


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh-hans", "我们于2025年11月18日得知，{}人的信息已泄露。"),
        ("zh-hant", "我們於2025年11月18日得知，{}人的資料已外洩。"),
    ],
)
def test_a_translation_with_the_same_figures_passes_and_another_does_not(language, text):
    english = "On 18 November 2025 we found that the data of 33.7 million people leaked."
    for number, expected in (("3370万", []), ("3730萬", ["parity_figure"] * 2)):
        texts = {"en": [("what", english)], language: [("what", text.format(number))]}
        assert [finding.rule for finding in parity(texts)] == expected


def test_a_small_number_may_be_written_as_a_word():
    texts = {"en": [("what", "We found 2 keys.")], "zh-hant": [("what", "我們找到兩把鑰匙。")]}
    assert parity(texts) == []


_SIGNS = "0123456789,.:~〜年月日号號时時点點分半元令和民国國上下午前後晚間间从到至から"
_SIGNS += "万萬億亿千百十割%可能已被泄露洩外。、 \n"


@given(text=st.text(st.sampled_from(_SIGNS), max_size=40))
def test_every_text_has_figures_and_findings_without_an_error(text):
    for language in ("ja", "zh-hans", "zh-hant"):
        assert figures(text, language) == figures(text, language)
        lint(text, language=language, is_mandatory=True, involved_classes=["姓名"])


@pytest.mark.parametrize("language", ["ja", "zh-hans"])
@pytest.mark.parametrize(
    "words",
    ["可能", "可能已被", "漏えいした", "第三者", "前员工", "尚未发现", "11月", "3万"],
)
def test_a_long_text_without_a_full_stop_is_checked_quickly(language, words):
    text = words * 3000

    def check() -> None:
        lint(text, language=language, is_mandatory=True, involved_classes=["姓名"])
        figures(text, language)

    assert timeit.timeit(check, timer=time.process_time, number=1) < 4


@pytest.mark.parametrize("words", ["〇一", "一两", "百", "千万"])
def test_a_long_number_in_words_is_read_quickly(words):
    found = han_figures.NUMBER_IN_WORDS.finditer(words * 20_000)
    assert timeit.timeit(lambda: list(found), timer=time.process_time, number=1) < 1
