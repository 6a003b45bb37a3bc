"""The sub-commands of `muster`, one module each."""
