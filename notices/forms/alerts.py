"""The form of the alerts page: which alerts a user subscribes to, and how they come."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db import transaction
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from foundations.web_push import LONGEST_ENDPOINT, PushAddress, WebPushError
from incidents.models import Incident
from notices import alert_numbers
from notices.models import AlertNumber, AlertSubscription
from notices.push_subscriptions import add_browser, renew_browser

UPDATES = AlertSubscription.Topic.UPDATES
AT_ONCE, WEEKLY = "at_once", "weekly"
NUMBER, NO_TEXTS = "number_for_alerts", "no"


class AlertsForm(forms.Form):
    """For each public incident a list of topics, and how often its updates come by e-mail; and
    whether alerts come by text message, if the user has a mobile number.

    Subscriptions to unticked topics end.
    """

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.incidents = {incident.slug: incident for incident in Incident.objects.public()}
        live = user.subscriptions.live()
        for slug, incident in self.incidents.items():
            self.fields[slug] = forms.MultipleChoiceField(
                label=str(incident.title),
                choices=AlertSubscription.Topic.choices,
                widget=forms.CheckboxSelectMultiple,
                required=False,
                initial=[one.topic for one in live if one.incident_id == incident.pk],
            )
            if not user.email:
                continue
            is_weekly = any(one.is_weekly for one in live if one.incident_id == incident.pk)
            self.fields[_how_often(incident.pk)] = forms.ChoiceField(
                label=_("How often do you want the updates by e-mail?"),
                help_text=_(
                    "Scam warnings and changes to your own data always come at once. So do push "
                    "messages and text messages."
                ),
                choices=[(AT_ONCE, _("At once")), (WEEKLY, _("Once a week, in one e-mail"))],
                widget=forms.RadioSelect,
                required=False,
                initial=WEEKLY if is_weekly else AT_ONCE,
            )
        self.number = AlertNumber.objects.live().filter(user=user).first()
        numbers = alert_numbers.number_choices(user, self.number)
        if self.incidents and numbers:
            # Text messages are the only way to a user without an address, so they are proposed.
            is_proposed = not (user.email or live)
            proposed = numbers[0][0] if is_proposed else NO_TEXTS
            self.fields[NUMBER] = forms.ChoiceField(
                label=_("Do you want the alerts by text message?"),
                help_text=_(
                    "A text message has the title and an address that ends them, and nothing about "
                    "you."
                ),
                choices=[(NO_TEXTS, _("No")), *numbers],
                widget=forms.RadioSelect,
                required=False,
                initial=self.number.phone_id if self.number else proposed,
            )

    def save(self) -> None:
        """Starts subscriptions to newly ticked topics and ends the others. Ended rows stay. What
        the browser did not send of the other questions stays as it was.
        """
        with transaction.atomic():
            User.objects.select_for_update().get(pk=self.user.pk)  # serialises two browser tabs
            for slug, incident in self.incidents.items():
                self._save_topics(incident, set(self.cleaned_data[slug]))
                if chosen := self.cleaned_data.get(_how_often(incident.pk)):
                    live = self.user.subscriptions.live()
                    updates = live.filter(topic=UPDATES, incident=incident)
                    if chosen == WEEKLY:
                        updates.update(is_weekly=True)
                    else:
                        weekly = updates.filter(is_weekly=True)
                        weekly.update(is_weekly=False, weekly_until=timezone.now())
            if number := self.cleaned_data.get(NUMBER):
                alert_numbers.choose(self.user, None if number == NO_TEXTS else int(number))

    def _save_topics(self, incident: Incident, wanted: set[str]) -> None:
        live = self.user.subscriptions.live().filter(incident=incident)
        live.exclude(topic__in=wanted).update(unsubscribed_at=timezone.now())
        new = wanted - set(live.values_list("topic", flat=True))
        AlertSubscription.objects.bulk_create(
            AlertSubscription(user=self.user, incident=incident, topic=topic)
            for topic in sorted(new)
        )


def _how_often(incident_id: int) -> str:
    return f"how_often_{incident_id}"


def posted_choices(posted: QueryDict) -> dict[str, list[str]]:
    """Returns what is chosen in a posted AlertsForm, by field. Unknown values are left out, and so
    is the number, which is personal.
    """
    found = {}
    for pk, slug in Incident.objects.public().values_list("pk", "slug"):
        topics, name = posted.getlist(slug), _how_often(pk)
        found[slug] = [topic for topic in AlertSubscription.Topic.values if topic in topics]
        if chosen := [value for value in (AT_ONCE, WEEKLY) if value in posted.getlist(name)]:
            found[name] = chosen
    return found


class PushForm(forms.Form):
    """What the page's script sends when a user subscribes this browser to push messages."""

    endpoint = forms.CharField(max_length=LONGEST_ENDPOINT, widget=forms.HiddenInput)
    p256dh = forms.CharField(max_length=100, widget=forms.HiddenInput)
    auth = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def save(self, user: User) -> bool:
        """Adds the browser. Returns False if its address is not usable."""
        if not self.is_valid():
            return False
        try:
            add_browser(user, PushAddress(**self.cleaned_data))
        except WebPushError:
            return False
        return True


class RenewalForm(PushForm):
    """What the worker sends when the push service replaced the browser's subscription."""

    old_endpoint = forms.CharField(max_length=LONGEST_ENDPOINT)
    old_auth = forms.CharField(max_length=40)

    def renew(self) -> bool:
        """Replaces the browser's address. Returns False without the proof of the earlier one, and
        for an unusable address.
        """
        if not self.is_valid():
            return False
        old = {name: self.cleaned_data.pop(name) for name in ("old_endpoint", "old_auth")}
        try:
            return renew_browser(PushAddress(**self.cleaned_data), **old)
        except WebPushError:
            return False


def topic_label(subscription: AlertSubscription) -> str:
    """Returns the topic in the reader's language, and that it comes once a week if it does."""
    topic = subscription.get_topic_display()
    return _("{topic} (once a week)").format(topic=topic) if subscription.is_weekly else topic


def chosen_topics(user: User) -> list[tuple[Incident, list[str]]]:
    """Returns the topics that a user subscribes to, by public incident."""
    live = list(user.subscriptions.live())
    chosen = []
    for incident in Incident.objects.public():
        topics = {one.topic: one for one in live if one.incident_id == incident.pk}
        labels = [topic_label(topics[each]) for each in AlertSubscription.Topic if each in topics]
        if labels:
            chosen.append((incident, labels))
    return chosen


def live_subscription(key: UUID) -> AlertSubscription | None:
    """Returns the subscription with this key or, if it has ended, the one that the same user has to
    the same topic now: a message of before ends that one, too.
    """
    of_key = AlertSubscription.objects.filter(pk=key).first()
    if of_key is None:
        return None
    same = {"user": of_key.user_id, "incident": of_key.incident_id, "topic": of_key.topic}
    return AlertSubscription.objects.live().select_related("incident").filter(**same).first()


def unsubscribe_from(subscription: AlertSubscription) -> None:
    """Ends one subscription. Does nothing if it has ended."""
    live = AlertSubscription.objects.live().filter(pk=subscription.pk)
    live.update(unsubscribed_at=timezone.now())


def end_all(user: User) -> list[str]:
    """Ends all alert subscriptions of the user, and returns their keys for `undo_end`."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        live = user.subscriptions.live()
        keys = [str(key) for key in live.values_list("pk", flat=True)]
        live.update(unsubscribed_at=timezone.now())
    return keys


def undo_end(user: User, keys: Sequence[str]) -> None:
    """Goes on with those of the user's ended subscriptions whose topic has none meanwhile."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        for ended in user.subscriptions.filter(pk__in=keys, unsubscribed_at__isnull=False):
            same = {"incident": ended.incident_id, "topic": ended.topic}
            if not user.subscriptions.live().filter(**same).exists():
                ended.unsubscribed_at = None
                ended.save(update_fields=["unsubscribed_at"])
