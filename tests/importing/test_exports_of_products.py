"""Files as products export them: each is read rightly, or refused for what it is."""

import pytest

from tests.importing import exports_of_products
from tests.importing.test_more_messy_files import check

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("case", exports_of_products.CASES, ids=lambda case: case.name)
def test_a_file_is_read_rightly_or_refused_for_what_it_is(case, incident, tmp_path):
    check(case, incident, tmp_path)
