"""The commands ``flask desk keys``: create, list and revoke API keys. The desk may keep running."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click

from services.access.keys import KeyRefused, KeyUnreadable, make_key, read_key, stored
from services.ops.config import Config, ConfigError
from services.ops.opening import open_reader, open_store
from services.stores.store import OutcomeUnknown, Store, StoredKey, StoreError, StoreUnreadable
from wire.keys import SCOPES

SCOPE_WORDS = "; ".join(f"{scope}: {opens}" for scope, opens in SCOPES.items())


@click.group("keys")
def keys_group() -> None:
    """Create, list and revoke the API keys with which programs read the desk."""


@keys_group.command("add")
@click.argument("name")
@click.option("--scope", "scopes", type=click.Choice(list(SCOPES)), multiple=True, required=True, help=SCOPE_WORDS)
@click.option("--account", help="Whose it is: keys of one account push out each other's sockets. Unset: its own.")
def add_command(name: str, scopes: tuple[str, ...], account: str | None) -> None:
    """Create a key and print it once: only its digest is stored."""
    try:
        key, token = make_key(name, scopes, datetime.now(UTC), account)
    except KeyRefused as error:
        raise click.ClickException(str(error)) from None
    with _opened(open_store) as store:
        store.put_api_key(stored(key))
    click.echo(f"The key {key.id} ({key.name}: {', '.join(key.scopes)}), shown this once:", err=True)
    click.echo(token)


@keys_group.command("list")
def list_command() -> None:
    """List the valid keys."""
    with _opened(open_reader) as store:
        kept = store.api_keys()
    for one in kept:
        click.echo(_line(one))
    if not kept:
        click.echo("There are no API keys.")


@keys_group.command("revoke")
@click.argument("key_id", metavar="ID")
def revoke_command(key_id: str) -> None:
    """Revoke a key; a running desk applies this within 5 seconds."""
    with _opened(open_store) as store:
        was_there = store.revoke_api_key(key_id)
    if not was_there:
        raise click.ClickException(f"There is no API key with the id {key_id}; `flask desk keys list` names them.")
    click.echo(f"The key {key_id} is revoked.")


def _line(kept: StoredKey) -> str:
    try:
        key = read_key(kept)
    except KeyUnreadable as error:
        return f"{kept.id}  opens nothing: {error}"
    whose = "" if key.account == key.id else f"  of {key.account}"
    return f"{key.id}  {key.created_at:%Y-%m-%d %H:%M} UTC  {', '.join(key.scopes)}  {key.name}{whose}"


@contextmanager
def _opened(opens: Callable[[Config], Store]) -> Iterator[Store]:
    """Open the configured store, which a desk must have written to. Errors end in one sentence."""
    try:
        config = Config.from_env()
        open_reader(config).close()  # refuses a store of another schema, which ``opens`` would upgrade
        store = opens(config)
        try:
            if store.head() is None:
                raise StoreUnreadable("no desk has written to this store: start the desk once")
            yield store
        finally:
            store.close()
    except OutcomeUnknown as error:
        raise click.ClickException(f"{error}: `flask desk keys list` tells what is stored") from error
    except (StoreError, ConfigError, OSError) as error:
        raise click.ClickException(str(error)) from error
