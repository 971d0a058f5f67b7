"""Which tables, columns and indexes of the shop the sidecar needs. Names are without the prefix."""

from __future__ import annotations

from sidecar.config import Config

OPTIONS = ("option_id", "option_name", "option_value")
USERS = ("ID", "user_login", "user_email", "user_registered", "display_name")
USERMETA = ("umeta_id", "user_id", "meta_key", "meta_value")
WORDPRESS: dict[str, tuple[str, ...]] = {
    "options": OPTIONS,
    "posts": (
        "ID",
        "post_date_gmt",
        "post_modified_gmt",
        "post_status",
        "post_type",
        "post_parent",
        "post_title",
    ),
    "postmeta": ("meta_id", "post_id", "meta_key", "meta_value"),
    "terms": ("term_id", "name", "slug"),
    "term_taxonomy": ("term_taxonomy_id", "term_id", "taxonomy", "parent"),
    "term_relationships": ("object_id", "term_taxonomy_id"),
}
WOOCOMMERCE: dict[str, tuple[str, ...]] = {
    "woocommerce_order_items": ("order_item_id", "order_item_name", "order_item_type", "order_id"),
    "woocommerce_order_itemmeta": ("meta_id", "order_item_id", "meta_key", "meta_value"),
}
HPOS: dict[str, tuple[str, ...]] = {
    "wc_orders": (
        "id", "status", "currency", "type", "total_amount", "tax_amount", "customer_id", "billing_email",
        "date_created_gmt", "date_updated_gmt", "parent_order_id", "payment_method",
    ),
    "wc_order_addresses": (
        "order_id", "address_type", "first_name", "last_name", "company", "address_1", "address_2", "city",
        "state", "postcode", "country", "email", "phone",
    ),
    "wc_order_operational_data": ("order_id", "date_paid_gmt", "shipping_total_amount"),
    "wc_orders_meta": ("id", "order_id", "meta_key", "meta_value"),
}  # fmt: skip
FLUENTCRM: dict[str, tuple[str, ...]] = {
    "fc_subscribers": (
        "id", "user_id", "hash", "prefix", "first_name", "last_name", "email", "timezone", "address_line_1",
        "address_line_2", "postal_code", "city", "state", "country", "ip", "phone", "status", "contact_type",
        "source", "date_of_birth", "created_at", "last_activity", "updated_at",
    ),
    "fc_subscriber_meta": (
        "id", "subscriber_id", "created_by", "object_type", "key", "value", "created_at", "updated_at",
    ),
    "fc_subscriber_pivot": ("id", "subscriber_id", "object_id", "object_type", "created_at", "updated_at"),
    "fc_tags": ("id", "title", "slug", "description", "created_at", "updated_at"),
    "fc_lists": ("id", "title", "slug", "created_at", "updated_at"),
    "fc_meta": ("id", "object_type", "object_id", "key", "value", "created_at", "updated_at"),
    "fc_campaign_emails": (
        "id", "campaign_id", "email_type", "subscriber_id", "email_address", "status", "is_open",
        "click_counter", "scheduled_at", "created_at", "updated_at",
    ),
}  # fmt: skip

# Read when they are there: carts, Woo's own figures, notes, and what the CRM's reports are made from.
OPTIONAL = (
    "comments", "commentmeta", "termmeta", "wc_category_lookup", "wc_customer_lookup", "wc_order_stats",
    "wc_order_product_lookup", "wc_order_coupon_lookup", "wc_product_meta_lookup", "wc_stock_notifications", "woocommerce_sessions",
    "wc_order_fulfillments", "wc_order_fulfillment_meta",
    "fc_campaigns", "fc_funnels", "fc_funnel_sequences", "fc_terms", "fc_term_relations", "fc_url_stores",
)  # fmt: skip
# Written for contacts, fields and tags; the second part when a contact is deleted (FluentCRM's Cleanup.php).
CRM_WRITTEN = tuple(FLUENTCRM)
CRM_CLEANED = (
    "fc_subscriber_notes", "fc_campaign_url_metrics", "fc_funnel_subscribers", "fc_funnel_metrics",
    "fc_event_tracking",
)  # fmt: skip
# Made by the sidecar itself, and those that the plugin makes and the sidecar reads and writes.
OWN = ("fcsc_undo", "fcsc_owned")
PLUGIN = ("fcsc_outbox", "fcsc_carts", "fcsc_keys", "fcsc_suppressed", "fcsc_consents", "fcsc_push")

# The first column of an index that a page of the sync cannot do without.
INDEXED: dict[str, tuple[str, ...]] = {
    "postmeta": ("post_id", "meta_key"),
    "woocommerce_order_items": ("order_id",),
    "woocommerce_order_itemmeta": ("order_item_id",),
    "wc_orders": ("date_updated_gmt", "billing_email", "customer_id", "parent_order_id"),
    "wc_orders_meta": ("order_id", "meta_key"),
    "wc_order_addresses": ("order_id|address_type",),
}
CRM_INDEXED: dict[str, tuple[str, ...]] = {
    "fc_subscribers": ("email", "user_id"),
    "fc_subscriber_meta": ("subscriber_id",),
    "fc_subscriber_pivot": ("subscriber_id",),
    # Read for segments: how contacts answer to e-mails.
    "fc_campaign_emails": ("subscriber_id", "updated_at"),
    "fc_campaign_url_metrics": ("subscriber_id",),
}


def users_table(config: Config) -> str:
    """The whole name of the table of accounts."""
    return config.shop.users_table or f"{config.shop.table_prefix}users"


def usermeta_table(config: Config) -> str:
    """The whole name of the table of accounts' meta."""
    return config.shop.usermeta_table or f"{config.shop.table_prefix}usermeta"


def shop_tables(config: Config, *, hpos: bool) -> dict[str, tuple[str, ...]]:
    """The tables that must be readable, by whole name, with their columns."""
    prefix = config.shop.table_prefix
    found = {prefix + name: columns for name, columns in (WORDPRESS | WOOCOMMERCE).items()}
    if hpos:
        found |= {prefix + name: columns for name, columns in HPOS.items()}
    found[users_table(config)] = USERS
    found[usermeta_table(config)] = USERMETA
    return found


def crm_tables(config: Config) -> dict[str, tuple[str, ...]]:
    """FluentCRM's tables that must be there, by whole name, with their columns."""
    return {config.shop.table_prefix + name: columns for name, columns in FLUENTCRM.items()}
