"""The apps, the middleware and the templates of which Django makes the portal."""

from typing import Any

from breachportal import resources

INSTALLED_APPS = [
    "breachportal.apps.BreachportalConfig",
    "scams.apps.ScamsConfig",
    "tickets.apps.TicketsConfig",
    "offers.apps.OffersConfig",
    "notices.apps.NoticesConfig",
    "statements.apps.StatementsConfig",
    "incidents.apps.IncidentsConfig",
    "accounts.apps.AccountsConfig",
    "breachportal.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "accounts.apps.SecondFactorConfig",
    "accounts.apps.SessionListConfig",
    "csp",
]
# The apps of worker processes (foundations.process_pool): the incidents, and what they are made of.
WORKER_PROCESS_APPS = [
    "incidents.apps.IncidentsConfig",
    "accounts.apps.AccountsConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "accounts.apps.SecondFactorConfig",
    "accounts.apps.SessionListConfig",
]
MIDDLEWARE = [
    "foundations.request_ids.name_requests",
    "breachportal.health.health",
    "foundations.traces.trace_requests",
    # These three are the outermost for visitors, so that they keep all headers of a response.
    "breachportal.root.root_redirects",
    "foundations.page_parts.form_pages",
    "foundations.page_cache.public_pages",
    "foundations.latency.measure_latency",
    "accounts.early_answers.early_answers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "breachportal.middleware.response_headers",
    "breachportal.middleware.content_security_policy",
    "breachportal.methods.known_methods",
    "breachportal.request_bodies.limit_uploads",
    "foundations.sessions.SignedSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "foundations.desk_pages.desk_language_of",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "breachportal.request_bodies.uploads_by_importers",
    "foundations.replica.remember_writes",
    "foundations.slow_bodies.read_bodies",
    "foundations.kept_answers.show_by_get",
    "foundations.language_switch.keep_typed",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.reauthentication.ReauthenticationMiddleware",
    "foundations.database_away.DatabaseAwayMiddleware",
    "foundations.lock_timeouts.LockTimeoutMiddleware",
]
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [resources.FOLDER / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "breachportal.context.portal",
            ],
            "libraries": {
                "contact_links": "foundations.contact_links",
                "language_switch": "foundations.language_switch",
                "page_extensions": "foundations.page_extensions",
                "page_parts": "foundations.page_parts",
                "portal_marks": "foundations.portal_marks",
                "punctuation": "foundations.punctuation",
                "text_languages": "foundations.text_languages",
                "unbroken": "foundations.unbroken",
            },
        },
    }
]
