"""Long work: what takes longer than seconds is a row that one worker at a time holds, and that people can watch.

A noun's operation makes a task (its kind, and the uuid of the row it works on), which is enqueued after the commit. A
worker claims it for the length of a lease and renews that by a heartbeat while it works, in short transactions beside
the work. When the heartbeat stops, the lease runs out and another worker begins the task anew, a bounded number of
times: so the work of each kind has to be safe to run twice. Cancelling is a wish that the next heartbeat passes on.
Each change nudges the topic `task:<id>`.

* `models` has the row and its states.
* `operations` has what happens to it: create, claim, heartbeat, finish, fail, cancel, and the sweeps.

`portal.jobs.tasks` runs tasks and says which code works on which kind. Who may see or cancel a task, and the line in
the audit log, are matters of the noun that it belongs to.
"""
