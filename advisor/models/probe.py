"""The child that loads models before anybody relies on them: ``python -m advisor.models.probe``.

A damaged file of LightGBM ends the process that loads it; then it is this one. It reads models from its standard input,
loads each, reproduces the probe rows of its card and writes one line for each. The caller judges an early end.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules.update(dict.fromkeys(("pandas", "pyarrow")))  # type: ignore[arg-type]  # as the advisor, which will load it

import resource

import msgspec
from msgspec import Struct

from advisor.ml.forecast import ModelUnreadable
from advisor.models.files import Reason, Stored
from advisor.models.loading import model_of, reason_of
from wire.encoding import encode

CPU_SECONDS = 60


class ProbeOrder(Struct, frozen=True):
    """The models to load."""

    models: tuple[Stored, ...]


class Probed(Struct, frozen=True):
    """What became of one model; `reason` is None when it does what its card says."""

    reason: Reason | None
    detail: str = ""


_orders = msgspec.msgpack.Decoder(ProbeOrder)


def main() -> int:
    """Probe every model that stands on the standard input. Return 0."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for stored in _orders.decode(sys.stdin.buffer.read()).models:
        sys.stdout.buffer.write(encode(probed(stored)) + b"\n")
        sys.stdout.buffer.flush()
    return 0


def probed(stored: Stored) -> Probed:
    """Load a model and let it reproduce its card's probe rows."""
    try:
        does = model_of(stored).probe()
    except ModelUnreadable as error:
        return Probed(reason_of(error), str(error))
    return Probed(None) if does else Probed("probe_failed", "it does not give what its card says for the probe rows")


if __name__ == "__main__":
    sys.exit(main())
