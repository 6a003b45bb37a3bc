"""The admin API, as far as a black box needs it to drive a master (protocol facts, section 4).

One module a resource, each with its own table of routes; `master.admin.routes` is all of them.
"""
