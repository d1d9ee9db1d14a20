"""The audit: one line for each thing that was done, with who did it, to what, in which room, and when. Append only.

Every operation writes its line in its own transaction, so a line is there exactly if the thing was done. A refusal
writes its line after the rollback. Lines never hold a token, a code or a password. Listeners, such as webhooks, get
each line in the same transaction.

    models.py       the table `AuditEvent`
    operations.py   writing lines, and subscribing listeners
"""
