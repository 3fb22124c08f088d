"""Lists the pages of the sample incident, and makes a correction of its notice."""

from statements import publishing, sample
from statements.models import StatementVersion

SLUG = sample.SLUG
PAGES = [
    "",
    f"incidents/{SLUG}/",
    f"incidents/{SLUG}/timeline/",
    f"incidents/{SLUG}/log/",
    f"incidents/{SLUG}/statements/apology/",
    f"incidents/{SLUG}/statements/notice/",
    f"incidents/{SLUG}/statements/notice/versions/1/",
    f"incidents/{SLUG}/statements/kisa-advisory/versions/1/",
    f"incidents/{SLUG}/advisories/kisa-advisory/",
    f"incidents/{SLUG}/transparency/",
]


def correct() -> StatementVersion:
    """Returns a draft of the second version of the sample notice."""
    first = StatementVersion.objects.get(statement__slug="notice")
    draft = publishing.draft_next(first.statement, by=first.created_by)
    draft.title = {"ko": "바로잡은 통지", "en": "Corrected notice"}
    draft.change_reason = {"ko": "항목을 더했습니다.", "en": "An item was added."}
    draft.save()
    return draft


def published(draft: StatementVersion) -> StatementVersion:
    first = draft.statement.versions.get(number=1)
    assert first.approved_by
    return publishing.publish(draft, by=first.approved_by)
