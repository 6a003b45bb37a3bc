"""A worker that really does it: packs files, stores them, and puts them back.

What its archives hold and what its failures are called is the real agent's, so that either can
restore what the other has made.
"""
