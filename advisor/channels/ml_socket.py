"""``WS /ws/signals`` of the ML engine: signals as they become active, and changes of the phase."""

from __future__ import annotations

from advisor.channels.ml_keys import SCOPE
from sidecar.keys import KeyDoor
from sidecar.local_sockets import LocalChannel
from sidecar.mailbox import Letter
from sidecar.problems import STATUS, problem_body
from sidecar.use import Use
from wire.encoding import encode
from wire.ml_engine import AmdChange, AmdChangeMessage, SignalMessage, SignalResponse


class MlSocket(LocalChannel):
    """The connected programs. They are only told; what they say is ignored."""

    def __init__(self, use: Use, keys: KeyDoor | None) -> None:
        """Ask `keys`, None when none are needed."""
        super().__init__(use, SCOPE, keys)

    def fault_of(self, status: int, sentence: str) -> bytes:
        """Return a refusal in the words of this service."""
        return problem_body("invalid_parameter" if status == STATUS["invalid_parameter"] else "busy", sentence)

    def tell_signal(self, signal: SignalResponse) -> None:
        """Tell a signal that has become active."""
        self.send_to_all(Letter("signal", encode(SignalMessage(data=signal))))

    def tell_phase(self, change: AmdChange) -> None:
        """Tell a change of the phase."""
        self.send_to_all(Letter("amd_change", encode(AmdChangeMessage(data=change))))
