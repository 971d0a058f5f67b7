"""One person per e-mail identity (accounts and guest orders merged), and the facts about them.

May import `store` models, `state` and the ground floor. Start with `facts.py` (pure), then `ledger.py`.
"""
