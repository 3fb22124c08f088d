"""People's decisions about a notice, one function each.

`approve`, `return_draft`, `pause`, `resume`, `change_plan`, `start_next_step` and `cancel` concern
the notice,
`let_destination_go_on` one destination. `send_again`
and `count_as_notified` concern its deliveries in doubt. `draft_correction` and
`request_audience_count` concern a draft. The desk and the tests call these functions; workers make
no decisions.
"""

import json
import logging
from collections.abc import Sequence
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import second_person
from accounts.models import User
from foundations.languages import with_own_names
from notices import message_samples, message_templates, own_tests, tasks
from notices.engine import (
    audiences,
    dry_runs,
    gateways,
    guards,
    held_back,
    ledger,
    pacing,
    planning,
    ramp,
    sending_plans,
    starting,
)
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice, NoticeMessage
from notices.models.delivery import DeliveryQuerySet
from notices.models.notice import NoticeQuerySet
from statements.models import StatementVersion

logger = logging.getLogger(__name__)


class ApprovalRefusedError(Exception):
    """The notice may not be approved. The message gives the reason in the active language."""


class NothingToCorrectError(Exception):
    """The version is not published, or no notice brought an earlier version to a recipient."""


def approval_objection(notice: Notice, *, by: User, people: int | None = None) -> str:
    """Returns why `by` may not approve the notice in its current state; "" if there is no
    objection. The reason is in the active language. `people` is the number of recipients, None if
    it was not counted.
    """
    if notice.state != Notice.State.DRAFT:
        return _("This notice was approved or cancelled before.")
    if reason := _same_person(notice, by):
        return reason
    if notice.version.state != StatementVersion.State.PUBLISHED:
        return _("The version is a draft. Publish it first.")
    if notice.version.statement.incident_id != notice.incident_id:
        return _("The version belongs to another incident.")
    if notice.incident.shredded_at:
        return _("The data of this incident was deleted; nobody can be reached.")
    if not (notice.incident.is_public or notice.is_test):
        return _("The incident is not public yet: its readers would find no page.")
    if sending_plans.is_plan_missing(notice):
        return _("There is no sending plan “%(plan)s” any more.") % {"plan": notice.sending_plan}
    missing = _missing_text(notice) or _missing_gateway(notice) or _missing_for_push(notice)
    return missing or _too_many_texts(notice, people)


def resume_objection(notice: Notice, *, by: User, read: str) -> str:
    """Returns why `by`, who read the pause `read` (see `pause_read`), may not let the notice go on;
    "" if there is no objection, or if the notice is not paused.
    """
    if notice.state != Notice.State.PAUSED:
        return ""
    if reason := _confirmation_objection(notice, by=by):
        return reason
    if read == pause_read(notice):
        return ""
    return _(
        "It is paused for another reason, or for another number of people, than on the page that "
        "you read. Read it again."
    )


def pause_read(notice: Notice) -> str:
    """Returns a fingerprint of what a person reads of a pause: the reason, the figures of the
    problem and the number of people that “Go on” confirms. 16 hexadecimal digits.
    """
    shown = [notice.paused_for, notice.problem, notice.confirmed_people]
    return sha256(json.dumps(shown).encode()).hexdigest()[:16]


def _confirmation_objection(notice: Notice, *, by: User) -> str:
    """Returns why `by` may not let a notice go on that now goes to far more people than were
    approved; "" if there is no objection, or no such number to confirm.
    """
    is_asked = notice.state == Notice.State.PAUSED and notice.paused_for == Notice.PausedFor.MORE
    return _same_person(notice, by) if is_asked else ""


def _same_person(notice: Notice, by: User) -> str:
    if notice.created_by_id != by.pk:
        return second_person.objection(by, first=[notice.created_by])
    if own_tests.is_own_test(notice, by):
        return ""
    return _("Another person must approve this notice: you made it.")


def _missing_gateway(notice: Notice) -> str:
    if notice.channel != Notice.Channel.SMS:
        return ""
    found = gateways.gateway_classes() if notice.is_mandatory else gateways.free_text_gateways()
    if not found:
        return _("No gateway takes the text of an alert: those of SMS_GATEWAY send templates only.")
    if missing := gateways.missing_settings(found):
        text = _("No gateway for text messages is set up (%(settings)s).")
        return text % {"settings": ", ".join(missing)}
    for code, name in with_own_names(notice.incident.languages):
        if message_samples.sample_sms_size(notice, code).is_too_long:
            return _("The text message is too long in %(language)s.") % {"language": name}
    return ""


def _too_many_texts(notice: Notice, people: int | None) -> str:
    """Returns the objection to an alert to more numbers than settings.ALERT_TEXTS allows."""
    if notice.channel != Notice.Channel.SMS or notice.is_mandatory or notice.is_test:
        return ""
    number = planning.count_now(notice).people if people is None else people
    if number <= settings.ALERT_TEXTS:
        return ""
    text = _("It would be %(number)s text messages. ALERT_TEXTS allows %(most)s for one alert.")
    return text % {"number": f"{number:,}", "most": f"{settings.ALERT_TEXTS:,}"}


def _missing_for_push(notice: Notice) -> str:
    if notice.channel != Notice.Channel.PUSH:
        return ""
    if settings.WEB_PUSH_KEY is None:
        return _("No key for push messages is set up (WEB_PUSH_PRIVATE_KEY).")
    if notice.is_test and not audiences.browsers(notice).exists():
        return _(
            "No browser of the test's author gets push messages. The author turns them on in the "
            "browser, on the page of alerts."
        )
    return ""


def _missing_text(notice: Notice) -> str:
    version = notice.version
    sections = list(version.sections.all())
    if not sections:
        return _("The version has no text.")
    for code, name in with_own_names(notice.incident.languages):
        texts = [version.title, *(section.body for section in sections)]
        if any(text.missing([code]) for text in texts):
            return _("The version is not complete in %(language)s.") % {"language": name}
    return ""


def request_audience_count(notice: Notice) -> bool:
    """Requests a worker to count the audience of a draft. Returns False if a count is already
    running.
    """
    draft = Notice.objects.filter(pk=notice.pk, state=Notice.State.DRAFT)
    with transaction.atomic():
        locked = draft.select_for_update().first()
        is_requested = locked is not None and not dry_runs.is_running(locked)
        if is_requested:
            draft.update(dry_run_asked_at=timezone.now())
            tasks.count_audience.delay_on_commit(notice.pk)
    return is_requested


def messages_of_draft(notice: Notice) -> list[NoticeMessage]:
    """Returns the messages that an approval would freeze now, one for each language, unsaved.

    If people share contacts, the messages to shared contacts follow.
    """
    languages = notice.incident.languages
    messages = [message_templates.render_template(notice, code) for code in languages]
    if held_back.has_shared_contacts(notice):
        render = message_templates.render_template_for_shared_contact
        messages += [render(notice, code) for code in languages]
    return messages


def approve(
    notice: Notice, *, by: User, people: int | None = None, seen: str | None = None
) -> None:
    """Approves the notice: freezes its messages, and starts the planning and the sending.

    `by` must not be the user who made the notice, except of a test to own addresses. `people` is
    the number of recipients, None if it was not counted. A large notice starts with a ramp. `seen`
    is the fingerprint of the messages that `by` has read; None if no person reads them first.
    Raises ApprovalRefusedError, also if the messages that are frozen differ from `seen`.
    """
    with transaction.atomic():
        locked = Notice.objects.select_for_update(of=("self",)).select_related(
            "version__statement__incident", "incident"
        )
        notice = locked.get(pk=notice.pk)
        if reason := approval_objection(notice, by=by):  # counts an alert by text message again
            raise ApprovalRefusedError(reason)
        messages = messages_of_draft(notice)
        if seen not in (None, message_templates.fingerprint(messages)):
            raise ApprovalRefusedError(_("The messages changed while you read them. Read again."))
        notice.approved_by, notice.approved_at = by, timezone.now()
        notice.confirmed_people = people
        if people is None and dry_runs.needs_worker(notice):
            people = settings.NOTICE_RAMP_FROM_PEOPLE  # too large to be counted at once
        starting.start(notice, messages, people=people)
        tasks.plan_notice.delay_on_commit(notice.pk)
    logger.info("notice %s: user %s approved it, and its sending starts", notice.pk, by.pk)


def draft_correction(version: StatementVersion, *, by: User) -> Notice:
    """Returns the draft of a notice to the people who received an earlier version and not this one.

    Creates the draft unless one is open. A second person approves it, as every notice. Raises
    NothingToCorrectError.
    """
    with transaction.atomic():
        locked = StatementVersion.objects.select_for_update(of=("self",))
        version = locked.select_related("statement").get(pk=version.pk)
        if not corrects_sent_version(version):
            raise NothingToCorrectError
        fields = {"version": version, "kind": Notice.Kind.MANDATORY}
        fields["audience"] = Notice.Audience.EARLIER
        open_draft = Notice.objects.filter(**fields, state=Notice.State.DRAFT).first()
        return open_draft or Notice.objects.create(
            incident_id=version.statement.incident_id, created_by=by, **fields
        )


def corrects_sent_version(version: StatementVersion) -> bool:
    """Returns whether the version is published and a mandatory notice brought an earlier version to
    a recipient.
    """
    if not version.is_published or version.number == 1:
        return False
    accepted = Notice.objects.real().filter(kind=Notice.Kind.MANDATORY, accepted__gt=0)
    earlier = {"version__statement": version.statement_id, "version__number__lt": version.number}
    return accepted.filter(**earlier).exists()


def pause(notice: Notice) -> bool:
    """Pauses the notice. Messages that are on the wire are still completed. Returns False if the
    notice is not being planned or sent.
    """
    sending = [Notice.State.PLANNING, Notice.State.SENDING]
    rows = Notice.objects.filter(pk=notice.pk, state__in=sending)
    person = Notice.PausedFor.PERSON
    return rows.update(state=Notice.State.PAUSED, problem="", paused_for=person) == 1


def resume(notice: Notice, *, read: str | None = None) -> bool:
    """Resumes a paused notice. Returns False if it is not paused, or if `read`, the pause that a
    person read (see `pause_read`), is another one. None resumes each pause.
    """
    paused = Notice.objects.filter(pk=notice.pk, state=Notice.State.PAUSED)
    with transaction.atomic():
        found = paused.select_for_update(of=("self",)).first()
        if found is None or read not in (None, pause_read(found)):
            return False
        guards.start_watching(notice)
        if paused.filter(planned_at__isnull=True).update(state=Notice.State.PLANNING, problem=""):
            not_begun = Notice.objects.filter(pk=notice.pk, planned_to__isnull=True)
            not_begun.exclude(begins_at__gt=Now()).update(begins_at=Now())
            ledger.clear_backoff(notice)
            tasks.plan_notice.delay_on_commit(notice.pk)
        else:
            paused.update(state=Notice.State.SENDING, problem="")
            ledger.clear_backoff(notice)
            tasks.send_chunks.delay_on_commit(notice.pk)
    return True


def let_destination_go_on(notice: Notice, name: str) -> bool:
    """Ends the automatic stop of a destination, and retries what it refused. Returns False if it is
    not stopped. Failures that were counted before this call do not stop it again; a refusal that a
    worker reads later may.
    """
    with transaction.atomic():
        if not guards.let_destination_go_on(notice, name):
            return False
        ledger.clear_backoff(notice)
        tasks.send_chunks.delay_on_commit(notice.pk)
    return True


def change_plan(notice: Notice, chosen: str) -> bool:
    """Gives a notice that is being sent, or is paused, another sending plan: an id, "none", or ""
    for that of the settings. Returns False if the notice is in another state.
    """
    open_states = [Notice.State.PLANNING, Notice.State.SENDING, Notice.State.PAUSED]
    with transaction.atomic():
        locked = Notice.objects.select_for_update(of=("self",)).select_related("incident")
        running = locked.filter(pk=notice.pk, state__in=open_states).first()
        if running is None or running.channel != Notice.Channel.EMAIL:
            return False
        running.sending_plan = chosen
        people = running.planned or running.confirmed_people
        longest = pacing.freeze_plan(running, people=people)
        if longest and running.deadline_at is not None:
            latest = starting.deadline_of(running, longest)
            running.deadline_at = max(running.deadline_at, latest)
        running.replanned_at = timezone.now()
        running.save(update_fields=["sending_plan", "frozen_plan", "deadline_at", "replanned_at"])
        tasks.end_holds.delay_on_commit(notice.pk)
    return True


def start_next_step(notice: Notice, *, after: str | None = None) -> bool:
    """Starts the next step of the ramp. Returns False if there is no next step, or it was started
    before, or the current step is not `after`, the number of the step that a person read.
    """
    if after not in (None, str(notice.ramp_step)):
        return False
    with transaction.atomic():
        has_advanced = ramp.advance_ramp(notice)
        if has_advanced:
            tasks.send_chunks.delay_on_commit(notice.pk)
    return has_advanced


def return_draft(notice: Notice, *, because: str) -> bool:
    """Cancels a draft with a comment for the person who made it. Returns False if it is no draft.

    The person writes another draft, as for each change of a notice.
    """
    draft = Notice.objects.filter(pk=notice.pk, state=Notice.State.DRAFT)
    return draft.update(state=Notice.State.CANCELLED, returned_because=because) == 1


def cancel_draft(notice: Notice) -> bool:
    """Cancels a draft. Returns False if it is no draft, such as one that was approved meanwhile."""
    draft = Notice.objects.filter(pk=notice.pk, state=Notice.State.DRAFT)
    return draft.update(state=Notice.State.CANCELLED) == 1


def cancel(notice: Notice) -> bool:
    """Cancels the notice permanently: no further message is started. Returns False if it has ended
    before.

    Workers cancel the waiting deliveries, chunk by chunk. `closed_at` is set when all are
    cancelled.
    """
    ended = [Notice.State.CLOSED, Notice.State.CANCELLED]
    rows = Notice.objects.filter(pk=notice.pk).exclude(state__in=ended)
    with transaction.atomic():
        changed = rows.update(state=Notice.State.CANCELLED, problem="", paused_for="")
        is_cancelled = changed == 1
        if is_cancelled:
            tasks.send_chunks.delay_on_commit(notice.pk)
    return is_cancelled


# ---------------------------------------------------------------- deliveries in doubt

# Rows are locked in the ledger's order (chunk, delivery, notice), and counted in the same
# transaction. The ledger of a closed notice is final, so decisions about it are rejected.


def doubtful(notice: Notice) -> DeliveryQuerySet:
    """Returns the notice's deliveries in doubt, which wait for a decision."""
    return Delivery.objects.filter(notice=notice, state=Delivery.State.IN_DOUBT)


def send_again(notice: Notice, delivery_ids: Sequence[int]) -> int:
    """Makes the deliveries pending again, flagged as possible duplicates.

    Returns how many of them were still in doubt; 0 if the notice has ended.
    """
    rows = doubtful(notice).filter(pk__in=delivery_ids)
    with transaction.atomic():
        for key in rows.values_list("recipient", flat=True).order_by("recipient"):
            chunk = Chunk.objects.filter(notice=notice, first__lte=key, last__gte=key)
            chunk.filter(state=Chunk.State.DONE).update(state=Chunk.State.DUE, not_before=None)
        changed = rows.update(
            state=Delivery.State.PENDING, is_possible_duplicate=True, not_before=None, ended_at=None
        )
        if not _open_notice(notice).update(in_doubt=F("in_doubt") - changed):
            transaction.set_rollback(True)
            return 0
        tasks.send_chunks.delay_on_commit(notice.pk)
    return changed


def count_as_notified(notice: Notice, delivery_ids: Sequence[int], *, by: User, reason: str) -> int:
    """Ends the deliveries as accepted, by the decision of `by`. `reason` is stored as the reply.

    Returns how many of them were still in doubt; 0 if the notice has ended.
    """
    reply = LedgerMessages.DECIDED.stored(user=by.pk, reason=reason)[:500]
    with transaction.atomic():
        changed = (
            doubtful(notice)
            .filter(pk__in=delivery_ids)
            .update(state=Delivery.State.ACCEPTED, reply=reply, ended_at=timezone.now())
        )
        counted = {"in_doubt": F("in_doubt") - changed, "accepted": F("accepted") + changed}
        if not _open_notice(notice).update(**counted):
            transaction.set_rollback(True)
            return 0
        tasks.send_chunks.delay_on_commit(notice.pk)  # closes the notice if this was the last
    return changed


def _open_notice(notice: Notice) -> NoticeQuerySet:
    open_states = [Notice.State.SENDING, Notice.State.PAUSED]
    return Notice.objects.filter(pk=notice.pk, state__in=open_states, closed_at__isnull=True)
