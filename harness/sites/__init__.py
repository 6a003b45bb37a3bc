"""Masters over sockets: where they come from, how they are reached, and what can be done there."""
