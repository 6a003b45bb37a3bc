"""A recorder between real agents and a real master.

`switchboard` takes what comes through a front to the master, by way of whatever faults there are, and
sees to it that it is written down; `names` says whose each exchange is; `upstream` is the way to the
master; `journal` writes a history while it happens.
"""
