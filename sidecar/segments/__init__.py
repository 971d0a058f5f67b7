"""Living groups: rules over people, membership, enter and leave events.

May import `people`, `mapping`, `insights`, `events` and below. Empty until its own issue: the room is kept so that the layers stand.
"""
