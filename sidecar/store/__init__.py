"""The shop's MySQL, read only: what is installed, and its orders, customers, products and meta.

May import `state` and the ground floor. Start with `model.py` (what comes out), then `orders.py`.
"""
