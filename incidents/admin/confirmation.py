"""A confirmation page for one step with serious effects, and the call of a worker."""

from contextlib import suppress
from typing import Any

from celery import Task
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from kombu.exceptions import OperationalError

from incidents.forms import CloseBatchForm, ShredIncidentForm, UploadStepForm, WithdrawBatchForm


def confirmation_page(
    desk: admin.ModelAdmin,
    request: HttpRequest,
    instance: Model,
    *,
    form: ShredIncidentForm | CloseBatchForm | WithdrawBatchForm | UploadStepForm,
    texts: dict[str, str],
    **context: Any,
) -> HttpResponse:
    """Returns the confirmation page of a step. After a valid POST, does the step and redirects.

    `texts` has the keys "title", "explanation", "button" and "done". "done" is shown once the
    step is done, and recorded in the history of `instance`. Without "button" the user cannot do
    the step, and the page only explains why. `context` is added to the context of
    incidents/desk/confirm.html.
    """
    opts = instance._meta
    if request.method == "POST" and form.is_valid() and form.act():
        desk.log_change(request, instance, texts["done"])
        messages.success(request, texts["done"])
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", instance.pk)
    page_context = {
        **desk.admin_site.each_context(request),
        **texts,
        **context,
        "form": form,
        "opts": opts,
        "original": instance,
    }
    return TemplateResponse(request, "incidents/desk/confirm.html", page_context)


def call_worker(task: Task, pk: int | str) -> None:
    """Queues `task` for the row `pk` once the transaction is committed.

    If Redis is unreachable, the error is suppressed: the sweep finds the row and queues it later.
    """

    def queue() -> None:
        with suppress(OperationalError):
            task.delay(pk)

    transaction.on_commit(queue)
