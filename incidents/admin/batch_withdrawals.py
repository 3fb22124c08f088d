"""Withdrawals of scope versions on the desk, with what they change."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from incidents import phrasing, scope_versions, withdrawal_decisions
from incidents.admin.confirmation import call_worker
from incidents.admin.proposals import ConfirmationRefusedError, ProposalAdmin
from incidents.importing.refusals import translate_refusal
from incidents.models import BatchChange, BatchWithdrawal, ExposureBatch, Unread
from incidents.scope_counts import counts_of
from incidents.scope_versions import ScopeRefusedError
from incidents.tasks import work_batch_change
from incidents.unread import unread_amount

Difference = tuple[str, str, str]  # what changes, before, after


@admin.register(BatchWithdrawal)
class BatchWithdrawalAdmin(ProposalAdmin):
    """Withdrawals that one person proposes and another confirms. The list is the record of all.

    The page of a scope version makes the proposals.
    """

    confirm_right = "incidents.confirm_batchwithdrawal"
    confirmed_text = gettext_lazy("Confirmed: the page of the scope version shows when it is done.")
    change_form_template = "incidents/desk/batch_withdrawal.html"
    list_display = ["batch", "rows", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_filter = ["batch__incident"]
    list_select_related = ["batch__incident", "proposed_by", "confirmed_by"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def incident_of(self, proposal: BatchWithdrawal) -> int:
        return proposal.batch.incident_id

    def details(self, proposal: BatchWithdrawal) -> dict[str, Any]:
        """Returns what the withdrawal changes, while it waits."""
        if not proposal.is_waiting:
            return {}
        batch = proposal.batch
        return {"differences": differences(batch), "consequences": consequences(batch)}

    def confirm_by(self, proposal: BatchWithdrawal, by: User) -> bool:
        """Confirms the withdrawal and does it, or calls a worker if the count takes long.

        Returns False if it waits no more. Raises ConfirmationRefusedError if it is refused.
        """
        try:
            is_done = withdrawal_decisions.confirm(proposal, by=by)
        except ScopeRefusedError as refusal:
            raise ConfirmationRefusedError(translate_refusal(str(refusal))) from None
        for change in BatchChange.objects.unfinished().filter(batch=proposal.batch_id):
            call_worker(work_batch_change, change.pk)
        return is_done


def differences(batch: ExposureBatch) -> list[Difference]:
    """Returns what the withdrawal of a version changes."""
    others = batch.incident.batches.exclude(pk=batch.pk)
    rows_of_others = sum(map(scope_versions.rows_taken, others))
    rows, unread = scope_versions.rows_taken(batch), unread_amount(batch)
    return [
        (_("State"), batch.get_state_display(), str(ExposureBatch.State.WITHDRAWN.label)),
        (_("Rows that the incident counts"), f"{rows_of_others + rows:,}", f"{rows_of_others:,}"),
        (_("Could not be read, of this version"), _shown(unread), "–"),
    ]


def _shown(unread: Unread) -> str:
    return phrasing.unread(unread) if any(unread) else "–"


def consequences(batch: ExposureBatch) -> str:
    """Returns what a withdrawal does, how many people it concerns, and what they read then."""
    tally = counts_of(batch.incident).by_batch.get(batch.number)
    lines = [
        _(
            "What this version says leaked no longer counts: people do not see it, and no notice "
            "names it. The rows and this record stay. This cannot be undone; its files may be "
            "loaded again into a later version."
        ),
        _("It holds %(rows)s rows about %(people)s people.")
        % {
            "rows": f"{scope_versions.rows_taken(batch):,}",
            "people": f"{tally.people:,}" if tally else "–",
        },
    ]
    if batch.incident.batches.exclude(pk=batch.pk).are_complete():
        lines.append(
            _(
                "People whom only this version names then read that they are not among the leaked "
                "data we know, until the next version is opened. While rows are unread or entries "
                "have no contact, they read that we cannot say that their data did not leak."
            )
        )
    else:
        lines.append(_("Customers then read that it is not known yet whether their data leaked."))
    return "\n".join(lines)


def shown_withdrawal(batch: ExposureBatch) -> SafeString | str:
    """Returns a link to the last withdrawal of a version that was not taken back, or a dash."""
    proposal = batch.withdrawals.filter(withdrawn_at=None).order_by("-pk").first()
    if proposal is None:
        return "–"
    waits = _("waits for a second person")
    state = waits if proposal.is_waiting else _("two people decided it")
    url = reverse("admin:incidents_batchwithdrawal_change", args=[proposal.pk])
    return format_html('<a href="{}">{}</a>', url, state)
