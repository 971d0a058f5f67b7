"""The owner's rules: WooCommerce data → FluentCRM contact columns, custom fields, tags and lists.

May import `store` models, `crm` models, `people` models and the ground floor. Start with `default.toml`, then `rules.py`.
"""
