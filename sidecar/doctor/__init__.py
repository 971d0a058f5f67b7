"""What could keep the sidecar from working here: facts gathered once, then many small checks over them.

May import what `sidecar.sync` may. Start with `examine.py`; a check is one function in `checks/`, with a
stable id that `docs/doctor.md` explains.
"""
