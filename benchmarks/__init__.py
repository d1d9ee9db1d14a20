"""Benchmarks: what the portal costs, as ratios to two plainer servers measured in the same run: `make bench`.

What counts is processor time of application and database together, read from the processes' own clocks. Redis's is
left out, because the plain servers need none.

__main__.py   the command, which prints the report
measuring.py  one path beside the bare page and the reference
profiling.py  where the time of one path goes, by component
sampled.py    the portal's server, which tells what its time goes to
figures.py    figures of runs in files, and two runs beside one another
asking.py     what a path is
paths.py      the measured paths with their budgets
desk_paths.py  and those of staff: the lists of the admin's pages
sites.py      the servers that are measured, and their visitors
seeding.py    filling a database with 100,000 rooms
seeding_desk.py  and with as many customers, for the lists of staff
plain.py      the server of the bare page and of the reference
reference.py  the same job without checks, audit, translation, limits
load.py       the load generator
clocks.py     processor time and memory of processes
joiners.py    very many who press Join at nine o'clock
meeting.py    a meeting in which nobody does anything
watchers.py   event streams: delay, CPU and memory
segments.py   segments of a video, with the gate and without
stalled.py    thousands of requests that do not go on
"""
