"""The population: simulated agents, each a process that lives, works and fails like a real one.

Agents know a port, never a master; the only thing they share with a master is its protocol.
"""
