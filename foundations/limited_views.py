"""How often one network, or one person, may ask for what costs work (settings.PROOF_RATES)."""

import logging
from collections.abc import Callable, Collection
from functools import wraps
from typing import Any

from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def limited(
    action: str, *, methods: Collection[str], by_user: bool = False
) -> Callable[[View], View]:
    """429 once the action's rate is used up by this network, or `by_user` by this person.

    Without Redis everybody may: what is limited here is work, never a guess at a secret.
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
    key = f"user:{request.user.pk}" if by_user else None
    try:
        usage = ratelimit.consume(
            request, app="notices", action=action, config=settings.PROOF_RATES, key=key
        )
    except RedisError:
        logger.error("Redis is away: %s is not limited", action)
        return True
    return bool(usage)
