"""Expressions of Pine as expressions of Python.

The names of the result: ``_b`` holds the built-in functions and constants, ``_v`` the built-in variables of the bar,
``_g`` the script's globals, ``_bool`` lets nothing but a bool pass. Everything else is a local variable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from tests.support.pine.source import Line, PineUnknown, Token

COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


class Names:
    """What the words of a script mean at one place: types, functions, globals and the blocks of local variables."""

    def __init__(self, functions: Collection[str], variables: Collection[str]) -> None:
        self.built_in_functions = functions
        self.built_in_variables = variables
        self.types: dict[str, tuple[str, ...]] = {}
        self.functions: set[str] = set()
        self.globals: set[str] = set()
        self.parameters: set[str] = set()
        self.blocks: list[dict[str, str]] = []
        self._count = 0

    def declare(self, name: str, line: int) -> str:
        """Declare a variable in the innermost block, or a global, and return what it is called in Python."""
        taken = {**dict.fromkeys(self.globals), **{name: None for block in self.blocks for name in block}}
        if name in taken or name in self.functions or name in self.types or name in self.built_in_variables:
            raise PineUnknown(line, f"{name} is declared already")
        if not self.blocks:
            self.globals.add(name)
            return f"_g[{name!r}]"
        self._count += 1
        self.blocks[-1][name] = f"{name}_{self._count}"
        return self.blocks[-1][name]

    def variable(self, name: str) -> str | None:
        """Return what a variable is called in Python, None where there is none of the name."""
        for block in reversed(self.blocks):
            if name in block:
                return block[name]
        return f"_g[{name!r}]" if name in self.globals else None


class Expression:
    """Reads one expression after the other from the tokens of a line."""

    def __init__(self, line: Line, names: Names, start: int = 0) -> None:
        self._line = line
        self._tokens = line.tokens
        self._names = names
        self.place = start

    def read(self) -> str:
        """Return the next expression in Python."""
        condition = self._either()
        if not self._takes("?"):
            return condition
        chosen = self.read()
        self.expects(":")
        return f"({chosen} if _bool({condition}) else {self.read()})"

    def read_to_end(self) -> str:
        """Return the expression that the rest of the line is."""
        python = self.read()
        if self.place != len(self._tokens):
            raise self.unknown(f"{self._tokens[self.place].word!r} is not known here")
        return python

    def expects(self, sign: str) -> None:
        """Step over a sign that must be there."""
        if not self._takes(sign):
            raise self.unknown(f"{sign!r} is missing")

    def unknown(self, what: str) -> PineUnknown:
        return PineUnknown(self._line.number, what)

    def _either(self) -> str:
        return self._of_bools("or", self._both)

    def _both(self) -> str:
        return self._of_bools("and", self._equal)

    def _of_bools(self, word: str, part: Callable[[], str]) -> str:
        python = part()
        while self._takes(word):
            python = f"(_bool({python}) {word} _bool({part()}))"
        return python

    def _equal(self) -> str:
        if self._takes("not"):
            return f"(not _bool({self._equal()}))"
        left = self._sum()
        for sign in COMPARISONS:
            if self._takes(sign):
                right = self._sum()
                if "_b['na']" in (left, right):
                    raise self.unknown("na is compared by na()")
                return f"({left} {sign} {right})"
        return left

    def _sum(self) -> str:
        python = self._product()
        while sign := self._takes_one_of("+-"):
            python = f"({python} {sign} {self._product()})"
        return python

    def _product(self) -> str:
        python = self._signed()
        while sign := self._takes_one_of("*/"):
            python = f"({python} {sign} {self._signed()})"
        return python

    def _signed(self) -> str:
        return f"(-{self._signed()})" if self._takes("-") else self._value()

    def _value(self) -> str:
        token = self._next()
        if token.kind == "number":
            return token.word
        if token.kind == "text":
            return repr(token.word)
        if token.word == "(":
            python = self.read()
            self.expects(")")
            return python
        if token.kind == "name":
            return self._named(token.word)
        raise self.unknown(f"{token.word!r} is no value")

    def _named(self, name: str) -> str:
        if name in ("true", "false"):
            return name.capitalize()
        if name == "array.new":
            return self._new_array()
        if self._is("("):
            return f"{self._function(name)}({self._arguments()})"
        if name in self._names.built_in_functions and name != "na":
            raise self.unknown(f"{name} is a function")
        if name in self._names.built_in_variables:
            return f"_v[{name!r}]"
        return self._variable(name)

    def _variable(self, name: str) -> str:
        first, _, field = name.partition(".")
        variable = self._names.variable(first)
        if name == "na":
            return "_b['na']"
        if variable is None or "." in field:
            raise self.unknown(f"{name} is not known")
        return f"{variable}.{field}" if field else variable

    def _function(self, name: str) -> str:
        owner, _, last = name.rpartition(".")
        if owner in self._names.types and last == "new":
            return f"_g[{owner!r}]"
        if name in self._names.functions:
            return f"_g[{name!r}]"
        if name in self._names.built_in_functions:
            return "_b['na()']" if name == "na" else f"_b[{name!r}]"
        raise self.unknown(f"{name}() is not known")

    def _new_array(self) -> str:
        self.expects("<")
        element = self._next().word
        if element not in self._names.types and element not in ("int", "float", "string", "bool"):
            raise self.unknown(f"{element} is no type")
        for sign in (">", "(", ")"):
            self.expects(sign)
        return "[]"

    def _arguments(self) -> str:
        """Return the arguments of a call; the place is at the opening bracket."""
        self.expects("(")
        arguments: list[str] = []
        while not self._takes(")"):
            if arguments:
                self.expects(",")
            is_named = self.place + 1 < len(self._tokens) and self._tokens[self.place + 1].word == "="
            if is_named:
                name = self._next().word
                self.expects("=")
                arguments.append(f"{name}={self.read()}")
            else:
                arguments.append(self.read())
        return ", ".join(arguments)

    def _next(self) -> Token:
        if self.place >= len(self._tokens):
            raise self.unknown("the line ends too early")
        self.place += 1
        return self._tokens[self.place - 1]

    def _is(self, word: str) -> bool:
        at = self._tokens[self.place] if self.place < len(self._tokens) else None
        return at is not None and at.kind != "text" and at.word == word

    def _takes(self, word: str) -> bool:
        is_next = self._is(word)
        self.place += is_next
        return is_next

    def _takes_one_of(self, signs: str) -> str | None:
        return next((sign for sign in signs if self._takes(sign)), None)
