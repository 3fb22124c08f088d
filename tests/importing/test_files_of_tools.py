"""Files of shells, tools and forms: each is read rightly, or refused for what it is."""

import pytest

from incidents.importing import previewing, references
from incidents.importing.reading import ImportRefusedError
from tests.importing import files_of_tools
from tests.importing.files_of_tools import lines, objects
from tests.importing.more_messy_files import GOOD
from tests.importing.test_more_messy_files import check

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", files_of_tools.CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        lines(*GOOD),
        lines("q1@b.example", "q2@b.example"),
        lines("1,Kim,010-2345-6791", "2,Lee,010-2345-6792"),
        objects({"name": "export", "rows": [files_of_tools.ROW]}),
        objects({**files_of_tools.OTHER, "rows": [files_of_tools.ROW] * 2}),
    ],
)
def test_no_draft_loses_the_first_person_or_all(tmp_path, content):
    path = tmp_path / "members.csv"
    path.write_bytes(content)
    with pytest.raises(ImportRefusedError, match=r"no header row|stand inside another object"):
        previewing.preview(path)


@pytest.mark.parametrize(
    "text", ["합계", "총합계", "서울 요약", "Seoul Total", "Bonn Ergebnis", "東京 集計"]
)
def test_sums_of_groups_are_subtotals(text):
    assert references.is_subtotal(text)


@pytest.mark.parametrize("text", ["", "서울", "Totalán", "요약", "Kim Minji", "Ergebnis"])
def test_other_words_are_no_subtotals(text):
    assert not references.is_subtotal(text)
