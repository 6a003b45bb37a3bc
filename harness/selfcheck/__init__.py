"""`muster selfcheck`: the suite is tried on masters that each break one clause.

A suite that passes on a right master has shown half of what it is worth; the other half is that it
fails on a wrong one, and names the right clause. Each mutant is data (`mutant`), filed by area
(`mutants`), applied in a process of its own (`edited`, `child`, `crew`) and judged (`check`).
"""
