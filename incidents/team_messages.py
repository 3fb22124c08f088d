"""Messages to the people whose turn it is: found, queued once for each destination, and sent.

A task runs `queue` and `send_due` each minute. What an event is comes from the same parts as the
incident's page (incidents.desk_page), so that both agree. No text names a customer.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPHeloError, SMTPRecipientsRefused, SMTPSenderRefused

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override
from httpx import ConnectError, ConnectTimeout

from accounts import emails
from accounts.admin_site import role_name
from accounts.models import AuditEntry, User
from foundations import webhooks
from foundations.languages import default_desk_language, desk_language
from foundations.webhooks import WebhookMessage
from incidents import desk_parts
from incidents.desk_page import DeskClock, DeskFigure, DeskTask, IncidentBoard, board_of
from incidents.desk_parts import CONFIRM_FACTS
from incidents.models import Incident, MessageChoice, MessageKind, TeamMessage

HOURS = (1, 6, 24)  # before a clock runs out
MOST = 500  # messages in one run
ROLES_TOLD_FOR = timedelta(days=7)  # after a right was added; longer than a mail server is away
LOOK_UPS_TOLD_FOR = timedelta(days=2)  # after a member was refused further ones
# What can begin again after it has ended.
ENDING = (
    *(MessageKind.PAUSED, MessageKind.SUPERUSER, MessageKind.SCAMS, MessageKind.PORTAL),
    MessageKind.OFFERS,
)

_CLOSING = 421  # the reply of a mail server that takes no mail now

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class TeamEvent:
    """One event that people are informed of. `is_for` says whether it concerns a user."""

    key: str
    kind: str
    text: str  # in the active language
    path: str
    is_for: Callable[[User], bool]
    earlier_keys: Sequence[str] = ()  # of events before this one that last as long


class TeamMail(emails.AccountMail):
    """A mail to a member of the response team, as text only."""

    purpose = "desk:team:message"


# ---------------------------------------------------------------- what happened

# Functions that yield further events, in the active language. The apps above this one add theirs in
# AppConfig.ready.
FURTHER_EVENTS: list[Callable[[], Iterator[TeamEvent]]] = []


def events(unread: set[str] | None = None) -> Iterator[TeamEvent]:
    """Yields the current events in the active language. Each keeps its key while it lasts.

    An incident whose page cannot be made has none; the log says so, and `unread` gets the kinds of
    ENDING of which events may be missing. The others do not wait for it.
    """
    unread = set() if unread is None else unread
    for task in desk_parts.general_tasks():
        yield from _task_event(task, "")
    yield from _superusers()
    yield from _roles()
    yield from _look_ups()
    for further in FURTHER_EVENTS:
        yield from _or_none(further, further.__name__, unread, (MessageKind.PORTAL,))
    for incident in Incident.objects.order_by("pk"):
        source, about = partial(_events_of, incident), f"incident {incident.pk}"
        yield from _or_none(source, about, unread, (MessageKind.PAUSED, MessageKind.SCAMS))


def _or_none(
    source: Callable[[], Iterator[TeamEvent]], about: str, unread: set[str], ending: Iterable[str]
) -> list[TeamEvent]:
    """Returns the events of one source. If it fails, the log says so, and there are none.

    Then `unread` gets the kinds `ending` of its events.
    """
    try:
        return list(source())
    except Exception as error:  # noqa: BLE001  # a fault of one source stops no message
        logger.error("no messages about %s: %s", about, type(error).__name__)
        unread.update(ending)
        return []


def _events_of(incident: Incident) -> Iterator[TeamEvent]:
    board = board_of(incident)
    tasks = {task.key: task for task in board.tasks}
    for task in tasks.values():
        yield from _task_event(task, f"{incident}: ")
    yield from _clock_events(board)
    for figure in board.figures:
        yield from _figure_event(incident, figure)


def _task_event(task: DeskTask, before: str) -> Iterator[TeamEvent]:
    if task.message_kind:
        yield TeamEvent(
            key=f"task:{task.key}",
            kind=task.message_kind,
            text=f"{before}{task.message or task.words}",
            path=task.url,
            is_for=task.may,
        )


def _clock_events(board: IncidentBoard) -> Iterator[TeamEvent]:
    now = timezone.now()
    with timezone.override(board.incident.zone):
        for clock in board.running:
            left = clock.left(now)
            hours = next((each for each in HOURS if left <= timedelta(hours=each)), None)
            if hours is not None:
                yield _clock_event(board, clock, hours)


def _clock_event(board: IncidentBoard, clock: DeskClock, hours: int) -> TeamEvent:
    due = clock.due_at.isoformat(timespec="minutes")
    text = _("%(incident)s: %(duty)s (%(cited)s), %(left)s") % {
        "incident": board.incident,
        "duty": clock.name,
        "cited": clock.cited,
        "left": clock.time_left,
    }
    return TeamEvent(
        key=f"clock:{board.incident.pk}:{clock.key}:{hours}:{due}",
        kind=MessageKind.CLOCK,
        text=text,
        path=reverse("admin:incidents_incident_page", args=[board.incident.pk]),
        is_for=partial(_has_a_stage, board),
    )


def _has_a_stage(board: IncidentBoard, user: User) -> bool:
    """Returns whether a stage of the work that is not done waits for this user.

    If none waits for any person, as while a notice is being sent, the approvers are informed.
    """
    tasks = [stage.task for stage in board.undone if stage.task]
    return any(task.may(user) for task in tasks) if tasks else user.has_perm(CONFIRM_FACTS)


def _figure_event(incident: Incident, figure: DeskFigure) -> Iterator[TeamEvent]:
    passed = [each for each in figure.alarms if figure.value >= each]
    if passed:
        text = _("%(incident)s: %(number)s or more %(figure)s") % {
            "incident": incident,
            "number": passed[-1],
            "figure": figure.name,
        }
        yield TeamEvent(
            key=f"figure:{incident.pk}:{figure.key}:{passed[-1]}",
            earlier_keys=[f"figure:{incident.pk}:{figure.key}:{each}" for each in passed[:-1]],
            kind=figure.message_kind,
            text=text,
            path=figure.url,
            is_for=lambda user: user.has_perm(figure.right),
        )


def _superusers() -> Iterator[TeamEvent]:
    for user in User.objects.filter(is_superuser=True, is_active=True).order_by("pk"):
        yield TeamEvent(
            key=f"superuser:{user.pk}",
            kind=MessageKind.SUPERUSER,
            text=_("%(user)s is a superuser and may do everything on the desk.") % {"user": user},
            path=reverse("admin:accounts_user_change", args=[user.pk]),
            is_for=partial(_is_another_superuser, user.pk),
        )


def _roles() -> Iterator[TeamEvent]:
    """Yields an event for each role to which a user added rights, also for the company's own."""
    added = AuditEntry.objects.rights_added_to_roles(timezone.now() - ROLES_TOLD_FOR)
    by_user = added.filter(actor_id__isnull=False).order_by("pk")
    newest = dict(by_user.values_list("details__group_id__1", "pk"))
    for role in Group.objects.filter(pk__in=newest).order_by("pk"):
        yield TeamEvent(
            key=f"role:{role.pk}:{newest[role.pk]}",
            kind=MessageKind.SUPERUSER,
            text=_("The rights of the role %(role)s were changed by hand.")
            % {"role": role_name(role.name)},
            path=reverse("admin:auth_group_matrix"),
            is_for=lambda user: user.is_superuser,
        )


def _look_ups() -> Iterator[TeamEvent]:
    """Yields an event for each member who was refused further look-ups of customers, by day."""
    refused = AuditEntry.objects.too_many_look_ups(timezone.now() - LOOK_UPS_TOLD_FOR)
    days = {(entry.actor_id, entry.at.date()): entry.actor for entry in refused.order_by("pk")}
    for (pk, day), member in days.items():
        yield TeamEvent(
            key=f"look-ups:{pk}:{day}",
            kind=MessageKind.SUPERUSER,
            text=_(
                "%(user)s opened the data of more customers than one person needs for the work, "
                "and is refused for a time. Ask whether it was this person."
            )
            % {"user": member},
            path=f"{reverse('admin:accounts_auditentry_changelist')}?kind=look_up",
            is_for=partial(_is_another_superuser, pk),
        )


def _is_another_superuser(pk: int | None, user: User) -> bool:
    return user.is_superuser and user.pk != pk


# ---------------------------------------------------------------- who is informed


def queue() -> None:
    """Stores a message for each new event and each destination that is to receive it.

    A second run, also at the same time, stores nothing twice. An event of ENDING that has ended is
    forgotten, so that people are informed when it begins again. If events of a kind could not be
    read, none of that kind is forgotten: they may still last.
    """
    team = list(
        User.objects.filter(is_staff=True, is_active=True)
        .select_related("message_choice")
        .order_by("pk")
    )
    of_all, of_user = default_desk_language(), {user: _language_of(user) for user in team}
    unread = set[str]()
    found = {language: _events_in(language, unread) for language in {of_all, *of_user.values()}}
    _forget_ended(found[of_all], unread)
    _store(m for user in team for event in found[of_user[user]] for m in _mails(event, user))
    if settings.DESK_WEBHOOKS:
        _store(message for event in found[of_all] for message in _posts(event, team))


def _language_of(user: User) -> str:
    return desk_language(user.language)


def _events_in(language: str, unread: set[str]) -> list[TeamEvent]:
    with override(language):
        return list(events(unread))


def _forget_ended(current: Iterable[TeamEvent], unread: set[str]) -> None:
    """Deletes the messages about events of ENDING that are not among the current ones.

    Those of a kind in `unread` stay. Of a figure, the numbers that it has passed stay as long as it
    is above them.
    """
    ending = [event for event in current if event.kind in ENDING]
    kept = {key for event in ending for key in (event.key, *event.earlier_keys)}
    stored = TeamMessage.objects.filter(kind__in=set(ENDING) - unread)
    stored.exclude(event__in=kept).delete()


def _store(messages: Iterable[TeamMessage]) -> None:
    TeamMessage.objects.bulk_create(messages, ignore_conflicts=True)


def _choice_of(user: User) -> MessageChoice:
    found: MessageChoice | None = getattr(user, "message_choice", None)
    return found or MessageChoice(user=user)


def _mails(event: TeamEvent, user: User) -> Iterator[TeamMessage]:
    choice = _choice_of(user)
    if choice.by_mail and event.kind in choice.kinds and event.is_for(user):
        yield _message(event, f"mail:{user.pk}")


def _posts(event: TeamEvent, users: list[User]) -> Iterator[TeamMessage]:
    """Yields one message for each webhook that one of the concerned people chose."""
    names = {
        name
        for user in users
        if (choice := _choice_of(user)).webhooks
        and event.kind in choice.kinds
        and event.is_for(user)
        for name in choice.webhooks
        if name in settings.DESK_WEBHOOKS
    }
    for name in sorted(names):
        yield _message(event, f"webhook:{name}")


def _message(event: TeamEvent, to: str) -> TeamMessage:
    return TeamMessage(event=event.key, to=to, kind=event.kind, text=event.text, path=event.path)


# ---------------------------------------------------------------- sending


def send_due() -> None:
    """Sends the stored messages, each in its own transaction. A failed one is tried again later.

    A destination that fails is left out for the rest of this run, so that it delays no other.
    """
    failed = set[str]()
    for pk, to in list(TeamMessage.objects.due().values_list("pk", "to")[:MOST]):
        if to in failed or to.partition(":")[0] in failed:
            continue
        with transaction.atomic():
            due = TeamMessage.objects.due().select_for_update(skip_locked=True)
            message = due.filter(pk=pk).first()
            if message is not None:
                failed |= _send(message)


def _send(message: TeamMessage) -> set[str]:
    """Sends one message. Returns the destination that failed: its name, or "mail" for all mails."""
    row = TeamMessage.objects.filter(pk=message.pk)
    channel, _colon, name = message.to.partition(":")
    try:
        if channel == "mail":
            _mail(message, int(name))
        else:
            _post(message, name)
    except Exception as error:  # noqa: BLE001  # a message that cannot be sent stops no other
        is_away = _is_away(error)
        row.update(tries=F("tries") + int(not (is_away or _is_closing(error))))
        what = str(error) if isinstance(error, _NoConnectionError) else webhooks.name_of(error)
        logger.error("message %s to %s not sent: %s", message.pk, message.to, what)
        return {"mail"} if is_away and channel == "mail" else {message.to}
    row.update(sent_at=timezone.now())
    return set()


class _NoConnectionError(Exception):
    """The mail server could not be reached, or refused the connection or the sign-in.

    The text is the name of the error.
    """


def _is_away(error: Exception) -> bool:
    """Returns whether the server did not get as far as this message: that uses up no try.

    A server that disconnects later may do so because of the message, so that others must not wait.
    """
    if isinstance(error, SMTPSenderRefused):
        return _is_closing(error)
    return isinstance(error, (_NoConnectionError, SMTPHeloError, ConnectError, ConnectTimeout))


def _is_closing(error: Exception) -> bool:
    """Returns whether the mail server says that it takes no mail now: that uses up no try."""
    if isinstance(error, SMTPRecipientsRefused):
        return any(code == _CLOSING for code, _reply in error.recipients.values())
    return getattr(error, "smtp_code", 0) == _CLOSING


def _mail(message: TeamMessage, user_id: int) -> None:
    """Mails the message, unless its reader left the team meanwhile."""
    user = User.objects.filter(pk=user_id, is_staff=True, is_active=True).first()
    if user is None:
        return
    with override(_language_of(user)):
        reason = _("You receive this as a member of the response team. Choose what you receive:")
        choose = settings.PORTAL_URL + reverse("admin:incidents_incident_messages")
    connection = emails.connect()
    mail = TeamMail(
        subject=" ".join(message.text.split())[:150],
        body=f"{message.text}\n{settings.PORTAL_URL}{message.path}\n\n{reason}\n{choose}\n",
        to=[user.email or ""],
        # The same in each attempt, so that a mail program shows a repeated mail once.
        headers={"Message-ID": f"<team-{message.pk}@{settings.MAIL_DOMAIN}>"},
        connection=connection,
        from_email=settings.CODE_MAIL_RETURN_PATH or settings.CODE_MAIL_FROM or None,
    )
    try:
        connection.open()
    except OSError as error:
        raise _NoConnectionError(type(error).__name__) from error
    with connection:
        mail.send()


def _post(message: TeamMessage, name: str) -> None:
    """Posts the message, unless the settings no longer name the webhook."""
    webhook = settings.DESK_WEBHOOKS.get(name)
    if webhook is not None:
        at: datetime = message.created_at
        url = settings.PORTAL_URL + message.path
        kind, id_ = message.kind, str(message.pk)
        webhooks.post(webhook, WebhookMessage(id=id_, kind=kind, text=message.text, url=url, at=at))
