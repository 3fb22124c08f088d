"""The values of synthetic people: names, addresses, notes and phone numbers.

A 16-bit number selects a name, a street or a note. Every list here therefore has 65,536 entries, so
that the makers of rows index it without arithmetic. Phone numbers are invented but may belong to
real people, because Korea reserves none for fiction: never send an export's SMS through a real
gateway.
"""

import hashlib
import struct
from bisect import bisect_right
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, product

DRAWS = 1 << 16
PHONE_NUMBERS = 10**8  # eight digits after 010

# Surnames with their frequency per thousand people, roughly as in the census.
_SURNAMES = {
    "김": 215, "이": 147, "박": 84, "최": 47, "정": 43, "강": 24, "조": 21, "윤": 21, "장": 20,
    "임": 17, "한": 15, "오": 15, "서": 15, "신": 15, "권": 14, "황": 14, "안": 14, "송": 14,
    "전": 11, "홍": 11, "유": 10, "고": 9, "문": 9, "양": 9, "손": 9, "배": 8, "백": 8, "허": 7,
    "류": 6, "남궁": 1,
}  # fmt: skip
_GIVEN = [
    "민준", "서준", "도윤", "예준", "시우", "하준", "주원", "지호", "지후", "준서", "현우",
    "도현", "건우", "우진", "선우", "서진", "민재", "현준", "연우", "유준", "서연", "서윤",
    "지우", "서현", "하은", "하윤", "민서", "지유", "윤서", "채원", "수아", "지민", "지아",
    "다은", "은서", "예은", "수빈", "소율", "예린", "지원", "영숙", "정숙", "순자", "영자",
    "정희", "미경", "은정", "영희", "성호", "정호", "영수", "상훈", "성민", "동현", "재현",
    "승현", "지훈", "성진", "경수", "병철",
]  # fmt: skip
_LOCALS = [
    "minjun", "seojun", "doyun", "yejun", "siwoo", "hajun", "juwon", "jiho", "hyunwoo", "gunwoo",
    "woojin", "sunwoo", "seoyeon", "seoyun", "jiwoo", "seohyun", "haeun", "hayun", "minseo",
    "jiyu", "yunseo", "chaewon", "sua", "jimin", "jia", "daeun", "eunseo", "soyul", "yerin",
    "jiwon", "youngsook", "soonja", "seongho", "jeongho", "sanghoon", "donghyun", "jihoon",
    "kyungsoo",
]  # fmt: skip
_FAMILIES = [
    "kim", "lee", "park", "choi", "jung", "kang", "cho", "yoon", "jang", "lim", "han", "oh",
    "seo", "shin", "kwon", "hwang",
]  # fmt: skip
DOMAINS = ("naver.example", "gmail.example", "daum.example", "kakao.example", "hanmail.example")
_STREETS = (
    "서울특별시 강남구 테헤란로",
    "서울특별시 송파구 송파대로",
    "서울특별시 마포구 월드컵북로",
    "서울특별시 영등포구 여의대로",
    "서울특별시 노원구 동일로",
    "서울특별시 관악구 남부순환로",
    "서울특별시 은평구 통일로",
    "부산광역시 해운대구 센텀중앙로",
    "부산광역시 부산진구 중앙대로",
    "대구광역시 수성구 달구벌대로",
    "인천광역시 서구 청라한내로",
    "인천광역시 연수구 송도과학로",
    "광주광역시 서구 상무대로",
    "대전광역시 유성구 대학로",
    "울산광역시 남구 삼산로",
    "세종특별자치시 한누리대로",
    "경기도 부천시 길주로",
    "경기도 수원시 영통구 광교중앙로",
    "경기도 성남시 분당구 판교역로",
    "경기도 고양시 일산동구 중앙로",
    "경기도 용인시 수지구 포은대로",
    "경기도 화성시 동탄대로",
    "강원특별자치도 춘천시 중앙로",
    "충청북도 청주시 흥덕구 가로수로",
    "충청남도 천안시 서북구 불당대로",
    "전북특별자치도 전주시 완산구 홍산로",
    "전라남도 순천시 백강로",
    "경상북도 포항시 북구 새천년대로",
    "경상남도 창원시 성산구 창원대로",
    "제주특별자치도 제주시 첨단로",
)
HOME, ELSEWHERE = "집", ("부모님댁", "부모님댁", "회사", "친구네")
NOTES = (
    "문 앞에 놓아주세요",
    "경비실에 맡겨주세요",
    "",
    "배송 전\n전화 주세요",
    '<img src=x onerror="fetch(1)">',
    "문 앞에 놓아주세요",
    '무인택배함, 비밀번호는 "문자"로',
    "",
    "배송 전\n전화 주세요",
    "=1+1",
)
HTML_NAME = '<script>alert("x")</script>'
FORMULA_NAME = '=HYPERLINK("http://evil.example","환불")'
FOREIGN_NAME = "Nguyễn Thị Ánh"
QUOTED_NAME = "O'Connor, Seán"
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
# The texts before the last eight digits of a number, and between their two halves.
PHONE_FORMS = (("010-", "-"), ("010", ""), ("010.", "."), ("010 ", " "), ("+82 10-", "-"))
FOUR_DIGITS = [f"{number:04d}" for number in range(10_000)]
# An entry with a draw below this has an entrance code: 34.6 % of them, as in the sample.
ENTRANCE_CODE_BELOW = DRAWS * 346 // 1000


def draws(key: str, count: int) -> tuple[int, ...]:
    """Returns `count` numbers from 0 to 65,535, which depend only on `key`."""
    return struct.unpack(f"<{count}H", hashlib.shake_128(key.encode()).digest(2 * count))


@cache
def names() -> list[str]:
    """Returns full names by draw; frequent surnames occur more often."""
    bounds = list(accumulate(_SURNAMES.values()))
    surnames = list(_SURNAMES)
    return [
        surnames[bisect_right(bounds, first * bounds[-1] >> 16)] + _GIVEN[second % len(_GIVEN)]
        for first, second in zip(draws("surnames", DRAWS), draws("given", DRAWS), strict=True)
    ]


@cache
def locals_of_emails() -> list[str]:
    """Returns by draw the part of an e-mail address before the person's number."""
    dotted = [f"{given}.{family}" for given, family in product(_LOCALS, _FAMILIES)]
    joined = [f"{family}{given}" for given, family in product(_LOCALS, _FAMILIES)]
    forms = _LOCALS * len(_FAMILIES) + dotted + joined
    return [forms[number % len(forms)] for number in draws("locals", DRAWS)]


@cache
def streets() -> list[str]:
    """Returns streets with a house number by draw."""
    return [
        f"{_STREETS[number % len(_STREETS)]} {1 + number * 7919 % 900}" for number in range(DRAWS)
    ]


@cache
def flats() -> list[str]:
    """Returns a building and a flat in it by draw."""
    return [
        f"{101 + number % 29}동 {1 + number // 29 % 25}0{1 + number % 6}호"
        for number in range(DRAWS)
    ]


@cache
def postcodes() -> list[str]:
    """Returns postcodes by draw, from 01000 to 63644, the range in use."""
    return [f"{1000 + (number * 62_645 >> 16):05d}" for number in range(DRAWS)]


def dates(first: date, last: date) -> list[str]:
    """Returns days from `first` to `last` by draw, in ISO format."""
    days = (last - first).days + 1
    each = [(first + timedelta(days=day)).isoformat() for day in range(days)]
    return [each[number * days >> 16] for number in range(DRAWS)]


def entrance_code(draw: int) -> str:
    """Returns an entrance code for a draw below ENTRANCE_CODE_BELOW, else ""."""
    return FOUR_DIGITS[draw * 7919 % 10_000] + "#" if draw < ENTRANCE_CODE_BELOW else ""


def phone_fours(person: int) -> tuple[str, str]:
    """Returns the last eight digits of a person's phone number in two halves; they are unique."""
    first, second = divmod((person * 38_690_461 + 20_251_118) % PHONE_NUMBERS, 10_000)
    return FOUR_DIGITS[first], FOUR_DIGITS[second]


def name_of(person: int) -> str:
    """Returns a person's name, which is the same in every file."""
    return names()[person * 40_503 & 0xFFFF]
