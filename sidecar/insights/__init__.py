"""Figures about people: RFM scores (`rfm.py`), how long they stay at the stages of a journey (`journey.py`). Pure: values in,
values out.

May import `values` and the ground floor.
"""
