"""The Korean pages use one word for one thing, and none that frightens or misleads."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Texts that pages show: the catalogue, the sample's statements and the steps of data classes.
TEXTS = [
    ROOT / "locale/ko/LC_MESSAGES/django.po",
    ROOT / "incidents/initial_data_classes.toml",
    *(ROOT / "statements/sample").rglob("*.toml"),
]
AVOIDED = {
    "이메일": r"(?<!이)메일(?!함| 서버)(?<!반송 메일)",
    "QR 코드": r"네모 코드",
    "버전": r"(?<![가-힣])판[ 의을이은입에\"]|(?:제\d+|제%\(\w+\)s|제\{\w+\})판",
    "문의": r"물으십시오",
    "대조": r"자료를 (?:아직 )?(?:모두 )?올[렸리]",
    "대조한 주소": r"번호로 찾았습니다",
}


@pytest.mark.parametrize("word", AVOIDED)
def test_the_pages_use_the_one_word(word):
    found = [
        f"{path.name}: {line.strip()}"
        for path in TEXTS
        for line in path.read_text(encoding="utf-8").splitlines()
        if not line.startswith(("#", "msgid")) and re.search(AVOIDED[word], line)
    ]
    assert found == []
