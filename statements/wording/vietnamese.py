"""The wording rules of Vietnamese.

Vietnamese writes a space after each syllable. A pattern therefore counts syllables, not words.
"""

import re

from statements.wording.language_rules import ExposedWords, LanguageRules, Phrase, has_more_words

LONGEST_SENTENCE_SYLLABLES = 45  # about as long as 30 English words

# ---------------------------------------------------------------- "phơi bày"

_DATA = re.compile(
    r"\b(?:dữ liệu|thông tin|tài khoản|họ tên|địa chỉ|email|mật khẩu|mã|khách hàng|vụ việc|sự cố"
    r")\b",
    re.IGNORECASE,
)
_EXPOSED = re.compile(r"\bphơi (?:bày|nhiễm)\b|\bbị xâm hại\b", re.IGNORECASE)
_ADVICE = re.compile(r"\b(?:đừng|không|tránh|chớ)(?: \w+){0,2}\s$", re.IGNORECASE)
_OTHER_EXPOSURE = re.compile(
    r"\strước (?:\w+ ){0,3}(?:lừa đảo|rủi ro|nguy cơ|nguy hiểm)\b", re.IGNORECASE
)
_EXPOSED_WORDS = ExposedWords(words=_EXPOSED, data=_DATA, before=_ADVICE, after=_OTHER_EXPOSURE)

# ---------------------------------------------------------------- hedges

_LEAKED = (
    r"(?:lộ|lọt|rò rỉ|đánh cắp|lấy cắp|lấy mất|truy cập|sao chép|ảnh hưởng|xâm phạm|tiết lộ|lấy"
    r"|thu thập|khai thác|xem|tải|phát tán|mất)\b"
)
_HEDGE = re.compile(
    r"\b(?:có (?:thể|khả năng|lẽ)|dường như|hình như|nhiều khả năng|được cho là|bị cho là|e rằng)"
    rf"(?: \w+){{0,4}}? (?:đã bị|đã|bị)(?: \w+)? {_LEAKED}"
    rf"|\b(?:khả năng|nguy cơ) (?:đã )?(?:bị )?{_LEAKED}"
    r"|\bkhông (?:thể )?loại trừ\b"
    r"|\b(?:thông tin|dữ liệu)\b.{0,40}?\bcó thể (?:cũng )?(?:bao gồm|gồm|chứa)\b",
    re.IGNORECASE,
)
_PERSONAL_DATA = re.compile(
    r"\b(?:dữ liệu|thông tin) cá nhân\b"
    r"|\b(?:dữ liệu|thông tin|tài khoản)(?: \w+){0,2} của (?:các )?(?:bạn|quý khách|quý vị"
    r"|khách hàng)\b"
    r"|\b(?:những|các|một số) (?:dữ liệu|thông tin|mục)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\bchưa (?:được )?(?:biết|xác định|rõ)\b|\bkhông biết\b"
    r"|\bđang (?:\w+ ){0,2}(?:điều tra|kiểm tra|xác minh|làm rõ)\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- phrases

_SCAM = re.compile(
    r"\b(?:lừa|giả mạo|giả danh|mạo danh|đáng ngờ|cảnh giác|đừng|phishing"
    r"|không (?:mở|bấm|nhấp|trả lời|cung cấp|đưa|cho))\b",
    re.IGNORECASE,
)
_SUSPECT = r"(?:nghi phạm|nghi can|bị can|bị cáo|đối tượng|nhân viên cũ|cựu nhân viên)"
_PHRASES = [
    Phrase(
        "no_evidence",
        re.compile(
            r"\b(?:không|chưa) (?:hề )?(?:có|thấy|tìm thấy|phát hiện|ghi nhận|nhận được|nhận thấy)"
            r"(?: \w+){0,4}? (?:bằng chứng|dấu hiệu|trường hợp|báo cáo|thiệt hại|lạm dụng|lợi dụng"
            r"|gian lận)\b",
            re.IGNORECASE,
        ),
        re.compile(r"\b(?:không cần|dù|kể cả)\b", re.IGNORECASE),
    ),
    Phrase(
        "third_party",
        re.compile(
            r"\b(?:bên thứ ba|kẻ|đối tượng|tin tặc|hacker|tác nhân)(?: \w+){0,2}? (?:trái phép"
            r"|không xác định|không rõ danh tính|bên ngoài|ác ý|độc hại|xấu)\b"
            r"|\btấn công(?: mạng)?(?: \w+){0,2}? (?:tinh vi|có chủ đích|chưa từng có)\b"
            r"|\bnạn nhân của (?:\w+ ){0,2}(?:tấn công|tội phạm|tin tặc)\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\b(?:đừng|không|chớ) (?:bao giờ )?(?:nói|cho|chia sẻ|đưa|tiết lộ)\b", re.IGNORECASE
        ),
    ),
    Phrase(
        "suspect_statement",
        re.compile(
            rf"\b{_SUSPECT}\b.{{0,60}}?\b(?:khai|nói|cho biết|khẳng định|thừa nhận|thú nhận"
            rf"|tuyên bố)\b|\btheo (?:lời )?(?:khai )?(?:của )?{_SUSPECT}\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\bchưa (?:được )?(?:xác nhận|xác minh|kiểm chứng)|\bkhông thể (?:xác nhận|xác minh)",
            re.IGNORECASE,
        ),
    ),
]
_HARD_SELL = re.compile(
    r"\b(?:phiếu giảm giá|mã giảm giá|giảm giá|voucher|coupon|khuyến m[ãạ]i|ưu đãi|quà tặng"
    r"|tặng quà|miễn phí vận chuyển|freeship|điểm thưởng|tích điểm|mua ngay|đặt hàng ngay)\b",
    re.IGNORECASE,
)
_SOFT_SELL = re.compile(
    r"\bđể thuận tiện cho (?:bạn|quý khách)\b|\bkhách hàng thân (?:thiết|mến|yêu)\b|\btri ân\b",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- allegations

_CULPRIT = re.compile(
    r"\b(?:thủ phạm|hung thủ|kẻ (?:phạm tội|đánh cắp|trộm|làm lộ))\b", re.IGNORECASE
)
_ACTOR = re.compile(
    r"\b(?:cựu nhân viên|nhân viên (?:cũ|đã nghỉ việc)|cựu kỹ sư|tin tặc|hacker|kẻ tấn công"
    r"|kẻ xâm nhập|nội gián)\b.{0,50}?\b(?:truy cập|đánh cắp|lấy|tải|sao chép|làm lộ|làm rò rỉ|bán"
    r"|xâm nhập|gây ra|chiếm đoạt)\b",
    re.IGNORECASE,
)
_POSSIBILITY = re.compile(r"\b(?:có thể|không thể|nếu|để|quyền truy cập)\b", re.IGNORECASE)
_LABEL = re.compile(
    r"\b(?:nghi|nghi ngờ|nghi vấn|cáo buộc|được cho là|bị cho là|điều tra|khởi tố|tố cáo|báo chí"
    r"|theo (?:báo|tin|lời)|khai|chưa (?:được )?(?:xác nhận|xác minh|chứng minh))\b",
    re.IGNORECASE,
)


def _class_name(name: str) -> str:
    bare = re.sub(r"\([^)]*\)", " ", name)  # "Mật khẩu (đã băm)" is written "mật khẩu"
    return r"\s".join(map(re.escape, bare.split()))


RULES_OF_VIETNAMESE = LanguageRules(
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
    possibility=_POSSIBILITY,
    label=_LABEL,
    is_long=has_more_words(LONGEST_SENTENCE_SYLLABLES),
)
