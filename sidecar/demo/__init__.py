"""A deterministic WooCommerce and FluentCRM shop with its own truth: for the demo, tests and benchmarks.

May import `errors` only; of the product, only the CLI's `demo` command imports it. Start at `shop.build`.
"""
