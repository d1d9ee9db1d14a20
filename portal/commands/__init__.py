"""The groups of the command line: about users, customers, programs and files. `cli.py` puts them together.

Like all commands they are thin over operations, and import the app only when they run.

    running.py    what all commands share: the settings, the app, and how refusals are reported
    users.py      `portal user …`
    customers.py  `portal customer …`
    clients.py    `portal client …`
    media.py      `portal media …`, about files
"""
