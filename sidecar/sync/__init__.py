"""The main job: shop → people → FluentCRM, as a backfill, as changes only, for one person; and its ledger.

May import everything up to `automations`. Start with `engine.py` (the steps in order), then `people.py`.
"""
