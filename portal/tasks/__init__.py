"""Tasks: work that takes longer than seconds, as rows that one worker at a time works on, and that people can watch.

An operation creates a task (its kind, and the uuid of the row it works on), which is enqueued after the commit. A
worker claims it for the length of a lease and renews that by a heartbeat while it works, in short transactions beside
the work. When the heartbeat stops, the lease runs out and another worker begins the task again, a limited number of
times: so the work of each kind has to be safe to run twice. The worker of a cancelled task is told at its next
heartbeat. Each change nudges the topic `task:<id>`. Who may see or cancel a task, and the line of the audit, are
matters of the noun that it belongs to. `portal.jobs.tasks` runs tasks and knows the code for each kind.

    models.py       the table `Task` and its states
    operations.py   create, claim, heartbeat, finish, fail, cancel, and the sweeps
    media_line.py   the queue of media, in which customers take turns
"""
