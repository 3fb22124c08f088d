"""A notice of a given size to all people in the store, and the wait for its close."""

import time
from collections.abc import Callable
from email import message_from_bytes, policy
from itertools import count

from accounts.models import User
from harness.people import APPROVER, EDITOR, SLUG
from incidents.models import Incident, TeamMessage
from notices import decisions, message_samples
from notices.models import Notice
from statements import publishing
from statements.models import Statement

SENTENCES = {
    "ko": "고객님의 이름과 전자우편 주소, 전화번호가 유출된 사실을 확인하여 알려 드립니다. ",
    "en": "We have confirmed that your name, e-mail address and phone number leaked. ",
}
_numbers = count(1)


class NotClosedError(AssertionError):
    """The notice did not reach the awaited state in time; the message contains its progress."""


def draft(*, octets: int) -> Notice:
    """Creates a mandatory notice to all people, with a published version. Returns the notice.

    The Korean mail has about `octets` bytes, text and HTML together.
    """
    incident = Incident.objects.get(slug=SLUG)
    editor, approver = (User.objects.get(email=email) for email in (EDITOR, APPROVER))
    statement = Statement.objects.create(
        incident=incident, kind=Statement.Kind.APOLOGY, slug=f"our-apology-{next(_numbers)}"
    )
    version = publishing.draft_next(statement, by=editor)
    version.title = {"ko": "개인정보 유출 안내", "en": "About your data"}
    version.save()
    notice = Notice(
        incident=incident, version=version, kind=Notice.Kind.MANDATORY, created_by=editor
    )
    times = 1
    version.sections.update(body=SENTENCES)
    size = len(message_samples.sample_mail(notice, "ko").data)
    while size < octets:
        times += max(1, (octets - size) // (2 * len(SENTENCES["ko"].encode())))
        bodies = {code: _body(sentence, times) for code, sentence in SENTENCES.items()}
        version.sections.update(body=bodies)
        size = len(message_samples.sample_mail(notice, "ko").data)
    publishing.publish(version, by=approver)
    version.refresh_from_db()
    notice.version = version
    notice.save()
    return notice


def parts_of_mail(*, octets: int) -> dict[str, str]:
    """Returns "subject", "text" and "html" of the same mail, with {name} for the person's name."""
    data = message_samples.sample_mail(draft(octets=octets), "ko").data
    mail = message_from_bytes(data, policy=policy.default)
    bodies = {"text": mail.get_body(("plain",)), "html": mail.get_body(("html",))}
    texts = {name: str(body.get_content()) for name, body in bodies.items() if body is not None}
    named = {name: text.replace("홍길동", "{name}") for name, text in texts.items()}
    return {"subject": str(mail["Subject"]), **named}


def _body(sentence: str, times: int) -> str:
    """Returns `times` sentences, in paragraphs of three."""
    return "\n\n".join(sentence * min(3, times - start) for start in range(0, times, 3))


def approve(notice: Notice) -> None:
    """Approves the notice as the second person."""
    decisions.approve(notice, by=User.objects.get(email=APPROVER))


def wait_until(
    notice: Notice, reached: Callable[[Notice], bool], *, seconds: float, every: float = 0.05
) -> Notice:
    """Returns the notice as soon as `reached` returns true. Raises NotClosedError after `seconds`.

    Reads the notice again `every` seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        notice.refresh_from_db()
        if reached(notice):
            return notice
        time.sleep(every)
    raise NotClosedError(f"after {seconds:.0f} s: {progress(notice)}")


def is_closed(notice: Notice) -> bool:
    """Returns whether the notice is closed: every delivery has an end state."""
    return notice.state == Notice.State.CLOSED


def progress(notice: Notice) -> str:
    """Returns the notice's state and counters in one line."""
    counts = " ".join(f"{name}={getattr(notice, name)}" for name in ("planned", "accepted"))
    return f"{notice.state} {counts} to_go={notice.to_go()} problem={notice.problem!r}"


def mails_to_the_team() -> int:
    """Returns the number of mails about events of the desk that were sent."""
    return TeamMessage.objects.filter(sent_at__isnull=False, to__startswith="mail:").count()
