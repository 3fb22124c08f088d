"""What this app contributes to an incident's page: the scope, and proposals that wait."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Invitation, RightsGrant
from foundations.formatting import number
from incidents.desk_page import (
    SUPERUSER,
    DeskFigure,
    DeskTask,
    PageParts,
    StageState,
    WorkStage,
)
from incidents.forms import shred_request_of
from incidents.models import (
    AddressChange,
    BatchChange,
    BatchWithdrawal,
    ExposureBatch,
    FactChange,
    Incident,
    MessageKind,
    Upload,
    WriteOff,
)
from incidents.retention.desk_parts import retention_tasks
from incidents.scope_counts import Tally, counts_of
from incidents.scope_versions import why_not_closed
from incidents.uploads import CONTENT_RETENTION, first_people

CONFIRM_FACTS, CONFIRM_WRITE_OFF = "incidents.confirm_factchange", "incidents.confirm_writeoff"
CONFIRM_WITHDRAWAL = "incidents.confirm_batchwithdrawal"
CONFIRM_ADDRESS = "incidents.confirm_addresschange"
ADD_UPLOAD, CHANGE_UPLOAD = "incidents.add_upload", "incidents.change_upload"
CONFIRM_UPLOAD = "incidents.confirm_upload"
CHANGE_BATCH = "incidents.change_exposurebatch"
MOST = 20  # of one kind on the page; the lists of the desk have the others


def incident_parts(incident: Incident) -> PageParts:
    """Returns the stage of the scope, what waits in this app, and the affected people."""
    batches = list(incident.batches.all())
    uploads = list(_open_uploads(incident))
    total = counts_of(incident).total
    scope = reverse("admin:incidents_exposurebatch_changelist")
    affected = DeskFigure(
        key="affected",
        order=10,
        name=_("affected people"),
        value=total.people if total else 0,
        url=f"{scope}?incident__id__exact={incident.pk}",
        right="incidents.view_exposurebatch",
    )
    return PageParts(
        stages=[_scope_stage(incident, batches, uploads, total)],
        tasks=[
            *_proposals(incident),
            *_shredding(incident),
            *retention_tasks(incident),
            *map(_upload_task, uploads),
        ],
        figures=[affected] if total else [],
        blocks=list(_blocks(batches)),
    )


def general_tasks() -> list[DeskTask]:
    """Returns what waits and belongs to no single incident: rights, and facts of all incidents."""
    grants = RightsGrant.objects.waiting().select_related("user")[:MOST]
    shared = FactChange.objects.waiting().filter(incident=None)[:MOST]
    return [
        *(
            DeskTask(
                key=f"grant-{grant.pk}",
                words=_("Confirm the rights of %(user)s") % {"user": grant.user},
                url=reverse("admin:accounts_rightsgrant_change", args=[grant.pk]),
                right=SUPERUSER,
                not_by=frozenset([grant.asked_by_id, grant.user_id]),
                message_kind=MessageKind.WAITING,
                message=_("New rights on the desk wait for another superuser."),
            )
            for grant in grants
        ),
        *map(_invitation_task, Invitation.objects.waiting()[:MOST]),
        *map(_fact_change_task, shared),
    ]


def _invitation_task(invitation: Invitation) -> DeskTask:
    return DeskTask(
        key=f"invitation-{invitation.pk}",
        words=_("Confirm the invitation of %(address)s") % {"address": invitation.email},
        url=reverse("admin:accounts_invitation_change", args=[invitation.pk]),
        right=SUPERUSER,
        not_by=frozenset([invitation.asked_by_id]),
        message_kind=MessageKind.WAITING,
        message=_("An invitation to the response team waits for another superuser."),
    )


def _open_uploads(incident: Incident) -> Iterator[Upload]:
    waiting = [Upload.State.TO_MAP, Upload.State.CHECKED]
    yield from incident.uploads.filter(state__in=waiting).order_by("created_at")[:MOST]


def _scope_stage(
    incident: Incident, batches: list[ExposureBatch], uploads: list[Upload], total: Tally | None
) -> WorkStage:
    is_loading = incident.uploads.filter(state__in=Upload.MOVING).exists()
    state, words = _scope_state(incident, batches, total, is_loading=is_loading)
    task = None
    if not incident.shredded_at:
        task = _scope_task(incident, batches, uploads, is_loading=is_loading)
    return WorkStage(
        order=10,
        name=_("Scope"),
        state=state,
        words=words,
        url=f"{reverse('admin:incidents_exposurebatch_changelist')}?incident__id__exact={incident.pk}",
        task=task,
    )


def _scope_state(
    incident: Incident, batches: list[ExposureBatch], total: Tally | None, *, is_loading: bool
) -> tuple[StageState, str]:
    if incident.shredded_at:
        return StageState.DONE, _("The data is shredded.")
    if is_loading:
        return StageState.MOVING, _("A worker checks or imports a file.")
    opened = [batch for batch in batches if batch.state == ExposureBatch.State.OPEN]
    if opened:
        return StageState.MOVING, _("Scope version %(number)s is open.") % {
            "number": opened[0].number
        }
    if any(batch.state == ExposureBatch.State.CLOSED for batch in batches):
        if total is None:
            return StageState.MOVING, _("The affected people are not counted yet.")
        text = ngettext(
            "%(people)s person is affected.", "%(people)s people are affected.", total.people
        )
        return StageState.DONE, text % {"people": number(total.people)}
    return StageState.OPEN, _("No file is loaded.")


def _scope_task(
    incident: Incident,
    batches: list[ExposureBatch],
    uploads: list[Upload],
    *,
    is_loading: bool,
) -> DeskTask | None:
    if uploads:
        return _upload_task(uploads[0])
    if is_loading:  # what comes next depends on what it finds
        return None
    for batch in batches:
        if batch.state == ExposureBatch.State.OPEN:
            return _open_batch_task(batch)
    if any(batch.state == ExposureBatch.State.CLOSED for batch in batches):
        return None
    return DeskTask(
        key=f"upload-{incident.pk}",
        words=_("Load a file of affected people"),
        url=f"{reverse('admin:incidents_upload_add')}?incident={incident.pk}",
        right=ADD_UPLOAD,
    )


def _open_batch_task(batch: ExposureBatch) -> DeskTask:
    """Returns the task to close the version, or first to settle the rows that prevent it."""
    key, page, words = "close", "close", _("Close scope version %(number)s")
    if why_not_closed(batch):
        words = _("Settle what could not be read of scope version %(number)s")
        key, page = "settle", "change"
    return DeskTask(
        key=f"{key}-{batch.pk}",
        words=words % {"number": batch.number},
        url=reverse(f"admin:incidents_exposurebatch_{page}", args=[batch.pk]),
        right=CHANGE_BATCH,
    )


def _upload_task(upload: Upload) -> DeskTask:
    is_checked = upload.state == Upload.State.CHECKED
    text = _("Choose the columns of %(file)s")
    if is_checked and upload.rows_taken:
        text = _("Import the checked file %(file)s")
    elif is_checked:
        text = _("Correct %(file)s: none of its rows can be taken")
    is_for_another = is_checked and upload.rows_taken and upload.people_joined
    first = first_people(upload) if is_for_another else []
    return DeskTask(
        key=f"upload-{upload.pk}-{upload.state}",
        words=text % {"file": upload.name},
        url=reverse("admin:incidents_upload_change", args=[upload.pk]),
        right=CONFIRM_UPLOAD if is_for_another else CHANGE_UPLOAD,
        not_by=frozenset(user.pk for user in first),
        message_kind=MessageKind.WAITING if is_for_another else "",
        message=_(
            "A file that adds to people of other files waits to be imported. After %(hours)s hours "
            "it is thrown away."
        )
        % {"hours": CONTENT_RETENTION // timedelta(hours=1)},
    )


def _proposals(incident: Incident) -> Iterator[DeskTask]:
    yield from map(_fact_change_task, FactChange.objects.waiting().filter(incident=incident)[:MOST])
    write_offs = WriteOff.objects.waiting().filter(file__incident=incident).select_related("file")
    for write_off in write_offs[:MOST]:
        yield DeskTask(
            key=f"write-off-{write_off.pk}",
            words=_("Confirm the write-off of rows of %(file)s") % {"file": write_off.file.name},
            url=reverse("admin:incidents_writeoff_change", args=[write_off.pk]),
            right=CONFIRM_WRITE_OFF,
            not_by=frozenset([write_off.proposed_by_id]),
            message_kind=MessageKind.WAITING,
            message=_("A write-off of unread rows waits to be confirmed."),
        )
    withdrawals = BatchWithdrawal.objects.waiting().filter(batch__incident=incident)
    for withdrawal in withdrawals.select_related("batch")[:MOST]:
        yield DeskTask(
            key=f"withdrawal-{withdrawal.pk}",
            words=_("Confirm the withdrawal of scope version %(number)s")
            % {"number": withdrawal.batch.number},
            url=reverse("admin:incidents_batchwithdrawal_change", args=[withdrawal.pk]),
            right=CONFIRM_WITHDRAWAL,
            not_by=frozenset([withdrawal.proposed_by_id]),
            message_kind=MessageKind.WAITING,
            message=_("The withdrawal of a scope version waits to be confirmed."),
        )
    changes = AddressChange.objects.to_decide().filter(
        incident=incident, incident__shredded_at=None
    )
    for change in changes[:MOST]:
        yield DeskTask(
            key=f"address-{change.pk}",
            words=_("Confirm a new address of a person"),
            url=reverse("admin:incidents_addresschange_change", args=[change.pk]),
            right=CONFIRM_ADDRESS,
            not_by=frozenset(filter(None, [change.proposed_by_id, change.claimed_by_id])),
            message_kind=MessageKind.WAITING,
            message=_("A new address of a person waits to be confirmed."),
        )


def _fact_change_task(change: FactChange) -> DeskTask:
    return DeskTask(
        key=f"facts-{change.pk}",
        words=_("Confirm a change of facts: %(title)s") % {"title": change.title},
        url=reverse("admin:incidents_factchange_change", args=[change.pk]),
        right=CONFIRM_FACTS,
        not_by=frozenset([change.proposed_by_id]),
        message_kind=MessageKind.WAITING,
        message=_("A change of public facts waits to be confirmed."),
    )


def _shredding(incident: Incident) -> Iterator[DeskTask]:
    request = None if incident.shredded_at else shred_request_of(incident)
    if request:
        yield DeskTask(
            key=f"shred-{request.pk}-{request.asked_at and request.asked_at.isoformat()}",
            words=_("Decide about the request to shred the data"),
            url=reverse("admin:incidents_incident_shred", args=[incident.pk]),
            right=SUPERUSER,
            not_by=frozenset([request.asked_by_id] if request.asked_by_id else []),
            message_kind=MessageKind.SHREDDING,
        )


def _blocks(batches: list[ExposureBatch]) -> Iterator[DeskTask]:
    """Yields the failed last change of each scope version that is not withdrawn."""
    live = [batch.pk for batch in batches if batch.state != ExposureBatch.State.WITHDRAWN]
    newest = BatchChange.objects.filter(batch__in=live).order_by("batch_id", "-pk")
    for change in newest.distinct("batch_id"):
        if change.state == BatchChange.State.FAILED:
            words = (
                _("The scope version could not be closed. Its page shows why.")
                if change.kind == BatchChange.Kind.CLOSE
                else _("The scope version could not be withdrawn. Its page shows why.")
            )
            yield DeskTask(
                key=f"failed-change-{change.pk}",
                words=words,
                url=reverse("admin:incidents_exposurebatch_change", args=[change.batch_id]),
                right=CHANGE_BATCH,
            )
