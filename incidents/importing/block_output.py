"""The rows for COPY of one block, before they leave the worker process."""

from collections.abc import Callable
from typing import Any, TypeVar

PreparedT = TypeVar("PreparedT")


class BlockOutput:
    """The COPY rows of one block, collected by staging table."""

    def __init__(self, file_id: int) -> None:
        self.file_id = file_id
        self.people: list[bytes] = []
        self.exposures: list[bytes] = []
        self.second_exposures: list[bytes] = []
        self.mentions: list[bytes] = []
        self.further: list[bytes] = []
        self.unread: list[bytes] = []

    def _all(self) -> tuple[list[bytes], ...]:
        first = self.people, self.exposures, self.second_exposures
        return *first, self.mentions, self.further, self.unread

    def clear(self) -> None:
        """Removes all rows."""
        for rows in self._all():
            rows.clear()

    def mark(self) -> tuple[int, ...]:
        """Returns the current number of rows of each table, for `go_back`."""
        return tuple(map(len, self._all()))

    def go_back(self, mark: tuple[int, ...]) -> None:
        """Removes the rows that were added after `mark` was called."""
        for rows, count in zip(self._all(), mark, strict=False):
            del rows[count:]

    def prepared(self, form: Callable[..., PreparedT], **counts: Any) -> PreparedT:
        """Returns the rows and `counts` as a row_preparation.Prepared, which `form` makes."""
        return form(
            people_rows=len(self.people),
            exposure_rows=len(self.exposures) + len(self.second_exposures),
            people=b"".join(self.people),
            exposures=b"".join(self.exposures),
            second_exposures=b"".join(self.second_exposures),
            mentions=b"".join(self.mentions),
            further=b"".join(self.further),
            unread=b"".join(self.unread),
            **counts,
        )
