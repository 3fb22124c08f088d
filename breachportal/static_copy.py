"""A copy of every public page as files, which a web server shows while the portal is away.

The pages are found as a reader finds them: from the home page of each language, over links. Each
copy is a folder of its own below `releases`, and the link `current` points to the newest complete
one. A page that is not public any more is in no new copy. A copy also has what a web server
shows in place of the other pages: `away.html`, in the first language and in each.
"""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import cast
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpResponse
from django.template import loader
from django.urls import Resolver404, resolve
from django.utils.translation import get_language_from_path, override

from foundations import page_cache
from foundations.languages import portal_codes

CURRENT, RELEASES = "current", "releases"
_LINK = re.compile(r'(?:href|src|content)="([^"#?\s]+)"')
_LINK_OF_STYLE = re.compile(r"""url\(["']?([^"'()#?\s]+)""")
_AWAY = "away.html"
_INDEXES = {"text/html": "index.html", "application/atom+xml": "index.xml"}


class StaticCopyError(Exception):
    """A public page could not be rendered. The copy before it stays."""


def publish(folder: Path) -> bool:
    """Writes a copy of all public pages below `folder`, and returns whether it differs.

    The new copy replaces the one before in one step. Raises StaticCopyError if a page cannot be
    rendered, such as while the database is away, and OSError if a file cannot be written. Every
    account may read the copy, whatever the umask: the web server has another one.
    """
    umask = os.umask(0o022)
    try:
        return _publish(folder)
    finally:
        os.umask(umask)


def _publish(folder: Path) -> bool:
    files = dict(_files())
    name = _digest(files)
    current, release = folder / CURRENT, folder / RELEASES / name
    if current.is_symlink() and current.resolve() == release.resolve():
        return False
    shutil.rmtree(release, ignore_errors=True)  # of a run that was killed
    for path, content in files.items():
        target = release / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    (folder / RELEASES).chmod(0o755)  # a version before made it for its own account only
    link = folder / f".{CURRENT}-{secrets.token_hex(4)}"
    link.symlink_to(Path(RELEASES) / name)
    before = current.resolve()  # a reader may be in the middle of it
    link.replace(current)
    _delete_all_but(folder / RELEASES, {release.resolve(), before})
    return True


def _files() -> Iterator[tuple[str, bytes]]:
    """Yields the path of a file and its content for every public page."""
    page_cache.forget()  # a kept page may be one that is not public any more
    handler = WSGIHandler()
    first, *_others = codes = portal_codes()
    away = {code: _away_page(code) for code in codes}
    yield from ((f"{code}/{_AWAY}", page) for code, page in away.items())
    yield _AWAY, away[first]
    waiting = [f"/{code}/" for code in codes]
    waiting += filter(_is_public, _links("/", "text/html", away[first]))  # its style
    seen = set(waiting)
    while waiting:
        path = waiting.pop()
        response = _response(handler, path)
        if response.status_code in (301, 302, 404, 410):
            continue
        if response.status_code != 200:
            raise StaticCopyError(f"{path} answers {response.status_code}")
        kind = response["Content-Type"].partition(";")[0]
        content = response.getvalue()  # not closed: that would end the database connection, too
        yield _file_name(path, kind), content
        if path == f"/{first}/":
            yield _INDEXES[kind], content  # for the address that people type
        found = {link for link in _links(path, kind, content) if _is_public(link)} - seen
        seen |= found
        waiting += found


def _away_page(code: str) -> bytes:
    """Returns the page for a visitor whom no process of the portal answers, in this language."""
    with override(code):
        return loader.render_to_string("500.html").encode()


def _links(path: str, kind: str, content: bytes) -> Iterator[str]:
    """Yields the paths on the portal to which a page or a style sheet at `path` refers."""
    if kind == "text/html":
        links = _LINK.findall(content.decode())
    elif kind == "text/css":
        links = _LINK_OF_STYLE.findall(content.decode())
    else:
        return
    for link in links:
        found = urljoin(path, link.removeprefix(settings.PORTAL_URL))
        if found.startswith("/") and not found.startswith("//"):
            yield found


def _is_public(path: str) -> bool:
    if path.startswith(settings.STATIC_URL):
        return True
    with override(get_language_from_path(path)):
        try:
            return bool(getattr(resolve(path).func, "is_public_page", False))
        except Resolver404:
            return False


def _response(handler: WSGIHandler, path: str) -> HttpResponse:
    """Returns what the portal answers to a visitor without cookies."""
    portal = urlsplit(settings.PORTAL_URL)
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SERVER_NAME": portal.hostname,
        "SERVER_PORT": str(portal.port or (443 if portal.scheme == "https" else 80)),
        "HTTP_HOST": portal.netloc,
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": portal.scheme,
        "wsgi.input": BytesIO(),
    }
    if settings.SECURE_PROXY_SSL_HEADER:
        header, value = settings.SECURE_PROXY_SSL_HEADER
        environ[header] = value
    return cast("HttpResponse", handler.get_response(WSGIRequest(environ)))


def _file_name(path: str, kind: str) -> str:
    name = path.removeprefix("/")
    if not path.endswith("/"):
        return name
    return name + _INDEXES.get(kind, "index")


def _digest(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, content in sorted(files.items()):
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:32]


def _delete_all_but(releases: Path, kept: set[Path]) -> None:
    for release in releases.iterdir():
        if release.resolve() not in kept:
            shutil.rmtree(release, ignore_errors=True)
