"""Judging an agent: any program, held against the reference master in this process.

`trial` is what is judged and how it is told; `child` is a process of it; `playing` plays scenarios
with it, each with a master, a front and a process of its own; `contact` finds out first whether the
program is an agent at all.
"""
