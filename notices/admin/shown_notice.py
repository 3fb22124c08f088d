"""What the pages of a notice show: its progress, its messages as samples, and its audience."""

import time
from typing import Any

from django.conf import settings
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from foundations.languages import own_name, with_own_names
from incidents.desk_page import duration
from incidents.models import AffectedPerson, Incident
from notices import decisions
from notices.admin import pauses, previews, sending_plans, sms_figures
from notices.courses import course_of
from notices.engine import progress, ramp, stall
from notices.engine.audiences import DryRun
from notices.engine.held_back import has_shared_contacts
from notices.engine.learned_rates import learned_rates
from notices.engine.smtp.limits import connection_limits
from notices.message_filling import OutgoingMessage
from notices.message_samples import sample_mail, sample_shared_mail
from notices.models import Delivery, Notice
from notices.models.states import END_STATES
from notices.sms import sms_size

State = Notice.State


def progress_context(notice: Notice) -> dict[str, Any]:
    """Returns the context of a notice's page: stored counters, and which decisions are possible."""
    labels = dict(Delivery.State.choices)
    now = progress.send_progress(notice)
    counters = [(labels[name], now.counts[name]) for name in END_STATES]
    reported = sms_figures.receipts(notice)
    is_ending = notice.state == State.CANCELLED and notice.closed_at is None
    is_moving = notice.state in (State.PLANNING, State.SENDING) or is_ending
    step = ramp.step_of(notice)
    # The rate of the last minute would promise an end that a person has to allow.
    is_waiting = step is not None and step.is_done
    is_open = notice.state in (State.PLANNING, State.SENDING, State.PAUSED)
    return {
        "counters": [*counters, *reported, (_("to go"), now.to_go)],
        "course": course_of(notice, now.counts),
        "rate": 0 if is_waiting else now.rate and round(now.rate),
        "left": now.left and duration(now.left),
        "is_draft": notice.state == State.DRAFT,
        "is_moving": is_moving,
        "can_move": is_open or is_ending,
        "halted_for": stall.stall_reason(notice) if is_moving else None,
        "connection_limits": connection_limits() if is_moving else {},
        "learned_rates": _rates_a_minute() if is_moving else {},
        "stopped": pauses.stopped_destinations(notice),
        "can_pause": notice.state in (State.PLANNING, State.SENDING),
        "step": step,
        **sending_plans.progress_context(notice),
        "can_resume": notice.state == State.PAUSED,
        "pause_read": decisions.pause_read(notice),
        "can_decide": bool(now.counts["in_doubt"]) and notice.closed_at is None,
        "can_cancel": notice.state not in (State.CLOSED, State.CANCELLED),
        "can_change_plan": is_open and notice.channel == Notice.Channel.EMAIL,
    }


def _rates_a_minute() -> dict[str, int]:
    """Returns {destination: messages a minute} where a destination limits them."""
    now = time.time()
    found = learned_rates().items()
    return {name: max(round(60 * rate.current(now)), 1) for name, rate in sorted(found)}


def email_sample(pk: int, language: str) -> OutgoingMessage:
    """Returns the sample of an e-mail notice; raises Http404 for other notices and languages."""
    if language not in dict(settings.LANGUAGES):
        raise Http404
    by_email = Notice.objects.filter(channel=Notice.Channel.EMAIL)
    return sample_mail(get_object_or_404(by_email, pk=pk), language)


def samples(notice: Notice) -> list[dict[str, Any]]:
    """Returns the messages that an approval freezes, as the approver reads them."""
    samples = [_sample(notice, code, name) for code, name in languages(notice)]
    if has_shared_contacts(notice):
        samples += [_shared_sample(notice, code, name) for code, name in languages(notice)]
    return samples


def languages(notice: Notice) -> list[tuple[str, str]]:
    """Returns the languages of the notice, each with its own name."""
    return with_own_names(notice.incident.languages)


def _shared_sample(notice: Notice, language: str, name: str) -> dict[str, Any]:
    sample = {
        "language": language,
        "name": _("{language}, to a contact that many people share").format(language=name),
    }
    data = sample_shared_mail(notice, language).data
    if notice.channel == Notice.Channel.SMS:
        text = data.decode()
        return sample | {"subject": "", "text": text, "size": sms_size(text)}
    mail = previews.parse_mail(data)
    return sample | {"subject": str(mail["Subject"]), "text": previews.mail_part(mail, "plain")}


def _sample(notice: Notice, language: str, name: str) -> dict[str, Any]:
    if notice.channel == Notice.Channel.SMS:
        text = sample_mail(notice, language).data.decode()
        size = sms_size(text)
        return {"language": language, "name": name, "subject": "", "text": text, "size": size}
    if notice.channel == Notice.Channel.PUSH:
        text = previews.push_text(sample_mail(notice, language).data)
        return {"language": language, "name": name, "subject": "", "text": text, "size": None}
    mail = previews.parse_mail(sample_mail(notice, language).data)
    return {
        "language": language,
        "name": name,
        "subject": str(mail["Subject"]),
        "text": previews.mail_part(mail, "plain"),
        "html_url": reverse("admin:notices_notice_html", args=[notice.pk, language]),
    }


def _language_bucket(incident: Incident, code: str) -> str:
    """Returns the label of a language; with the language that people get who have no text in it."""
    given = incident.language_for(code)
    if given == code:
        return _("Language: {name}").format(name=own_name(code))
    text = _("Language: {name}. The incident has no text in it: they get {given}")
    return text.format(name=own_name(code), given=own_name(given))


def buckets(dry_run: DryRun, incident: Incident) -> list[tuple[str, int]]:
    """Returns (label, number of people): by reachability, by language and by relation."""
    relations = dict(AffectedPerson.Relation.choices)
    return [
        (_("People who get it at once") if dry_run.weekly else _("People"), dry_run.people),
        *(
            [(_("Subscribers who get it with the next weekly mail"), dry_run.weekly)]
            if dry_run.weekly
            else []
        ),
        *(
            [(_("Subscribers who want it by text message, too: draft that alert"), dry_run.by_text)]
            if dry_run.by_text
            else []
        ),
        (_("Reachable"), dry_run.reachable),
        (_("Suppressed for this incident"), dry_run.suppressed),
        (_("Held back: many people share the contact"), dry_run.shared_contact),
        (_("Held back: marked as deceased or restricted"), dry_run.marked),
        (_("Without an address for this channel"), dry_run.no_address),
        (_("With an address that cannot be one"), dry_run.unusable_address),
        *(
            [(_("With a landline number, which takes no text messages"), dry_run.landline)]
            if dry_run.landline
            else []
        ),
        *(
            (_language_bucket(incident, code), number)
            for code, number in sorted(dry_run.by_language.items())
        ),
        *(
            (_("Relation: {name}").format(name=relations[relation]), number)
            for relation, number in sorted(dry_run.by_relation.items())
        ),
    ]
