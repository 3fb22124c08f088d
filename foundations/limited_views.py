"""Limits how often a network or a user asks for what costs work (settings.PROOF_RATES)."""

import logging
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

from foundations import rate_limits

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def limited(
    action: str, *, methods: Collection[str], by_user: bool = False
) -> Callable[[View], View]:
    """Answers 429 once this network, or with `by_user` this user, has used up the action's rate.

    Only requests with one of `methods` count. Without Redis every request passes: what is limited
    here is work, never a guess at a secret.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method in methods and not _may(request, action, by_user=by_user):
                return render(request, "429.html", status=429)
            return view(request, *args, **kwargs)

        return counted

    return decorator


def _may(request: HttpRequest, action: str, *, by_user: bool) -> bool:
    key = f"user:{request.user.pk}" if by_user else ""
    rates = settings.PROOF_RATES[action]
    try:
        usage = rate_limits.consume(request, scope="notices", action=action, rates=rates, key=key)
    except RedisError:
        logger.error("Redis is away: %s is not limited", action)
        return True
    return usage is not None
