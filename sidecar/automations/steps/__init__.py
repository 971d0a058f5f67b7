"""The steps, a family a module: what each one leads to, or wants done. May import what `automations` has beside the engine.

Start with `moves` (what a step answers), then `waits` and `ways`; `wishes` are the steps that do something to the world.
"""
