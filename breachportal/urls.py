"""The URLs of the portal.

Every page for customers has its language in its path. Therefore a public page has the same bytes
for every reader, and a link keeps the reader's language.
"""

from django.conf import settings
from django.contrib import admin
from django.urls import LocalePrefixPattern, URLResolver, include, path, re_path
from django.utils.translation import get_language

from accounts.company_sign_on.views import complete
from accounts.desk_api.audit import audit_entries
from breachportal.root import root
from breachportal.search_engines import robots_txt, sitemap
from breachportal.views import favicon, security_txt
from foundations.languages import portal_language
from incidents.desk_api import incident, incidents
from notices.desk_api import notices
from notices.views.alerts import renew_browser
from notices.views.receipts import take_receipts
from statements.breach_api.views import unknown_path

handler400 = "breachportal.views.bad_request"
handler500 = "breachportal.views.server_error"


class PortalLanguagePrefix(LocalePrefixPattern):
    """The language in a path. On a page in another language, links lead to the default one.

    Such a page is the desk's, or a mail to the team.
    """

    @property
    def language_prefix(self) -> str:
        """Returns the first part of the path, such as `ko/`."""
        return f"{portal_language(get_language() or settings.LANGUAGE_CODE)}/"


urlpatterns = [
    path("", root, name="root"),
    path("favicon.ico", favicon, name="favicon"),
    path("robots.txt", robots_txt, name="robots_txt"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path(".well-known/security.txt", security_txt, name="security_txt"),
    path("api/v3/", include("statements.breach_api.urls")),
    path("api/desk/v1/incidents", incidents, name="desk_api_incidents"),
    path("api/desk/v1/incidents/<slug:slug>", incident, name="desk_api_incident"),
    path("api/desk/v1/incidents/<slug:slug>/notices", notices, name="desk_api_notices"),
    path("api/desk/v1/audit-entries", audit_entries, name="desk_api_audit_entries"),
    path("admin/", admin.site.urls),
    path("sign-on/<slug:audience>/callback/", complete, name="company_sign_on_callback"),
    path("sms/receipts/<slug:provider>/", take_receipts, name="take_receipts"),
    path("push/renewal/", renew_browser, name="renew_browser"),  # by push_worker.js
    URLResolver(
        PortalLanguagePrefix(),
        [
            path("account/", include("accounts.urls")),
            path("my-data/", include("incidents.urls")),
            path("questions/", include("tickets.urls")),
            path("offers/", include("offers.urls")),
            path("", include("statements.urls")),
            path("", include("notices.urls")),
            path("", include("scams.urls")),
        ],
    ),
    # A look-up with a base address without "api/v3/": 404 would be an all-clear.
    re_path("^breachedaccount/", unknown_path, name="api_wrong_base"),
]

if settings.IS_DEMO:
    urlpatterns.append(path("demo/", include("breachportal.demo.urls")))
if settings.NOTICE_PROVIDER and settings.ANYMAIL.get("WEBHOOK_SECRET"):
    urlpatterns.append(path("anymail/", include("anymail.urls")))
