"""The drill of returned mail: reports that overtake the ledger, and mails that break a parser."""

import mailbox
import shutil
import time

from django.conf import settings

from harness.people import SLUG, address
from incidents.models import Incident
from notices.message_codes import envelope_sender
from notices.models import Delivery, LateReport, Notice, ReturnedMail
from notices.returned_mail.receivers import read_maildir
from tests.drills.comparing import Verdict
from tests.drills.stage import SLOWEST_PER_S, Stage
from tests.returned_mail import bounce

HANG = 3.0  # seconds between the message in the mailbox and the reply: reports overtake it
POISON = b"To: " + b"(" * 2_000 + b"x@portal.example\r\nSubject: x\r\n\r\nnothing\r\n"
A_POISON_EACH = 20  # reports
READ_EACH_SECONDS = 0.5  # a reader without rests takes the processor from the workers
FEWEST_CONNECTIONS = 8  # of the workers, on a busy machine


def returned(stage: Stage) -> Verdict:
    """Returns mail of one person in ten before its acceptance is recorded, beside poisoned mail."""
    chosen = stage.rng.sample(range(1, stage.people + 1), max(20, stage.people // 10))
    left = {address(number): number for number in chosen}
    shutil.rmtree(settings.VAR / "returned", ignore_errors=True)  # of an earlier run
    box = mailbox.Maildir(settings.VAR / "returned", create=True)
    stage.server.order(hang=HANG)
    with stage.workers():
        notice = stage.approved()
        seconds = 120 + stage.people / SLOWEST_PER_S + HANG * stage.people / FEWEST_CONNECTIONS
        deadline = time.monotonic() + seconds
        while (left or len(box)) and time.monotonic() < deadline:
            _put_reports(stage, notice, box, left)
            read_maildir(settings.VAR / "returned")  # the command would start too slowly
            stage.server.order(hang=HANG if stage.server.taken_count() < stage.people // 2 else 0)
            time.sleep(READ_EACH_SECONDS)
        unread = len(left) + len(box)
        stage.wait_for_close(notice)
    addresses = {address(number) for number in chosen}
    verdict = stage.compare(notice, returned=addresses)
    counts = dict(ReturnedMail.objects.values_list("outcome", "number"))
    bounced = Delivery.objects.filter(notice=notice, state=Delivery.State.BOUNCED).count()
    late = LateReport.objects.filter(delivery__notice=notice, kind="bounce").count()
    aside = len(box.get_folder("aside"))
    verdict.must(unread == 0, f"{unread} reports are not read after {seconds:.0f} s")
    verdict.must(
        bounced + late == len(chosen), f"{bounced} + {late} of {len(chosen)} reports count"
    )
    verdict.must(counts.get("early", 0) > 0, "no report overtook the ledger: use more PEOPLE")
    verdict.must(0 < aside == counts.get("aside"), f"{aside} poisoned mails are set aside")
    verdict.figures["reports"] = (
        f"{len(chosen)}; came too early {counts.get('early', 0)} times; {bounced} bounced, "
        f"{late} beside the closed ledger; {aside} poisoned mails set aside"
    )
    return verdict


def _put_reports(stage: Stage, notice: Notice, box: mailbox.Maildir, left: dict[str, int]) -> None:
    """Puts a report into the mailbox for each chosen person whose mail arrived; removes them from
    `left`.
    """
    cipher = Incident.objects.get(slug=SLUG).cipher()
    for to in {one.to for one in stage.server.taken()} & left.keys():
        key = cipher.person_id("member", str(left.pop(to)))
        delivery = Delivery.objects.get(notice=notice, recipient=key)
        sender = envelope_sender(delivery.pk).encode()
        diagnostic = f"550 5.1.1 <{to}>: user unknown"
        report = bounce(recipient=to, diagnostic=diagnostic)
        box.add(b"Delivered-To: " + sender + b"\r\n" + report)
        if len(left) % A_POISON_EACH == 0:
            box.add(POISON)
