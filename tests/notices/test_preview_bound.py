"""A preview counts shared contacts with the bound of the incident."""

import pytest

from incidents.importing import previewing


@pytest.mark.parametrize(("bound", "is_reported"), [(3, True), (4, False)])
def test_contacts_above_the_given_bound_are_reported(tmp_path, bound, is_reported):
    path = tmp_path / "members.csv"
    rows = "".join(f"{number},shared@example.com\n" for number in range(1, 5))
    path.write_text(f"id,email\n{rows}5,minji@example.com\n")
    report = previewing.preview(path, bound=bound).report

    remarks = [remark for column in report.columns for remark in column.remarks]
    assert any("contacts on more than" in remark for remark in remarks) == is_reported
