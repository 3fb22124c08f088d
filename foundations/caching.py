"""The serializer for values in Redis. It writes JSON and not pickle.

Django's own serializer writes pickles, and loading a pickle can execute code. Redis is protected
less than the database and holds no secrets. With JSON, an attacker who can write to Redis can
change a value but cannot execute code in the processes that hold the keys.
"""

import json
from typing import Any


class JsonSerializer:
    """A cache serializer for numbers, strings, lists and dicts; a tuple is loaded as a list."""

    def dumps(self, value: Any) -> int | bytes:
        """Returns `value` as JSON. Raises TypeError if JSON cannot represent it.

        Returns an int unchanged, so that Redis can increment it.
        """
        return value if type(value) is int else json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        """Returns the value that `data` encodes. Raises ValueError if `data` is not JSON."""
        return json.loads(data)
