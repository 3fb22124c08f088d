"""The groups of mail domains that one provider sees as one, from provider_groups.toml."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import Strict

from foundations.toml_files import Text, Texts, TomlTable, load

OTHER = "other"  # the group of every destination without a provider, in plans and figures


class _Group(TomlTable):
    name: Text
    domains: Texts
    exchangers: Texts


class _Groups(TomlTable):
    group: Annotated[tuple[_Group, ...], Strict(False)]


_GROUPS = load(Path(__file__).with_name("provider_groups.toml"), _Groups).group
_OF_DOMAIN = {domain: group.name for group in _GROUPS for domain in group.domains}
_OF_EXCHANGER = {host: group.name for group in _GROUPS for host in group.exchangers}
GROUP_NAMES = tuple(group.name for group in _GROUPS)
_NAMES = frozenset(GROUP_NAMES)


def provider_of_domain(domain: str) -> str | None:
    """Returns the name of the provider with mailboxes at `domain` (in lower case); None if none is
    known.
    """
    return _OF_DOMAIN.get(domain)


def provider_of_exchangers(hosts: Iterable[str]) -> str | None:
    """Returns the name of the provider to which all MX hosts of a domain belong; None if they do
    not belong to one.
    """
    providers = {_provider_of_host(host.rstrip(".").lower()) for host in hosts}
    return providers.pop() if len(providers) == 1 else None


def _provider_of_host(host: str) -> str | None:
    labels = host.split(".")
    ends = (".".join(labels[start:]) for start in range(len(labels) - 1))
    return next((_OF_EXCHANGER[end] for end in ends if end in _OF_EXCHANGER), None)


def group_of(destination: str) -> str:
    """Returns the group of a destination, for plans: its own name if it is a provider's, else
    OTHER.
    """
    return destination if destination in _NAMES else OTHER
