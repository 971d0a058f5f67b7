"""Meta keys explained: what a key holds, whose it is, and how a rule would use it. Pure."""

from __future__ import annotations

import re

import msgspec

from sidecar.mapping import kinds, plugins
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.rules import FieldType
from sidecar.store.meta import KeyStats, Survey
from sidecar.store.meta import Kind as Of
from sidecar.values import text

GROUPS: dict[Of, str] = {"users": "user_meta", "orders": "order_meta", "items": "item_meta", "products": "product_meta"}
_TYPES: dict[kinds.Kind, tuple[FieldType, tuple[str, ...]]] = {
    "flag": ("select-one", ("lower",)),
    "number": ("number", ("number",)),
    "money": ("number", ("number",)),
    "date": ("date", ("date",)),
    "jalali_date": ("date", ("date",)),
    "date_time": ("date_time", ("date_time",)),
    "unix_time": ("date_time", ("date_time",)),
    "phone": ("text", ("phone",)),
    "email": ("text", ("email",)),
    "url": ("text", ("trim",)),
    "country": ("text", ("country",)),
    "slug": ("text", ("trim",)),
    "text": ("text", ("plain",)),
    "long_text": ("textarea", ("plain",)),
    "html": ("textarea", ("plain",)),
    "php_list": ("select-multi", ("plain",)),
    "mixed": ("text", ("plain",)),
}
# What the person's own facts or address already say: a rule takes those, tidied, not the meta.
_BETTER = re.compile(
    r"_?(billing|shipping)_(first_name|last_name|company|address_1|address_2|city|state|postcode|country|email|phone)"
)
_FACTS = {
    "_wc_order_attribution_utm_source": "facts.utm_source",
    "_wc_order_attribution_utm_medium": "facts.utm_medium",
    "_wc_order_attribution_utm_campaign": "facts.utm_campaign",
    "_wc_order_attribution_device_type": "facts.device",
    "_wc_order_attribution_source_type": "facts.source_type",
    "_payment_method": "facts.payment_method",
    "_money_spent": "facts.ltv",
    "_order_count": "facts.orders_count",
    "_product_id": "facts.products",
    "locale": "facts.locale",
    "customer_type": "facts.customer_type",
    "first_name": "person.first_name",
    "last_name": "person.last_name",
}


class Key(msgspec.Struct, kw_only=True):
    """One meta key as `sidecar mapping explore` shows it. `share` of the owners carry it and `filled` of its rows
    say something, both 0 to 1. `samples` are masked. `source` is the name for a rule's `from`; `better` a source
    that gives the same tidied; `used` the targets that rules fill from it. `active`: whether its plugin runs."""

    key: str
    keys: int
    rows: int
    owners: int
    share: float
    filled: float
    kind: kinds.Kind
    samples: list[str]
    plugin: str
    active: bool | None
    source: str
    better: str
    transform: list[str]
    type: str
    used: list[str]
    rule: str


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What to explain keys by: the tables' prefix, the active plugins (`folder/file.php`), and the keys that the
    configuration reads already: {key: "facts.birthday"}."""

    prefix: str = "wp_"
    active: tuple[str, ...] = ()
    facts: dict[str, str] = {}


_NOTHING = Around()


def explore(survey: Survey, mapping: Mapping | None, around: Around = _NOTHING) -> list[Key]:
    """Every key of a survey, explained; in the survey's order (most rows first)."""
    used = _used(mapping, survey.kind, around) if mapping is not None else {}
    return [_explain(stats, survey, used, around) for stats in survey.keys]


def _explain(stats: KeyStats, survey: Survey, used: dict[str, list[str]], around: Around) -> Key:
    kind = kinds.of_samples(stats.samples, stats.key)
    plugin = plugins.owner(stats.key, around.prefix)
    group = GROUPS[survey.kind]
    single = stats.keys == 1
    source = f"{group}.{stats.key}" if single and kind != "secret" else ""
    type_: str
    type_, transform = _TYPES.get(kind, ("", ())) if source else ("", ())
    if kind in ("slug", "text") and kinds.codes(stats.samples, kind, stats.key):
        type_ = "select-one"
    better = (_better(stats.key, survey.kind) or around.facts.get(stats.key, "")) if single else ""
    return Key(
        key=stats.key,
        keys=stats.keys,
        rows=stats.rows,
        owners=min(stats.owners, survey.owners),
        share=round(min(1.0, stats.owners / survey.owners), 4) if survey.owners else 0.0,
        filled=round(stats.filled / stats.rows, 4) if stats.rows else 0.0,
        kind=kind,
        samples=kinds.shown(stats.samples, kind, stats.key),
        plugin=plugin.name if plugin else plugins.OWN,
        active=plugins.is_active(plugin, around.active) if plugin else None,
        source=source,
        better=better,
        transform=list(transform),
        type=type_,
        used=used.get(stats.key, []),
        rule=_rule(stats.key, source, type_, transform) if type_ and not better else "",
    )


def _better(key: str, of: Of) -> str:
    found = _BETTER.fullmatch(key)
    if found and of in ("users", "orders") and key.startswith("_") == (of == "orders"):
        return f"{found[1]}.{found[2]}"
    if of == "users" and key.endswith("capabilities"):
        return "facts.roles"
    return _FACTS.get(key, "")


def _rule(key: str, source: str, type_: str, transform: tuple[str, ...]) -> str:
    """The rule to copy into mapping.toml."""
    slug = re.sub(r"[^a-z0-9]+", "_", text.slugify(key).replace("%", "")).strip("_")[:60] or "field"
    label = slug.replace("_", " ").capitalize()
    words = ", ".join(f'"{name}"' for name in transform)
    quoted = source.replace("\\", "\\\\").replace('"', '\\"')
    lines = ["[[field]]", f'to = "custom:woo_{slug}"', f'label = "{label}"']
    if type_ != "text":
        lines.append(f'type = "{type_}"')
    return "\n".join([*lines, f'from = "{quoted}"', f"transform = [{words}]"])


def _used(mapping: Mapping, of: Of, around: Around) -> dict[str, list[str]]:
    """{key: targets of the rules that read it}, itself or through a fact."""
    found: dict[str, list[str]] = {}
    group = GROUPS[of]
    named = [(rule.target, rule.rule.from_) for rule in mapping.fields]
    named += [(f"tag {rule.rule.slug}", rule.rule.from_) for rule in mapping.tags]
    named += [(f"list {rule.rule.slug}", rule.rule.from_) for rule in mapping.lists]
    facts: dict[str, list[str]] = {}
    for key, fact in {**_FACTS, **around.facts}.items():
        facts.setdefault(fact, []).append(key)
    for target, sources in named:
        for source in (sources,) if isinstance(sources, str) else sources:
            kind, _, key = source.partition(".")
            for behind in facts.get(source, ()):
                found.setdefault(behind, []).append(target)
            if kind == group:
                found.setdefault(key, []).append(target)
            elif kind in ("billing", "shipping") and of in ("users", "orders"):
                found.setdefault(f"{'_' if of == 'orders' else ''}{kind}_{key}", []).append(target)
    return found
