#!/usr/bin/env python
"""Django's command line for breachportal."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from accounts.audit import actors

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
    try:
        actors.name_process(actors.command_actor(" ".join(sys.argv[1:2])))
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"manage.py: {error}")
