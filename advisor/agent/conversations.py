"""What was said before, in memory alone: the last turns of the newest conversations, each seen by its owner only."""

from __future__ import annotations

from collections import OrderedDict, deque

from msgspec import Struct

MOST_TURNS = 20
MOST_CONVERSATIONS = 200
MOST_OF_AN_OWNER = 20
LONGEST_KEPT = 1_500


class Owner(Struct, frozen=True):
    """Whose a conversation is: the id of the key that was shown, and the user whom the caller named."""

    key: str
    user: str


class Turn(Struct, frozen=True):
    """A question and its answer, each cut to `LONGEST_KEPT` characters."""

    message: str
    response: str


class Conversations:
    """The newest conversations. The one that was quiet the longest is forgotten when there are too many."""

    def __init__(self) -> None:
        """Begin with none."""
        self._turns: OrderedDict[tuple[Owner, str], deque[Turn]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._turns)

    def turns(self, owner: Owner, name: str) -> tuple[Turn, ...]:
        """Return the turns of the owner's conversation of that name, oldest first; none for an unknown one."""
        return tuple(self._turns.get((owner, name), ()))

    def add(self, owner: Owner, name: str, message: str, response: str) -> None:
        """Note one turn."""
        key = (owner, name)
        turns = self._turns.pop(key, None)
        if turns is None:
            turns = deque(maxlen=MOST_TURNS)
            self._make_room(owner)
        turns.append(Turn(message[:LONGEST_KEPT], response[:LONGEST_KEPT]))
        self._turns[key] = turns

    def _make_room(self, owner: Owner) -> None:
        """Forget the owner's own oldest ones first: nobody's questions make others forgotten before their own are."""
        own = [key for key in self._turns if key[0].key == owner.key]
        if len(own) >= MOST_OF_AN_OWNER:
            del self._turns[own[0]]
        elif len(self._turns) >= MOST_CONVERSATIONS:
            self._turns.popitem(last=False)
