"""Who asks, and what they may see."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from typing import TYPE_CHECKING

from tests.simulator.replies import not_found, unauthorized

if TYPE_CHECKING:
    from tests.simulator.entities import Account
    from tests.simulator.world import World


@dataclasses.dataclass(slots=True, frozen=True)
class Caller:
    """An account that proved itself, by its Auth Token or by its standard API key."""

    account: Account
    by_key: bool


def credentials(header: str | None) -> tuple[str, str] | None:
    """Return the user name and the password of a Basic Authorization header."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, password


def authenticate(world: World, pair: tuple[str, str] | None) -> Caller:
    """Find whose credentials these are.

    Args:
        world: Holds the accounts.
        pair: User name and password.

    Returns:
        The caller.

    Raises:
        ApiError: Nobody's, or those of an account that is not active.
    """
    for account in world.accounts.values():
        by_key = pair == (account.api_key_sid, account.api_key_secret)
        if by_key or pair == (account.sid, account.auth_token):
            # Suspending the parent suspends its children.
            if account.status != "active" or world.main.status != "active":
                break
            return Caller(account, by_key)
    raise unauthorized()


def reach(world: World, caller: Caller, account_sid: str, path: str) -> Account:
    """Return the account of a path of the 2010 API, if the caller may see it.

    Args:
        world: Holds the accounts.
        caller: Who asks.
        account_sid: The account in the path.
        path: The path, for the refusal.

    Returns:
        The account, whatever its status.

    Raises:
        ApiError: The caller may not see it, or it does not exist.
    """
    account = world.accounts.get(account_sid)
    if account is caller.account:
        return caller.account
    if account is None or caller.by_key:
        raise not_found(path)
    if account.owner_sid != caller.account.sid:
        raise unauthorized()
    return account
