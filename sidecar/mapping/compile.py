"""Rules → functions. Every fault of the file is found at once, with its line and what was probably meant."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

import msgspec

from sidecar import toml_file
from sidecar.errors import MappingError, Problem
from sidecar.mapping import partial, sources, transforms
from sidecar.mapping.compiled import CompiledField, CompiledTag, Mapping, is_multi, is_plain, reader
from sidecar.mapping.rules import CHOICE, FieldRule, MappingFile, Pick, Step, TagRule

CUSTOM = "custom:"
COLUMNS = {
    "prefix": 192, "first_name": 192, "last_name": 192, "phone": 50, "address_line_1": 192, "address_line_2": 192,
    "postal_code": 192, "city": 192, "state": 192, "country": 192, "timezone": 192, "date_of_birth": 10,
    "contact_type": 50, "source": 50, "user_id": 20,
}  # fmt: skip
_PLACE = ("address_1", "address_2", "city", "state", "postcode", "country")
_RESERVED = frozenset(COLUMNS) | {
    "id",
    "email",
    "hash",
    "status",
    "ip",
    "avatar",
    "created_at",
    "updated_at",
    "_secure_hash",
}


def may_be_slug(slug: str) -> bool:
    """Whether a custom field of FluentCRM can have this slug."""
    letters = slug.replace("_", "").replace("-", "")
    return letters.isalnum() and slug not in _RESERVED and len(slug) <= 190


def default_text() -> str:
    """The built-in mapping, which is also the commented example in `config/mapping.toml`."""
    return (resources.files("sidecar.mapping") / "default.toml").read_text(encoding="utf-8")


def load(path: str | Path | None) -> Mapping:
    """Compile a mapping file, or the built-in default for None. Raises MappingError with every problem."""
    if path is None:
        return compile_text(default_text(), "default.toml")
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise MappingError(
            f"cannot read the mapping rules {path}: {error.strerror}",
            hint="set [mapping] file, or leave it empty for the default",
        ) from error
    except UnicodeDecodeError as error:
        raise MappingError(f"{path} is not UTF-8 text (byte {error.start})", hint="save it as UTF-8") from error
    return compile_text(text, str(path))


def compile_text(text: str, file: str) -> Mapping:
    """Compile the text of a mapping file. Raises MappingError with every problem."""
    parsed, problems = toml_file.problems(text, MappingFile, file)
    if not isinstance(parsed, MappingFile):
        # The rules that are well formed are looked at all the same, so that all faults are told at once.
        if (rest := partial.usable(text)) is not None:
            checked = _Compiler(text, file)
            checked.compile(rest)
            problems = [*problems, *checked.problems]
        raise _error(file, problems)
    found = _Compiler(text, file)
    mapping = found.compile(parsed)
    problems = [*problems, *found.problems]
    if problems:
        raise _error(file, problems)
    return mapping


def _error(file: str, problems: list[Problem]) -> MappingError:
    problems = sorted(problems, key=lambda problem: problem.line or 0)
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return MappingError(
        f"{file}: {count} in the mapping rules", problems, hint="`sidecar mapping check` shows them again"
    )


class _Compiler:
    def __init__(self, text: str, file: str) -> None:
        self.problems: list[Problem] = []
        self._text = text
        self._file = file
        self._meta: dict[str, set[str]] = {kind: set() for kind in sources.KEYED}

    def compile(self, parsed: MappingFile) -> Mapping:
        fields = [self._field(rule, number) for number, rule in enumerate(parsed.field)]
        tags = [self._tag(rule, "tag", number) for number, rule in enumerate(parsed.tag)]
        lists = [self._tag(rule, "list", number) for number, rule in enumerate(parsed.list)]
        self._twice((rule.to for rule in parsed.field), "field", "to")
        easy = [field for field in fields if is_plain(field)]
        return Mapping(
            options=parsed.options,
            fields=tuple(fields),
            plain=tuple((field.slug, field.read) for field in easy),
            careful=tuple(field for field in fields if field not in easy),
            tags=tuple(tags),
            lists=tuple(lists),
            user_meta=frozenset(self._meta["user_meta"]),
            order_meta=frozenset(self._meta["order_meta"]),
            item_meta=frozenset(self._meta["item_meta"]),
            product_meta=frozenset(self._meta["product_meta"]),
            digest=hashlib.sha256(msgspec.json.encode(parsed)).hexdigest()[:16],
            file=self._file,
        )

    def _say(self, kind: str, number: int, key: str, message: str, hint: str = "") -> None:
        line = toml_file.line_of(self._text, (kind, number, key)) or toml_file.line_of(self._text, (kind, number))
        self.problems.append(Problem(self._file, line, f"{kind}[{number + 1}].{key}", message, hint))

    def _twice(self, names: Iterable[str], kind: str, key: str) -> None:
        seen: set[str] = set()
        for number, name in enumerate(names):
            if name in seen:
                self._say(
                    kind,
                    number,
                    key,
                    f"{name!r} is filled by another rule already",
                    "give one rule several sources: from = [a, b]",
                )
            seen.add(name)

    def _field(self, rule: FieldRule, number: int) -> CompiledField:
        column = slug = ""
        limit = 0
        if rule.to.startswith(CUSTOM):
            slug = rule.to.removeprefix(CUSTOM)
            if not may_be_slug(slug):
                self._say(
                    "field",
                    number,
                    "to",
                    f"{slug!r} cannot be the slug of a custom field",
                    "use a-z, 0-9 and _, and no name of a contact column",
                )
            if rule.options and rule.type not in CHOICE:
                self._say(
                    "field",
                    number,
                    "options",
                    f"a field of type {rule.type!r} has no options",
                    "use select-one, select-multi, radio or checkbox",
                )
        else:
            column = rule.to
            limit = COLUMNS.get(column, 0)
            if not limit:
                self._say(
                    "field",
                    number,
                    "to",
                    f"there is no contact column {column!r} to write",
                    _meant(column, [*COLUMNS, *(f"{CUSTOM}{column}",)]),
                )
            for key, given in (("label", rule.label), ("options", rule.options), ("group", rule.group)):
                if given:
                    self._say(
                        "field",
                        number,
                        key,
                        "belongs to custom fields only",
                        f'write to = "{CUSTOM}{column}" to make one',
                    )
        getters = self._getters(rule.from_, rule.pick, "field", number)
        chain, join = self._chain(rule.transform, "field", number)
        if column == "date_of_birth" and rule.from_ != "facts.birthday":
            chain = (*chain, transforms.born)
        multi = bool(slug) and is_multi(rule.type)
        return CompiledField(
            rule,
            column,
            slug,
            getters,
            chain,
            ", " if join is None else join,
            limit,
            multi,
            _takes_place(rule),
            reader(getters, chain),
        )

    def _tag(self, rule: TagRule, kind: str, number: int) -> CompiledTag:
        if not rule.slug.strip():
            self._say(kind, number, "slug", "is empty", 'such as "woo-{value}"')
        if kind == "tag" and not rule.slug.startswith("woo-"):
            self._say(
                kind,
                number,
                "slug",
                f"{rule.slug!r} does not begin with woo-",
                "so that tags which people made are never taken for ours",
            )
        for key, given in (("slug", rule.slug), ("title", rule.title)):
            for hole in transforms.template_holes(given):
                if hole != "value":
                    self._say(kind, number, key, f"{{{hole}}} is not known here", "only {value} is")
        getters = self._getters(rule.from_, rule.pick, kind, number)
        chain, _ = self._chain(rule.transform, kind, number)
        return CompiledTag(rule, getters, chain, frozenset(word.strip().lower() for word in rule.when))

    def _getters(self, from_: str | tuple[str, ...], pick: Pick, kind: str, number: int) -> tuple[sources.Getter, ...]:
        found = []
        for source in (from_,) if isinstance(from_, str) else from_:
            getter = sources.getter(source, pick)
            if getter is None:
                self._say(kind, number, "from", f"there is no source {source!r}", _meant(source, sources.names_of()))
                continue
            group, _, key = source.partition(".")
            if group in self._meta:
                self._meta[group].add(key)
            found.append(getter)
        if not from_:
            self._say(kind, number, "from", "names no source", "such as billing.phone")
        return tuple(found)

    def _chain(
        self, steps: tuple[str | Step, ...], kind: str, number: int
    ) -> tuple[tuple[transforms.Transform, ...], str | None]:
        chain: list[transforms.Transform] = []
        join = None
        for item in steps:
            if isinstance(item, str):
                named = transforms.NAMED.get(item)
                if named is None:
                    self._say(
                        kind,
                        number,
                        "transform",
                        f"there is no transform {item!r}",
                        _meant(item, list(transforms.NAMED)),
                    )
                else:
                    chain.append(named[0])
                continue
            if item.template is not None:
                for hole in transforms.template_holes(item.template):
                    if hole not in transforms.HOLES:
                        self._say(
                            kind,
                            number,
                            "transform",
                            f"the template has {{{hole}}}, which is not known",
                            _meant(hole, list(transforms.HOLES)),
                        )
            if item.limit is not None and item.limit < 1:
                self._say(kind, number, "transform", "limit must be at least 1")
            if item.default is not None and item.map is None:
                self._say(kind, number, "transform", "default stands without map")
            if item == Step():
                self._say(kind, number, "transform", "an empty step", "use map, template, limit or join")
            chain.extend(transforms.step(item))
            join = item.join if item.join is not None else join
        return tuple(chain), join


def _takes_place(rule: FieldRule) -> bool:
    names = (rule.from_,) if isinstance(rule.from_, str) else rule.from_
    places = {f"{kind}.{part}" for kind in ("billing", "shipping") for part in _PLACE}
    return bool(names) and places.issuperset(names)


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(sorted(known)[:12])} …"
