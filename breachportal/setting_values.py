"""Reads settings whose values have a certain form: addresses, hosts, languages, rates.

Each function reads the variable of the given name and raises ImproperlyConfigured for a value of
another form. The message shows no value that may be a secret.
"""

import re
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured

from breachportal.environment import json_object, shown_text, text, words
from breachportal.server_addresses import is_host, is_name, require_readable
from foundations.mail_headers import address_header
from foundations.private_urls import is_private

SIGNING_SECRET_LENGTH = 16


def mailbox(name: str, default: str = "") -> str:
    """Returns a mailbox such as `Example <notice@example.com>`, or "".

    Raises ImproperlyConfigured for a value that no From header can hold, or with a comment.
    """
    value = shown_text(name, default)
    try:
        if value:
            address_header(name, value)
        is_one = not value or _is_address(parseaddr(value)[1])
    except ValueError:
        is_one = False
    if not is_one:
        raise ImproperlyConfigured(
            f"{name} is not like Example <notice@example.com>; the address must be in ASCII,"
            " without a dot at its end."
        )
    return value


def addresses(name: str) -> list[str]:
    """Returns mail addresses that are separated by commas, without names.

    Raises ImproperlyConfigured for an item of another form.
    """
    found = words(name)
    for item in found:
        if not _is_address(item):
            raise ImproperlyConfigured(f"{name}: {item} is not like audit@example.com.")
    return found


def address(name: str) -> str:
    """Returns a mail address without a name, or "". Raises ImproperlyConfigured."""
    value = text(name)
    if value and not _is_address(value):
        raise ImproperlyConfigured(f"{name} is not like codes@example.com.")
    return value


def _is_address(value: str) -> bool:
    local, _at, host = value.rpartition("@")
    is_local = re.fullmatch(r"[!-~]+", local) and not set(local) & set('<>()";:')
    return bool(is_local) and is_name(host)


def private_url(name: str, default: str = "") -> str:
    """Returns an https URL, or an http URL of this machine, or "".

    Raises ImproperlyConfigured for another value, which it does not show: it may hold a secret.
    """
    url = text(name, default)
    parts = urlsplit(url)
    is_http = parts.scheme in ("http", "https") and parts.hostname
    if url and not (is_http and is_private(url, encrypted="https")):
        raise ImproperlyConfigured(f"{name} must begin with https://.")
    return url


def server_url(name: str, *, example: str) -> str:
    """Returns the URL of a server, or "". Raises ImproperlyConfigured for one that is cut."""
    url = text(name)
    if url:
        require_readable(name, url, example=example)
    return url


def signing_secret(name: str) -> str:
    """Returns a secret that signs messages, or "". Raises ImproperlyConfigured for a short one."""
    secret = text(name)
    if secret and len(secret) < SIGNING_SECRET_LENGTH:
        raise ImproperlyConfigured(f"{name} needs {SIGNING_SECRET_LENGTH} characters or more.")
    return secret


def header_of_letters(name: str) -> str:
    """Returns the name of a request header, or "".

    Raises ImproperlyConfigured if the name has other characters than ASCII letters: a visitor could
    then send a second header that WSGI cannot distinguish from it.
    """
    value = text(name)
    if value and not re.fullmatch(r"[A-Za-z]+", value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must have letters only.")
    return value


def rates(name: str) -> dict[str, float]:
    """Returns messages per second by destination: {"naver.com": 50.0} for "naver.com=50".

    Raises ImproperlyConfigured for an entry without a positive number, for a domain twice, and for
    one in another form than that of the recipients' addresses, whose limit would never apply.
    """
    found: dict[str, float] = {}
    for part in words(name):
        domain, _is, rate = (side.strip().lower() for side in part.partition("="))
        is_rate = re.fullmatch(r"[0-9]+(\.[0-9]+)?", rate) and float(rate)
        if not is_rate or not (domain == "*" or is_name(domain)):
            raise ImproperlyConfigured(
                f"{name}: {part} is not like naver.com=50; a domain in other letters than ASCII"
                " is written as xn--..."
            )
        if domain in found:
            raise ImproperlyConfigured(f"{name} names {domain} twice.")
        found[domain] = float(rate)
    return found


def http_headers(name: str) -> dict[str, str]:
    """Returns the headers of a JSON object, which is empty if the variable is unset.

    Raises ImproperlyConfigured for another value, and for a header that HTTP cannot send.
    """
    headers = {header: str(value) for header, value in json_object(name).items()}
    texts = [*headers, *headers.values()]
    if not all(text.isascii() and text.isprintable() for text in texts):
        raise ImproperlyConfigured(f"{name} has a header with other characters than ASCII.")
    return headers


def host(name: str, default: str = "") -> str:
    """Returns the name or the address of a server, or "".

    Raises ImproperlyConfigured for one with a scheme, a port or a path.
    """
    value = text(name, default)
    if value and not is_host(value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a host name only.")
    return value


def domain(name: str, default: str = "") -> str:
    """Returns a domain of mail addresses, or "". Raises ImproperlyConfigured for another value."""
    value = text(name, default)
    if value and not is_name(value):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a domain such as example.com, in ASCII (xn--...)."
        )
    return value


def own_hosts(name: str, default: str) -> list[str]:
    """Returns the hosts for which the portal answers, as Django's ALLOWED_HOSTS.

    Raises ImproperlyConfigured for an item that no request can match, such as an IPv6 address
    without brackets, or a name with a dot at its end: Django removes that of a request.
    """
    found = words(name, default)
    for item in found:
        if item != "*" and not is_name(item.removeprefix(".")) and not _is_in_brackets(item):
            raise ImproperlyConfigured(
                f"{name}: {item!r} must be a host name only, in ASCII (xn--...) and without a dot"
                " at its end, or an address as browsers send it, such as [2001:db8::1]."
            )
    return found


def _is_in_brackets(value: str) -> bool:
    """Returns whether `value` is an IPv6 address in brackets, in the form that browsers send."""
    try:
        return ":" in value and value.lower() == f"[{ip_address(value[1:-1]).compressed}]"
    except ValueError:
        return False


def time_zone(name: str, default: str) -> str:
    """Returns a time zone such as Asia/Seoul. Raises ImproperlyConfigured for an unknown one."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (OSError, ValueError, KeyError):
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it must be a time zone such as Asia/Seoul or UTC."
        ) from None
    return value


def languages(name: str, default: str, shipped: Mapping[str, str]) -> list[tuple[str, str]]:
    """Returns (code, own name) of the languages in a list of codes, in its order.

    Raises ImproperlyConfigured for an empty list, one with a code twice, or with a code that is not
    in `shipped`.
    """
    codes = [code.lower() for code in words(name, default)]
    if unknown := [code for code in codes if code not in shipped]:
        raise ImproperlyConfigured(
            f"{name}: {', '.join(unknown)} is not among {', '.join(shipped)}; see"
            " docs/how-to/add-a-language.md."
        )
    if len(set(codes)) < len(codes):
        raise ImproperlyConfigured(f"{name} names a language twice.")
    if not codes:
        raise ImproperlyConfigured(f"{name} names no language.")
    return [(code, shipped[code]) for code in codes]


def portal_url(default: str) -> str:
    """Returns the origin of the portal as browsers send it.

    It is in lower case, without a trailing slash and without the default port of its scheme. Raises
    ImproperlyConfigured if the value is not an http or https origin in ASCII, or if its host ends
    in a dot, which browsers keep and the other settings lack.
    """
    url = text("PORTAL_URL", default).rstrip("/")
    if not url.isascii():
        raise ImproperlyConfigured(
            f"PORTAL_URL is {url!r}; its host must be in ASCII, as browsers send it (xn--...)."
        )
    try:
        return _origin(url)
    except ValueError:
        raise ImproperlyConfigured(
            f"PORTAL_URL is {url!r}; it must be an origin such as https://notice.example.com."
        ) from None


def _origin(url: str) -> str:
    """Returns an http or https origin in normal form. Raises ValueError for another URL."""
    parts = urlsplit(url.lower())
    if url.lower() != f"{parts.scheme}://{parts.netloc}" or not parts.hostname or "@" in url:
        raise ValueError
    default_port = {"http": 80, "https": 443}.get(parts.scheme)
    if not default_port:
        raise ValueError
    is_address = ":" in parts.hostname
    if not is_address and not is_name(parts.hostname):
        raise ValueError
    host = f"[{ip_address(parts.hostname).compressed}]" if is_address else parts.hostname
    port = "" if parts.port in (None, default_port) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
