"""The response desk with its page about the portal itself."""

from typing import Any

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from accounts.admin_site import DeskSite
from breachportal import desk_health, tasks

_AGAIN_SECONDS = 30  # between two examinations that people request


class PortalDesk(DeskSite):
    """The desk, with the page that shows what of the portal runs and what does not."""

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Returns the pages about the portal, and those of the desk."""
        own: list[URLPattern | URLResolver] = [
            path("health/", self.admin_view(require_GET(self.health)), name="health"),
            path("health/examine/", self.admin_view(require_POST(self.examine)), name="examine"),
        ]
        return [*own, *super().get_urls()]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Shows the desk's first page, with a warning if a part of the portal has a fault."""
        if number := desk_health.fault_count():
            text = ngettext(
                "%(n)s part of the portal has a fault.",
                "%(n)s parts of the portal have a fault.",
                number,
            )
            link = format_html('<a href="{}">{}</a>', reverse("admin:health"), _("See which"))
            messages.error(request, format_html("{} {}", text % {"n": number}, link))
        return super().index(request, extra_context)

    def health(self, request: HttpRequest) -> HttpResponseBase:
        """Shows the state of each part, and what the doctor's checks found last."""
        context = {
            **self.each_context(request),
            "title": _("State of the portal"),
            "states": desk_health.states(),
            "examination": desk_health.last_examination(),
        }
        return TemplateResponse(request, "admin/health.html", context)

    def examine(self, request: HttpRequest) -> HttpResponse:
        """Has a worker run the doctor's checks. Another request within a short time is ignored."""
        try:
            if cache.add("health:requested", 1, _AGAIN_SECONDS):
                tasks.examine_portal.delay()
            messages.info(request, _("The checks run now. Their result is here in a minute."))
        except (RedisError, OperationalError):
            messages.error(request, _("Redis does not answer, so no worker can be asked."))
        return redirect("admin:health")
