"""Figures about people: RFM, journey stage, engagement, cohorts. Pure: structs in, structs out.

May import `values` and the ground floor. Empty until its own issue: the room is kept so that the layers stand.
"""
