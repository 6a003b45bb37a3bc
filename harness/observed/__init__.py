"""A history as it is read back: calls with both their ends, and what can be concluded from them.

`reading` makes calls of a file's lines; the other modules conclude, each about one thing: who sent a
call, which commands were enqueued and claimed, what was reported and seen of records. Checkers look
at all of it through a `View`. Nothing here judges.
"""
