"""The lint and the comparison of figures read Vietnamese."""

import re
import timeit
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.models import Basis
from statements.findings import Severity
from statements.wording import RULES, has_rules, parity
from statements.wording.figures import figures
from tests.statements.linted import Linted

INVOLVED = ["Họ tên", "Số điện thoại", "Địa chỉ", "Mã mở cửa tòa nhà", "Đơn hàng"]
OTHER = ["Ghi chú giao hàng", "Địa chỉ IP"]
LINTED = Linted("vi", INVOLVED, OTHER)
found, rules = LINTED.found, LINTED.rules


def test_vietnamese_has_rules():
    assert has_rules("vi")


def test_another_word_for_leaked_warns():
    (finding,) = found("Dữ liệu của bạn đã bị phơi bày.")
    assert (finding.rule, finding.severity) == ("exposed", Severity.WARN)
    assert rules("Dữ liệu của bạn đã bị lộ.") == []
    assert rules("Bạn dễ bị phơi bày trước nguy cơ lừa đảo bằng địa chỉ này.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Họ tên và số điện thoại của bạn có thể đã bị lộ.",
        "Địa chỉ của bạn có khả năng đã bị rò rỉ.",
        "Dữ liệu cá nhân của bạn có thể đã bị truy cập trái phép.",
        "Đơn hàng của bạn dường như đã bị sao chép.",
        "Có khả năng lộ số điện thoại của bạn.",
        "Không loại trừ khả năng dữ liệu cá nhân bị lộ.",
        "Thông tin có thể bao gồm họ tên của bạn.",
        "Mã mở cửa tòa nhà được cho là đã bị đánh cắp.",
        "Một số thông tin **có thể** đã bị ảnh hưởng.",
    ],
)
def test_a_hedge_about_what_is_known_to_have_leaked_blocks(text):
    hedges = [finding for finding in found(text) if finding.rule == "hedge"]
    assert hedges
    assert all(finding.blocks for finding in hedges)


@pytest.mark.parametrize(
    "text",
    [
        "Họ tên và số điện thoại của bạn đã bị lộ.",
        "Có thể có người gọi cho bạn và nói đúng họ tên của bạn.",
        "Người biết mã mở cửa tòa nhà có thể vào tòa nhà.",
        "Địa chỉ IP có thể đã bị lộ.",
        "Ghi chú giao hàng có thể đã bị sao chép.",
        "Chúng tôi chưa biết dữ liệu cá nhân khác có thể đã bị lộ hay không.",
        "Bạn có thể đã nhận được tin nhắn có số điện thoại của bạn.",
    ],
)
def test_what_is_no_hedge_or_really_not_known_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Không có bằng chứng về việc lạm dụng.",
        "Đến nay chưa ghi nhận trường hợp nào bị thiệt hại.",
        "Chúng tôi chưa phát hiện dấu hiệu gian lận.",
    ],
)
def test_no_evidence_blocks(text):
    findings = found(text)
    assert {finding.rule for finding in findings} == {"no_evidence"}
    assert all(finding.blocks for finding in findings)


@pytest.mark.parametrize(
    "text",
    [
        "Chúng tôi không biết dữ liệu có bị lạm dụng hay không.",
        "Bạn có thể trình báo dù không có bằng chứng.",
        "Hãy giữ bằng chứng lừa đảo và gọi công an.",
    ],
)
def test_plain_ignorance_passes(text):
    assert rules(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "Bên thứ ba trái phép đã vào hệ thống.",
        "Chúng tôi là nạn nhân của một vụ tấn công.",
        "Đây là một vụ tấn công mạng rất tinh vi.",
    ],
)
def test_pointing_at_an_outsider_warns(text):
    (finding,) = found(text)
    assert (finding.rule, finding.severity) == ("third_party", Severity.WARN)


def test_saying_what_happened_passes():
    assert rules("Có người không có quyền đã vào xem dữ liệu khách hàng.") == []
    assert rules("Đừng cho kẻ xấu biết mã.") == []


@pytest.mark.parametrize(
    "text",
    [
        "Thủ phạm dùng máy chủ ở nước ngoài.",
        "Một cựu nhân viên đã truy cập dữ liệu.",
        "Tin tặc đã tải đơn hàng.",
    ],
)
def test_an_allegation_stated_as_fact_blocks(text):
    (finding,) = found(text, basis=Basis.INVESTIGATION)
    assert finding.rule == "allegation"
    assert finding.blocks
    assert rules(text, basis=Basis.CONFIRMED) == []


@pytest.mark.parametrize(
    "text",
    [
        "Công an đang điều tra việc một cựu nhân viên truy cập dữ liệu.",
        "Một nhân viên cũ bị nghi đã sao chép dữ liệu.",
        "Tin tặc có thể dùng dữ liệu này để truy cập tài khoản.",
        "Chúng tôi đề nghị bạn đổi mật khẩu.",
    ],
)
def test_a_labelled_allegation_passes(text):
    assert rules(text, basis=Basis.ALLEGATION) == []


def test_the_suspects_words_warn_unless_their_doubt_is_said():
    (finding,) = found("Nghi phạm khai đã xóa dữ liệu.")
    assert (finding.rule, finding.severity) == ("suspect_statement", Severity.WARN)
    assert rules("Nghi phạm khai đã xóa dữ liệu; điều này chưa được xác minh.") == []


def test_advertising_blocks_a_mandatory_message_and_warns_elsewhere():
    text = "Để xin lỗi, chúng tôi gửi bạn phiếu giảm giá."
    assert {(one.rule, one.blocks) for one in found(text)} == {("marketing", True)}
    other = found(text, is_mandatory=False)
    assert {(one.rule, one.blocks) for one in other} == {("marketing", False)}
    assert rules("Tin nhắn hứa giảm giá là lừa đảo.") == []
    assert rules("Chúng tôi bồi thường thiệt hại theo luật.") == []


def test_a_long_sentence_warns():
    assert rules(" ".join(["chữ"] * 46) + ".") == ["long_sentence"]
    assert rules(" ".join(["chữ"] * 45) + ".") == []


def test_every_rule_says_what_to_write_instead_and_its_example_passes():
    sentence_rules = set(RULES) - {"double_passive", "no_rules"}
    for name in sorted(rule for rule in sentence_rules if not rule.startswith("parity")):
        suggestion = str(RULES[name].suggestion("vi"))
        assert suggestion
        for example in re.findall("“(.+?)”", suggestion):
            assert rules(example, basis=Basis.ALLEGATION) == []


# ---------------------------------------------------------------- figures


def compared(vi: str, en: str):
    return parity({"vi": [("data_items", vi)], "en": [("data_items", en)]})


@pytest.mark.parametrize(
    ("vi", "en"),
    [
        ("33,7 triệu tài khoản", "33.7 million accounts"),
        ("33.7 triệu tài khoản", "33.7 million accounts"),
        ("33.700.000 tài khoản", "33,700,000 accounts"),
        ("33,673,817 tài khoản", "33,673,817 accounts"),
        ("165 nghìn", "165,000"),
        ("165 ngàn", "165,000"),
        ("2,5 tỷ đồng", "2.5 billion dong"),
        ("ngày 18 tháng 11 năm 2025", "18 November 2025"),
        ("18 tháng 11, 2025", "18 November 2025"),
        ("ngày 18/11/2025", "18 November 2025"),
        ("ngày 18/11", "18 November"),
        ("từ ngày 24 tháng 6 đến ngày 8 tháng 11 năm 2025", "from 24 June to 8 November 2025"),
        ("từ 18 đến 20 tháng 11", "18 to 20 November"),
        ("tháng 5 năm 2025", "in May 2025"),
        ("tháng 5/2025", "in May 2025"),
        ("trong 6 tháng", "for 6 months"),
        ("từ năm 2026", "from 2026"),
        ("97%", "97 per cent"),
        ("97 phần trăm", "97 %"),
        ("trong vòng 72 giờ", "within 72 hours"),
        ("sau 24 giờ", "after 24 hours"),
        ("từ 9 giờ đến 18 giờ", "9 a.m. to 6 p.m."),
        ("lúc 9 giờ sáng", "at 9 a.m."),
        ("lúc 2 giờ 30 phút chiều", "at 2.30 pm"),
        ("lúc 14h05", "at 14:05"),
        ("9:00 đến 18:00", "9:00 to 18:00"),
        ("gọi +82 2 1234 5678", "call +82 2 1234 5678"),
        ("gọi 118", "dial 118"),
        ("khoản 1 Điều 34", "Article 34(1)"),
        ("hai địa chỉ và một mã", "2 addresses and 1 code"),
        ("địa chỉ 192.168.100.200", "the address 192.168.100.200"),
        ("5.000 won", "5,000 won"),
    ],
)
def test_the_same_figures_in_both_ways_of_writing_agree(vi, en):
    assert compared(vi, en) == []


@pytest.mark.parametrize(
    ("vi", "en", "language", "quote"),
    [
        ("3,37 triệu", "33.7 million", "en", "3,37 triệu"),
        ("ngày 18 tháng 11 năm 2025", "19 November 2025", "en", "18 tháng 11 năm 2025"),
        ("ngày 18 tháng 11 năm 2025", "18 November 2024", "en", "18 tháng 11 năm 2025"),
        ("40%", "about 70 per cent", "en", "40%"),
        ("72 giờ", "within 27 hours", "en", "72"),
        ("lúc 9 giờ sáng", "at 9 p.m.", "en", "lúc 9 giờ sáng"),
        ("Tài khoản đã bị lộ.", "4,536 accounts leaked.", "vi", "4,536"),
    ],
)
def test_another_figure_blocks(vi, en, language, quote):
    findings = compared(vi, en)
    assert (language, quote) in [(finding.language, finding.quote) for finding in findings]
    assert all(finding.blocks for finding in findings)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("lúc 12 giờ đêm", "00:00"),
        ("lúc 11 giờ đêm", "23:00"),
        ("lúc 1 giờ đêm", "01:00"),
        ("lúc 12 giờ trưa", "12:00"),
        ("lúc 1 giờ trưa", "13:00"),
        ("lúc 11 giờ trưa", "11:00"),
        ("lúc 7 giờ tối", "19:00"),
    ],
)
def test_the_part_of_the_day_gives_the_hour(text, time):
    assert [figure.value for figure in figures(text, "vi")] == [time]


@given(st.integers(0, 10**12 - 1))
def test_every_number_is_read(number):
    text = f"khoảng {number:,} tài khoản".replace(",", ".")
    assert [figure.value for figure in figures(text, "vi")] == [number]


@given(st.integers(1, 999), st.integers(0, 99))
def test_every_decimal_of_a_million_is_read(whole, hundredths):
    value = (Decimal(whole) + Decimal(hundredths) / 100) * 10**6
    found = figures(f"{whole},{hundredths:02} triệu tài khoản", "vi")
    assert [figure.value for figure in found] == [value]


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)))
def test_every_date_agrees_with_english(day):
    long = f"ngày {day.day} tháng {day.month} năm {day.year}"
    for text in (long, f"ngày {day:%d/%m/%Y}", day.isoformat()):
        assert compared(text, f"on {day:%-d %B %Y}.") == []


@given(st.text(alphabet="0123456789.,:-/ hgiờtháng%đến", max_size=40))
def test_any_text_can_be_compared(text):
    assert figures(text, "vi") == figures(text, "vi")


@pytest.mark.parametrize("piece", ["a", "không ", "1.234", "có thể ", "1 ", "không có "])
def test_the_time_to_lint_grows_with_the_length(piece):
    def seconds(times: int) -> float:
        text = piece * (10_000 // len(piece) * times)
        return min(timeit.repeat(lambda: (found(text), figures(text, "vi")), number=1, repeat=3))

    assert seconds(4) < 8 * seconds(1) + 0.1  # quadratic time would give 16
