"""Whom a draft goes to, in words and in number: while it is chosen, and once it is saved."""

from typing import Any

from django.forms import ModelForm
from django.utils.translation import gettext as _

from notices.engine import dry_runs
from notices.models import Notice

CHOICES = ("kind", "topic", "channel", "audience", "batch", "follows")


def of_form(form: "ModelForm[Any]") -> dict[str, Any]:
    """Returns the context of admin/notices/notice/audience.html for what is chosen so far.

    It is what is still missing, or else what `of_draft` returns. Empty without a version.
    """
    form.is_valid()
    chosen = form.cleaned_data
    if not (version := chosen.get("version")):
        return {}
    if missing := [name for name in CHOICES if name in form.errors]:
        return {"missing": [(form[name].label, form.errors[name][0]) for name in missing]}
    fields = {name: chosen[name] for name in CHOICES}
    return of_draft(Notice(version=version, incident=version.statement.incident, **fields))


def of_draft(notice: Notice) -> dict[str, Any]:
    """Returns the same context for a draft, which may be unsaved.

    A large audience that no worker has counted is named without a number.
    """
    return {
        "words": _in_words(notice),
        "is_test": notice.is_test,
        "run": None if notice.is_test else dry_runs.current_dry_run(notice).run,
    }


def _in_words(notice: Notice) -> str:
    if notice.audience != Notice.Audience.EVERYBODY:
        return notice.get_audience_display()
    if notice.is_mandatory:
        return _("all affected people")
    return _("subscribers: %(topic)s") % {"topic": notice.get_topic_display()}
