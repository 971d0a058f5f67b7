"""Living groups: rules over people, and who is in which group.

May import `people`, `mapping`, `insights`, `events` and below. Start at `book.py` (what can be asked) and `model.py` (what a
rule is), then `file.py` (how it is written), `evaluate.py` (one person, in Python) and `sql.py` (everybody, in the state
database): both must agree.
"""
