"""Benchmarks: how fast the portal is, as ratios to a bare Flask page measured in the same run: `make bench`.

__main__.py   the command, which prints the report
paths.py      the measured paths with their budgets
sites.py      the servers that are measured, and their visitors
seeding.py    filling a database with 100,000 rooms
bare.py       the bare page
load.py       the load generator
watchers.py   event streams: delay, CPU and memory
"""
