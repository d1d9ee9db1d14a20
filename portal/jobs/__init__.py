"""Jobs: the entrance for work that nobody waits for. Each job is a few lines around an operation.

A job carries the id of a row, is enqueued after the commit and runs at least once, so the operation behind it is safe
to run twice. What the queue loses, a periodic sweep finds. Without Redis the one web process works on the jobs itself;
with Redis any number of `portal jobs` processes do.

    registry.py           name of a job → what it runs, and how lost ones are found
    queue.py              the queue, and the consumer for a web process
    consumer.py           the command `portal jobs`
    room_images.py        fetching a picture of a room
    service_extras.py     captions and poster of a video that a service holds
    fetched_pictures.py   fetching a picture from outside
    webhook_delivery.py   sending one webhook delivery
    tasks.py              running a task with a heartbeat; the code for each kind of task
    media.py              the workers of the queue of media
    broadcasts.py         the loop that gives each broadcast a worker
    broadcast_worker.py   the worker of one broadcast
    preparing.py          preparing a video
    progress.py           how the work of a task reports its progress
    housekeeping.py       deleting or marking what is over, every hour
    loop.py               the loop in every web process: lapsed participants, overdue runs, services to ask
    poller.py             finding the services to ask about their rooms
    service_slots.py      how many services are called at once
"""
