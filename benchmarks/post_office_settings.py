"""The settings of a Django project with django-post_office, separate from the product's."""

import os

SECRET_KEY = "for a benchmark"  # noqa: S105
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "post_office",
        "USER": "postgres",
        "HOST": os.environ.get("POST_OFFICE_HOST", ""),
    }
}
INSTALLED_APPS = ["post_office"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates"}]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("EMAIL_PORT", "25"))
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "LOG_LEVEL": 1,  # logs failures only: the fastest level that still reports them
    "BATCH_SIZE": 1000,
    "MESSAGE_ID_ENABLED": True,
    "MESSAGE_ID_FQDN": "portal.example",
}
LOGGING = {"version": 1, "loggers": {"post_office": {"level": "WARNING"}}}
