"""Where the owner's texts run: Jinja2 with the few parts that a message needs, and no way out.

What a text may hold is a short list (`faults` says what is not on it, with its line): names of the context, its fields, a few
filters and tests, `if`, and `for` at most two deep. There is no assignment, so a text cannot grow by itself; ranges, sizes and
time have caps. What comes from people is never read as a template: it goes in as a value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal

import msgspec
from jinja2 import Template, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sidecar.automations.messages import filters, macros, names
from sidecar.automations.messages.view import Missing, Shown

# html: the body of an e-mail. text: a subject, a short text, a note, a value: no HTML, no macros.
Part = Literal["html", "text"]
MOST_SOURCE = 50_000
MOST_OUTPUT = 200_000
_MOST_SECONDS = 1.0
_MOST_RANGE = 100
_MOST_DEPTH = 2
_LOOP = frozenset({"index", "index0", "first", "last", "length", "revindex"})
_METHODS = frozenset({"upper", "lower", "title", "capitalize", "strip", "startswith", "endswith"})
_TESTS = ("defined", "undefined", "even", "odd", "none", "string", "number", "divisibleby", "eq", "ne", "lt", "le", "gt", "ge", "in", "true", "false",
          "equalto", "==", "!=", "<", "<=", ">", ">=", "greaterthan", "lessthan")  # fmt: skip
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem, nodes.Filter,
    nodes.Test, nodes.If, nodes.For, nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or, nodes.Call,
    nodes.Keyword, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat,
    nodes.Tuple, nodes.List, nodes.Slice,
)  # fmt: skip


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a text, and in which of its lines (from 1)."""

    line: int
    message: str
    hint: str = ""


def _range(*bounds: int) -> range:
    """`range`, but short."""
    found = range(*bounds)
    if len(found) > _MOST_RANGE:
        raise SecurityError(f"a range may have {_MOST_RANGE} numbers, not {len(found)}")
    return found


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of one part. Templates reach only what `view` made."""

    intercepted_binops = frozenset({"+", "*", "%", "/", "//", "-"})

    def __init__(self, part: Part) -> None:
        super().__init__(
            autoescape=part == "html", undefined=Missing, trim_blocks=True, lstrip_blocks=True, cache_size=0,
            finalize=_printable,
        )  # fmt: skip
        functions: dict[str, Callable[..., Any]] = {"range": _range}
        if part == "html":
            functions |= macros.MACROS
        self._functions = frozenset(functions.values())
        self.globals = dict(functions)
        self.filters = dict(filters.FILTERS)
        self.tests = {name: self.tests[name] for name in _TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self._part(obj, attribute, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        # What is looked up by may be somebody's name: problems are kept, so they do not repeat it.
        return self._part(obj, argument, str(argument) if isinstance(argument, int) else "[…]")

    def _part(self, obj: Any, argument: Any, said: str) -> Any:
        if isinstance(obj, Missing):
            return Missing(f"{obj.named}.{said}")
        if isinstance(obj, Shown):
            if isinstance(argument, str) and not argument.startswith("_"):
                return obj.field(argument, said)
        elif isinstance(obj, str) and isinstance(argument, str):
            if argument in _METHODS:
                return getattr(str(obj), argument)
        elif isinstance(obj, LoopContext):
            if argument in _LOOP:
                return getattr(obj, argument)
        elif isinstance(obj, str | tuple | list | range) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return Missing("that item")
        raise SecurityError("it asks for a part that is not there")

    def call(self, context: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(obj, Missing):
            raise SecurityError(f"{obj.named} cannot be called")
        if obj in self._functions or (isinstance(getattr(obj, "__self__", None), str) and obj.__name__ in _METHODS):
            return super().call(context, obj, *args, **kwargs)
        raise SecurityError("only macros, range and a few methods of texts can be called")

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        numbers = (int, float)
        if not (isinstance(left, numbers) and isinstance(right, numbers)) and not (
            operator == "+" and isinstance(left, str) and isinstance(right, str)
        ):
            raise SecurityError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)


def _printable(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        raise SecurityError(f"{value} would be printed")
    if isinstance(value, str | int | float | Missing | Shown):
        return value
    raise SecurityError("a list would be printed: go through it with {% for %}")


@lru_cache(maxsize=2)
def environment(part: Part) -> Sandbox:
    """The environment of a part; made once."""
    return Sandbox(part)


@lru_cache(maxsize=256)
def compiled(part: Part, source: str) -> Template:
    """The template of a text. Raises TemplateError when it is not one that may run."""
    found = faults(source, part)
    if found:
        raise TemplateSyntaxError(f"{found[0].message} (line {found[0].line})", found[0].line)
    return environment(part).from_string(source)


def run(part: Part, source: str, values: Mapping[str, Any]) -> str:
    """The text with the values in it. Raises TemplateError (a missing value, an unknown name), and SecurityError of the same
    family where it takes too long or gets too large."""
    pieces: list[str] = []
    size = 0
    try:
        template = compiled(part, source)
        # The time that this thread worked, not what a busy host took from it.
        until = time.thread_time() + _MOST_SECONDS
        for piece in template.generate(values):
            size += len(piece)
            if size > MOST_OUTPUT:
                raise SecurityError(f"the text gets longer than {MOST_OUTPUT} characters")
            if time.thread_time() > until:
                raise SecurityError("the text takes too long")
            pieces.append(piece)
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError, RecursionError) as error:
        raise SecurityError(f"the text cannot be worked out ({type(error).__name__})") from error
    return "".join(pieces)


# --- checking before anything runs ---------------------------------------------------------------------------


def faults(source: str, part: Part) -> list[Fault]:
    """All that is wrong with a text, in order; empty when it may run. Never raises."""
    if len(source) > MOST_SOURCE:
        return [Fault(1, f"the text has {len(source)} characters, {MOST_SOURCE} are allowed")]
    try:
        tree = environment(part).parse(source)
        found = list(_walk(tree, {}, 0, part))
    except TemplateSyntaxError as error:
        return [Fault(error.lineno or 1, (error.message or "it is no template").rstrip("."))]
    except (TemplateError, RecursionError, ValueError) as error:
        return [Fault(1, f"it is no template ({type(error).__name__})")]
    return sorted(set(found), key=lambda fault: (fault.line, fault.message))


@lru_cache(maxsize=512)
def used(source: str) -> frozenset[str]:
    """The names of the context that a text uses; all of them when it cannot be read."""
    try:
        tree = environment("html").parse(source)
    except (TemplateError, RecursionError, ValueError):
        return frozenset(names.NAMES)
    return frozenset({node.name for node in tree.find_all(nodes.Name)} & names.NAMES.keys())


def _walk(node: nodes.Node, bound: dict[str, Any], depth: int, part: Part) -> Iterator[Fault]:
    line = node.lineno or 1
    if not isinstance(node, _ALLOWED):
        yield Fault(line, f"{type(node).__name__.lower()} is not part of messages", "see docs/automations.md, Messages")
        return
    if isinstance(node, nodes.For):
        if depth >= _MOST_DEPTH:
            yield Fault(line, f"loops go {_MOST_DEPTH} deep at most")
        if node.recursive:
            yield Fault(line, "recursive loops are not part of messages")
        yield from _walk(node.iter, bound, depth, part)
        inner = {**bound, "loop": names.ANY}
        of = names.element(_type(node.iter, bound))
        inner |= {
            name.name: of
            for name in ([node.target] if isinstance(node.target, nodes.Name) else node.target.find_all(nodes.Name))
        }
        for child in (node.test, *node.body):
            if child is not None:
                yield from _walk(child, inner, depth + 1, part)
        for child in node.else_:
            yield from _walk(child, bound, depth, part)
        return
    if isinstance(node, nodes.Output):
        for child in node.nodes:
            if isinstance(child, nodes.Const) and (child.value is None or isinstance(child.value, bool)):
                yield Fault(child.lineno or line, f"{child.value} would be printed")
    if isinstance(node, nodes.Name):
        yield from _name(node, bound, part)
    elif isinstance(node, nodes.Filter):
        if node.name not in filters.FILTERS:
            yield Fault(line, f"there is no filter {node.name!r}", _near(node.name, filters.FILTERS))
    elif isinstance(node, nodes.Test):
        if node.name not in _TESTS:
            yield Fault(line, f"there is no test {node.name!r}", _near(node.name, _TESTS))
    elif isinstance(node, nodes.Getattr):
        yield from _field(node, bound)
    elif isinstance(node, nodes.Call) and not isinstance(node.node, nodes.Name | nodes.Getattr):
        yield Fault(line, "only macros, range and a few methods of texts can be called")
    for child in node.iter_child_nodes():
        yield from _walk(child, bound, depth, part)


def _name(node: nodes.Name, bound: dict[str, Any], part: Part) -> Iterator[Fault]:
    functions = {"range"} | (set(macros.MACROS) if part == "html" else set())
    if node.name in bound or node.name in names.NAMES or node.name in functions:
        return
    if node.name in macros.MACROS:
        yield Fault(node.lineno, f"{node.name} makes HTML: it is for the body only")
        return
    yield Fault(node.lineno, f"there is no {node.name!r}", _near(node.name, [*bound, *names.NAMES, *functions]))


def _field(node: nodes.Getattr, bound: dict[str, Any]) -> Iterator[Fault]:
    of = _type(node.node, bound)
    known = names.fields(of)
    if node.attr.startswith("_"):
        yield Fault(node.lineno, f"{node.attr} is private")
    elif known is not None and node.attr not in known:
        yield Fault(node.lineno, f"there is no {node.attr!r} in {_said(node.node)}", _near(node.attr, known))


def _type(node: nodes.Node, bound: dict[str, Any]) -> Any:
    """What an expression is, as far as that is known without running it."""
    if isinstance(node, nodes.Name):
        return bound.get(node.name, names.NAMES.get(node.name, names.ANY))
    if isinstance(node, nodes.Getattr):
        known = names.fields(_type(node.node, bound))
        return names.ANY if known is None else known.get(node.attr, names.ANY)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, int):
        return names.element(_type(node.node, bound))
    if isinstance(node, nodes.Filter) and node.node is not None:
        if node.name in ("first", "last"):
            return names.element(_type(node.node, bound))
        if node.name in ("list", "default", "d"):
            return _type(node.node, bound)
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return _type(node.node, bound)
    return names.ANY


def _said(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_said(node.node)}.{node.attr}"
    return node.name if isinstance(node, nodes.Name) else "it"


def _near(word: str, known: Any) -> str:
    close = get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]}?" if close else ""
