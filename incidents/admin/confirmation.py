"""A page for one grave step, and the call of a worker that does what takes long."""

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

from incidents.forms import BatchChangeForm, ImportUploadForm, ShredForm


def confirmation_page(
    desk: admin.ModelAdmin,
    request: HttpRequest,
    instance: Model,
    *,
    form: ShredForm | BatchChangeForm | ImportUploadForm,
    words: dict[str, str],
    **context: Any,
) -> HttpResponse:
    """A page for one grave step: `words` are its title, explanation, button and what was done.

    Without a button it is not this person's step, and the page only says so. `context` is what the
    page shows besides (incidents/desk/confirm.html).
    """
    opts = instance._meta
    if request.method == "POST" and form.is_valid() and form.act():
        desk.log_change(request, instance, words["done"])
        messages.success(request, words["done"])
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_change", instance.pk)
    shown = {
        **desk.admin_site.each_context(request),
        **words,
        **context,
        "form": form,
        "opts": opts,
        "original": instance,
    }
    return TemplateResponse(request, "incidents/desk/confirm.html", shown)


def call(task: Task, pk: int | str) -> None:
    """Without a queue the sweeper calls a worker later."""

    def call() -> None:
        with suppress(OperationalError):
            task.delay(pk)

    transaction.on_commit(call)
