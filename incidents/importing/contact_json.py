"""The form in which the contact of a person is stored, before it is encrypted."""

from collections.abc import Sequence
from json.encoder import encode_basestring as in_json


def contact_json(name: str, emails: Sequence[str], phones: Sequence[str]) -> bytes:
    """Returns the JSON of AffectedPerson.contact, without the parts that are empty."""
    if name and len(emails) == 1 and len(phones) == 1:
        first = f'{{"n":{in_json(name)},"e":{in_json(emails[0])},"p":{in_json(phones[0])}}}'
        return first.encode()
    parts = contact_parts(name, emails, phones)
    held = (f'"{key}":{in_json(text)}' for key, text in parts.items())
    return f"{{{','.join(held)}}}".encode()


def contact_parts(name: str, emails: Sequence[str], phones: Sequence[str]) -> dict[str, str]:
    """Returns the parts of AffectedPerson.contact: n, e, p, and e2, e3, p2 for further ones."""
    parts = {"n": name} if name else {}
    for letter, texts in (("e", emails), ("p", phones)):
        for number, text in enumerate(texts, start=1):
            parts[letter if number == 1 else f"{letter}{number}"] = text
    return parts
