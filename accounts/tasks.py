"""Celery tasks for accounts. Each may run twice, or be killed at any time, without harm."""

from celery import shared_task
from celery.contrib.django.task import DjangoTask
from django.utils.translation import override

from accounts import code_states, joining, look_up_keys, new_devices, sent_mails, session_purge
from accounts.audit import chain, digests
from accounts.company_sign_on import connections
from foundations.languages import default_desk_language


@shared_task(base=DjangoTask)
def purge_sessions() -> None:
    """Deletes ended sessions with their browsers, and old code states, devices, mails and keys."""
    session_purge.purge()
    code_states.purge()
    new_devices.purge()
    sent_mails.purge()
    joining.purge()
    look_up_keys.purge()


@shared_task(base=DjangoTask)
def mail_new_devices() -> None:
    """Sends the mails about sign-ins on new devices, joined accounts and new look-up keys."""
    new_devices.send_due()
    joining.send_due()
    look_up_keys.send_due()


@shared_task(base=DjangoTask)
def mail_company_accounts() -> None:
    """Sends the mails about company accounts that were connected or removed."""
    connections.send_due()


@shared_task(base=DjangoTask)
def link_audit_trail() -> None:
    """Links the new entries of the audit trail."""
    chain.link()


@shared_task(base=DjangoTask)
def send_audit_digest() -> None:
    """Sends the digest of the audit trail to each destination that has none of today yet."""
    with override(default_desk_language()):
        digests.send_due()
