"""A data class in the imported data that the incident does not name blocks publishing."""

import pytest

from harness import exposure_factory
from incidents import scope_counts
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
    """A draft notice that mentions names, of an incident that states a leak of names."""
    exposure_factory.state(incident, "names", "involved")
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    return complete_draft(statement, editor)


def loaded(incident, *classes: str, state: str) -> ExposureBatch:
    """Returns a batch with one person and a leak of `classes`."""
    file = exposure_factory.file_of(incident, state=state)
    affected(file, "김민지", "minji@example.com", *classes)
    return file.batch


def test_a_class_in_the_data_that_is_not_stated_blocks_the_notice(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    with pytest.raises(publishing.PublishingRefusedError) as refused:
        publishing.publish(draft, by=approver)
    [finding] = refused.value.findings
    assert "공동현관 출입번호" in str(finding.why) or "Entrance" in str(finding.why)
    assert finding.section == "data_items"
    assert finding.suggestion


def test_a_stated_class_has_to_be_named_in_the_notice(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    exposure_factory.state(incident, "entrance-codes", "involved")
    assert unclaimed_classes(incident) == []
    with pytest.raises(publishing.PublishingRefusedError):
        publishing.publish(draft, by=approver)
    draft.sections.filter(key="data_items").update(
        body={
            "ko": "이름과 공동현관 출입번호가 유출되었습니다.",
            "en": "Names and entrance codes leaked.",
        },
    )
    assert publishing.publish(draft, by=approver).is_published


def test_a_class_in_the_data_that_is_stated_as_possible_still_blocks(draft, incident):
    scope_counts.count_closed(loaded(incident, "names", "entrance-codes", state="closed"))
    exposure_factory.state(incident, "entrance-codes", "possibly")
    assert [kind.slug for kind in unclaimed_classes(incident)] == ["entrance-codes"]


def test_data_in_an_open_batch_counts(draft, incident):
    batch = loaded(incident, "names", "entrance-codes", state="open")
    batch.files.update(mapping=MAPPING)
    # The mapping has delivery notes too, but no row holds one.
    assert [kind.slug for kind in unclaimed_classes(incident)] == ["entrance-codes"]


def test_a_withdrawn_batch_does_not_count(draft, incident):
    batch = loaded(incident, "names", "entrance-codes", state="closed")
    scope_counts.count_closed(batch)
    exposure_factory.withdraw(batch, "the wrong export")
    assert unclaimed_classes(incident) == []


def test_stated_classes_do_not_block(draft, incident, approver):
    scope_counts.count_closed(loaded(incident, "names", state="closed"))
    assert publishing.publish(draft, by=approver).is_published


def test_an_apology_need_not_name_classes(incident, editor):
    scope_counts.count_closed(loaded(incident, "entrance-codes", state="closed"))
    statement = Statement.objects.create(incident=incident, kind="apology", slug="apology")
    draft = publishing.draft_next(statement, by=editor)
    assert not any(finding.rule == "class" for finding in publishing.draft_findings(draft))
