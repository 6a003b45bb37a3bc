"""The checkers: each judges one invariant of a finished history, and knows nothing of who made it.

A checker is a pure function from a `View` to what it found. It needs one pass over what it looks at,
and says nothing where the history does not show what it would have to know.
"""
