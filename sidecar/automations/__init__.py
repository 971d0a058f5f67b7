"""Durable journeys of trigger, steps and exit that send each message at most once. May import `segments` and below.

Start with `model` (what an automation is), then `engine` (what happens to an enrolment), `file` (how it is written).
"""
