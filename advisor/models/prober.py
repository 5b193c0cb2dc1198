"""Has models loaded and probed by a child process, so that a file that ends its reader ends only the child."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from advisor.models.files import Stored
from advisor.models.probe import Probed, ProbeOrder

MODULE = "advisor.models.probe"
ANSWER_SECONDS = 60.0
_lines = msgspec.json.Decoder(Probed)


class ProbeNotMade(Exception):
    """Nothing is known of the models: no child could be started, or none answered in time."""


async def probe(models: Sequence[Stored]) -> list[Probed]:
    """Return what became of each model, in their order. Raises `ProbeNotMade`."""
    found: list[Probed] = []
    while len(found) < len(models):
        found += await _probe_some(models[len(found) :])
    return found


async def _probe_some(models: Sequence[Stored]) -> list[Probed]:
    """Return what one child says; when it dies, the model that it was at has failed and is the last."""
    try:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", MODULE, stdin=PIPE, stdout=PIPE, stderr=DEVNULL
        )
    except OSError as error:
        raise ProbeNotMade(f"no child could be started: {error.strerror}") from error
    try:
        return await _answers_of(child, models)
    finally:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def _answers_of(child: Process, models: Sequence[Stored]) -> list[Probed]:
    feeding = asyncio.create_task(_feed(child, models))
    found: list[Probed] = []
    try:
        for _ in models:
            line = await asyncio.wait_for(child.stdout.readline(), ANSWER_SECONDS) if child.stdout else b""
            if not line:
                code = await child.wait()
                found.append(Probed("probe_failed", f"the process that loaded it ended with {code}"))
                break
            found.append(_lines.decode(line))
    except TimeoutError as error:
        raise ProbeNotMade(f"no answer in {ANSWER_SECONDS:.0f} s") from error
    except msgspec.DecodeError as error:
        raise ProbeNotMade(f"the child says what cannot be read: {error}") from error
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)
    return found


async def _feed(child: Process, models: Sequence[Stored]) -> None:
    if child.stdin is None:
        return
    with suppress(BrokenPipeError, ConnectionResetError):  # a child that died has said all that it will
        child.stdin.write(msgspec.msgpack.encode(ProbeOrder(tuple(models))))
        await child.stdin.drain()
        child.stdin.close()
