"""The signed local HTTP service and the pages that wp-admin shows.

May import `runtime` and below. Empty until its own issue: the room is kept so that the layers stand.
"""
