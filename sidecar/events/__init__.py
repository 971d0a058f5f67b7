"""The hints that something changed: the bridge's outbox, the event monitor, and what visitors did.

May import `store`, `crm`, `people`, `state` and the ground floor. Start with `topics.py`, then `outbox.py`; what a
hint does to people is `sync/live.py`.
"""
