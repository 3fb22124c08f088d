"""Makes notices for tests, with statements and affected people, and runs the worker's tasks."""

import time
from typing import Any

from django.db.models import Count

from accounts.models import User
from harness import exposure_factory
from incidents.models import AffectedPerson, ExposureFile, Incident
from notices import tasks
from notices.models import AlertSubscription, Chunk, Delivery, Notice
from notices.models.states import END_STATES
from statements import publishing
from statements.models import Statement, StatementVersion

BODY = {
    "ko": "고객 여러분께 **깊이** 사과드립니다.\n\n- 비밀번호를 바꾸십시오",
    "en": "We are **sorry**.\n\n- Watch for [scams](https://kisa.example/scams)",
}


def published(
    incident: Incident, *, editor: User, approver: User, kind: str = "apology"
) -> StatementVersion:
    """Returns a published first version in both languages."""
    statement = Statement.objects.create(incident=incident, kind=kind, slug=f"our-{kind}")
    draft = publishing.draft_next(statement, by=editor)
    draft.title = {"ko": "개인정보 유출 안내", "en": "About your data"}
    draft.save()
    draft.sections.update(body={"ko": BODY["ko"], "en": BODY["en"]})
    publishing.publish(draft, by=approver)
    draft.refresh_from_db()
    return draft


def draft_notice(version: StatementVersion, editor: User, **fields: Any) -> Notice:
    """Returns a draft of a notice: mandatory and by e-mail, unless `fields` differ."""
    return Notice.objects.create(
        incident=version.statement.incident,
        version=version,
        created_by=editor,
        **{"kind": "mandatory", **fields},
    )


def scam_alert(version: StatementVersion, editor: User, *subscribers: User) -> Notice:
    """Returns a draft of an alert on scams, to which these users subscribe."""
    for user in subscribers:
        AlertSubscription.objects.create(
            user=user, incident=version.statement.incident, topic="scams"
        )
    return draft_notice(version, editor, kind="alert", topic="scams")


def affected(
    file: ExposureFile, name: str, email: str, *classes: str, language: str = "ko"
) -> AffectedPerson:
    """Returns a person with a leak of `classes` (of names, if none is given)."""
    person = exposure_factory.person(file.incident, name=name, email=email)
    AffectedPerson.objects.filter(pk=person.pk).update(language=language)
    exposure_factory.expose(person, file, *(classes or ("names",)))
    return person


def work(notice: Notice) -> Notice:
    """Runs each task of a worker once."""
    tasks.plan_notice(notice.pk)
    tasks.send_chunks(notice.pk)
    notice.refresh_from_db()
    return notice


def work_again(notice: Notice) -> Notice:
    """Ends every backoff, then runs each task of a worker once."""
    Chunk.objects.filter(notice=notice).update(not_before=None)
    Delivery.objects.filter(notice=notice).update(not_before=None)
    return work(notice)


def wait_until_closed(notice: Notice, *, seconds: float) -> Notice:
    """Returns the notice once workers have closed it; raises AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        notice.refresh_from_db()
        if notice.state == Notice.State.CLOSED:
            return notice
        time.sleep(0.2)
    raise AssertionError(f"the notice is still {notice.state}: {notice.problem}")


def delivery_to(notice: Notice, person: AffectedPerson) -> Delivery:
    return Delivery.objects.get(notice=notice, recipient=person.pk)


def assert_adds_up(notice: Notice) -> None:
    """Checks that the counters equal the rows of the ledger, and that all rows are counted."""
    notice.refresh_from_db()
    rows = dict(
        Delivery.objects.filter(notice=notice).values_list("state").annotate(number=Count("pk"))
    )
    assert {state: getattr(notice, state) for state in END_STATES} == {
        state: rows.get(state, 0) for state in END_STATES
    }
    assert notice.planned == sum(rows.values())
