"""Settings, read from the environment once. Secure unless told otherwise; see docs/running.md."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from breachportal import environment

BASE_DIR = Path(__file__).resolve().parent.parent
MODE = environment.mode()
IS_PRODUCTION = MODE == environment.PRODUCTION
IS_DEMO = MODE == environment.DEMO
if IS_PRODUCTION:
    environment.require_for_production()
VAR = Path(environment.text("BREACHPORTAL_VAR", str(BASE_DIR / "var")))

# Who we are
PORT = environment.number("PORT", 8000)
PORTAL_URL = environment.portal_url(f"http://127.0.0.1:{PORT}")
PORTAL_HOST = urlsplit(PORTAL_URL).netloc
# The company's name in the head of every page.
PORTAL_NAME = {
    "ko": environment.text("PORTAL_NAME_KO", "쿠팡" if IS_DEMO else PORTAL_HOST),
    "en": environment.text("PORTAL_NAME_EN", "Coupang" if IS_DEMO else PORTAL_HOST),
}
SECRET_KEY = environment.text("SECRET_KEY", "for development only, never for a portal in public")
# Earlier ones: links and message codes that were made with them go on working.
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
MASTER_KEYSET = environment.text("MASTER_KEYSET")
DEBUG = False
# Bytes of a body; see middleware.limit_uploads. Importers may send files of the second size to one
# page, which are held in memory: a spool file would be a dump in the clear on a web server's disk.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
UPLOAD_MAX_BYTES = 25 * 1024 * 1024
UPLOAD_PATH = "/admin/incidents/upload/add/"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE + UPLOAD_MAX_BYTES
ROOT_URLCONF = "breachportal.urls"
WSGI_APPLICATION = "breachportal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "breachportal.apps.BreachportalConfig",
    "scams.apps.ScamsConfig",
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
    "allauth.usersessions",
    "csp",
]
MIDDLEWARE = [
    "foundations.page_cache.public_pages",  # the outermost: it keeps every header with a page
    "foundations.latency.measure_latency",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "breachportal.middleware.response_headers",
    "breachportal.middleware.limit_uploads",
    "csp.middleware.CSPMiddleware",
    "foundations.sessions.SignedSessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "breachportal.middleware.uploads_by_importers",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "foundations.lock_timeouts.LockTimeoutMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "breachportal.context.portal",
            ],
            "libraries": {"page_extensions": "foundations.page_extensions"},
        },
    }
]

# Data
DATABASES = {"default": environment.database(VAR, may_embed=not IS_PRODUCTION)}
if IS_DEMO:  # nothing in a demonstration is worth waiting for the disk at every mail
    environment.add_server_settings(DATABASES["default"], synchronous_commit="off")
# What a page may wait for a lock, and what one statement of it may take; 0 leaves it to PostgreSQL.
WEB_LOCK_SECONDS = environment.number("WEB_LOCK_SECONDS", 3)
WEB_STATEMENT_SECONDS = environment.number("WEB_STATEMENT_SECONDS", 300)
if environment.text(environment.PROCESS) == environment.WEB:
    limits = {"lock_timeout": WEB_LOCK_SECONDS, "statement_timeout": WEB_STATEMENT_SECONDS}
    environment.add_server_settings(
        DATABASES["default"], **{name: f"{most}s" for name, most in limits.items() if most}
    )
REDIS_URL = environment.redis(VAR, may_embed=not IS_PRODUCTION)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"serializer": "foundations.caching.JsonSerializer"},
        "VERSION": 2,  # the first held pickles
    }
}

# Work
CELERY_BROKER_URL = environment.celery_broker(REDIS_URL)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"notices.tasks.send_*": {"queue": "send"}, "incidents.*": {"queue": "import"}}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE = {
    "sweep-notices": {"task": "notices.tasks.sweep_notices", "schedule": 5.0},
    "sweep-uploads": {"task": "incidents.tasks.sweep_uploads", "schedule": 60.0},
    "sweep-batch-changes": {"task": "incidents.tasks.sweep_batch_changes", "schedule": 60.0},
    "keep-figures": {"task": "notices.tasks.keep_figures", "schedule": 30.0},
    "delete-scam-reports": {"task": "scams.tasks.delete_scam_reports", "schedule": 60 * 60.0},
    "verify-statements": {"task": "statements.tasks.verify_statements", "schedule": 3600.0},
}

# Mail
EMAIL_HOST = environment.text("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = environment.number("EMAIL_PORT", 587 if IS_PRODUCTION else 2525)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = environment.email_security("starttls" if IS_PRODUCTION else "none")
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = environment.text(
    "DEFAULT_FROM_EMAIL",
    "쿠팡 Coupang <notice@coupang.example>" if IS_DEMO else "breachportal <notice@portal.example>",
)
# The domain of Message-IDs and of the envelope sender that bounces come back to.
MAIL_DOMAIN = environment.text("MAIL_DOMAIN", DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">"))

# Notices
NOTICE_CHUNK_SIZE = 500  # people
NOTICE_COUNT_AT_ONCE = 50_000  # people; more are counted by a worker before the approval
NOTICE_LEASE_SECONDS = 30  # a worker extends it several times a second, whatever servers do
NOTICE_REPLY_SECONDS = 90  # for the reply to a whole message; others get EMAIL_TIMEOUT
NOTICE_BACKOFF_SECONDS = 60  # doubles with each try, up to
NOTICE_BACKOFF_MAX_SECONDS = 60 * 60 * 2
NOTICE_UNAVAILABLE_SECONDS = 5  # before a server that is away is tried again; doubles up to
NOTICE_UNAVAILABLE_MAX_SECONDS = 60
NOTICE_DEADLINE_HOURS = 72
NOTICE_SENDERS = environment.number("NOTICE_SENDERS", 3)  # started at once; the sweeper adds more
# Connections of one sender to the mail server, at most: it opens more only while they help.
NOTICE_CONNECTIONS = environment.number("NOTICE_CONNECTIONS", 64)
# Messages a second for all workers together, by destination: "naver.com=50,*=200". None by
# default: behind a relay of your own, the relay keeps to them.
NOTICE_RATES = environment.rates("NOTICE_RATES")
NOTICE_RATE_WITHOUT_REDIS = 1.0  # of each worker, to each destination that has a limit
# The send slows while customers wait longer than this for a page.
NOTICE_PORTAL_MILLISECONDS = environment.number("NOTICE_PORTAL_MILLISECONDS", 500)
NOTICE_SLICE_SECONDS = 60  # after which a sender lets others have the worker

NOTICE_LEDGER_PAGE = 10_000  # rows of an ended ledger that are hashed together

# A provider's API instead of SMTP for notices: a backend of django-anymail, and its own settings
# as JSON, WEBHOOK_SECRET among them; without that the portal has no webhooks.
NOTICE_PROVIDER = environment.text("NOTICE_PROVIDER")
NOTICE_PROVIDER_CONNECTIONS = environment.number("NOTICE_PROVIDER_CONNECTIONS", 8)
# People in one request, where the provider can fill a text in for each (docs/sending.md): all of a
# request that breaks are in doubt.
NOTICE_PROVIDER_BATCH = environment.number("NOTICE_PROVIDER_BATCH", 100)
ANYMAIL = {
    "IGNORE_UNSUPPORTED_FEATURES": True,  # not every provider lets us choose the envelope sender
    **environment.json_object("ANYMAIL"),
}

# Text messages
SMS_GATEWAY = environment.text(
    "SMS_GATEWAY",
    "breachportal.demo.sms.MailboxGateway" if IS_DEMO else "notices.engine.gateways.HttpGateway",
)
SMS_GATEWAY_URL = environment.text("SMS_GATEWAY_URL")
SMS_GATEWAY_TOKEN = environment.text("SMS_GATEWAY_TOKEN")
SMS_SENDER = environment.text("SMS_SENDER")  # the number that is registered with the carriers
SMS_CONNECTIONS = environment.number("SMS_CONNECTIONS", 8)
SMS_MAX_BYTES = 2_000  # in EUC-KR: what Korean carriers take as one long message

# A large mandatory notice goes to 1 % of its people, then to 10 %, then to all.
NOTICE_RAMP_PERCENT = (1, 10)
NOTICE_RAMP_FROM_PEOPLE = environment.number("NOTICE_RAMP_FROM_PEOPLE", 100_000)
NOTICE_RAMP_MINUTES = environment.number("NOTICE_RAMP_MINUTES", 15)  # without trouble, a step
# A notice pauses by itself when more bounce than this, of those tried since a person last looked,
NOTICE_PAUSE_BOUNCE_PERCENT = environment.number("NOTICE_PAUSE_BOUNCE_PERCENT", 5)
NOTICE_PAUSE_AT_LEAST = 200  # tried; fewer say little
# or when the server refuses so many messages for what is not their recipients' fault (5.7.x).
NOTICE_PAUSE_REFUSALS = environment.number("NOTICE_PAUSE_REFUSALS", 5)

# What keeps back even what the law demands: where it does not arrive, or reaches somebody else.
# Whoever is kept from a notice so stands in its escalation list.
NOTICE_MANDATORY_SUPPRESSIONS = environment.words(
    "NOTICE_MANDATORY_SUPPRESSIONS", "bounce,complaint,stranger"
)
# Where mailbox providers are told to send complaints: this part @MAIL_DOMAIN.
COMPLAINTS_LOCAL_PART = environment.text("COMPLAINTS_LOCAL_PART", "complaints")
# The mailbox that `receive_bounces --imap` reads: imaps://user:password@host/
IMAP_URL = environment.text("IMAP_URL")

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "my_data"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
MFA_ADAPTER = "accounts.adapter.SecondFactorAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # the sign-in code itself verifies the address
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = PORTAL_HOST
MFA_FORMS = {
    "activate_totp": "accounts.forms.SetUpAppForm",
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.SecondStepAgainForm",
}
MFA_TOTP_TOLERANCE = 1  # periods of 30 seconds; telephones' clocks are not exact
SIGN_IN_CODE_MINUTES = 10
SIGN_IN_CODE_TRIES = 5
SIGN_IN_CODE_RESENDS = 3
STEP_UP_MINUTES = 5
# See docs/decisions/0007. A mobile carrier puts thousands of people behind one network address.
CODE_RATES = {
    "ask": "5/10m/key,20/d/key,60/m/ip",  # "key": one e-mail address from one network
    "ask_anywhere": "100/d/key",  # one e-mail address from all networks together
    "ask_step_up": "5/10m/key,20/d/key",  # one person who is signed in
    "guess": "200/10m/ip",  # wrong ones; how many a code takes is SIGN_IN_CODE_TRIES
}

# "Is this message from us?"
SCAM_REPORTS_PER_HOUR = environment.number("SCAM_REPORTS_PER_HOUR", 2000)  # from all networks
SCAM_REPORT_DAYS = environment.number("SCAM_REPORT_DAYS", 90)  # then they are deleted

# Keys
# Before a new data key seals: every process has read the incident again by then (a sender's slice
# and its lease are the longest that hold one).
REENCRYPT_GRACE_SECONDS = environment.number("REENCRYPT_GRACE_SECONDS", 300 if IS_PRODUCTION else 0)

# Published words
STATEMENT_DISPLAY_DAYS = environment.number("STATEMENT_DISPLAY_DAYS", 30)  # Korea: at least 30
# For how long a process shows a public page as it rendered it; 0 renders it for every request.
PUBLIC_PAGE_SECONDS = environment.number("PUBLIC_PAGE_SECONDS", 2)

# Proof
PROOF_RATES = {
    "certificate_issue": "10/h/key",  # one person
    "certificate_check": "30/m/ip,600/h/ip",
    # A mobile carrier puts thousands of people behind one network address.
    "message_check": "120/m/ip",
    "scam_report": "30/10m/ip,300/d/ip",
}

# Who hears of weaknesses of this portal (security.txt): mailto:, https: or tel:
SECURITY_CONTACT = environment.text(
    "SECURITY_CONTACT", "" if IS_PRODUCTION else "mailto:security@breachportal.example"
)

# Sessions and cookies
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # nobody is signed out with Redis
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
IS_HTTPS = PORTAL_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS

# Headers
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False  # the portal is one subdomain of a company's many
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if environment.text("TRUSTED_PROXY_HEADER"):  # for example X-Forwarded-Proto, set by your proxy
    SECURE_PROXY_SSL_HEADER = (
        "HTTP_" + environment.text("TRUSTED_PROXY_HEADER").upper().replace("-", "_"),
        "https",
    )
# How many proxies of yours add to X-Forwarded-For: whose address limits count against.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0)
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# Languages and times
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "language"
TIME_ZONE = environment.text("TIME_ZONE", "Asia/Seoul")
USE_TZ = True
FORMAT_MODULE_PATH = "breachportal.formats"

# Files
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_PRODUCTION else None  # else straight from static/
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "foundations.logs.Line",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "stream": sys.stderr, "formatter": "line"}
    },
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "httpx": {"level": "WARNING"},  # it logs each request with its address
        "httpcore": {"level": "WARNING"},
        "mail.log": {"level": "ERROR"},  # aiosmtpd repeats what strangers say to it, and addresses
    },
}
