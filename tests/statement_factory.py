"""Makes statement drafts with texts for tests."""

from accounts.models import User
from statements import publishing
from statements.models import Statement, StatementVersion

NAMES_LEAKED = {"ko": "이름이 유출되었습니다.", "en": "Names leaked."}


def complete_draft(statement: Statement, editor: User) -> StatementVersion:
    """Returns a draft with a title, and with `NAMES_LEAKED` in each section.

    It meets Korean law if names are the only class that leaked.
    """
    draft = publishing.draft_next(statement, by=editor)
    draft.title = {"ko": "유출 통지", "en": "Notice of a leak"}
    draft.save()
    draft.sections.update(body={"ko": NAMES_LEAKED["ko"], "en": NAMES_LEAKED["en"]})
    return draft
