"""Computes and verifies the ledger digest of a notice that has ended.

The rows are read once, page by page in the order of their keys, and the database hashes them. After
an interruption the computation continues with the next page. The states of the rows are compared
with the notice's counters. If they differ, the ledger gets no digest, and the notice shows a
problem.
"""

import hashlib
import hmac
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from notices.models import LedgerDigest, LedgerDigestPage, Notice
from notices.models.notice import NOT_ADDING_UP
from notices.models.states import END_STATES

logger = logging.getLogger(__name__)
# All columns that record what happened. The foreign keys to people are not included, because those
# rows may be purged later.
_ROWS = """
SELECT recipient, state, json_build_array(recipient, state, language, attempts,
    is_possible_duplicate, doubt_cause, extract(epoch FROM ended_at)::text, data_classes,
    reply)::text AS line
FROM notices_delivery WHERE notice_id = %s AND recipient > %s
"""
_NEXT_ROWS = _ROWS + "ORDER BY recipient LIMIT %s"
_SAME_ROWS = _ROWS + "AND recipient <= %s"
_HASH = """
SELECT count(*), (array_agg(recipient ORDER BY recipient))[1],
    (array_agg(recipient ORDER BY recipient DESC))[1],
    encode(sha256(convert_to(string_agg(line, E'\\n' ORDER BY recipient), 'UTF8')), 'hex'),
    array_agg(state)
FROM ({rows}) AS page
"""
_CHAIN_LOCK = 0x6C656467  # "ledg": one digest is chained at a time


@dataclass(frozen=True)
class _PageDigest:
    rows: int
    first: UUID
    last: UUID
    digest: str
    states: dict[str, int]


def compute_ledger_digest(notice_id: int) -> bool:
    """Computes the digest of an ended notice's ledger; continues an interrupted computation.

    Returns True once the digest is stored. Returns False if another process has locked the notice,
    or if the ledger does not add up; then the notice's problem is set.
    """
    while True:
        with transaction.atomic():
            notice = _ended(notice_id)
            if notice is None:
                return False
            if hasattr(notice, "digest"):
                return True
            if not _digest_page(notice):
                return _digest_pages(notice)


def _ended(notice_id: int) -> Notice | None:
    """Locks and returns the notice; None if it is locked or has not ended."""
    rows = Notice.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    return (
        rows.select_related("version", "digest")
        .filter(pk=notice_id, closed_at__isnull=False)
        .first()
    )


def _digest_page(notice: Notice) -> bool:
    """Hashes and stores the next page of rows. Returns False if there are no more rows."""
    before = notice.ledger_pages.order_by("-number").first()
    after = before.last if before else UUID(int=0)
    page = _hash_rows(_NEXT_ROWS, [notice.pk, after, settings.NOTICE_LEDGER_PAGE])
    if page is None:
        return False
    LedgerDigestPage.objects.create(
        notice=notice,
        number=before.number + 1 if before else 1,
        first=page.first,
        last=page.last,
        rows=page.rows,
        states=page.states,
        digest=page.digest,
    )
    return True


def _hash_rows(rows: str, values: list[Any]) -> _PageDigest | None:
    """Hashes the rows that the query selects; None if there are none."""
    with connection.cursor() as cursor:
        cursor.execute(_HASH.format(rows=rows), values)
        count, first, last, digest, states = cursor.fetchone()
    if not count:
        return None
    return _PageDigest(count, first, last, digest, dict(Counter(states)))


def _digest_pages(notice: Notice) -> bool:
    """Stores the digest over all pages. Returns False if the states do not add up."""
    pages = list(notice.ledger_pages.order_by("number"))
    found: Counter[str] = Counter()
    for page in pages:
        found.update(page.states)
    counted = {name: getattr(notice, name) for name in END_STATES if getattr(notice, name)}
    if dict(found) != counted or sum(counted.values()) != notice.planned:
        logger.error("notice %s: %s: %s, %s", notice.pk, NOT_ADDING_UP, dict(found), counted)
        Notice.objects.filter(pk=notice.pk).update(problem=NOT_ADDING_UP)
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_CHAIN_LOCK])
    last = LedgerDigest.objects.order_by("-pk").first()
    previous = last.digest if last else ""
    digest = _root(notice, pages, previous=previous)
    LedgerDigest.objects.create(
        notice=notice, rows=notice.planned, previous=previous, digest=digest, mac=_mac(digest)
    )
    logger.info("notice %s: ledger of %s rows sealed: %s", notice.pk, notice.planned, digest)
    return True


def _root(notice: Notice, pages: list[LedgerDigestPage], *, previous: str) -> str:
    """Hashes the notice's id, the version's hash, the previous digest and all pages."""
    whole = hashlib.sha256(f"{notice.pk}\n{notice.version.hash}\n{previous}\n".encode())
    for page in pages:
        whole.update(f"{page.number} {page.first} {page.last} {page.rows} {page.digest}\n".encode())
    return whole.hexdigest()


def _mac(digest: str, secret: str = "") -> str:
    secret = secret or settings.SECRET_KEY
    return salted_hmac("notices.ledger", digest, secret=secret, algorithm="sha256").hexdigest()


def _is_authentic(digested: LedgerDigest) -> bool:
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(hmac.compare_digest(_mac(digested.digest, key), digested.mac) for key in keys)


# ---------------------------------------------------------------- verifying


def verify_ledger_digest(digested: LedgerDigest) -> Iterator[str]:
    """Yields one English sentence for each difference from the ledger that was digested."""
    notice = digested.notice
    pages = list(notice.ledger_pages.order_by("number"))
    after = UUID(int=0)
    for page in pages:
        now = _hash_rows(_SAME_ROWS, [notice.pk, after, page.last])
        if now is None or (now.rows, now.digest) != (page.rows, page.digest):
            rows = now.rows if now else 0
            yield (
                f"page {page.number} (from {page.first} to {page.last}): its {page.rows} rows are "
                f"not what was sealed; now there are {rows}"
            )
        after = page.last
    if _hash_rows(_NEXT_ROWS, [notice.pk, after, 1]):
        yield f"there are rows after the last page's last ({after})"
    if _root(notice, pages, previous=digested.previous) != digested.digest:
        yield "the seal's own hash is not that of its pages"
    if not _is_authentic(digested):
        yield "the seal was not made with this portal's secret key"
    before = LedgerDigest.objects.filter(pk__lt=digested.pk).order_by("-pk").first()
    if (before.digest if before else "") != digested.previous:
        yield "the seal before it is another one now"
