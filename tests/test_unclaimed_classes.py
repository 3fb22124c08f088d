"""A class that the imported data holds and nobody named: it blocks publishing."""

import pytest

from harness import exposure_factory
from incidents import scope_counts, scope_versions
from incidents.models import ExposureBatch
from incidents.unclaimed import unclaimed_classes
from statements import publishing
from statements.models import Statement, StatementVersion
from tests.notice_factory import affected
from tests.statement_factory import complete_draft

MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
contact_leaked = ["name"]

[[leaked]]
class = "entrance-codes"
value = "{entrance_code}"

[[leaked]]
class = "delivery-notes"
value = "{delivery_note}"
"""


@pytest.fixture
def draft(incident, editor) -> StatementVersion:
    """A notice that names names, of an incident that says names leaked."""
    exposure_factory.state(incident, "names", "involved")
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    return complete_draft(statement, editor)


def loaded(incident, *classes: str, state: str) -> ExposureBatch:
    """A batch with somebody of whom `classes` leaked."""
    file = exposure_factory.file_of(incident, state=state)
    affected(file, "김민지", "minji@example.com", *classes)
    return file.batch


def test_what_the_data_holds_and_nobody_stated_keeps_the_notice_back(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    with pytest.raises(publishing.PublishingRefusedError) as refused:
        publishing.publish(draft, by=approver)
    [finding] = refused.value.findings
    assert "공동현관 출입번호" in str(finding.why) or "Entrance" in str(finding.why)
    assert finding.section == "data_items"
    assert finding.suggestion


def test_once_it_is_stated_the_notice_has_to_name_it(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    exposure_factory.state(incident, "entrance-codes", "involved")
    assert unclaimed_classes(incident) == []
    with pytest.raises(publishing.PublishingRefusedError):
        publishing.publish(draft, by=approver)
    draft.sections.filter(key="data_items").update(
        body_ko="이름과 공동현관 출입번호가 유출되었습니다.",
        body_en="Names and entrance codes leaked.",
    )
    assert publishing.publish(draft, by=approver).is_published


def test_stated_as_only_possible_is_not_enough_when_the_data_holds_it(draft, incident):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    exposure_factory.state(incident, "entrance-codes", "possibly")
    assert [kind.slug for kind in unclaimed_classes(incident)] == ["entrance-codes"]


def test_what_is_loaded_into_an_open_batch_counts_already(draft, incident):
    batch = loaded(incident, "names", "entrance-codes", state="open")
    batch.files.update(mapping=MAPPING)
    # The mapping gives delivery notes too, but nobody's row held one.
    assert [kind.slug for kind in unclaimed_classes(incident)] == ["entrance-codes"]


def test_a_batch_that_was_taken_back_counts_no_more(draft, incident):
    batch = loaded(incident, "names", "entrance-codes", state="closed")
    scope_counts.count_closed(batch)
    scope_versions.withdraw(batch, "the wrong export")
    assert unclaimed_classes(incident) == []


def test_data_that_is_stated_leaves_the_notice_alone(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", state="closed"))
    assert publishing.publish(draft, by=approver).is_published


def test_an_apology_that_lists_nothing_is_free(incident, editor):
    scope_counts.count_closed(loaded(incident, "entrance-codes", state="closed"))
    statement = Statement.objects.create(incident=incident, kind="apology", slug="apology")
    draft = publishing.draft_next(statement, by=editor)
    assert not any(finding.rule == "class" for finding in publishing.draft_findings(draft))
