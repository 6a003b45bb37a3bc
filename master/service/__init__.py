"""The agent protocol's decisions: who is asking, what it gets, what its reports change.

Every function is (state, request, now) in, answer out; the seed's function is named where one
stands behind a rule, and where releases differ a field of the profile decides, at that one place.
The order of checks is the protocol's: token, id, body, lookup, ownership, effect.

`agents` says who is there, `queue` hands out commands and takes their results, `specs` says what
they need, `reports` takes what happens meanwhile, `timeouts` ends what nobody ended.
"""
