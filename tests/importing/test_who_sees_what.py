"""Over generated exports with the defects of real ones, two promises hold for every person:

- No value of another person is on any page of theirs, in their mails, push messages, tickets, codes
  of offers and certificates.
- A person whose row is in a file, taken or not, does not read that they are not among the data.

The examples are drawn by hypothesis. MESSY_EXAMPLES=500 draws more than the usual number.
"""

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import transaction
from django.test import Client, override_settings
from django.urls import reverse
from django.utils.translation import override
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts import joining
from accounts.company_sign_on import member_numbers
from accounts.models import User, VerifiedPhone
from harness import exposure_factory
from harness.sign_in import step_up
from incidents import scope_versions, store_check
from incidents.importing import loading
from incidents.importing.reading import ImportRefusedError
from incidents.models import ExposureBatch, ExposureFile, Incident, PersonMark
from incidents.scope_versions import ScopeRefusedError
from notices import decisions
from notices.models import Suppression
from notices.returned_mail import suppression_list
from tests.customer_pages import (
    LEFT_OUT,
    ONLY_ASKED,
    POSTED,
    PUBLIC,
    CustomerBrowser,
    customer_urls,
)
from tests.desk_pages import page_text
from tests.importing import reference_importer
from tests.importing.messy_exports import (
    DECLARED,
    MAILBOX,
    SCRIPTS,
    Export,
    ExportedFile,
    Truth,
    exports,
    without_defects,
)
from tests.importing.reference_importer import Member, is_unread, opened_by
from tests.importing.test_unlinked import PROVIDER
from tests.my_data.test_web_push import key, service, subscribed  # noqa: F401
from tests.notice_factory import draft_notice, work
from tests.offer_factory import offer_of

pytest_plugins = ["tests.notice_fixtures", "tests.tls_fixtures"]
pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("MESSY_EXAMPLES", "24"))
drawn = settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
NOT_AMONG = "not among the leaked data"


@contextmanager
def undone() -> Iterator[Path]:
    """Context manager: yields a directory; undoes what the block changes in the database.

    It begins with no counted requests: the limits on questions hold for all examples together.
    """
    cache.clear()
    with tempfile.TemporaryDirectory() as directory, transaction.atomic():
        yield Path(directory)
        transaction.set_rollback(True)


def import_all(export: Export, incident: Incident, directory: Path) -> list[bool]:
    """Imports the files; returns for each whether it is loaded. Then tries to close the version."""
    loaded = [
        _import(file, f"{number}.csv", incident, directory)
        for number, file in enumerate(export.files)
    ]
    for batch in incident.batches.filter(state=ExposureBatch.State.OPEN):
        with suppress(ScopeRefusedError):
            scope_versions.close(batch)
    return loaded


def _import(file: ExportedFile, name: str, incident: Incident, directory: Path) -> bool:
    path = directory / name
    path.write_bytes(file.data)
    try:
        loading.import_file(path, incident=incident, mapping_text=file.mapping)
    except ImportRefusedError:
        return False
    return True


def user_with(contacts: Collection[str]) -> User:
    """Returns a user with these verified addresses and numbers, which others give up."""
    EmailAddress.objects.filter(email__in=contacts).delete()
    VerifiedPhone.objects.filter(number__in=contacts).delete()
    number = User.objects.count()
    user = User.objects.create_user(f"visitor{number}@visitor.example", language="en")
    EmailAddress.objects.filter(user=user).delete()
    for contact in contacts:
        if contact.startswith("+"):
            VerifiedPhone.objects.create(user=user, number=contact)
        else:
            EmailAddress.objects.create(user=user, email=contact, verified=True)
    return user


def page_of(user: User) -> str:
    """Returns "my data" with all values in full, after step-up, and the copy of own data."""
    client = Client()
    client.force_login(user)
    step_up(client, user)
    with override("en"):
        shown = page_text(client.post(reverse("my_data_reveal"), follow=True))
        return shown + page_text(client.post(reverse("my_copy"), {"form": "page"}))


def member_with(number: str) -> User:
    """Returns a user whose member number the customers' provider confirmed, without a contact."""
    user = user_with([f"member{number}@visitor.example"])
    address = f"member{number}@visitor.example"
    member_numbers.keep(user.pk, address, PROVIDER["issuer"], number)
    return user


def holds(text: str, token: str) -> bool:
    """Returns whether the text holds a token; that of a number in any spelling."""
    if token.isdigit():
        return token in re.sub(r"\D", "", re.sub(r"(?<=\d)[ -](?=\d)", "", text))
    return token in text


def assert_only_their_own(
    text: str, owners: Iterable[Truth], people: Iterable[Truth], *, contacts: Iterable[str]
) -> None:
    """Checks that the text holds no token of people who are not `owners`.

    `contacts` are the visitor's own, which their page names.
    """
    others, own = set(people) - set(owners), " ".join(contacts)
    seen = [
        (who.number, token)
        for who in others
        for token in who.tokens
        if holds(text, token) and not holds(own, token)
    ]
    assert not seen


def owners_of(members: Iterable[Member], people: Iterable[Truth]) -> list[Truth]:
    """Returns the people whose values the opened rows hold: one for each row."""
    owners = []
    for member in members:
        text = " ".join(member.texts)
        found = [who for who in people if any(holds(text, token) for token in who.tokens)]
        assert len(found) <= 1, "the reference importer merged two people"
        owners += found
    return owners


def visitors(export: Export) -> list[tuple[str, ...]]:
    """Returns the contacts of everyone who may visit: single ones, and those of one person."""
    single = sorted({contact for file in export.files for contact in file.contacts})
    return [(contact,) for contact in single] + [who.contacts for who in export.people]


def contacts_in_files(export: Export, incident: Incident) -> set[str]:
    """Returns the contacts in the files that the incident records, loaded or failed.

    A file that is refused before it is recorded is not known to the portal.
    """
    recorded = set(ExposureFile.objects.filter(incident=incident).values_list("name", flat=True))
    files = [file for number, file in enumerate(export.files) if f"{number}.csv" in recorded]
    return {contact for file in files for contact in file.contacts}


def expected(export: Export, loaded: list[bool]) -> tuple[list[Member], list[str]]:
    """Returns the people that the reference importer reads, and the texts that are not read.

    These are the rejected rows, cells that are not certain, rows in another encoding, and the whole
    of a file that was not loaded.
    """
    files = list(zip(export.files, loaded, strict=True))
    readings = [
        reference_importer.read(file.text, separator=file.separator, blanks=DECLARED)
        for file, is_loaded in files
        if is_loaded
    ]
    members = list(reference_importer.members(readings).values())
    unread = [text for reading in readings for text in reading.rejected_texts()]
    unread += [text for file in export.files for text in [*file.unclear, *file.mixed]]
    return members, unread + [file.text for file, is_loaded in files if not is_loaded]


def assert_shows(text: str, member: Member) -> None:
    """Checks that the page holds every value of the person."""
    for value in member.texts:
        for part in re.split(r"; |~\d$|\n", value):
            token = re.sub(r"\D", "", part)[3:] if re.fullmatch(r"010[\d-]+", part) else part
            assert holds(text, token.strip()), (member.reference, part)


@drawn
@given(export=exports())
def test_each_visitor_sees_their_own_values_and_no_other(incident, export):
    with undone() as directory:
        loaded = import_all(export, incident, directory)
        members, unread = expected(export, loaded)
        held = contacts_in_files(export, incident)
        unclear = any(file.unclear for file in export.files)
        assert store_check.check_whole(incident).faults == []
        for contacts in visitors(export):
            page = page_of(user_with(contacts))
            opened = opened_by(contacts, members)
            assert_only_their_own(
                page, owners_of(opened, export.people), export.people, contacts=contacts
            )
            shown = reference_importer.shown_in_full(contacts, members)
            for member in [] if is_unread(contacts, unread) else shown:
                assert_shows(page, member)
            has_unlinked = any(not member.contacts for member in members)
            if held & set(contacts) or (has_unlinked and not unclear):
                assert NOT_AMONG not in page, contacts


@pytest.mark.parametrize(
    ("script", "encoding"), [(one, encoding) for one in SCRIPTS for encoding in one.encodings]
)
def test_a_person_reads_their_values_in_each_encoding(incident, script, encoding, tmp_path):
    export = without_defects(script, encoding)
    assert import_all(export, incident, tmp_path) == [True]
    who = export.people[1]
    page = page_of(user_with(who.contacts))
    assert all(token in page for token in (who.name, who.email, who.mobile, who.code, who.note))


@drawn
@given(wrong=exports(most_people=4), right=exports(most_people=4))
def test_a_withdrawn_version_leaves_nothing_behind(incident, wrong, right):
    """The files that were wrong name the same references with the contacts of other people."""
    with undone() as directory:
        (directory / "wrong").mkdir()
        import_all(_moved(wrong), incident, directory / "wrong")
        for batch in incident.batches.all():
            if batch.state == ExposureBatch.State.CLOSED:
                exposure_factory.withdraw(batch, "wrong file")
        if incident.batches.filter(state=ExposureBatch.State.OPEN).exists():
            return  # rejected rows keep it open
        loaded = import_all(right, incident, directory)
        assert store_check.check_whole(incident).faults == []
        members, unread = expected(right, loaded)
        for contacts in visitors(right):
            page = page_of(user_with(contacts))
            opened = opened_by(contacts, members)
            assert_only_their_own(
                page, owners_of(opened, right.people), right.people, contacts=contacts
            )
            shown = reference_importer.shown_in_full(contacts, members)
            for member in [] if is_unread(contacts, unread) else shown:
                assert_shows(page, member)


def _moved(export: Export) -> Export:
    """Returns the export with the contacts of each person given to a stranger."""
    for file in export.files:
        for old, new in (("zq", "old"), ("010-7", "010-8")):
            file.text = file.text.replace(old, new)
        encoding = re.search(r'encoding = "(.+)"', file.mapping)
        file.data = file.text.encode(encoding[1] if encoding else "utf-8")
    return export


@settings(parent=drawn, max_examples=max(4, EXAMPLES // 3))
@given(
    export=exports(most_people=4),
    place=st.integers(0, 9),
    kind=st.sampled_from(PersonMark.CLOSING),
)
def test_the_values_of_a_marked_person_are_shown_to_no_visitor(
    incident, editor, export, place, kind
):
    with undone() as directory:
        members, unread = expected(export, import_all(export, incident, directory))
        if not members:
            return
        marked = members[place % len(members)]
        person = incident.cipher().person_id("member", marked.reference)
        mark = PersonMark.objects.create(
            incident=incident, person_id=person, kind=kind, reason="a call", marked_by=editor
        )
        for contacts in visitors(export):
            page, opened = page_of(user_with(contacts)), opened_by(contacts, members)
            owners = owners_of([one for one in opened if one is not marked], export.people)
            assert_only_their_own(page, owners, export.people, contacts=contacts)
            assert marked not in opened or NOT_AMONG not in page
        mark.lift(editor, "a mistake")
        for contacts in visitors(export):
            shown = reference_importer.shown_in_full(contacts, members)
            if marked in shown and not is_unread(contacts, unread):
                assert_shows(page_of(user_with(contacts)), marked)


@settings(parent=drawn, max_examples=max(4, EXAMPLES // 3))
@given(export=exports(most_people=4), place=st.integers(0, 9))
def test_a_contact_that_was_marked_as_a_strangers_opens_nothing(incident, export, place):
    with undone() as directory:
        members, _unread = expected(export, import_all(export, incident, directory))
        single = sorted({contact for one in members for contact in one.contacts})
        if not single:
            return
        strange = single[place % len(single)]
        channel = "sms" if strange.startswith("+") else "email"
        index = suppression_list.index_in(channel, strange, incident)
        Suppression.objects.create(
            incident=incident, channel=channel, index=index, source="stranger", reason="a call"
        )
        for contacts in visitors(export):
            others = tuple(contact for contact in contacts if contact != strange)
            owners = owners_of(opened_by(others, members), export.people)
            page = page_of(user_with(contacts))
            assert_only_their_own(page, owners, export.people, contacts=contacts)
            assert strange not in contacts or NOT_AMONG not in page


@settings(parent=drawn, max_examples=max(2, EXAMPLES // 10))
@given(export=exports(most_people=4))
def test_all_that_a_visitor_gets_holds_their_own_values_only(
    incident,
    version,
    editor,
    approver,
    server,
    service,  # noqa: F811
    export,
):
    """All pages of customers, mails, push messages, tickets, codes of offers and certificates."""
    with undone() as directory:
        server.taken.clear()
        members, _unread = expected(export, import_all(export, incident, directory))
        offer_of(incident, count=50)
        notice = draft_notice(version, editor)
        decisions.approve(notice, by=approver)
        notice.refresh_from_db()
        work(notice)
        codes: dict[str, set[str]] = {}  # of offers, with the references of their person
        for contacts in visitors(export):
            user, opened = user_with(contacts), opened_by(contacts, members)
            owners, references = owners_of(opened, export.people), {one.reference for one in opened}
            for contact in contacts:
                found = [member for member in members if contact in member.contacts]
                for text in _mails_to(server, [contact]):
                    assert_only_their_own(
                        text, owners_of(found, export.people), export.people, contacts=[contact]
                    )
            note = f"I am visitor WQ{user.pk}Z."
            shown = CustomerBrowser(user, incident).everything(note=note)
            assert_only_their_own(shown, owners, export.people, contacts=contacts)
            assert set(re.findall(r"I am visitor WQ\d+Z\.", shown)) == {note}
            for code in set(re.findall(r"HB-\d{4}", shown)):
                assert codes.setdefault(code, references) & references
        users = [user_with(who.contacts) for who in export.people]
        public = CustomerBrowser(users[0], incident).public_pages()
        assert_only_their_own(public, [], export.people, contacts=[])
        devices = [subscribed(service, user, incident, f"/{user.pk}") for user in users]
        alert = draft_notice(version, editor, kind="alert", topic="scams", channel="push")
        decisions.approve(alert, by=approver)
        work(alert)
        for device in devices:
            assert device.received
            assert_only_their_own(str(device.received), [], export.people, contacts=[])
        assert len(_mails_to(server, [MAILBOX])) <= 3


@settings(parent=drawn, max_examples=max(4, EXAMPLES // 10))
@given(export=exports(most_people=5))
def test_an_answer_and_a_joined_account_open_their_own_rows_only(incident, export):
    with undone() as directory:
        members, _unread = expected(export, import_all(export, incident, directory))
        single = [contacts for contacts in visitors(export) if len(contacts) == 1]
        for contacts in single:
            found = [one for one in members if contacts[0] in one.contacts and one.name.strip()]
            opened = opened_by(contacts, members)
            for member in found[:1]:
                shown = CustomerBrowser(user_with(contacts), incident).answer(member.name)
                owners = owners_of([*opened, member], export.people)
                assert_only_their_own(shown, owners, export.people, contacts=contacts)
        for (one,), (other,) in pairwise(single):
            joined = joining.join(user_with([one]), user_with([other]))
            owners = owners_of(opened_by((one, other), members), export.people)
            assert_only_their_own(page_of(joined), owners, export.people, contacts=(one, other))


def test_each_page_of_customers_is_among_those_that_are_searched():
    assert set(customer_urls()) == {*POSTED, *ONLY_ASKED, *PUBLIC, *LEFT_OUT}


@settings(parent=drawn, max_examples=max(4, EXAMPLES // 10))
@given(export=exports(most_people=5))
@override_settings(COMPANY_SIGN_ON={"customers": PROVIDER})
def test_a_member_number_shows_the_values_of_its_reference_only(incident, export):
    with undone() as directory:
        Incident.objects.update(has_member_numbers=True)
        members, _unread = expected(export, import_all(export, incident, directory))
        for member in members:
            user = member_with(member.reference)
            assert_only_their_own(
                CustomerBrowser(user, incident).everything(),
                owners_of([member], export.people),
                export.people,
                contacts=[],
            )


def _mails_to(server: Any, contacts: Iterable[str]) -> list[str]:
    texts = []
    for contact in contacts:
        for message in server.to(contact):
            bodies = [message.get_body((kind,)) for kind in ("plain", "html")]
            texts.append(" ".join(body.get_content() for body in bodies if body))
    return texts
