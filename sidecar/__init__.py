"""FluentCRM Sidecar: a WooCommerce shop's buyers as correct, consented FluentCRM contacts."""

__version__ = "0.1.0"
