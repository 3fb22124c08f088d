"""Reads the target of a link that a mail filter or a mail program rewrote.

A filter replaces each link of a mail by one to itself, which holds the target. The formats are
those that the filters' makers document or that their links show: Microsoft Safe Links, Proofpoint
URL Defense (v1, v2, v3), Barracuda, Trend Micro, Cisco, Sophos, FireEye, Symantec, EdgePilot,
Avanan (Check Point, SonicWall), Hornetsecurity, Trustwave, Libraesva, and the redirects of Google,
Facebook, Instagram, Messenger, WhatsApp and Slack. A link that is not exactly of such a format
keeps its own host, so it counts as unknown. So does FortiMail's: it is on the host of each company,
and a scammer's host can have its path and our address in it.
"""

import binascii
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

MOST_WRAPPERS = 4  # around one link
# Filters whose links hold no target that a reader could decode.
_OPAQUE_FILTERS = ("mimecast.com", "mimecastprotect.com", "l.antigena.com")
_TARGET = re.compile(r"(https?):/{1,3}([^\s<>\"'\\]{1,2000})", re.IGNORECASE)
# Parameters by the filter's domain. A link with two of them, or with one twice, is ambiguous.
_PARAMETERS = {
    "safelinks.protection.outlook.com": ("url",),
    "safelinks.protection.office365.us": ("url",),
    "linkprotect.cudasvc.com": ("a",),
    "protect2.fireeye.com": ("u",),
    "clicktime.symantec.com": ("u",),
    "link.edgepilot.com": ("u",),
    "atpscan.global.hornetsecurity.com": ("u",),
    "scanmail.trustwave.com": ("u",),
    "urlsand.esvalabs.com": ("u",),
}
_V3 = re.compile(r"/v3/__([^\s]{1,2000}?)__;([A-Za-z0-9+/_-]{0,400}={0,2})!")
# In v3 a "*" replaces one character, and "**" with a letter a run of them.
_V3_TOKEN = re.compile(r"\*(?:\*([A-Za-z0-9_-]))?")
_V3_LENGTHS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_AVANAN = re.compile(
    r"/v2/(?:r\d{1,2}/)?___(https?)(?::|%3A)(/[^\s*]{1,2000}?)___\.", re.IGNORECASE
)
_AVANAN_V1 = re.compile(r"/v1/(?:r\d{1,2}/)?url")


def with_schemes(text: str) -> str:
    """Returns the text with https:// before each filter's link that has no scheme."""
    return _BARE.sub("https://", text)


def target_of(scheme: str, rest: str) -> tuple[str, str]:
    """Returns scheme and rest (what follows ://) of the link's target, unwrapped as often as
    MOST_WRAPPERS; the link's own if it is not wrapped.
    """
    for _turn in range(MOST_WRAPPERS):
        found = _unwrapped(scheme, rest)
        if found is None:
            break
        scheme, rest = found
    return scheme, rest


def is_opaque_filter(host: str) -> bool:
    """Returns whether the host is that of a mail filter whose links do not show their target."""
    return any(_within(host, domain) for domain in _OPAQUE_FILTERS)


def _unwrapped(scheme: str, rest: str) -> tuple[str, str] | None:
    if scheme.lower() not in ("http", "https") or "\\" in rest:
        return None
    try:
        link = urlsplit("https://" + rest.lstrip("/").replace("&amp;", "&"))
        host = link.hostname or ""
    except ValueError:
        return None
    decode = _decoder(host, link.path)
    if decode is None or link.username is not None:
        return None
    target = _TARGET.fullmatch(decode(link.path, link.query) or "")
    return (target[1].lower(), target[2]) if target else None


def _decoder(host: str, path: str) -> Callable[[str, str], str | None] | None:
    """Returns the function that reads the target from path and query; None for other hosts."""
    for domain, names in _PARAMETERS.items():
        if _within(host, domain):
            return lambda _path, query: _parameter(query, names)
    pages = (page for page in _PAGES if page[0].fullmatch(host) and page[1] in path)
    return next((decode for _host, _path, decode in pages), None)


def _parameter(query: str, names: tuple[str, ...]) -> str | None:
    """Returns the one value of the parameters `names`; None if there is none or more than one."""
    fields = parse_qs(query, max_num_fields=100) if query.count("&") < 100 else {}
    values = [value for name, found in fields.items() if name.lower() in names for value in found]
    return values[0] if len(values) == 1 else None


def _google(path: str, query: str) -> str | None:
    return _parameter(query, ("q", "url")) if path == "/url" else None


def _meta(_path: str, query: str) -> str | None:
    return _parameter(query, ("u",))


def _url_parameter(_path: str, query: str) -> str | None:
    return _parameter(query, ("url",))


def _last_part(path: str, _query: str) -> str:
    return unquote(path.rpartition("/")[2])


def _sophos(_path: str, query: str) -> str:
    return _base64(_parameter(query, ("u",)) or "")


def _avanan(path: str, query: str) -> str | None:
    # The target's own "?" belongs to the path of the wrapped link.
    link = f"{path}?{query}" if query else path
    match = _AVANAN.match(link)
    return f"{match[1]}:{match[2]}" if match and link.count("___") == 2 else None


def _avanan_v1(path: str, query: str) -> str | None:
    return _parameter(query, ("o",)) if _AVANAN_V1.fullmatch(path) else None


def _outlook_page(path: str, query: str) -> str | None:
    return _parameter(query, ("url",)) if path == "/mail/safelink.html" else None


def _whatsapp(path: str, query: str) -> str | None:
    return _parameter(query, ("u",)) if path == "/l" else None


def _proofpoint(path: str, query: str) -> str | None:
    version = path[:4]
    if version == "/v3/":
        # The target's own "?" and "#" belong to the path of the wrapped link.
        return _proofpoint_v3(f"{path}?{query}" if query else path)
    target = _parameter(query, ("u",)) if path.endswith("/url") else None
    if target is None or version not in ("/v1/", "/v2/"):
        return None
    return unquote(target.translate(str.maketrans("-_", "%/"))) if version == "/v2/" else target


def _proofpoint_v3(link: str) -> str | None:
    match = _V3.match(link)
    if match is None or link.count("__;") != 1:
        return None
    replaced = iter(_base64(match[2]))
    complete = True

    def restored(token: re.Match[str]) -> str:
        nonlocal complete
        length = 2 + _V3_LENGTHS.index(token[1]) if token[1] else 1
        signs = "".join(sign for _turn, sign in zip(range(length), replaced, strict=False))
        complete = complete and len(signs) == length
        return signs

    target = _V3_TOKEN.sub(restored, match[1])
    return target if complete else None


def _base64(text: str) -> str:
    """Returns the decoded text; "" if it is not Base64 of UTF-8."""
    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


# Filters of which not each page is a wrapped link: the host, a part of the path, and the function.
_PAGES: list[tuple[re.Pattern[str], str, Callable[[str, str], str | None]]] = [
    (re.compile(host), path, decode)
    for host, path, decode in (
        (r"(?:www\.)?google\.(?:com|co\.kr)", "/url", _google),
        (r"(?:[a-z0-9-]{1,60}\.){1,3}trendmicro\.com", "/wis/clicktime/", _url_parameter),
        (r"urldefense(?:\.proofpoint)?\.(?:com|us)", "/v", _proofpoint),
        (r"secure-web\.cisco\.com", "/", _last_part),
        (r"lm?\.(?:facebook|instagram|messenger)\.com", "/", _meta),
        (r"l\.wl\.co", "/l", _whatsapp),
        (r"slack-redir\.net", "/link", _url_parameter),
        (r"(?:[a-z0-9-]{1,60}\.)?protection\.sophos\.com", "", _sophos),
        (r"url\.avanan\.click|protect\.checkpoint\.com", "/v2/", _avanan),
        (r"(?:avanan|checkpoint|sonicwall)\.url-protection\.com", "/v1/", _avanan_v1),
        (r"outlook\.office(?:365)?\.com", "/mail/", _outlook_page),
    )
]
# Filters' hosts, to which a text may write a link without https://.
_HOSTS = (
    *_PARAMETERS,
    *("urldefense.com", "urldefense.proofpoint.com", "secure-web.cisco.com"),
    *("protect.checkpoint.com", "url-protection.com"),
)
_BARE = re.compile(
    r"(?<![\w./:@%=-])(?=(?:[a-z0-9-]{1,40}\.){0,3}(?:"
    + "|".join(re.escape(host) for host in _HOSTS)
    + r")/)",
    re.IGNORECASE,
)
