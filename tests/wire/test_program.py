"""How a program says to web which one it is."""

import pytest

from wire.program import VERSION, ProgramMark, ProgramName, agent_of, read_agent


@pytest.mark.parametrize("name", ["web", "bridge", "feeds", "advisor", "tape"])
def test_a_program_is_known_by_what_it_calls_itself(name: ProgramName) -> None:
    assert read_agent(agent_of(name)) == ProgramMark(name, VERSION)
    assert read_agent(f"lockstep-{name}/0.8.0rc1") == ProgramMark(name, "0.8.0rc1")


@pytest.mark.parametrize(
    "text",
    [
        *("", "lockstep-tape", "lockstep-tape/", "lockstep-tape/new", "lockstep-broker/0.7.0", "Lockstep-tape/0.7.0"),
        *("lockstep-tape/0.7.0 curl", "lockstep-tape/0.7.0\n", "python-requests/2.32", f"lockstep-tape/{'1' * 40}"),
        "lockstep-tape/0.7.0<b>",
    ],
)
def test_any_other_text_is_nobodys(text: str) -> None:
    assert read_agent(text) is None
