"""Scripts of Redis, called with few layers between.

redis-py spends three times as long on a call of a script as on the socket: it looks up callbacks,
wraps the call for retries, and encodes each argument by its type. Here the arguments are texts and
numbers, there is no retry, and the command is one text.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import redis
from redis.exceptions import NoScriptError


class KeptScript:
    """A script and the client that runs it."""

    def __init__(self, client: "redis.Redis", text: str) -> None:
        self._client, self._text = client, text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[str], args: Sequence[str | float]) -> Any:
        """Runs the script in one round trip, and returns its result. Raises redis.RedisError.

        It takes two more if the server does not know the script yet.
        """
        command = _command("EVALSHA", self._digest, len(keys), *keys, *args)
        pool = self._client.connection_pool
        connection: Any = pool.get_connection()
        try:
            connection.send_packed_command([command])
            return connection.read_response()
        except NoScriptError:
            self._client.script_load(self._text)
            connection.send_packed_command([command])
            return connection.read_response()
        finally:
            pool.release(connection)


def _command(*arguments: str | float) -> bytes:
    """Returns a command in the protocol of Redis (RESP): an array of strings with their lengths."""
    parts = [f"*{len(arguments)}\r\n".encode()]
    for argument in arguments:
        text = str(argument).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(text), text))
    return b"".join(parts)
