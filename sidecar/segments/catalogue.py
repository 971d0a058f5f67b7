"""What rules can ask about a person: the fields, their kinds, and what each means.

Kinds: `number` and `money` (the shop's currency), `moment` (Unix seconds UTC inside), `text`, `set` (of texts), `flag`
(yes or no), `day` (a day of the year that comes again), `terms` (tags or lists in FluentCRM) and `value` (a custom field or
a column of the contact in FluentCRM: what is asked of it says how it is read).
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

Kind = Literal["number", "money", "moment", "text", "set", "flag", "day", "terms", "value"]
Table = Literal["trait", "contact_trait", "contact_value"]


class Field(msgspec.Struct, frozen=True):
    """A field of the catalogue, and where the state has it. `column`: in `trait` or `contact_trait`; of a `contact_value` it
    is what names of values begin with (`tag:`), or the whole name of one."""

    name: str
    kind: Kind
    about: str
    table: Table = "trait"
    stored: str = ""

    @property
    def column(self) -> str:
        return self.stored or self.name


_ALL: Final = (
    Field("orders_count", "number", "Paid orders whose net is above 0."),
    Field("ltv", "money", "Lifetime value: what they paid, less refunds."),
    Field("aov", "money", "Average order value: LTV / orders."),
    Field("gross", "money", "What they paid, refunds not taken off."),
    Field("refunded", "money", "What they got back."),
    Field("products_count", "number", "Different products bought."),
    Field("items_count", "number", "Items bought, each as often as bought."),
    Field("coupons_count", "number", "Different coupons used."),
    Field("first_order", "moment", "Time of the first counted order."),
    Field("last_order", "moment", "Time of the last counted order."),
    Field("registered", "moment", "When the account was made; guests have none."),
    Field("interval_days", "number", "Own buying interval: days between first and last order / (orders - 1)."),
    Field("customer_status", "text", "lead, new, returning or vip."),
    Field("customer_type", "text", "retail or b2b."),
    Field("country", "text", "Country of the billing address, ISO-2."),
    Field("locale", "text", "The account's language and country, as in fa_IR."),
    Field("language", "text", "The account's language, as in fa."),
    Field("payment_method", "text", "Payment method (gateway id) of the last counted order."),
    Field("shipping_method", "text", "Shipping method (method id) of the last counted order."),
    Field("utm_source", "text", "UTM source of the last counted order."),
    Field("utm_medium", "text", "UTM medium of the last counted order."),
    Field("utm_campaign", "text", "UTM campaign of the last counted order."),
    Field("device", "text", "Device of the last counted order."),
    Field("first_utm_source", "text", "UTM source of the first counted order."),
    Field("first_utm_medium", "text", "UTM medium of the first counted order."),
    Field("first_utm_campaign", "text", "UTM campaign of the first counted order."),
    Field("categories", "set", "Names of the categories bought from."),
    Field("products", "set", "Ids of the products bought."),
    Field("product_types", "set", "physical, digital, subscription."),
    Field("payment_methods", "set", "Every payment method used."),
    Field("shipping_methods", "set", "Every shipping method used."),
    Field("coupons", "set", "Codes of the coupons used."),
    Field("roles", "set", "Roles of the account."),
    Field("is_account", "flag", "Has an account in the shop."),
    Field("optin", "flag", "Said yes to marketing in the shop (what that is worth: the consent rules)."),
    Field("birthday", "day", "Birthday."),
    Field("membership_day", "day", "The day of the year on which the account was made."),
    Field("first_order_day", "day", "The day of the year of the first order."),
    Field("recency_score", "number", "RFM: 5 for the fifth of buyers whose last order is the latest, to 1."),
    Field("frequency_score", "number", "RFM: 5 for the fifth of buyers with the most orders, to 1."),
    Field("monetary_score", "number", "RFM: 5 for the fifth of buyers with the highest LTV, to 1."),
    Field("status", "text", "Status of the contact: subscribed, pending, unsubscribed, bounced, complained, …", "contact_trait"),
    Field("consent", "flag", "Is subscribed: may get campaigns.", "contact_trait"),
    Field("emails_sent", "number", "E-mails that FluentCRM sent to the contact.", "contact_trait"),
    Field("emails_opened", "number", "Those of them that were opened or clicked in.", "contact_trait"),
    Field("emails_clicked", "number", "Those of them that were clicked in.", "contact_trait"),
    Field("first_email", "moment", "When the first e-mail was sent.", "contact_trait", "first_sent"),
    Field("last_email", "moment", "When the last e-mail was sent.", "contact_trait", "last_sent"),
    Field("last_open", "moment", "When an e-mail was last opened or clicked in.", "contact_trait"),
    Field("last_click", "moment", "When a link in an e-mail was last clicked.", "contact_trait"),
    Field("engagement", "number", "Answers to the newest 20 e-mails, 0 to 100; none before the third.", "contact_trait"),
    Field("tags", "terms", "Tags of the contact in FluentCRM, by slug.", "contact_value", "tag:"),
    Field("lists", "terms", "Lists of the contact in FluentCRM, by slug.", "contact_value", "list:"),
)  # fmt: skip
FIELDS: Final[dict[str, Field]] = {field.name: field for field in _ALL}

# `contact.NAME`: one of these columns of a contact, else the custom field with that slug. What identifies a person
# (e-mail, phone, street) is not kept in the state.
VALUE: Final = "contact."
CONTACT_COLUMNS: Final = (
    "prefix", "first_name", "last_name", "postal_code", "city", "state", "country", "timezone", "contact_type", "source",
    "date_of_birth", "created_at", "last_activity",
)  # fmt: skip
_NOT_KEPT: Final = frozenset(
    {"id", "user_id", "hash", "email", "phone", "ip", "address_line_1", "address_line_2", "avatar"}
)
_LONGEST: Final = 192  # characters of a slug in FluentCRM


def find(name: str) -> Field | None:
    """The field of that name; None when there is none. Any custom field can be asked for, whether FluentCRM has it or not."""
    slug = name.removeprefix(VALUE)
    if slug == name:
        return FIELDS.get(name)
    if not slug or len(slug) > _LONGEST or not slug.isprintable() or slug in _NOT_KEPT:
        return None
    about = "Column of the contact." if slug in CONTACT_COLUMNS else "Custom field of the contact."
    return Field(name, "value", about, "contact_value", name)


def get(name: str) -> Field:
    """The field of that name, of a rule that was read."""
    field = find(name)
    assert field is not None, name
    return field


# What can be counted within a window, and by which details it can be narrowed.
COUNTED: Final[dict[str, frozenset[str]]] = {
    "orders": frozenset({"product", "category", "coupon", "after"}),
    "views": frozenset({"product", "category", "same_product", "not_bought", "after"}),
    "carts": frozenset({"product", "category", "same_product", "not_bought", "after"}),
    "checkouts": frozenset({"after"}),
}
ACTS: Final = {"views": "view", "carts": "cart", "checkouts": "checkout"}

OPERATORS: Final[dict[Kind, frozenset[str]]] = {
    "number": frozenset({"is", "at_least", "at_most", "more_than", "less_than", "between", "top_percent", "known"}),
    "money": frozenset({"is", "at_least", "at_most", "more_than", "less_than", "between", "top_percent", "known"}),
    "moment": frozenset({"within", "older_than", "after", "before", "known", "older_than_intervals"}),
    "text": frozenset({"is", "is_not", "in", "not_in", "known"}),
    "set": frozenset({"has", "has_all", "has_none", "known"}),
    "flag": frozenset({"is", "known"}),
    "day": frozenset({"in_next", "known"}),
    "terms": frozenset({"has", "has_all", "has_none"}),
}
OPERATORS["value"] = frozenset().union(*(OPERATORS[kind] for kind in ("number", "moment", "text", "set")))
