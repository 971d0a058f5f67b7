"""What a PHP file of settings defines, read without running it.

Understands what people write in `wp-config.php`: `define('X', 'text')`, `const X = 1;`, `$name = 'text';`,
text joined with dots, values from the environment. Anything else is COMPUTED: set, but not known to what.
Values are UTF-8; bytes that are not UTF-8 survive as surrogates.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sidecar.php_tokens import Token, tokens


class Computed:
    """The type of COMPUTED."""

    def __repr__(self) -> str:
        return "COMPUTED"


COMPUTED: Final = Computed()
Value = str | int | float | bool | None | Computed


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file sets. `repeated` are constants that it defines more than once with different values."""

    constants: dict[str, Value] = field(default_factory=dict)
    variables: dict[str, Value] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()


_ENVIRONMENT_CALLS = {"getenv", "env", "getenv_docker"}
_ENVIRONMENT_ARRAYS = {"$_ENV", "$_SERVER"}
_KNOWN: dict[str, Value] = {"MYSQLI_CLIENT_COMPRESS": 32, "MYSQLI_CLIENT_SSL": 2048, "PHP_EOL": "\n"}
_CASTS = {"string", "int", "integer", "bool", "boolean", "float"}


def settings(source: bytes, env: Mapping[str, str], file: str = "") -> Settings:
    """The constants and variables that a PHP file sets; `getenv('X')` is looked up in `env`.

    `file` is the file's own path, for `__DIR__` and `dirname(__FILE__)`.
    """
    return _Reader(list(tokens(source)), env, file).read()


def _text(value: str) -> str:
    return value.encode("latin-1").decode("utf-8", "surrogateescape")


class _Reader:
    """Walks the tokens once. PHP keeps the first `define` of a name, and the last value of a variable."""

    def __init__(self, found: list[Token], env: Mapping[str, str], file: str) -> None:
        self.tokens = [*found, Token("punctuation", ";")]
        self.env = env
        self.known: dict[str, Value] = dict(_KNOWN)
        if file:
            self.known |= {"__FILE__": file, "__DIR__": posixpath.dirname(file)}
        self.at = 0
        self.constants: dict[str, Value] = {}
        self.variables: dict[str, Value] = {}
        self.repeated: set[str] = set()

    def read(self) -> Settings:
        while self.at < len(self.tokens) - 1:
            token = self.tokens[self.at]
            before = self.tokens[self.at - 1].value if self.at else ";"
            self.at += 1
            if token.kind == "name" and str(token.value).lower() == "define" and before not in ("->", "function"):
                self._define()
            elif token.kind == "name" and str(token.value).lower() == "const":
                self._const()
            elif token.kind == "variable" and self._is("="):
                self.at += 1
                self.variables[str(token.value)[1:]] = self._expression()
        return Settings(self.constants, self.variables, frozenset(self.repeated))

    def _is(self, mark: str, offset: int = 0) -> bool:
        where = min(self.at + offset, len(self.tokens) - 1)
        return self.tokens[where] == Token("punctuation", mark)

    def _define(self) -> None:
        if not self._is("(") or self.tokens[min(self.at + 1, len(self.tokens) - 1)].kind != "string":
            return
        name = str(self.tokens[self.at + 1].value)
        if not self._is(",", 2):
            return
        around = [str(token.value) for token in self.tokens[max(0, self.at - 9) : self.at]]
        self.at += 3
        self._keep(name, self._expression(), fallback="defined" in around and name in around)

    def _const(self) -> None:
        if self.tokens[self.at].kind == "name" and self._is("=", 1):
            name = str(self.tokens[self.at].value)
            self.at += 2
            self._keep(name, self._expression())

    def _keep(self, name: str, value: Value, *, fallback: bool = False) -> None:
        if name not in self.constants:
            self.constants[name] = value
        elif self.constants[name] != value and not fallback:
            self.repeated.add(name)

    def _expression(self) -> Value:
        """Up to the end of the expression, wherever that is: what is not understood makes it COMPUTED."""
        parts: list[Value] = [self._operand()]
        understood = True
        depth = 0
        while self.at < len(self.tokens) - 1:
            mark = self.tokens[self.at]
            if depth == 0 and mark.kind == "punctuation" and mark.value in (",", ")", ";", "]"):
                break
            self.at += 1
            if depth == 0 and understood and mark == Token("punctuation", "."):
                parts.append(self._operand())
                continue
            if mark.kind == "punctuation" and mark.value in ("?:", "??") and depth == 0 and understood:
                # A fallback counts only where the environment is PHP's own, which it is not here.
                understood = len(parts) == 1 and parts[0] is not COMPUTED and bool(parts[0])
                self._operand()
                continue
            understood = False
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(str(mark.value), 0) if mark.kind == "punctuation" else 0
        if not understood or any(part is COMPUTED for part in parts):
            return COMPUTED
        if len(parts) > 1:
            return "".join(_joined(part) for part in parts)
        return parts[0]

    def _operand(self) -> Value:
        token = self.tokens[self.at]
        following = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        if token.kind == "punctuation":
            return self._marked(token, following)
        self.at += 1
        if token.kind == "string":
            return _text(str(token.value))
        if token.kind == "number":
            return token.value
        if token.kind == "variable":
            return self._variable(str(token.value))
        if token.kind == "name":
            return self._named(str(token.value))
        return COMPUTED

    def _marked(self, token: Token, following: Token) -> Value:
        if token.value == "-" and following.kind == "number":
            self.at += 2
            assert isinstance(following.value, int | float)
            return -following.value
        if token.value == "(" and str(following.value).lower() in _CASTS and self._is(")", 2):
            self.at += 3
            return self._operand()
        if token.value == "(":
            self.at += 1
            value = self._expression()
            self.at += self._is(")")
            return value
        if token.value not in (",", ")", ";", "]"):
            self.at += 1
        return COMPUTED

    def _variable(self, name: str) -> Value:
        if name in _ENVIRONMENT_ARRAYS and self._is("[") and self._is("]", 2):
            key = self.tokens[self.at + 1]
            self.at += 3
            return self.env.get(str(key.value), COMPUTED) if key.kind == "string" else COMPUTED
        return COMPUTED if self._is("[") or self._is("->") else self.variables.get(name[1:], COMPUTED)

    def _named(self, name: str) -> Value:
        lower = name.lower()
        if lower in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[lower]
        if lower in _ENVIRONMENT_CALLS and self._is("("):
            key = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
            self._skip_call()
            return self.env.get(str(key.value), COMPUTED) if key.kind == "string" else COMPUTED
        if lower == "dirname" and self._is("(") and self._is(")", 2):
            inner = self.known.get(str(self.tokens[self.at + 1].value))
            self._skip_call()
            return posixpath.dirname(inner) if isinstance(inner, str) else COMPUTED
        if self._is("("):
            self._skip_call()
            return COMPUTED
        return self.constants.get(name, self.known.get(name, COMPUTED))

    def _skip_call(self) -> None:
        depth = 0
        while self.at < len(self.tokens) - 1:
            depth += self._is("(") - self._is(")")
            self.at += 1
            if depth == 0:
                return


def _joined(value: Value) -> str:
    """A value as PHP joins it to text."""
    if isinstance(value, bool) or value is None:
        return "1" if value is True else ""
    return str(value)
