"""The numbers to which alerts go by text message: who is offered it, and what ends it."""

from django.conf import settings

from accounts.models import User
from accounts.typed_contacts import takes_texts
from foundations.unbroken import in_one_line
from notices.engine.gateways import take_any_text
from notices.message_codes import delivery_of_code
from notices.models import AlertNumber, Delivery, Notice
from notices.models.alert_number import AlertNumberQuerySet


def are_offered() -> bool:
    """Returns whether alerts go by text message: the settings allow some, and name a gateway."""
    return settings.ALERT_TEXTS > 0 and take_any_text()


def number_choices(user: User, chosen: AlertNumber | None) -> list[tuple[int, str]]:
    """Returns the user's numbers as choices of a form: those that take text messages, and the
    chosen one, which the user can end in any case.
    """
    is_offered = are_offered()
    return [
        (phone.pk, in_one_line(phone.readable))
        for phone in user.phones.order_by("pk")
        if (chosen and chosen.phone_id == phone.pk) or (is_offered and takes_texts(phone.number))
    ]


def choose(user: User, phone_id: int | None) -> None:
    """Makes one of the user's numbers that of their alerts; None ends the text messages.

    Does nothing if it is so already, or if the user does not have the number any more.
    """
    own = AlertNumber.objects.filter(user=user)
    if phone_id is None:
        own.delete()
    elif user.phones.filter(pk=phone_id).exists() and not own.filter(phone=phone_id).exists():
        own.delete()
        AlertNumber.objects.create(user=user, phone_id=phone_id)


def join(ends: User, stays: User) -> None:
    """Gives the number for alerts of `ends` to `stays`, unless that user has one."""
    own = AlertNumber.objects.filter(user=stays)
    if not own.live().exists():
        own.delete()
        AlertNumber.objects.filter(user=ends).update(user=stays)


def alert_of_code(code: str) -> Delivery | None:
    """Returns the alert by text message with this message code; None for any other code."""
    key = delivery_of_code(code)
    alerts = Delivery.objects.filter(
        notice__kind=Notice.Kind.ALERT, notice__channel=Notice.Channel.SMS
    )
    return alerts.filter(pk=key).select_related("subscription").first() if key else None


def number_of(alert: Delivery) -> AlertNumberQuerySet:
    """Returns the number for alerts, if any, of the user whom an alert by text message went to.

    It is the one that the user has now, also if they chose it after that message.
    """
    if alert.subscription is None:
        return AlertNumber.objects.none()
    return AlertNumber.objects.live().filter(user=alert.subscription.user_id)
