"""Cells of UTF-8 in a file of another encoding are found, and letters of that encoding stay."""

import pytest

from incidents.importing import mixed_utf8


@pytest.mark.parametrize(
    ("encoding", "codec", "text"),
    [
        ("windows-1252", "cp1252", "Jürgen Müller"),
        ("windows-1252", "cp1252", "Zoë"),
        ("windows-1250", "cp1250", "Győző"),
        ("windows-1251", "cp1251", "Юлия"),
        ("mac-roman", "mac-roman", "Peña"),
        ("gb18030", "gb18030", "张三"),
        ("shift_jis", "cp932", "田中健"),
    ],
)
def test_utf_8_in_a_file_of_another_encoding_is_found(encoding, codec, text):
    assert mixed_utf8.text_in(text.encode().decode(codec), encoding) == text
    assert mixed_utf8.text_in(text, encoding) == ""


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("windows-1250", "Úžice"),
        ("windows-1252", "Öžem"),
        ("windows-1251", "Её"),
        ("windows-1251", "Рёв"),
        ("koi8-u", "сё"),
        ("gb18030", "联通"),
    ],
)
def test_letters_whose_bytes_are_utf_8_by_chance_stay(encoding, text):
    assert mixed_utf8.text_in(text, encoding) == ""


def test_thai_letters_are_utf_8_by_chance_too_often():
    assert not mixed_utf8.may_hide_in("iso-8859-11")
