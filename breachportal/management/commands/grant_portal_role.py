"""Grants the running portal's privileges to its database account."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import ProgrammingError, transaction

from breachportal import database_role
from foundations.commands import PortalCommand


class Command(PortalCommand):
    help = (
        "Grants the running portal's privileges to the database account ROLE. Run it as the owner "
        "of the tables, after each migrate."
    )
    example = "breachportal_web --import"
    prints_json = True
    exit_codes = {0: "granted", 1: "the database refuses it"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", help="an existing account, not the owner of the tables")
        parser.add_argument(
            "--import", action="store_true", dest="imports", help="the account also imports files"
        )

    @transaction.atomic
    def handle(self, *args: Any, role: str, imports: bool, **options: Any) -> None:
        try:
            database_role.grant(role)
            if imports:
                database_role.grant_import(role)
        except ProgrammingError as error:
            raise CommandError(str(error).splitlines()[0]) from error
        self.result(
            f"{role} may now do what the running portal does, and no more.",
            role=role,
            imports=imports,
        )
