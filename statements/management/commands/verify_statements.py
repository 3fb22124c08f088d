"""Verifies that all published versions are unchanged."""

import sys
from typing import Any

from django.utils.translation import override

from foundations.commands import PortalCommand
from foundations.languages import SOURCE_LANGUAGE
from statements import publishing
from statements.models import Statement


class Command(PortalCommand):
    help = "Recomputes every published version's hash; names what changed and exits with 1."
    exit_codes = {0: "each version is unchanged", 1: "a version is changed"}
    prints_json = True

    @override(SOURCE_LANGUAGE)
    def handle(self, *args: Any, **options: Any) -> None:
        statements = list(Statement.objects.select_related("incident"))
        problems = [
            f"{statement.incident.slug}/{statement.slug}: {problem}"
            for statement in statements
            for problem in publishing.verify_statement(statement)
        ]
        for line in problems:
            self.warn(line)
        whole = "" if problems else f"{len(statements)} statements stand as they were published."
        self.result(whole, statements=len(statements), faults=problems)
        if problems:
            sys.exit(1)
