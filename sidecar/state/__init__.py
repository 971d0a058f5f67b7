"""The sidecar's own SQLite: people without their names, the order ledger, runs, dead letters, settings.

May import the ground floor only. Start with `migrations.py` (the whole schema), then `database.py`.
"""
