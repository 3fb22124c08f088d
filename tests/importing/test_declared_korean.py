"""Rare Korean is read in the encoding that a person names, and other text is refused."""

import pytest
from django.core.management import CommandError

from tests.importing.more_messy_files import csv, names
from tests.importing.test_other_tables import run  # noqa: F401

pytestmark = pytest.mark.django_db
RARE = {
    "hanja": ("金秀賢", "李在明", "朴正熙", "丁若鏞", "禹長春", "趙炳甲"),
    "rare syllables": ("뷁", "펲시", "쫑이", "햏자", "쀍", "뙇"),
    "both": ("金秀賢", "뷁", "禹長春", "쫑이", "李在明", "펲시"),
    "hanja next to Hangul": ("金秀賢(김수현)", "김민준", "李在明(이재명)", "박도윤", "최", "정"),
    "one syllable": ("뷁", "", "", "", "", ""),
}


@pytest.mark.parametrize("people", RARE.values(), ids=RARE)
def test_rare_korean_is_read_if_a_person_names_its_encoding(run, people):  # noqa: F811
    found, lines = run(csv(names(*people), encoding="cp949"), "--encoding", "cp949")

    assert lines == []
    assert {one.split("|")[0] for one in found.values()} == set(people)


FOREIGN = [
    ("cp1251", ("Иван", "Ольга", "Смирнова", "Анна", "Пётр", "Юрий")),
    ("cp1251", ("ИВАН", "ОЛЬГА", "СМИРНОВА", "АННА", "ПЁТР", "ЮРИЙ")),
    ("koi8-r", ("Иван", "Ольга", "Смирнова", "Анна", "Пётр", "Юрий")),
    ("cp1252", ("O’Connor", "D’Arcy", "O’Neill", "O’Brien", "Dell’Orto", "D’Angelo")),
    ("cp1252", ("JOÃO", "ASSUNÇÃO", "CONCEIÇÃO", "GONÇALVES", "SIMÕES", "MAGALHÃES")),
    ("cp1253", ("Γιώργος", "Μαρία", "Νίκος", "Ελένη", "Κώστας", "Αθηνά")),
    ("cp874", ("สมชาย", "ใจดี", "สมหญิง", "ณัฐ", "วิชัย", "สุดา")),
    ("gb18030", ("王伟", "李娜", "张敏", "欧阳锋", "司马懿", "令狐冲")),
    ("big5", ("王大偉", "林雅婷", "張淑芬", "陳志明", "黃怡君", "李家豪")),
    ("cp932", ("佐藤健", "鈴木花子", "高橋誠", "田中桜", "伊藤翔太", "小林綾")),
    ("cp932", ("さとう", "スズキ", "たかはし", "タナカ", "さくら", "アキラ")),
    ("euc-jp", ("佐藤健", "鈴木花子", "高橋誠", "田中桜", "伊藤翔太", "小林綾")),
    ("johab", ("김민준", "이서연", "박도윤", "최하은", "정지우", "강서준")),
    ("utf-8", ("金秀賢", "뷁", "禹長春", "쫑이", "李在明", "펲시")),
]


@pytest.mark.parametrize(("codec", "people"), FOREIGN)
def test_text_in_another_encoding_is_refused_though_a_person_says_cp949(run, codec, people):  # noqa: F811
    with pytest.raises(CommandError, match="said to be cp949"):
        run(csv(names(*people), encoding=codec), "--encoding", "cp949")
