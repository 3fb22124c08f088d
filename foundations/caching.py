"""What stands in Redis: JSON, so that whoever can write there changes a value and runs nothing.

Django's own cache keeps pickles, and reading one may run what it says. Redis is guarded less than
the database and holds no secrets; it must not be a way into the processes that hold the keys.
"""

import json
from typing import Any


class JsonSerializer:
    """Numbers, texts, lists and objects; what was a tuple comes back as a list."""

    def dumps(self, value: Any) -> int | bytes:
        """A whole number stays one, for Redis to count with. Raises TypeError."""
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """Raises ValueError for what is not JSON."""
        return json.loads(data)
