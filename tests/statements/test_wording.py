"""The lint finds what a regulator or a study criticised, and nothing else."""

import timeit
import tomllib
import unicodedata
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements import sample
from statements.findings import Severity
from statements.wording import RULES, lint, parity
from statements.wording.figure_day import Day
from statements.wording.figures import figures

INVOLVED = {
    "ko": ["이름", "전화번호", "주소", "공동현관 출입번호", "주문 내역"],
    "en": ["Name", "Phone number", "Address", "Entrance code", "Order"],
}
OTHER = {"ko": ["배송 메모", "접속 IP 주소", "결제 정보"], "en": ["Delivery note", "IP address"]}


def found(text: str, language: str, *, is_mandatory=True, shop_domains=(), basis=Basis.COMPANY):
    return lint(
        text,
        language=language,
        is_mandatory=is_mandatory,
        involved_classes=INVOLVED[language],
        other_classes=OTHER[language],
        own_domains=["notice.hanbit.example"],
        shop_domains=shop_domains,
        basis=basis,
    )


def rules(text: str, language: str, **options) -> list[str]:
    return [finding.rule for finding in found(text, language, **options)]


# ---------------------------------------------------------------- 노출, exposed


@pytest.mark.parametrize(
    "text",
    [
        "고객 여러분의 개인정보가 노출되었습니다.",
        "노출된 항목은 다음과 같습니다.",
        "이번 노출 사고로 심려를 끼쳐 드렸습니다.",
        "결제 정보는 노출되지 않았습니다.",
        "고객 정보가 외부에 노출된 사실을 확인했습니다.",
        "개인정보 **노출** 통지",
        unicodedata.normalize("NFD", "개인정보가 노출되었습니다."),
        "개인정보가 노\u200b출되었습니다.",
    ],
)
def test_korean_exposure_for_a_leak_blocks(text):
    (finding,) = found(text, "ko")
    assert finding.rule == "exposed"
    assert finding.blocks
    assert unicodedata.normalize("NFC", finding.quote).replace("\u200b", "") == "노출"


@pytest.mark.parametrize(
    "text",
    [
        "고객 여러분의 개인정보가 유출되었습니다.",
        "인증번호를 다른 사람에게 노출하지 마십시오.",
        "비밀번호가 다른 사람에게 노출되지 않도록 하십시오.",
        "이름을 아는 사람이 보내는 피싱에 노출될 위험을 줄이십시오.",
        "광고 노출을 위해 고객 정보를 쓰지 않습니다.",
        "처음 통지는 ‘노출’이라고 썼습니다. 개인정보는 유출되었습니다.",
    ],
)
def test_other_korean_exposure_passes(text):
    assert rules(text, "ko") == []


@pytest.mark.parametrize(
    "text",
    [
        "Personal details of 33.7 million customers were exposed.",
        "The exposure of your phone number is our fault.",
        "The incident exposed the data of our customers.",
    ],
)
def test_english_exposure_for_a_leak_warns(text):
    (finding,) = found(text, "en")
    assert (finding.rule, finding.severity) == ("exposed", Severity.WARN)


@pytest.mark.parametrize(
    "text",
    [
        "Personal details of 33.7 million customers leaked.",
        "Never expose your password to a caller.",
        "Customers whose name leaked are exposed to phishing.",
        "The first notice said “exposed”, but the data leaked.",
    ],
)
def test_other_english_exposure_passes(text):
    assert rules(text, "en") == []


# ---------------------------------------------------------------- hedges


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Your name and phone number may have been leaked."),
        ("en", "Entrance codes might have been among what was taken, and may have been accessed."),
        ("en", "Your personal information may have been accessed."),
        ("en", "The following may have been involved:\n\n- Names"),
        ("en", "Your phone number was potentially compromised."),
        ("en", "The information may include your name."),
        ("en", "Your addresses appear to have been copied."),
        ("en", "Your name may **have** been leaked."),
        ("ko", "이름과 전화번호가 유출되었을 수 있습니다."),
        ("ko", "일부 고객의 전화번호가 포함될 수 있습니다."),
        ("ko", "공동현관 출입번호의 유출 가능성이 있습니다."),
        ("ko", "공동현관출입번호가 유출된 것으로 추정됩니다."),
        ("ko", "고객님의 개인정보가 유출됐을 가능성을 배제할 수 없습니다."),
        ("ko", "주문 내역이 빠져나갔을 수도 있습니다."),
    ],
)
def test_a_hedge_about_what_is_known_to_have_leaked_blocks(language, text):
    hedges = [finding for finding in found(text, language) if finding.rule == "hedge"]
    assert hedges
    assert all(finding.blocks for finding in hedges)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Your name and phone number leaked."),
        ("en", "Delivery notes may have leaked; this is being examined."),
        ("en", "IP addresses may have been accessed."),
        ("en", "We do not know yet whether more personal data may have been copied."),
        ("en", "Scammers may call you by your name."),
        ("en", "You may have received a message that uses your name."),
        ("en", "In order to enter, they may have taken the lift."),
        ("ko", "이름과 전화번호가 유출되었습니다."),
        ("ko", "배송 메모는 유출되었을 수 있습니다."),
        ("ko", "접속 IP 주소가 유출되었을 가능성이 있습니다."),
        ("ko", "유출된 전화번호로 사기 문자가 올 수 있습니다."),
        ("ko", "공동현관 출입번호를 아는 사람은 건물에 들어갈 수 있습니다."),
        ("ko", "일부 고객은 전화로도 문의할 수 있습니다."),
        ("ko", "다른 개인정보도 유출되었을 가능성이 있는지 아직 확인하고 있습니다."),
    ],
)
def test_what_is_no_hedge_or_really_not_known_passes(language, text):
    assert rules(text, language) == []


def test_nothing_is_a_hedge_while_no_class_is_known_to_be_involved():
    text = "Your personal information may have been accessed."
    assert lint(text, language="en", is_mandatory=True) == []


# ---------------------------------------------------------------- no evidence


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "There is no evidence of misuse."),
        ("en", "We have found no indication that your data was used."),
        ("en", "We have not seen any evidence of fraud."),
        ("en", "We are not aware of any misuse."),
        ("en", "There are no reports of fraud."),
        ("ko", "현재까지 확인된 피해는 없습니다."),
        ("ko", "현재까지 2차 피해 정황이 없습니다."),
        ("ko", "악용된 사례는 확인되지 않았습니다."),
        ("ko", "개인정보가 도용된 증거는 아직 발견되지 않았습니다."),
        ("ko", "확인되지 않았습니다만, 악용 여부를 계속 살피겠습니다."),
    ],
)
def test_no_evidence_blocks(language, text):
    (finding,) = found(text, language)
    assert finding.rule == "no_evidence"
    assert finding.blocks


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We do not know whether it was misused."),
        ("en", "You need no evidence to report harm."),
        ("en", "There is no sign-in with a password."),
        ("en", "We have no proof of who did it."),
        ("en", "Keep the evidence of a scam and call the police."),
        ("ko", "악용되었는지 알지 못합니다."),
        ("ko", "증거가 없어도 신고할 수 있습니다."),
        ("ko", "2차 피해가 없도록 하겠습니다."),
        ("ko", "어떻게 접근했는지는 아직 확인되지 않았습니다."),
        ("ko", "문자 등 증거를 없애지 마십시오."),
    ],
)
def test_plain_ignorance_passes(language, text):
    assert rules(text, language) == []


# ---------------------------------------------------------------- outsiders, allegations


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "An unauthorised third party reached our systems."),
        ("en", "We were the victim of a sophisticated cyber attack."),
        ("en", "This was the work of malicious actors."),
        ("ko", "외부 해커의 공격으로 발생했습니다."),
        ("ko", "신원 미상의 제3자가 불법적으로 접근했습니다."),
        ("ko", "고도화된 해킹 수법이었습니다."),
    ],
)
def test_pointing_at_an_outsider_warns(language, text):
    (finding,) = found(text, language)
    assert (finding.rule, finding.severity) == ("third_party", Severity.WARN)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Somebody without permission reached customers' data."),
        ("en", "Do not share the code with a third party."),
        ("ko", "권한 없는 자가 고객 정보에 접근했습니다."),
        ("ko", "인증번호를 제3자에게 알려 주지 마십시오."),
        ("ko", "제3자가 접근할 수 없도록 조치했습니다."),
    ],
)
def test_saying_what_happened_passes(language, text):
    assert rules(text, language) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The perpetrator used servers abroad."),
        ("en", "A former Chinese employee carried out the access through overseas servers."),
        ("en", "The attacker downloaded the order history."),
        ("ko", "범인은 해외 서버를 썼습니다."),
        ("ko", "유출자가 삭제했습니다."),
        ("ko", "전 직원이 해외 서버를 통해 고객 정보에 접근했습니다."),
        ("ko", "퇴사한 직원이 정보를 빼냈습니다."),
    ],
)
def test_an_allegation_stated_as_fact_blocks(language, text):
    (finding,) = found(text, language, basis=Basis.INVESTIGATION)
    assert finding.rule == "allegation"
    assert finding.blocks
    assert rules(text, language, basis=Basis.CONFIRMED) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "A former employee is alleged to have used overseas servers."),
        ("en", "The press reported the allegation that a former employee used servers abroad."),
        ("en", "The perpetrator has not been confirmed."),
        ("en", "We withdrew the rights that a former employee's key gave."),
        ("ko", "전 직원이 해외 서버를 통해 접근했다는 혐의로 경찰이 수사하고 있습니다."),
        ("ko", "전 직원이 고개 숙여 사과드립니다."),
        ("ko", "전 직원의 접근 권한을 다시 점검했습니다."),
        ("ko", "사기범이 쓰는 말입니다."),
        ("ko", "모범인 사례를 따르겠습니다."),
        ("ko", "유출자료를 회수하고 있습니다."),
        ("ko", "해커가 이 정보로 계정에 접속할 수 있습니다."),
    ],
)
def test_a_labelled_allegation_passes(language, text):
    assert rules(text, language, basis=Basis.ALLEGATION) == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The suspect said that the data was deleted."),
        ("en", "According to the suspect, nothing was passed on."),
        ("ko", "용의자는 정보를 모두 삭제했다고 진술했습니다."),
        ("ko", "피의자의 진술에 따르면 외부로 보내지 않았습니다."),
    ],
)
def test_the_suspects_words_warn(language, text):
    (finding,) = found(text, language)
    assert (finding.rule, finding.severity) == ("suspect_statement", Severity.WARN)
    with override("en"):
        assert "14 January 2026" in str(finding.why)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The suspect said that the data was deleted; this is not confirmed."),
        ("ko", "용의자는 삭제했다고 진술했으나 확인되지 않았습니다."),
        ("ko", "경찰이 용의자를 조사하고 있습니다."),
    ],
)
def test_the_suspects_words_with_their_doubt_pass(language, text):
    assert rules(text, language) == []


# ---------------------------------------------------------------- marketing and links


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "As an apology you get a 20 per cent discount."),
        ("en", "Use your coupon before Sunday."),
        ("ko", "사과의 뜻으로 할인 쿠폰을 드립니다."),
        ("ko", "무료 배송으로 보답하겠습니다."),
    ],
)
def test_advertising_blocks_a_mandatory_message_and_warns_elsewhere(language, text):
    mandatory, other = found(text, language), found(text, language, is_mandatory=False)
    assert {finding.rule for finding in mandatory} == {"marketing"}
    assert all(finding.blocks for finding in mandatory)
    assert other
    assert not any(finding.blocks for finding in other)


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "For your convenience we opened a page."), ("ko", "소중한 고객 여러분께 알립니다.")],
)
def test_polite_advertising_warns(language, text):
    (finding,) = found(text, language)
    assert (finding.rule, finding.severity) == ("marketing", Severity.WARN)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Messages that promise a discount or a refund are scams."),
        ("en", "We pay the damage that the law provides for."),
        ("ko", "할인 쿠폰을 준다는 문자의 링크를 누르지 마십시오."),
        ("ko", "법이 정한 손해를 배상합니다."),
    ],
)
def test_a_warning_of_scams_or_compensation_is_no_advertising(language, text):
    assert rules(text, language) == []


def test_a_class_may_carry_an_advertising_word():
    text = "쿠폰 번호가 유출되었습니다."
    assert lint(text, language="ko", is_mandatory=True, involved_classes=["쿠폰 번호"]) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://www.kisa.or.kr/notice",
        "[KISA](https://www.kisa.or.kr)",
        "privacy.go.kr",
        "//evil.example/x",
        "https://notice.hanbit.example.evil.com/",
        "https://notice.hanbit.example@evil.com/",
        "https://evilnotice.hanbit.example.com",
        "HTTPS://EVIL.COM",
    ],
)
@pytest.mark.parametrize("words", ["See {} now.", "{}에서 확인하십시오."])
def test_a_link_to_another_domain_blocks_a_mandatory_message(address, words):
    text = words.format(address)
    (finding,) = found(text, "en")
    assert finding.rule == "foreign_link"
    assert finding.blocks
    assert finding.quote in address
    assert found(text, "en", is_mandatory=False) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://notice.hanbit.example/ko/에서 확인하십시오.",
        "[My data](https://notice.hanbit.example/en/my-data/)",
        "notice.hanbit.example",
        "privacy@hanbit.example",
        "[Mail us](mailto:privacy@hanbit.example)",
        "[118](tel:118)",
        "Version 1.2 at 9 a.m. e.g. today.",
    ],
)
def test_own_addresses_mailboxes_and_numbers_pass(text):
    assert rules(text, "ko") == []


def test_a_link_to_the_shop_is_called_out_everywhere():
    text = "Go on shopping at https://www.hanbit.example/sale."
    domains = ["hanbit.example"]
    (mandatory,) = found(text, "en", shop_domains=domains)
    (alert,) = found(text, "en", shop_domains=domains, is_mandatory=False)
    assert (mandatory.rule, mandatory.blocks) == ("shop_link", True)
    assert (alert.rule, alert.blocks) == ("shop_link", False)
    assert found("https://notice.hanbit.example/", "en", shop_domains=domains) == []


# ---------------------------------------------------------------- reading level


def test_a_long_english_sentence_warns():
    words = " ".join(["Words"] * 31)
    (finding,) = found(f"Short. {words}. Short again.", "en")
    assert (finding.rule, finding.severity) == ("long_sentence", Severity.WARN)
    assert finding.quote == f"{words}."
    assert rules(" ".join(["word"] * 30) + ".", "en") == []


def test_a_long_korean_sentence_warns():
    long = "가나다라 " * 20
    assert rules(f"{long}마.", "ko") == ["long_sentence"]
    assert rules(f"{long.strip()}.", "ko") == []


def test_sentences_end_where_they_end():
    fifteen = " ".join(["word"] * 15)
    assert rules(f"{fifteen}\n\n{fifteen} more", "en") == []
    assert rules(f"- {fifteen}\n- {fifteen} more", "en") == []
    assert rules(f"## {fifteen}\n{fifteen} more", "en") == []
    assert rules(f"| {fifteen} | {fifteen} more |", "en") == []
    assert rules(f"{fifteen}\n{fifteen} more", "en") == ["long_sentence"]
    assert rules(f"{fifteen} Mr. Kim {fifteen}", "en") == ["long_sentence"]


def test_the_address_of_a_link_is_not_read_aloud():
    link = "[word](https://notice.hanbit.example/a/b/c)"
    assert rules(" ".join([link] * 30), "en") == []


@pytest.mark.parametrize("text", ["그렇게 되어집니다.", "문제로 보여집니다."])
def test_a_double_passive_warns(text):
    assert rules(text, "ko") == ["double_passive"]


def test_a_double_passive_is_quoted_with_its_word():
    [finding] = found("그렇게 저장되어집니다.", "ko")
    assert finding.quote == "저장되어집니다"


def seconds_to_lint(text: str, language: str) -> float:
    return min(timeit.repeat(lambda: lint(text, language=language, is_mandatory=True), number=1))


@pytest.mark.parametrize(
    ("piece", "language"),
    [("가", "ko"), ("되어", "ko"), ("보여", "ko"), ("a", "en"), ("avoid", "en"), ("no ", "en")],
)
def test_the_time_to_lint_a_text_without_spaces_grows_with_its_length(piece, language):
    characters = 10_000 // len(piece)
    once, four_times = (seconds_to_lint(piece * (characters * times), language) for times in (1, 4))
    assert four_times < 8 * once + 0.05  # quadratic time would give 16


@pytest.mark.parametrize("text", ["그렇게 됩니다.", "유출되었습니다.", "잘못이 보입니다."])
def test_a_plain_form_passes(text):
    assert rules(text, "ko") == []


# ---------------------------------------------------------------- all findings


def test_a_finding_quotes_the_editors_text():
    text = "# Notice\n\nYour **name** may\n*have* been [leaked](https://notice.hanbit.example/)."
    (finding,) = found(text, "en")
    assert finding.span is not None
    assert text[slice(*finding.span)] == finding.quote == "may\n*have* been [leaked"


def test_a_finding_says_why_and_offers_better_words():
    (finding,) = found("개인정보가 노출되었습니다.", "ko")
    with override("en"):
        assert "3 December 2025" in str(finding.why)
        assert "유출되었습니다" in str(finding.suggestion)
    for rule in RULES.values():
        assert str(rule.why)
        assert not rule.better or all(str(rule.suggestion(code)) for code in ("ko", "en"))


def test_the_regulators_model_case_is_found_in_one_pass():
    text = (
        "일부 고객의 이름이 노출되었을 수 있습니다. 범인은 제3자이며, 악용된 정황은 없습니다. "
        "불편을 드려 쿠폰을 드립니다: https://www.hanbit.example"
    )
    assert {"exposed", "hedge", "allegation", "no_evidence", "marketing", "foreign_link"} <= {
        *rules(text, "ko")
    }


@given(st.text(), st.sampled_from(["ko", "en"]), st.booleans())
def test_any_text_can_be_checked(text, language, is_mandatory):
    for finding in found(text, language, is_mandatory=is_mandatory):
        assert finding.span is not None
        assert text[slice(*finding.span)] == finding.quote


PHRASES = st.sampled_from(
    [
        "이름이 노출",
        "되었을 수 있습니다",
        "일부 ",
        "전 직원이 ",
        "접근했습니다. ",
        "may have been ",
        "leaked",
    ]
    + [
        "\n- ",
        "**",
        "[",
        "](https://evil.com/)",
        "no evidence of ",
        "&nbsp;",
        "악용",
        " | ",
        "\r\n",
    ]
)


@given(st.lists(PHRASES | st.characters(), max_size=30).map("".join), st.sampled_from(["ko", "en"]))
def test_markup_never_moves_a_finding(text, language):
    for finding in found(text, language):
        assert finding.span is not None
        assert text[slice(*finding.span)] == finding.quote
        assert finding.quote


def test_a_hostile_text_is_checked_in_time():
    for piece in (
        "일부 유출",
        "may have ",
        "](",
        "&#",
        "1,234",
        "no any ",
        "a.",
        "http://",
        "확인되지 않",
    ):
        found(piece * 2_000, "ko")
        found(piece * 2_000, "en")


# ---------------------------------------------------------------- both languages


def compared(ko: str, en: str):
    return parity({"ko": [("data_items", ko)], "en": [("data_items", en)]})


@pytest.mark.parametrize(
    ("ko", "en"),
    [
        ("약 3,370만 개 계정", "33.7 million accounts"),
        ("3370만 개", "33,700,000 accounts"),
        ("3천370만 개", "33.7m accounts"),
        ("16만 5천 개", "165,000 more"),
        ("1억 5천만 건", "150 million rows"),
        ("33,673,817개 계정", "33,673,817 accounts"),
        ("2025년 11월 18일", "18 November 2025"),
        ("2025. 11. 18.", "November 18, 2025"),
        ("2025-11-18에", "on 18 Nov 2025"),
        ("2025년 6월 24일부터 11월 8일까지", "from 24 June to 8 November 2025"),
        ("11월 18일~20일", "18–20 November"),
        ("11월 18일부터 20일까지", "18 to 20 November"),
        ("11월 18일부터 30일 이상 게시", "from 18 November, for 30 days or more"),
        ("2025년 5월에", "in May 2025"),
        ("6월에", "in June"),
        ("2026년부터", "from 2026"),
        ("97%", "97 per cent"),
        ("97 퍼센트", "97 %"),
        ("72시간 안에", "within 72 hours"),
        ("평일 오전 9시부터 오후 6시까지", "weekdays 9 a.m. to 6 p.m."),
        ("평일 09:00~18:00", "weekdays 9:00 to 18:00"),
        ("평일 9~18시", "weekdays 9 am to 6 pm"),
        ("오후 2시 30분", "2.30 pm"),
        ("02-1234-5678로 전화", "call +82 2 1234 5678"),
        ("국번 없이 118", "dial 118"),
        ("1588-1234", "+82 1588-1234"),
        (
            "https://notice.hanbit.example/ko/my-data/에서",
            "https://notice.hanbit.example/en/my-data/",
        ),
        ("privacy@hanbit.example로", "write to privacy@hanbit.example."),
        ("개인정보 보호법 제34조 제1항", "Article 34(1)"),
        ("제3자에게", "to a third party"),
        ("2차 피해", "secondary harm"),
        ("인증번호 6자리", "a six-digit code"),
        ("주소 2개와 출입번호 1개", "two addresses and an entrance code"),
        ("1. 가\n2. 나\n3. 다", "- A\n- B\n- C"),
        ("５,０００원", "5,000 won"),
        ("10조 원", "10 trillion won"),
        ("You가 5월", "You may have time in May"),
    ],
)
def test_the_same_figures_in_both_ways_of_writing_agree(ko, en):
    assert compared(ko, en) == []


@pytest.mark.parametrize(
    ("ko", "en", "language", "quote"),
    [
        ("3,370만 개", "3.37 million accounts", "en", "3,370만"),
        ("337만 개", "33.7 million accounts", "en", "337만"),
        ("2025년 11월 18일", "19 November 2025", "en", "2025년 11월 18일"),
        ("2025년 11월 18일", "18 November 2024", "en", "2025년 11월 18일"),
        ("40%", "about 70 per cent", "en", "40%"),
        ("72시간", "within 27 hours", "en", "72"),
        ("02-1234-5678", "02-1234-5679", "en", "02-1234-5678"),
        ("privacy@hanbit.example", "private@hanbit.example", "en", "privacy@hanbit.example"),
        ("", "33 accounts", "ko", ""),
        ("계정이 유출되었습니다.", "4,536 accounts leaked.", "ko", "4,536"),
        ("오전 9시", "at 9 p.m.", "en", "오전 9시"),
    ],
)
def test_another_figure_blocks(ko, en, language, quote):
    findings = compared(ko, en)
    assert (language, quote) in [(finding.language, finding.quote) for finding in findings]
    assert all(finding.blocks for finding in findings)
    assert all(finding.section == "data_items" for finding in findings)


def test_a_small_number_missing_in_the_other_language_warns():
    (finding,) = compared("주소 7개가 유출되었습니다.", "Addresses leaked.")
    assert (finding.rule, finding.severity) == ("parity_figure", Severity.WARN)


def test_another_link_warns():
    findings = compared("https://www.kisa.or.kr/118", "https://www.kisa.or.kr/119")
    assert {finding.rule for finding in findings} == {"parity_link"}
    assert not any(finding.blocks for finding in findings)


def test_a_section_of_one_language_only_blocks():
    findings = parity(
        {
            "ko": [("body", "가"), ("body", "나"), ("data_items", " ")],
            "en": [("body", "A"), ("data_items", "B"), ("rights_and_remedies", "")],
        }
    )
    assert [(finding.section, finding.language) for finding in findings] == [
        ("body", "en"),
        ("data_items", "ko"),
    ]
    assert all(finding.blocks for finding in findings)


def test_repeated_sections_are_compared_in_their_order():
    rising, falling = [("body", "33"), ("body", "44")], [("body", "44"), ("body", "33")]
    assert parity({"ko": rising, "en": rising}) == []
    assert parity({"ko": rising, "en": falling}) != []


def in_korean(number: int) -> str:
    """Returns the number in Korean units: 33,673,817 is 3367만 3817."""
    parts = []
    for unit, name in ((10**12, "조"), (10**8, "억"), (10**4, "만"), (1, "")):
        count, number = divmod(number, unit)
        if count:
            parts.append(f"{count:,}{name}")
    return " ".join(parts) or "0"


def numbers(text: str, language: str) -> list[object]:
    return [figure.value for figure in figures(text, language) if figure.kind == "number"]


@given(st.integers(0, 10**12 - 1), st.sampled_from(["{}", "약 {} 개", "계정 {}개가 유출"]))
def test_every_number_is_read_the_same_in_both_languages(number, words):
    assert numbers(words.format(in_korean(number)), "ko") == [number]
    assert numbers(words.format(f"{number:,}"), "ko") == [number]
    assert numbers(f"about {number:,} accounts", "en") == [number]
    assert numbers(f"about {number} accounts", "en") == [number]


@given(st.integers(1, 9_999), st.integers(0, 99))
def test_every_decimal_of_a_million_is_read_the_same(whole, hundredths):
    value = (Decimal(whole) + Decimal(hundredths) / 100) * 10**6
    assert numbers(f"{whole}.{hundredths:02} million accounts", "en") == [value]
    assert numbers(f"{whole * 100 + hundredths:,}만 개", "ko") == [value]


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_every_date_is_read_the_same_in_both_languages(day):
    expected = [Day(day.month, day.day, day.year)]
    korean = f"{day.year}년 {day.month}월 {day.day}일에"
    dotted = f"{day.year}. {day.month}. {day.day}."
    for text in (korean, dotted, day.isoformat(), korean.replace(" ", "")):
        assert [figure.value for figure in figures(text, "ko")] == expected
    for form in ("%d %B %Y", "%-d %B %Y", "%B %-d, %Y", "%-d %b %Y", "%Y-%m-%d"):
        assert [figure.value for figure in figures(f"on {day:{form}}.", "en")] == expected


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared(ko, en):
    compared(ko, en)


@given(st.text(alphabet="0123456789.,:-~+()년월일시분만억천조% 제오후amp", max_size=40))
def test_any_list_of_figures_agrees_with_itself(text):
    assert compared("가" + text, "가" + text) is not None
    for language in ("ko", "en"):
        assert figures(text, language) == figures(text, language)


# ---------------------------------------------------------------- the texts of the sample


def sample_texts():
    """Yields (basis, texts by language) of every text of the sample incidents."""
    folder = Path(sample.__file__).parent
    for path in sorted(folder.rglob("*.toml")):
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        for section in content.get("sections", []):
            texts = section["body"]
            yield pytest.param(section["basis"], texts, id=f"{path.stem}-{section['key']}")
        for entry in content.get("timeline", []):
            texts = entry["text"]
            yield pytest.param(entry["basis"], texts, id=f"{path.stem}-{entry['happened_on']}")


@pytest.mark.parametrize(("basis", "texts"), list(sample_texts()))
def test_the_sample_incidents_words_pass(basis, texts):
    for language in INVOLVED.keys() & texts.keys():
        blocking = [one for one in found(texts[language], language, basis=basis) if one.blocks]
        assert not blocking
    first, *others = texts
    for other in others:
        pair = {language: [("data_items", texts[language])] for language in (first, other)}
        assert parity(pair) == []
