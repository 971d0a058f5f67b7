"""The hints that something changed: the bridge's outbox, its cursor, and the event monitor.

May import `store`, `crm`, `state` and the ground floor. Empty until its own issue: the room is kept so that the layers stand.
"""
