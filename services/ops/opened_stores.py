"""What this machine has opened: one small file for each store, beside the folder that holds the stores (SPEC 5.9).

Another store begins another day, with no loss and no trade in it. So the desk keeps, outside every store, for which
account and day each one was last used.
"""

from __future__ import annotations

import os
from datetime import date, datetime
from hashlib import blake2b
from pathlib import Path

import msgspec
from msgspec import Struct

from wire.places import state_folder
from wire.types import Env

SUFFIX = ".json"


class NotReadable(Exception):
    """What was opened cannot be read or written; the message says which file, and why."""


class Use(Struct, frozen=True):
    """When a store was last used in one environment, for which account and on which trading day."""

    at: datetime
    trading_day: date
    account: str | None = None


class OpenedStore(Struct, frozen=True):
    """One store: its name, where it is, its newest journal row, and its last use in each environment."""

    store: str
    where: str
    sequence: int
    uses: dict[Env, Use] = {}


def folder_of_opened(checkout: Path, state_home: str) -> Path:
    """Return where this machine keeps what it has opened, the same for every checkout. Raises NoPlace."""
    return state_folder(checkout, state_home).parent / "opened"


def name_of_store(id_key: str) -> str:
    """Return the name of a store, made of the secret that only its copies share."""
    return blake2b(bytes.fromhex(id_key), digest_size=8, person=b"store").hexdigest()


def read_opened(folder: Path) -> list[OpenedStore]:
    """Return what was opened; nothing when the folder does not exist yet. Raises NotReadable."""
    try:
        files = sorted(folder.iterdir()) if folder.exists() else []
        return [msgspec.json.decode(file.read_bytes(), type=OpenedStore) for file in files if file.suffix == SUFFIX]
    except (OSError, msgspec.MsgspecError) as error:
        raise NotReadable(f"{folder} cannot be read ({error})") from error


def write_opened(folder: Path, opened: OpenedStore) -> None:
    """Write the file of one store, whole or not at all. Raises NotReadable."""
    file = folder / f"{opened.store}{SUFFIX}"
    half = file.with_suffix(f".{os.getpid()}")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        half.touch(mode=0o600)
        half.write_bytes(msgspec.json.encode(opened))
        half.replace(file)
    except OSError as error:
        raise NotReadable(f"{file} cannot be written ({error})") from error
