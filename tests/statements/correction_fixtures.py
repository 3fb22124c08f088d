"""A statement version and its correction, as fixtures (a plugin of modules that name it)."""

import pytest

from statements import publishing
from statements.models import StatementVersion
from tests.notice_factory import published


@pytest.fixture
def first(incident, editor, approver) -> StatementVersion:
    return published(incident, editor=editor, approver=approver)


@pytest.fixture
def second(first, editor, approver) -> StatementVersion:
    draft = publishing.draft_next(first.statement, by=editor)
    draft.title |= {"en": "About your own data"}
    draft.change_reason = {"ko": "고쳤습니다.", "en": "Mended."}
    draft.save()
    draft.sections.update(
        body={
            "ko": "고객 여러분께 사과드립니다. <b>태그</b>",
            "en": "We are deeply sorry. <b>tag</b>",
        },
        basis="confirmed",
    )
    return publishing.publish(draft, by=approver)
