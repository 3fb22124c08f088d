"""The summary of a notice as a document, to prove to an authority that people were notified."""

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from foundations import documents
from foundations.formatting import moment, number
from foundations.languages import default_language
from notices.models import Delivery, Notice
from notices.models.states import END_STATES
from statements.models import StatementVersion


def notice_summary(notice: Notice) -> documents.Document:
    """Returns the summary in the active language: version, approval, times and counts by end state.

    It contains no recipient. The only people named are those who drafted and approved the notice.
    """
    with timezone.override(notice.incident.zone):
        title = _("Summary of a notice")
        return documents.Document(
            title=title,
            language=get_language() or default_language(),
            footer=f"{notice.incident.company} · {title} {notice.pk}",
            made_at=timezone.now(),
            blocks=[
                documents.Facts(_what(notice)),
                documents.Heading(_("Who and when")),
                documents.Facts(_who(notice)),
                documents.Heading(_("Where everybody ended")),
                documents.Table([_("State"), _("People")], _states(notice)),
                documents.Paragraph(_adds_up(notice)),
                documents.Heading(_("How it can be checked")),
                documents.Facts(_checks(notice)),
            ],
        )


def _what(notice: Notice) -> list[tuple[str, str]]:
    return [
        (_("Company"), str(notice.incident.company)),
        (_("Incident"), str(notice.incident.title)),
        *((_("Text"), _named(version)) for version in _versions(notice)),
        (_("Kind"), notice.get_kind_display()),
        (_("Channel"), notice.get_channel_display()),
        (_("Audience"), notice.get_audience_display()),
        (_("State"), notice.get_state_display()),
    ]


def _versions(notice: Notice) -> list[StatementVersion]:
    """Returns the versions that the notice's message brings or, as a weekly mail, names."""
    return notice.weekly_versions() if notice.is_weekly_mail else [notice.version]


def _named(version: StatementVersion) -> str:
    named = {"title": version.title, "number": version.number}
    return _("“%(title)s”, version %(number)s") % named


def _who(notice: Notice) -> list[tuple[str, str]]:
    rows = [
        (_("Became aware"), moment(notice.incident.aware_at)),
    ]
    if notice.is_weekly_mail:
        rows += _weekly_approvals(notice)
    else:
        rows += _creation_and_approval(notice)
    for milestone in notice.milestones.order_by("at"):
        rows.append((str(milestone.get_kind_display()), moment(milestone.at)))
    if notice.closed_at:
        rows.append((_("Closed on"), moment(notice.closed_at)))
    return rows


def _creation_and_approval(notice: Notice) -> list[tuple[str, str]]:
    rows = [(_("Created by"), str(notice.created_by))]
    if notice.approved_by and notice.approved_at:
        rows += [
            (_("Approved by"), str(notice.approved_by)),
            (_("Approved on"), moment(notice.approved_at)),
        ]
    if notice.begins_at:
        rows.append((_("Not sent before"), moment(notice.begins_at)))
    return rows


def _weekly_approvals(notice: Notice) -> list[tuple[str, str]]:
    """Returns that a weekly mail has no approval of its own, and those of the alerts it names."""
    words = _("%(title)s, version %(number)s: by %(creator)s, approved by %(approver)s, %(time)s")
    alerts = notice.weekly_alerts.select_related("version", "created_by", "approved_by")
    return [
        (_("Created by"), _("the portal, from approved alerts")),
        (_("Created on"), moment(notice.created_at)),
        *(
            (
                _("Approved alert"),
                words
                % {
                    "title": alert.version.title,
                    "number": alert.version.number,
                    "creator": alert.created_by,
                    "approver": alert.approved_by,
                    "time": moment(alert.approved_at),
                },
            )
            for alert in alerts.order_by("approved_at")
            if alert.approved_at  # each that was sent has it (sending_is_approved)
        ),
    ]


def _states(notice: Notice) -> list[list[str]]:
    labels = dict(Delivery.State.choices)
    rows = [[str(labels[name]), number(getattr(notice, name))] for name in END_STATES]
    return [*rows, [_("Without an end state yet"), number(notice.to_go())]]


def _adds_up(notice: Notice) -> str:
    numbers = {"planned": number(notice.planned), "ended": number(notice.ended())}
    if notice.to_go():
        return _("%(ended)s of %(planned)s people have an end state.") % numbers
    return (
        _("%(planned)s people were planned; the end states add up to %(ended)s. Nobody is missing.")
        % numbers
    )


def _checks(notice: Notice) -> list[tuple[str, str]]:
    rows = [(_("Text (SHA-256)"), _halves(version.hash)) for version in _versions(notice)]
    if digest := getattr(notice, "digest", None):
        rows.append((_("Ledger (SHA-256)"), _halves(digest.digest)))
    return rows


def _halves(digest: str) -> str:
    """Splits a SHA-256 in two, because it is longer than a line of the document."""
    return f"{digest[:32]} {digest[32:]}"
