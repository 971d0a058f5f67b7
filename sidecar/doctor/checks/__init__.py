"""The checks, one file an area. The order of imports is the order of the report."""

from sidecar.doctor.checks import server, account, wordpress, store, orders, crm, plugins, bridge, host  # noqa: F401, I001
