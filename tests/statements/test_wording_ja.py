"""The lint and the parity check find in Japanese what they find in Korean and English."""

from decimal import Decimal

import pytest

from incidents.models import Basis
from statements.findings import Severity
from statements.wording import has_rules, lint, parity
from statements.wording.figure_day import Day
from statements.wording.figures import figures

INVOLVED = [
    "氏名",
    "電話番号",
    "住所",
    "共同玄関の暗証番号",
    "注文",
    "パスワード（ハッシュ化済み）",
]
OTHER = ["配送メモ", "IPアドレス", "決済情報"]


def rules(text: str, *, basis=Basis.COMPANY, is_mandatory=True) -> list[str]:
    found = lint(
        text,
        language="ja",
        is_mandatory=is_mandatory,
        involved_classes=INVOLVED,
        other_classes=OTHER,
        own_domains=["notice.hanbit.example"],
        basis=basis,
    )
    return [finding.rule for finding in found]


def test_japanese_has_rules():
    assert has_rules("ja")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("お客さまの個人情報が外部に露出しました。", "exposed"),
        ("氏名と電話番号が漏えいした可能性があります。", "hedge"),
        ("住所が漏えいしたおそれがございます。", "hedge"),
        ("住所の漏えいの可能性は否定できません。", "hedge"),
        ("お客さまの個人情報が閲覧された可能性があります。", "hedge"),
        ("電話番号が流出したかもしれません。", "hedge"),
        ("注文が漏洩したと考えられます。", "hedge"),
        ("漏えいした情報に、氏名が含まれている可能性があります。", "hedge"),
        ("パスワード（ハッシュ化済み）が漏えいした可能性があります。", "hedge"),
        ("現時点で、悪用された事実は確認されておりません。", "no_evidence"),
        ("現在のところ、二次被害は確認されていません。", "no_evidence"),
        ("不正利用の報告はございません。", "no_evidence"),
        ("情報が使われた形跡は見つかっていません。", "no_evidence"),
        ("被害の報告は受けておりません。", "no_evidence"),
        ("第三者による不正アクセスを受けました。", "third_party"),
        ("高度なサイバー攻撃でした。", "third_party"),
        ("容疑者は、データを削除したと供述しました。", "suspect_statement"),
        ("お詫びとして割引クーポンを差し上げます。", "marketing"),
        ("日頃よりご愛顧いただきありがとうございます。", "marketing"),
        ("お客さまの利便性のためにページを開きました。", "marketing"),
        ("犯人は海外のサーバーを使いました。", "allegation"),
        ("元従業員が顧客情報を持ち出しました。", "allegation"),
        ("攻撃者が注文の記録をダウンロードしました。", "allegation"),
        ("あ" * 91 + "。", "long_sentence"),
    ],
)
def test_what_a_notice_must_not_say_is_found(text, rule):
    assert set(rules(text)) == {rule}


@pytest.mark.parametrize(
    "text",
    [
        "氏名と電話番号が漏えいしました。",
        "パスワードを人に教えないでください。",
        "漏えいした情報が悪用されるおそれがあります。",
        "漏えいした電話番号に、詐欺のメッセージが届く可能性があります。",
        "配送メモは漏えいした可能性があります。",
        "ほかの個人情報が漏えいした可能性があるか、まだわかっていません。",
        "同じパスワードを使っていると、アカウントにアクセスされるおそれがあります。",
        "悪用されたかどうかは、わかりません。",
        "証拠がなくても、届け出ることができます。",
        "どのようにアクセスしたかは、まだ確認されていません。",
        "二次被害がないよう努めます。",
        "認証コードを第三者に教えないでください。",
        "権限のない者が、お客さまの情報にアクセスしました。",
        "容疑者は削除したと供述しましたが、確認されていません。",
        "元従業員が持ち出した疑いがあり、警察が捜査しています。",
        "割引クーポンをうたうメッセージは詐欺です。",
        "詐欺の犯人は、銀行を名乗ります。",
        "最初の通知は「露出」と書いていました。個人情報は漏えいしました。",
        "法律が定める損害を賠償します。",
        "漏えいしました。" * 20,
        "https://notice.hanbit.example/ja/をご覧ください。",
        "notice.hanbit.exampleで確認してください。",
    ],
)
def test_plain_words_pass(text):
    assert rules(text) == []


def test_a_confirmed_act_is_no_allegation():
    assert rules("元従業員が顧客情報を持ち出しました。", basis=Basis.CONFIRMED) == []


def test_the_part_of_a_text_that_a_finding_quotes():
    text = "氏名が**漏えい**した可能性があります。"
    (finding,) = lint(text, language="ja", is_mandatory=True, involved_classes=["氏名"])
    assert finding.severity == Severity.BLOCK
    assert finding.quote == "漏えい**した可能性があり"


@pytest.mark.parametrize("text", ["https://例え.jp/ を見てください。", "https://쿠팡.com/ 확인"])
def test_a_domain_in_other_letters_is_a_foreign_link(text):
    assert rules(text) == ["foreign_link"]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2025年11月18日に知りました。", [Day(11, 18, 2025)]),
        ("令和7年11月18日", [Day(11, 18, 2025)]),
        ("令和元年5月1日", [Day(5, 1, 2019)]),
        ("11月18日から20日まで", [Day(11, 18), Day(11, 20)]),
        ("11月18〜20日", [Day(11, 18), Day(11, 20)]),
        ("11月18日から30日以内", [Day(11, 18), Decimal(30)]),
        ("2025年11月", [Day(11, None, 2025)]),
        ("午前9時から午後6時まで", ["09:00", "18:00"]),
        ("午後3時〜5時30分", ["15:00", "17:30"]),
        ("午後3時半", ["15:30"]),
        ("午後12時", ["12:00"]),
        ("午前0時", ["00:00"]),
        ("夜12時", ["00:00"]),
        ("18:36に", ["18:36"]),
        ("午後6:36に", ["18:36"]),
        ("72時間以内", [Decimal(72)]),
        ("3,370万件", [Decimal(33_700_000)]),
        ("3370万件", [Decimal(33_700_000)]),
        ("1億2,000万円", [Decimal(120_000_000)]),
        ("3千万人と5万人", [Decimal(30_000_000), Decimal(50_000)]),
        ("十万人", [Decimal(100_000)]),
        ("百万件", [Decimal(1_000_000)]),
        ("千万円", [Decimal(10_000_000)]),
        ("二十三万四千人", [Decimal(234_000)]),
        ("三三七〇万件", [Decimal(33_700_000)]),
        ("数百万人、遺憾千万、百万長者、万一", []),
        ("約9割", [Decimal(90)]),
        ("80％", [Decimal(80)]),
        ("次の3点", [Decimal(3)]),
        ("２０２５年１１月１８日", [Day(11, 18, 2025)]),
        ("電話は03-1234-5678です。", ["0312345678"]),
        ("2次被害", []),
    ],
)
def test_figures(text, values):
    assert [figure.value for figure in figures(text, "ja")] == values


def test_a_translation_with_the_same_figures_passes_and_another_does_not():
    english = "On 18 November 2025 we found that the data of 33.7 million people leaked."
    japanese = "2025年11月18日、{}人の情報が漏えいしたことがわかりました。"
    for number, expected in (("3,370万", []), ("3,730万", ["parity_figure"] * 2)):
        texts = {"en": [("what", english)], "ja": [("what", japanese.format(number))]}
        assert [finding.rule for finding in parity(texts)] == expected


def test_a_small_number_may_be_written_as_a_word():
    texts = {"en": [("what", "Two keys leaked.")], "ja": [("what", "鍵が2つ漏えいしました。")]}
    assert parity(texts) == []


def test_a_page_in_its_language_is_the_same_link(settings):
    settings.LANGUAGES = [("en", "English"), ("ja", "日本語")]
    texts = {
        "en": [("what", "See https://notice.hanbit.example/en/log/.")],
        "ja": [("what", "https://notice.hanbit.example/ja/log/をご覧ください。")],
    }
    assert parity(texts) == []
