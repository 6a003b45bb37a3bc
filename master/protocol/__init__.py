"""The agent protocol as code: role-free, sans-IO, shared by master, agents and judge.

Nothing in this package knows a clock, a socket, a database or which side of the wire it is on.
"""
