"""Statements of Pine as statements of Python: what a script defines once, and what it does on each bar."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from tests.support.pine.expressions import Expression, Names
from tests.support.pine.source import Line, PineUnknown, Token, read_lines

ELEMENTARY = ("int", "float", "bool", "string")
INDENT = "    "


class Translated(Struct, frozen=True):
    """The script in Python: ``definitions`` are its types and functions, ``each_bar`` is the rest."""

    definitions: str
    each_bar: str


def translate(source: str, functions: Collection[str], variables: Collection[str]) -> Translated:
    """Translate a script. Raises PineUnknown, with the line, for what is not known here or not allowed in Pine."""
    return _Translator(read_lines(source), Names(functions, variables)).translate()


class _Translator:
    def __init__(self, lines: list[Line], names: Names) -> None:
        self._lines = lines
        self._names = names
        self._place = 0
        self._is_in_function = False

    def translate(self) -> Translated:
        definitions: list[str] = []
        each_bar: list[str] = []
        while self._place < len(self._lines):
            line = self._lines[self._place]
            if line.depth:
                raise PineUnknown(line.number, "an indented line without a block")
            words = [token.word for token in line.tokens if token.kind != "text"]
            if words[0] == "type":
                definitions += self._type(line)
            elif "=>" in words:
                definitions += self._function(line)
            else:
                each_bar += self._statement(line)
        return Translated("\n".join(definitions), "\n".join(each_bar))

    # -- what is defined once ---------------------------------------------------------------------------------

    def _type(self, line: Line) -> list[str]:
        if len(line.tokens) != 2:
            raise PineUnknown(line.number, "a type is one name and its fields")
        name = line.tokens[1].word
        fields = []
        for row in self._block_of(line):
            kind, start = self._declared_type(row, 0)
            field = row.tokens[start].word if start < len(row.tokens) else ""
            value = "_b['na']"
            if kind is None or not field:
                raise PineUnknown(row.number, "a field is a type and a name")
            if len(row.tokens) > start + 1:
                reader = Expression(row, self._names, start + 1)
                reader.expects("=")
                value = reader.read_to_end()
            fields.append((field, f"({field!r}, {kind!r}, {value})"))
        self._names.types[name] = tuple(field for field, _ in fields)
        return [f"_g[{name!r}] = _type({name!r}, [{', '.join(python for _, python in fields)}])"]

    def _block_of(self, line: Line) -> list[Line]:
        """Return the lines one deeper behind a line, which hold no further blocks, and step over them."""
        self._place += 1
        rows = []
        while self._place < len(self._lines) and self._lines[self._place].depth > line.depth:
            row = self._lines[self._place]
            if row.depth != line.depth + 1:
                raise PineUnknown(row.number, "indented too far")
            rows.append(row)
            self._place += 1
        if not rows:
            raise PineUnknown(line.number, "a block is missing")
        return rows

    def _function(self, line: Line) -> list[str]:
        name, *rest = line.tokens
        arrow = next(place for place, token in enumerate(line.tokens) if token.word == "=>")
        if arrow != len(line.tokens) - 1 or rest[0].word != "(" or line.tokens[arrow - 1].word != ")":
            raise PineUnknown(line.number, "a function is name(parameters) => and a block")
        self._names.blocks.append({})
        self._is_in_function = True
        parameters, checks = self._parameters(line, arrow)
        self._names.parameters = set(self._names.blocks[0])
        body = self._statements(line, returns=True)
        self._names.blocks.pop()
        self._is_in_function = False
        self._names.functions.add(name.word)
        head = f"def {name.word}({', '.join(parameters)}):"
        return [head, *_indented(checks + body), f"_g[{name.word!r}] = {name.word}"]

    def _parameters(self, line: Line, arrow: int) -> tuple[list[str], list[str]]:
        parameters: list[str] = []
        checks: list[str] = []
        place = 2
        while place < arrow - 1:
            kind, place = self._declared_type(line, place)
            if kind is None:
                raise PineUnknown(line.number, "a parameter has a type")
            python = self._names.declare(line.tokens[place].word, line.number)
            parameters.append(python)
            checks.append(f"_typed({kind!r}, {python})")
            place += 1
            if place < arrow - 1 and line.tokens[place].word != ",":
                raise PineUnknown(line.number, "parameters are divided by commas")
            place += 1
        return parameters, checks

    # -- statements -------------------------------------------------------------------------------------------

    def _statements(self, head: Line, returns: bool = False) -> list[str]:
        """Return the block behind a line; with ``returns`` its last statement is an expression that is returned."""
        self._place += 1
        python: list[str] = []
        last: list[str] = []
        while self._place < len(self._lines) and self._lines[self._place].depth > head.depth:
            line = self._lines[self._place]
            if line.depth != head.depth + 1:
                raise PineUnknown(line.number, "indented too far")
            last = self._statement(line)
            python += last
        if not python:
            raise PineUnknown(head.number, "a block is missing")
        if returns:
            if len(last) != 1 or not last[0].startswith("_value("):
                raise PineUnknown(head.number, "a function ends with an expression")
            python[-1] = f"return {last[0]}"
        return python

    def _statement(self, line: Line) -> list[str]:
        first = line.tokens[0]
        if first.kind == "name" and first.word in ("if", "while"):
            return self._conditional(line, first.word)
        if first.kind == "name" and first.word == "for":
            return self._loop(line)
        self._place += 1
        sign = _assignment_in(line)
        if sign is None:
            return [f"_value({Expression(line, self._names).read_to_end()})"]
        return self._declaration(line, sign) if line.tokens[sign].word == "=" else self._assignment(line, sign)

    def _conditional(self, line: Line, word: str) -> list[str]:
        condition = Expression(line, self._names, 1).read_to_end()
        python = [f"{word} _bool({condition}):", *self._inner(line)]
        while word == "if" and self._place < len(self._lines):
            following = self._lines[self._place]
            if following.depth != line.depth or following.tokens[0] != Token("name", "else"):
                break
            if len(following.tokens) == 1:
                return [*python, "else:", *self._inner(following)]
            if following.tokens[1] != Token("name", "if"):
                raise PineUnknown(following.number, "else stands alone or before if")
            condition = Expression(following, self._names, 2).read_to_end()
            python += [f"elif _bool({condition}):", *self._inner(following)]
        return python

    def _loop(self, line: Line) -> list[str]:
        if len(line.tokens) < 4 or line.tokens[2] != Token("name", "in"):
            raise PineUnknown(line.number, "a loop is for name in array")
        array = Expression(line, self._names, 3).read_to_end()
        self._names.blocks.append({})
        python = f"for {self._names.declare(line.tokens[1].word, line.number)} in _array({array}):"
        inner = self._inner(line)
        self._names.blocks.pop()
        return [python, *inner]

    def _inner(self, head: Line) -> list[str]:
        self._names.blocks.append({})
        python = _indented(self._statements(head))
        self._names.blocks.pop()
        return python

    def _declaration(self, line: Line, sign: int) -> list[str]:
        is_kept = line.tokens[0].word == "var"
        kind, place = self._declared_type(line, 1 if is_kept else 0)
        if place != sign - 1 or "." in line.tokens[place].word or (is_kept and line.depth):
            raise PineUnknown(line.number, "this declaration is not known")
        value = Expression(line, self._names, sign + 1).read_to_end()
        if kind is None and value == "_b['na']":
            raise PineUnknown(line.number, "na needs a type")
        name = line.tokens[place].word
        python = self._names.declare(name, line.number)
        checked = f"_typed({kind!r}, {value})" if kind else value
        return [f"if {name!r} not in _g: {python} = {checked}" if is_kept else f"{python} = {checked}"]

    def _assignment(self, line: Line, sign: int) -> list[str]:
        first, _, field = line.tokens[0].word.partition(".")
        variable = self._names.variable(first)
        if sign != 1 or variable is None or "." in field:
            raise PineUnknown(line.number, "this assignment is not known")
        is_own = first not in self._names.parameters and first not in self._names.globals
        if self._is_in_function and not field and not is_own:
            raise PineUnknown(line.number, "a function changes neither parameters nor globals")
        value = Expression(line, self._names, sign + 1).read_to_end()
        return [f"{variable}.{field} = {value}" if field else f"{variable} = _like({variable}, {value})"]

    def _declared_type(self, line: Line, place: int) -> tuple[str | None, int]:
        """Return the type that is written at a place, None where there is none, and the place behind it."""
        words = [token.word for token in line.tokens[place : place + 4]]
        if words[:2] == ["array", "<"] and words[3:] == [">"]:
            self._known_type(line, words[2])
            return f"array<{words[2]}>", place + 4
        if len(words) > 1 and line.tokens[place + 1].kind == "name":
            self._known_type(line, words[0])
            return words[0], place + 1
        return None, place

    def _known_type(self, line: Line, name: str) -> None:
        if name not in ELEMENTARY and name not in self._names.types:
            raise PineUnknown(line.number, f"{name} is no type")


def _assignment_in(line: Line) -> int | None:
    """Return the place of ``=`` or ``:=`` outside brackets."""
    depth = 0
    for place, token in enumerate(line.tokens):
        if token.kind == "sign":
            depth += {"(": 1, ")": -1}.get(token.word, 0)
            if depth == 0 and token.word in ("=", ":="):
                return place
    return None


def _indented(python: list[str]) -> list[str]:
    return [INDENT + row for row in python]
