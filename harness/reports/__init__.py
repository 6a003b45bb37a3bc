"""What a run looks like to its readers; each module is one listener of the runner."""
