"""The agent as it should be."""

from simulated_agents.behaviours.base import Behaviour


class Prompt(Behaviour):
    """Does everything right, and at once."""
