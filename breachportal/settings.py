"""The settings, read from the environment once. The defaults are secure; see docs/running.md."""

import logging
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from redis.backoff import NoBackoff
from redis.retry import Retry

from breachportal import (
    company_sign_on,
    dependent_settings,
    desk_webhooks,
    environment,
    log_settings,
    mail_settings,
    production_settings,
    rates,
    recurring_work,
    resources,
    server_connections,
    setting_values,
    wiring,
)
from breachportal.middleware import static_headers
from foundations.bounded_connection import BoundedConnection

BASE_DIR = resources.FOLDER  # of templates, styles and catalogues
MODE = environment.mode()
IS_PRODUCTION = MODE == environment.PRODUCTION
IS_DEMO = MODE == environment.DEMO
if IS_PRODUCTION:
    production_settings.require_for_production()
VAR = Path(environment.text("BREACHPORTAL_VAR", str(resources.var(is_production=IS_PRODUCTION))))

# Where `manage.py backup` writes; copy its files to another machine.
BACKUP_FOLDER = environment.text("BACKUP_FOLDER", str(VAR / "backups"))

# Identity
PORT = environment.number("PORT", 8000)
PORTAL_URL = setting_values.portal_url(f"http://127.0.0.1:{PORT}")
PORTAL_HOST = urlsplit(PORTAL_URL).netloc
# The languages that customers read, each under its own name. docs/how-to/add-a-language.md.
SHIPPED_LANGUAGES = {
    "ko": "한국어",
    "en": "English",
    "ja": "日本語",
    "zh-hans": "简体中文",
    "zh-hant": "繁體中文",
    "vi": "Tiếng Việt",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
}
# The desk speaks these, whatever customers read: their catalogues hold every message.
DESK_LANGUAGES = ["ko", "en"]
# Those that this portal offers. The first is for people whose language is not known.
LANGUAGES = setting_values.languages(
    "PORTAL_LANGUAGES",
    ",".join(SHIPPED_LANGUAGES) if IS_DEMO else "ko,en",
    SHIPPED_LANGUAGES,
)
LANGUAGE_CODE = LANGUAGES[0][0]
# The company's name in the header of every page.
_NAMES = {code: "Coupang" if IS_DEMO else PORTAL_HOST for code, _name in LANGUAGES}
PORTAL_NAME = environment.by_language(
    "PORTAL_NAME", _NAMES | ({"ko": "쿠팡"} if IS_DEMO and "ko" in _NAMES else {})
)
SECRET_KEY = environment.text("SECRET_KEY", "for development only, never for a portal in public")
# Earlier secret keys. Links and message codes that were made with them stay valid.
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = setting_values.own_hosts("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
MASTER_KEYSET = environment.text("MASTER_KEYSET")
DEBUG = False
# The largest body in bytes; see request_bodies.limit_uploads. Importers may send files of up to
# UPLOAD_MAX_BYTES to one page. They stay in memory, because a temporary file would leave the leaked
# data unencrypted on the disk of a web server.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
UPLOAD_MAX_BYTES = 25 * 1024 * 1024
UPLOAD_PATH = "/admin/incidents/upload/add/"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE + UPLOAD_MAX_BYTES
ROOT_URLCONF = "breachportal.urls"
WSGI_APPLICATION = "breachportal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = wiring.INSTALLED_APPS
WORKER_PROCESS_APPS = wiring.WORKER_PROCESS_APPS
MIDDLEWARE = wiring.MIDDLEWARE
TEMPLATES = wiring.TEMPLATES

# Data
DATABASES = {"default": server_connections.database(VAR, may_embed=not IS_PRODUCTION)}
DATABASE_ROUTERS = ["foundations.replica.ReplicaRouter"]
if IS_DEMO:  # a demonstration needs no durability, and waiting for the disk slows each mail
    server_connections.add_server_settings(DATABASES["default"], synchronous_commit="off")
# The longest wait of a page for a lock, and the longest run of one of its statements, in seconds.
# With 0 the setting of PostgreSQL applies.
WEB_LOCK_SECONDS = environment.number("WEB_LOCK_SECONDS", 3)
WEB_STATEMENT_SECONDS = environment.number("WEB_STATEMENT_SECONDS", 300)
# The numbers of processes and threads, as the Procfile starts them. A thread of a web process uses
# one database connection at most; see breachportal/database_checks.py.
WEB_WORKERS = environment.number("WEB_WORKERS", 2)
WEB_THREADS = environment.number("WEB_THREADS", 16)
SEND_WORKERS = environment.number("SEND_WORKERS", 4)
IMPORT_WORKERS = environment.number("IMPORT_WORKERS", 1)
WORKERS = environment.number("WORKERS", 2)
# The hosts that run web processes, and those that run workers.
WEB_HOSTS = environment.number("WEB_HOSTS", 1)
WORKER_HOSTS = environment.number("WORKER_HOSTS", 1)
if environment.text(environment.PROCESS) == environment.WEB:
    limits = {"lock_timeout": WEB_LOCK_SECONDS, "statement_timeout": WEB_STATEMENT_SECONDS}
    server_settings = {name: f"{most}s" for name, most in limits.items() if most}
    if server_settings:  # else a pooler refuses them. See foundations.prepared_statements.
        server_settings["plan_cache_mode"] = "force_generic_plan"
    server_connections.add_server_settings(DATABASES["default"], **server_settings)
    server_connections.add_pool(DATABASES["default"], most=WEB_THREADS)
    if replica := server_connections.replica():
        DATABASES["replica"] = replica
        server_connections.add_server_settings(replica, **server_settings)
        server_connections.add_pool(
            replica,
            most=WEB_THREADS,
            seconds=server_connections.REPLICA_POOL_SECONDS,
            connection_class=BoundedConnection,
        )
server_connections.require_authorities()
REDIS_URL = server_connections.redis(VAR, may_embed=not IS_PRODUCTION)
CACHES = {
    "default": {
        "BACKEND": "accounts.portal_cache.PortalCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "serializer": "foundations.caching.JsonSerializer",
            # Without redis-py's retries, which would delay a request for seconds.
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "retry": Retry(NoBackoff(), 0),
        },
        "VERSION": 2,  # version 1 contained pickles
    }
}

# Work
CELERY_BROKER_URL = server_connections.celery_broker(REDIS_URL)
CELERY_BROKER_IS_RABBITMQ = server_connections.is_rabbitmq(CELERY_BROKER_URL)
CELERY_BROKER_USE_SSL = server_connections.celery_tls(CELERY_BROKER_URL)
CELERY_BROKER_HEARTBEAT = server_connections.BROKER_SILENCE_SECONDS  # of RabbitMQ only
CELERY_BROKER_TRANSPORT_OPTIONS = server_connections.celery_transport(CELERY_BROKER_URL)
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = recurring_work.ROUTES
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# In KiB: a worker's process that has used more is replaced after its task.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1 << 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "breachportal.beat:SeenScheduler"
CELERY_BEAT_SCHEDULE = recurring_work.SCHEDULE

# Mail
EMAIL_BACKEND = "foundations.bounded_smtp.EmailBackend"
EMAIL_HOST = setting_values.host("EMAIL_HOST", "127.0.0.1")
EMAIL_PORT = environment.number("EMAIL_PORT", 587 if IS_PRODUCTION else 2525)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = mail_settings.mail_password("EMAIL_HOST_PASSWORD")
EMAIL_SECURITY = mail_settings.email_security("starttls" if IS_PRODUCTION else "none")
EMAIL_USE_TLS = EMAIL_SECURITY == "starttls"
EMAIL_USE_SSL = EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = setting_values.mailbox(
    "DEFAULT_FROM_EMAIL",
    "쿠팡 Coupang <notice@coupang.example>" if IS_DEMO else "breachportal <notice@portal.example>",
)
# Sign-in codes may have a mail server, an account and an address of their own, so that neither a
# queue of notices nor their reputation delays a code. By default they go as the notices do.
CODE_MAIL_SERVER = mail_settings.code_mail_server()
CODE_MAIL_FROM = setting_values.mailbox("CODE_MAIL_FROM")
# The envelope sender, to which a code mail that fails is returned.
CODE_MAIL_RETURN_PATH = setting_values.address("CODE_MAIL_RETURN_PATH")
# The domain of Message-IDs and of the envelope sender, to which bounces are returned.
MAIL_DOMAIN = setting_values.domain(
    "MAIL_DOMAIN", DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
)
# The address of the Reply-To header; without one replies go to the sender.
MAIL_REPLY_TO = setting_values.mailbox("MAIL_REPLY_TO")
# Sign notices and code mails with DKIM; none leaves that to the mail server.
DKIM_SIGNERS = mail_settings.dkim_signers(
    senders={"DEFAULT_FROM_EMAIL": DEFAULT_FROM_EMAIL, "CODE_MAIL_FROM": CODE_MAIL_FROM}
)

# The digest of the audit trail goes out once a day: to these addresses, and to a webhook with a
# signature of this secret. See docs/audit-trail.md.
AUDIT_DIGEST_TO = setting_values.addresses("AUDIT_DIGEST_TO")
AUDIT_DIGEST_WEBHOOK = setting_values.private_url("AUDIT_DIGEST_WEBHOOK")
AUDIT_DIGEST_SECRET = setting_values.signing_secret("AUDIT_DIGEST_SECRET")
# Messages to the response team: webhooks that people may choose, and when a message is given up:
# after so many refusals, one a minute, or after these hours while its server is away.
DESK_WEBHOOKS = desk_webhooks.webhooks(environment.json_object("DESK_WEBHOOKS"))
TEAM_MESSAGE_TRIES = 60
TEAM_MESSAGE_HOURS = 24

# Notices
NOTICE_CHUNK_SIZE = 500  # people
NOTICE_COUNT_AT_ONCE = 50_000  # people; a worker counts a larger audience before the approval
NOTICE_LEASE_SECONDS = 30  # a worker extends it several times a second, even if servers are slow
NOTICE_REPLY_SECONDS = 90  # for the reply to a complete message; other replies: EMAIL_TIMEOUT
NOTICE_BACKOFF_SECONDS = 60  # doubles with each attempt, up to the maximum
NOTICE_BACKOFF_MAX_SECONDS = 60 * 60 * 2
NOTICE_UNAVAILABLE_SECONDS = 5  # before an unreachable server is tried again; doubles, too
NOTICE_UNAVAILABLE_MAX_SECONDS = 60
NOTICE_DEADLINE_HOURS = 72
NOTICE_SENDERS = environment.number("NOTICE_SENDERS", 3)  # started at first; the sweep adds more
# The most connections of one worker to the mail server. It opens more only while they help.
NOTICE_CONNECTIONS = environment.number("NOTICE_CONNECTIONS", 64)
# Messages per second for all workers together, by destination: "naver.com=50,*=200". The default is
# no limit, because an own relay applies such limits itself.
NOTICE_RATES = setting_values.rates("NOTICE_RATES")
# The longest look-up of a company's mail servers (MX), which name its provider; 0: no look-ups. A
# send does not wait for it.
NOTICE_MX_SECONDS = environment.number("NOTICE_MX_SECONDS", 2 if IS_PRODUCTION else 0)
NOTICE_RATE_WITHOUT_REDIS = 1.0  # per second, worker and destination that has a limit
# The send slows down while customers wait longer than this for a page.
NOTICE_PORTAL_MILLISECONDS = environment.number("NOTICE_PORTAL_MILLISECONDS", 500)
NOTICE_SLICE_SECONDS = 60  # after which a send task ends, so that other tasks get the worker

NOTICE_LEDGER_PAGE = 10_000  # rows of a closed ledger that are hashed together

# A provider's API for notices instead of SMTP: a backend of django-anymail, and its settings as
# JSON. Without WEBHOOK_SECRET among them the portal has no webhooks.
NOTICE_PROVIDER = environment.text("NOTICE_PROVIDER")
NOTICE_PROVIDER_CONNECTIONS = environment.number("NOTICE_PROVIDER_CONNECTIONS", 8)
# People in one request, if the provider can fill in the message for each (docs/sending.md). All of
# them are in doubt if the request fails without a reply.
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
SMS_SENDER = environment.shown_text("SMS_SENDER")  # a number that is registered with the carriers
SOLAPI_URL = setting_values.private_url("SOLAPI_URL", "https://api.solapi.com")
SOLAPI_KEY = environment.text("SOLAPI_KEY")
SOLAPI_SECRET = environment.text("SOLAPI_SECRET")
SOLAPI_PROFILE = environment.text("SOLAPI_PROFILE")  # pfId of the KakaoTalk channel
SOLAPI_TEMPLATE = environment.text("SOLAPI_TEMPLATE")  # id of the approved AlimTalk template
TWILIO_URL = setting_values.private_url("TWILIO_URL", "https://api.twilio.com")
TWILIO_ACCOUNT = environment.text("TWILIO_ACCOUNT")
TWILIO_TOKEN = environment.text("TWILIO_TOKEN")
TWILIO_SENDER = environment.text("TWILIO_SENDER")
# The price of one message by kind ("sms", "lms", "segment"), and "currency"; {} shows no cost.
SMS_PRICES = environment.json_object("SMS_PRICES")
SMS_CONNECTIONS = environment.number("SMS_CONNECTIONS", 8)
# The most text messages of one alert, to subscribers who want it so; 0: they are not offered.
ALERT_TEXTS = environment.number("ALERT_TEXTS", 5_000)
SMS_MAX_BYTES = 2_000  # in EUC-KR; Korean carriers accept this size as one long message

# Push messages of alerts to browsers; None offers none. The hosts are those of push services: an
# endpoint elsewhere is refused, because browsers' users choose it and this portal connects to it.
WEB_PUSH_KEY = mail_settings.vapid_key()
WEB_PUSH_HOSTS = environment.words(
    "WEB_PUSH_HOSTS",
    "fcm.googleapis.com,push.services.mozilla.com,push.apple.com,notify.windows.com",
)

# The ramp: a large mandatory notice is sent to 1 % of its recipients, then to 10 %, then to all.
NOTICE_RAMP_PERCENT = (1, 10)
NOTICE_RAMP_FROM_PEOPLE = environment.number("NOTICE_RAMP_FROM_PEOPLE", 100_000)
NOTICE_RAMP_MINUTES = environment.number("NOTICE_RAMP_MINUTES", 15)  # of each step, without faults
# The sending plan of notices that choose none themselves, and a file of own plans; see
# notices/engine/sending_plans.toml.
NOTICE_PLAN = environment.text("NOTICE_PLAN")
NOTICE_PLANS_FILE = environment.text("NOTICE_PLANS_FILE")
# A notice, or the send to one destination, stops automatically above these percentages. Only
# messages since a person last resumed it count. A notice can have percentages of its own.
NOTICE_PAUSE_BOUNCE_PERCENT = environment.number("NOTICE_PAUSE_BOUNCE_PERCENT", 5)
NOTICE_PAUSE_AT_LEAST = 200  # attempts; of fewer, the lower bound of the percentage counts
# Refusals with a cause on our side (5.7.x), by people, and the fewest people.
NOTICE_PAUSE_REFUSAL_PERCENT = 1
NOTICE_PAUSE_REFUSALS = environment.number("NOTICE_PAUSE_REFUSALS", 5)
# Complaints in per cent of the accepted messages, and the fewest complaints. Gmail and Yahoo ask
# for less than 0.1 % and reject mail from 0.3 % on.
NOTICE_PAUSE_COMPLAINT_PERCENT = 0.3
NOTICE_PAUSE_COMPLAINTS = 5
NOTICE_STOPPED_SECONDS = 300  # before a chunk with messages to a stopped destination is read again

# The reasons for which a mandatory notice, too, is not sent to a suppressed address: it would not
# arrive or would reach another person. The escalation list of the notice contains these recipients.
NOTICE_MANDATORY_SUPPRESSIONS = environment.words(
    "NOTICE_MANDATORY_SUPPRESSIONS", "bounce,complaint,stranger"
)
# The local part of the address to which mailbox providers send complaints, at MAIL_DOMAIN.
COMPLAINTS_LOCAL_PART = environment.text("COMPLAINTS_LOCAL_PART", "complaints")
# The mailbox that `receive_bounces --imap` reads.
IMAP_URL = setting_values.server_url("IMAP_URL", example="imaps://user:password@host/")

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
# Guesses at the second factor of one user. allauth's default also counts by network address, which
# it writes into Redis as it is.
ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = PORTAL_HOST
MFA_FORMS = {
    "activate_totp": "accounts.forms.SetUpAppForm",
    "authenticate": "accounts.forms.SecondStepForm",
    "reauthenticate": "accounts.forms.SecondStepAgainForm",
    "add_webauthn": "accounts.team.passkeys.AddPasskeyForm",
    "authenticate_webauthn": "accounts.team.passkeys.PasskeyForm",
    "reauthenticate_webauthn": "accounts.team.passkeys.PasskeyAgainForm",
}
MFA_TOTP_TOLERANCE = 1  # periods of 30 seconds, because the clocks of phones are not exact
SIGN_IN_CODE_MINUTES = 10
SIGN_IN_CODE_TRIES = 5
SIGN_IN_CODE_RESENDS = 3
STEP_UP_MINUTES = 5
# A session on the desk ends so long after the last request that a person made; 0: it does not.
DESK_IDLE_MINUTES = environment.number("DESK_IDLE_MINUTES", 30)
# How many customers one member of the response team may open in 24 hours; a quarter of them in an
# hour. See accounts.desk_look_ups.
LOOK_UPS_PER_DAY = environment.number("LOOK_UPS_PER_DAY", 1_000, least=1)
# OpenID Connect providers, by who signs in with them; see docs/how-to/company-sign-on.md.
COMPANY_SIGN_ON = {
    "staff": company_sign_on.staff(may_be_local=not IS_PRODUCTION),
    "customers": company_sign_on.customers(may_be_local=not IS_PRODUCTION),
}
INVITATION_HOURS = 72  # for which the link of an invitation to the response team works
# More visitors a second wait before the sign-in page; 0: no waiting room. `make bench-surge`
# measures how many a machine can serve.
SIGN_INS_PER_SECOND = environment.number("SIGN_INS_PER_SECOND", 40)
# Code mails a minute to all addresses together; requests from suspicious networks get seven tenths.
CODE_MAILS_PER_MINUTE = environment.number("CODE_MAILS_PER_MINUTE", 30_000)
# The connections of one web process to the mail server for code mails. They are opened only while
# mails wait. With 0 a code mail is sent within the request.
CODE_MAIL_CONNECTIONS = environment.number("CODE_MAIL_CONNECTIONS", 32)
# Sign-in codes by text message. They are offered if SMS_GATEWAY is set up, and cost money: at most
# so many a day, a fifth of them in an hour, and not more than this cost in the currency of
# SMS_PRICES (0: not limited). With 0 a day people sign in by e-mail only. See decision 0056.
CODE_TEXTS_PER_DAY = environment.number("CODE_TEXTS_PER_DAY", 5_000)
CODE_TEXT_COST_PER_DAY = mail_settings.code_text_cost(SMS_PRICES)
# The connections of one web process to the gateway for codes; with 0 within the request.
CODE_TEXT_CONNECTIONS = environment.number("CODE_TEXT_CONNECTIONS", 4)
CODE_RATES = rates.of_codes(CODE_MAILS_PER_MINUTE)

# "Is this message from us?"
SCAM_REPORTS_PER_HOUR = environment.number("SCAM_REPORTS_PER_HOUR", 2000)  # from all networks
# From the message to the contact in the data until a claim of a customer opens the data.
ADDRESS_CLAIM_HOURS = environment.number("ADDRESS_CLAIM_HOURS", 72, least=24)
SCAM_REPORT_DAYS = environment.number("SCAM_REPORT_DAYS", 90)  # then they are deleted

# Tickets
TICKET_DAYS = environment.number("TICKET_DAYS", 10)  # for an answer, where no law names a number
TICKETS_WAITING = 5  # of one customer at the same time

# Offers
OFFER_CODES_FEW = environment.number("OFFER_CODES_FEW", 100)  # left in a pool: the team is told

# Keys
# The wait before a new data key encrypts, in seconds. Every process has read the incident again by
# then: a send task holds an incident longest, for its slice and its lease.
REENCRYPT_GRACE_SECONDS = environment.number("REENCRYPT_GRACE_SECONDS", 300 if IS_PRODUCTION else 0)

# Statements
STATEMENT_DISPLAY_DAYS = environment.number("STATEMENT_DISPLAY_DAYS", 30)  # Korea: at least 30
# The seconds for which a process caches a public page; 0 renders it for every request.
PUBLIC_PAGE_SECONDS = environment.number("PUBLIC_PAGE_SECONDS", 2)

# Proof
PROOF_RATES = rates.OF_PAGES

# The contact for reports of vulnerabilities (security.txt), as mailto:, https: or tel:.
SECURITY_CONTACT = environment.shown_text(
    "SECURITY_CONTACT", "" if IS_PRODUCTION else "mailto:security@breachportal.example"
)

# Sessions and cookies
SESSION_ENGINE = "foundations.session_store"  # in the database, to outlive an emptied Redis
SESSION_COOKIE_AGE = 60 * 60 * 12
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
IS_HTTPS = PORTAL_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = IS_HTTPS
# Browsers accept a cookie with this prefix from this host over https only, so that neither another
# subdomain nor plain http can set one.
_COOKIE_PREFIX = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}sessionid"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"

# Headers
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False  # the company's other subdomains are not the portal's
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # they ask for these subdomains
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# The headers of the own proxy have names of letters only, because WSGI reads X_Forwarded_For as
# X-Forwarded-For: a visitor could send the first.
if scheme_header := setting_values.header_of_letters("TRUSTED_PROXY_HEADER"):
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{scheme_header.upper()}", "https")
# The number of own proxies that add an entry to X-Forwarded-For. Rate limits count by the address
# before them. For trials and benchmarks only: production refuses it.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0)
# The header in which the own proxy sends the visitor's address alone. X-Forwarded-For is then
# ignored.
ALLAUTH_TRUSTED_CLIENT_IP_HEADER = setting_values.header_of_letters("TRUSTED_ADDRESS_HEADER")
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
# The locale of a page in Open Graph, with its territory.
SOCIAL_LOCALES = {
    "ko": "ko_KR",
    "en": "en_GB",
    "ja": "ja_JP",
    "zh-hans": "zh_CN",
    "zh-hant": "zh_TW",
    "vi": "vi_VN",
    "de": "de_DE",
    "fr": "fr_FR",
    "es": "es_ES",
}
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = f"{_COOKIE_PREFIX}language"
# The region (ISO 3166) of phone numbers that are typed without a country code.
[PHONE_REGION] = mail_settings.regions("PHONE_REGION", "KR", most=1)
# The regions whose mobile numbers get sign-in codes by text message.
CODE_TEXT_REGIONS = mail_settings.regions("CODE_TEXT_REGIONS", PHONE_REGION)
TIME_ZONE = setting_values.time_zone("TIME_ZONE", "Asia/Seoul")
USE_TZ = True
FORMAT_MODULE_PATH = "breachportal.formats"
NUMBER_GROUPING = 3  # for languages whose formats do not say it

# A folder with law files of the company, in addition to those of statements/legal/.
LAW_FOLDER = environment.text("LAW_FOLDER")
# Folders of further fonts of PDF documents, for the characters that those of the repository lack.
DOCUMENT_FONTS = environment.words(
    "DOCUMENT_FONTS", "/usr/share/fonts/truetype/noto,/usr/share/fonts/opentype/noto"
)

# Files
STATIC_COPY = environment.text("STATIC_COPY")  # the folder of `manage.py publish_static`; "": none
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Where production collects them; otherwise they are served from static/.
_COLLECTED = environment.text("STATIC_ROOT", str(resources.static_root(VAR)))
STATIC_ROOT = Path(_COLLECTED) if IS_PRODUCTION else None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = static_headers

# "on": /metrics answers a monitor on a private network; see breachportal/health.py.
METRICS = environment.choice("METRICS", ("off", "on"))

# A collector of OpenTelemetry; "": no traces. See foundations/traces.py.
TRACES_URL = setting_values.private_url("TRACES_URL")
TRACES_HEADERS = setting_values.http_headers("TRACES_HEADERS")
TRACES_PERCENT = environment.number("TRACES_PERCENT", 100)

LOG_FORMAT = environment.choice("LOG_FORMAT", ("text", "json"))
logging.captureWarnings(LOG_FORMAT == "json")  # each line of the output is then an object
LOGGING = log_settings.logging_of(
    LOG_FORMAT, level=environment.choice("LOG_LEVEL", log_settings.LEVELS)
)

# Names that only some processes read, or only with another setting.
_OTHERS = {environment.language_variable("PORTAL_NAME", code) for code in SHIPPED_LANGUAGES}
_OTHERS |= {"DATABASE_REPLICA_URL", "BEAT_SCHEDULE"}
UNCLEAR_NAMES = dependent_settings.refuse_without_effect(environment.READ | _OTHERS)
