"""The judge: runs scenarios against a master, records what happened, and says what it means."""
