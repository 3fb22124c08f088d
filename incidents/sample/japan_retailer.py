"""The export of the invented retailer in Japan.

Japan reserves no telephone numbers for fiction: these are invented, and one may belong to a person.
Towns and postcodes are real, their combinations with people are not.
"""

import random
from collections.abc import Iterator

from incidents.sample.dialects import ExportDialect

MEMBERS, ORDERS = "kaiin.csv", "chumon.csv"
# cp932 is what Windows calls Shift_JIS: it has 髙 and 﨑, which the standard lacks.
DIALECTS = {MEMBERS: ExportDialect("cp932", ","), ORDERS: ExportDialect("utf-8-sig", ",")}
_PEOPLE = 200

_FAMILY = [
    ("佐藤", "サトウ"),
    ("髙橋", "タカハシ"),
    ("山﨑", "ヤマサキ"),
    ("渡邊", "ワタナベ"),
    ("小林", "コバヤシ"),
    ("長谷川", "ハセガワ"),
    ("森", "モリ"),
]
_GIVEN = [
    ("陽菜", "ヒナ"),
    ("蓮", "レン"),
    ("さくら", "サクラ"),
    ("大翔", "ヒロト"),
    ("結衣", "ユイ"),
    ("健一郎", "ケンイチロウ"),
]
_PLACES = [
    ("150-0001", "東京都", "渋谷区神宮前"),
    ("530-0001", "大阪府", "大阪市北区梅田"),
    ("060-0001", "北海道", "札幌市中央区北一条西"),
    ("810-0001", "福岡県", "福岡市中央区天神"),
    ("600-8216", "京都府", "京都市下京区東塩小路町"),
]
_BUILDINGS = ["", "", "コーポ青空", "グランドハイツⅡ", "ﾒｿﾞﾝ銀座", "㈱みどり内"]
_ITEMS = ["抹茶セット", "今治タオル", "南部鉄瓶", "有田焼の皿①", "和菓子〜秋〜", "文庫本カバー"]


def files() -> dict[str, list[list[str]]]:
    """Returns the rows of each file with the header first, in the order of import."""
    chance = random.Random(20261020)  # noqa: S311  # not for secrets
    members = [*_members(chance)]
    numbers = [row[0] for row in members[1:]]
    return {MEMBERS: members, ORDERS: [*_orders(chance, numbers)]}


def _members(chance: random.Random) -> Iterator[list[str]]:
    yield ["会員番号", "氏名", "フリガナ", "メールアドレス", "電話番号", "郵便番号", "都道府県"] + [
        "市区町村",
        "番地",
        "建物名",
        "生年月日",
        "登録日",
    ]
    for place in range(_PEOPLE):
        family, given = chance.choice(_FAMILY), chance.choice(_GIVEN)
        postcode, prefecture, town = chance.choice(_PLACES)
        numbers = f"{chance.randint(1, 5)}-{chance.randint(1, 30)}-{chance.randint(1, 20)}"
        yield [
            *(f"A{place + 1:05}", f"{family[0]}　{given[0]}", f"{family[1]}　{given[1]}"),
            *(f"kaiin{place:03}@post.example", _phone(place), f"〒{postcode}", prefecture, town),
            *(numbers, chance.choice(_BUILDINGS), _day(chance, 1950, 2005)),
            _day(chance, 2019, 2025),
        ]


def _orders(chance: random.Random, numbers: list[str]) -> Iterator[list[str]]:
    yield ["会員番号", "注文日時", "商品名", "数量", "金額"]
    for number in numbers:
        for _order in range(chance.randint(0, 3)):
            at = f"{_day(chance, 2026, 2026)} {chance.randint(0, 23)}:{chance.randint(0, 59):02}"
            price = f"¥{chance.randint(3, 200) * 100:,}"
            yield [number, at, chance.choice(_ITEMS), str(chance.randint(1, 3)), price]


def _phone(place: int) -> str:
    """Returns a mobile number; one in ten is in full-width digits, and one in ten is blank."""
    written = f"090-1234-{5000 + place:04}"
    if place % 10 == 3:
        return written.translate({ord(sign): ord(sign) + 0xFEE0 for sign in "0123456789-"})
    return "" if place % 10 == 7 else written


def _day(chance: random.Random, first: int, last: int) -> str:
    """Returns a day as Japanese systems write it: 2024/04/01. Orders end in September."""
    month = chance.randint(1, 9 if last == first else 12)
    return f"{chance.randint(first, last)}/{month:02}/{chance.randint(1, 28):02}"
