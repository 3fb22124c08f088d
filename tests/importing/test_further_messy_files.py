"""Further files as companies send them: each is read rightly, or refused for what it is."""

import pytest

from tests.importing import further_messy_contacts, further_messy_files, further_messy_texts
from tests.importing.test_more_messy_files import check

pytestmark = pytest.mark.django_db
CASES = [
    *further_messy_files.SPREADSHEETS,
    *further_messy_files.ARCHIVES,
    *further_messy_texts.ENCODINGS,
    *further_messy_texts.DATABASES,
    *further_messy_texts.JSONS,
    *further_messy_texts.OTHERS,
    *further_messy_contacts.ROWS,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)
