"""Tells the database who acts, so that its triggers record it.

A desk request sets the actor in each transaction that writes, with `set_config(…, true)`: it ends
with the transaction, so a pooled connection never keeps it. A command or a task is the only work of
its process and sets the actor of the session.
"""

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper

if TYPE_CHECKING:
    from accounts.models import User

_SET = "SELECT set_config('breachportal.actor', %s, %s)"
# Statements that begin so write no row. PostgreSQL undoes a transaction's settings with a
# savepoint, therefore the actor is set again before each statement that may write.
_READING = (
    "SELECT",
    "SAVEPOINT",
    "RELEASE",
    "ROLLBACK",
    "DECLARE",
    "FETCH",
    "CLOSE",
    "SET",
    "SHOW",
)
_of_process = ""


def actor_of(user: "User") -> str:
    """Returns the actor of a user in the form that the database reads: "12:editor@…"."""
    return f"{user.pk}:{user.contact}"


@contextmanager
def acting(user: "User") -> Iterator[None]:
    """Context manager: every row that this thread writes is recorded with `user` as the actor."""
    actor = actor_of(user)

    def set_before_writing(
        execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if str(sql).lstrip("( \n").upper().startswith(_READING):
            return execute(sql, params, many, context)
        cursor: CursorWrapper = context["cursor"]
        if connection.in_atomic_block:
            cursor.execute(_SET, [actor, True])
            return execute(sql, params, many, context)
        with transaction.atomic():
            cursor.execute(_SET, [actor, True])
            return execute(sql, params, many, context)

    with connection.execute_wrapper(set_before_writing):
        yield


def command_actor(command: str) -> str:
    """Returns the actor of a management command: "command: <account of the system> <command>".

    The account is the one that the kernel knows; SUDO_USER is added if the command runs with sudo.
    """
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        account = str(os.getuid())
    if "SUDO_USER" in os.environ:
        account = f"{account} (sudo: {os.environ['SUDO_USER']})"
    return f"command: {account} {command}"


def name_process(who: str) -> str:
    """Makes `who` the actor of this process, in its open and later connections.

    Returns the actor before. It must run outside of a transaction, or the open connection keeps
    the actor before. It does nothing to a connection that is in a transaction.
    """
    global _of_process
    before, _of_process = _of_process, who
    connection_created.connect(_set_on_new_connection, dispatch_uid="audit_actor")
    if connection.connection is not None and not connection.in_atomic_block:
        _set_for_session(connection)
    return before


def _set_on_new_connection(connection: Any, **_options: Any) -> None:
    if _of_process:
        _set_for_session(connection)


def _set_for_session(database: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute(_SET, [f":{_of_process}" if _of_process else "", False])
