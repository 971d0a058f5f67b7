"""The one way to the shop's MySQL or MariaDB: connections, packed reads, named queries, throttle.

May import the ground floor only. Start with `connection.py`; the SQL itself stands in `store/sql` and `crm/sql`.
"""
