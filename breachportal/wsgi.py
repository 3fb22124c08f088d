"""The WSGI entry point: `granian --interface wsgi breachportal.wsgi:application`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from breachportal import database_role
from breachportal.door import only_the_request
from breachportal.environment import PROCESS, WEB
from breachportal.web_process import prepare

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
os.environ[PROCESS] = WEB

application = only_the_request(get_wsgi_application())
if settings.IS_PRODUCTION:
    database_role.refuse_owner()
prepare()
