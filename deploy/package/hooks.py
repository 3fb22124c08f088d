"""What hatchling does beside copying files when it builds the package: requirements and catalogues.

`pyproject.toml` names this file, and which folders the wheel takes.
"""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.builders.utils import get_reproducible_timestamp
from hatchling.metadata.plugin.interface import MetadataHookInterface

CATALOGUES = "locale/*/LC_MESSAGES/django.po"
TARGET = "breachportal/files"


class RequirementsHook(MetadataHookInterface):
    """Takes the packages of requirements.in as the dependencies of this package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Adds the dependencies, without comments, to the metadata of the project."""
        lines = (Path(self.root) / "requirements.in").read_text(encoding="utf-8").splitlines()
        packages = [line.partition("#")[0].strip() for line in lines]
        metadata["dependencies"] = [package for package in packages if package]


class CataloguesHook(BuildHookInterface[Any]):
    """Compiles the translations into the wheel: the repository contains their sources only."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compiles each catalogue into a temporary folder, from which hatchling takes it.

        Each gets the time of the build: Babel writes the present minute if a source names no time.
        """
        self._folder = tempfile.TemporaryDirectory()
        time = datetime.fromtimestamp(get_reproducible_timestamp(), UTC)
        for number, source in enumerate(sorted(Path(self.root).glob(CATALOGUES))):
            compiled = Path(self._folder.name) / f"{number}.mo"
            with source.open("rb") as read, compiled.open("wb") as written:
                catalogue = read_po(read, locale=source.parts[-3])
                catalogue.creation_date = time
                write_mo(written, catalogue)
            place = source.relative_to(self.root).with_suffix(".mo")
            build_data["force_include"][str(compiled)] = f"{TARGET}/{place.as_posix()}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Deletes the temporary folder."""
        self._folder.cleanup()
