"""What providers' own words mean for the send, from provider_replies.toml.

The advice changes when a destination is tried again, and whether it is stopped. It never ends a
person's delivery.
"""

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Strict

from foundations.toml_files import Text, TomlTable, load
from notices.engine.transport import Reply, Result
from notices.models.destination import is_of_texts
from notices.provider_groups import GROUP_NAMES


class ProviderReply(TomlTable):
    """One kind of reply, and what the senders do; provider_replies.toml explains the fields."""

    provider: Text
    pattern: Text
    sample: Text
    is_unique: bool = False
    action: Literal["slow", "stop", "recipient"]
    wait_minutes: int = 0
    pace: float = 1.0
    source: Text
    page: Text


class _ProviderReplies(TomlTable):
    reply: Annotated[tuple[ProviderReply, ...], Strict(False)]


PROVIDER_REPLIES = load(Path(__file__).with_name("provider_replies.toml"), _ProviderReplies).reply
_PATTERNS = [(reply, re.compile(reply.pattern, re.IGNORECASE)) for reply in PROVIDER_REPLIES]
_BEFORE_ACCEPTANCE = frozenset(Result) - {Result.ACCEPTED, Result.IN_DOUBT}


@lru_cache(maxsize=1_000)
def advice_on(destination: str, server_reply: str) -> ProviderReply | None:
    """Returns the entry of the table for a refusal by `destination`; None for unknown words.

    The entries of a provider apply to its own replies. Its unique words also apply to a domain
    whose provider is not known.
    """
    may_be_hosted = destination not in GROUP_NAMES and not is_of_texts(destination)
    for reply, pattern in _PATTERNS:
        applies = reply.provider == destination or (may_be_hosted and reply.is_unique)
        if applies and pattern.search(server_reply):
            return reply
    return None


def with_advice(reply: Reply, destination: str) -> tuple[Reply, ProviderReply | None]:
    """Returns the reply as it counts for the person, and the provider's advice.

    A block of our server counts as a refusal of us, also with a code that means "later". Words of
    the table never end a delivery as bounced.
    """
    if reply.result not in _BEFORE_ACCEPTANCE:
        return reply, None
    advice = advice_on(destination, reply.server_reply)
    if advice is None:
        return reply, None
    is_final = reply.result in (Result.BOUNCED, Result.UNCLEAR, Result.UNREACHABLE)
    if advice.action == "stop" or is_final:
        return replace(reply, result=Result.REFUSED), advice
    return reply, advice


def is_block(destination: str, server_reply: str) -> bool:
    """Returns whether the reply says that our server or domain is blocked."""
    advice = advice_on(destination, server_reply)
    return advice is not None and advice.action == "stop"
