"""One model on disk: read and compared with its card, written whole or not at all, switched by one rename."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from advisor.models.places import BOOSTED, CARD, CURRENT, LARGEST, TABLE, Slot, current_of, slot_of, versions_in
from wire.encoding import encode
from wire.ml_engine import ModelCard

Reason = Literal["missing", "unreadable", "foreign", "hash_differs", "features_differ", "probe_failed"]
KEPT_VERSIONS = 10
UNFINISHED = ".new-"
_cards = msgspec.json.Decoder(ModelCard)


class ModelRefused(Exception):
    """A model cannot be taken into use; `reason` is a code, the message one sentence."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        """Name both."""
        super().__init__(sentence)
        self.reason: Reason = reason


class Stored(Struct, frozen=True):
    """A model as it was read: its card, and its files by name, which have the card's hashes."""

    card: ModelCard
    files: dict[str, bytes]


# -- reading -------------------------------------------------------------------------------------------------------


def read_current(root: Path, slot: Slot) -> Stored:
    """Read the model that ``current`` leads to. Raises `ModelRefused`."""
    version = current_of(slot.folder(root))
    if version is None:
        raise ModelRefused("missing", f"{slot.symbol} {slot.timeframe} {slot.target}: `current` leads to no version")
    return read_version(slot.folder(root) / version, slot)


def read_version(folder: Path, slot: Slot) -> Stored:
    """Read one version and compare it with its card. Raises `ModelRefused`."""
    card = read_card(folder)
    if slot_of(card) != slot:
        raise ModelRefused("foreign", f"the card is of {card.symbol} {card.timeframe} {card.target} {card.rr}")
    if TABLE not in card.files or not set(card.files) <= {TABLE, *BOOSTED}:
        raise ModelRefused("unreadable", f"the card must name {TABLE}, and files of LightGBM or nothing else")
    files = {name: _bytes_of(folder / name, LARGEST[name]) for name in card.files}
    for name, content in files.items():
        if sha256(content).hexdigest() != card.files[name]:
            raise ModelRefused("hash_differs", f"{name} is not the file that the card names")
    return Stored(card, files)


def read_card(folder: Path) -> ModelCard:
    """Read the card of a version. Raises `ModelRefused`."""
    content = _bytes_of(folder / CARD, LARGEST[CARD])
    try:
        return _cards.decode(content)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ModelRefused("unreadable", f"{CARD} cannot be read: {error}") from error


def _bytes_of(path: Path, most: int) -> bytes:
    """Read a regular file. A pipe under its name would keep who opens it waiting for ever. Raises `ModelRefused`."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ModelRefused("unreadable", f"{path.name} is no regular file")
            content = file.read(most + 1)
    except FileNotFoundError as error:
        raise ModelRefused("missing", f"{path.name} is not there") from error
    except OSError as error:
        raise ModelRefused("unreadable", f"{path.name} cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise ModelRefused("unreadable", f"{path.name} has more than {most} bytes")
    return content


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


# -- writing -------------------------------------------------------------------------------------------------------


def write_version(root: Path, card: ModelCard, files: Mapping[str, bytes]) -> str:
    """Write a new version and return its name. It is not in use before `switch`; half of one is never there."""
    folder = slot_of(card).folder(root)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = _free_name(folder, card)
    unfinished = folder / f"{UNFINISHED}{name}-{os.getpid()}"
    unfinished.mkdir(mode=0o700)
    for file, content in {**files, CARD: encode(card)}.items():
        _write(unfinished / file, content)
    unfinished.rename(folder / name)
    _keep_on_disk(folder)
    return name


def switch(folder: Path, version: str) -> None:
    """Let ``current`` lead to a version, in one step: nobody ever sees a folder without it."""
    new = folder / f".{CURRENT}-{os.getpid()}"
    with suppress(FileNotFoundError):
        new.unlink()
    new.symlink_to(version)
    new.replace(folder / CURRENT)
    _keep_on_disk(folder)


def tidy(folder: Path) -> None:
    """Delete what a killed training left, and the oldest versions beyond ten; the current one stays."""
    for unfinished in folder.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    for version in versions_in(folder)[:-KEPT_VERSIONS]:
        if version != current_of(folder):
            shutil.rmtree(folder / version, ignore_errors=True)


def _free_name(folder: Path, card: ModelCard) -> str:
    made = f"{card.made_at:%Y%m%dT%H%M%SZ}"
    names = [made, *(f"{made}-{number}" for number in range(2, 100))]
    return next(name for name in names if not (folder / name).exists())


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_on_disk(folder: Path) -> None:
    """Have the names in a folder written, too."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
