"""The check whether what is sent to a URL stays private; settings and apps both use it."""

from urllib.parse import urlsplit

_LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


def is_private(url: str, *, encrypted: str) -> bool:
    """Returns whether data on its way to `url` is encrypted or stays on this machine.

    `encrypted` is the scheme that means encryption, such as "https" or "imaps". Another scheme is
    private only if the host is a loopback address.
    """
    parts = urlsplit(url)
    return parts.scheme == encrypted or parts.hostname in _LOOPBACK_HOSTS
