"""FluentCRM: what it has of a person, how that differs from what it should have, and the quiet SQL writer.

May import `state` and the ground floor, never `store`. Start with `model.py`, then `diff.py`, then `writer_sql.py`.
"""
