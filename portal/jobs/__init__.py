"""Jobs: the entrance for work that nobody waits for. Each job is a few lines around an operation.

A job carries the id of a row, is enqueued after the commit and runs at least once, so the operation behind it is safe
to run twice. What the queue loses, a periodic sweep finds. Without Redis the one web process works on the jobs itself;
with Redis any number of `portal jobs` processes do.

    queue.py              the queue, its jobs, and the consumer for a web process
    consumer.py           the command `portal jobs`
    webhook_delivery.py   sending one webhook delivery
    housekeeping.py       deleting what is over, every hour
    presence.py           closing participations without heartbeats and overdue runs, in every web process
"""
