"""Durable journeys of trigger, steps and exit that send each message at most once.

May import `segments` and below. Empty until its own issue: the room is kept so that the layers stand.
"""
