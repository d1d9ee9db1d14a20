"""The audit: one line for each thing that was done, with who did it, to what, in which room, and when. Append only.

Every operation notes its line in its own transaction, which inserts all of its lines when it is committed. So a line is
there exactly if the thing was done. A refusal writes its line after the rollback. Lines never hold a token, a code or a
password; where something was changed they hold named fields before and after. Listeners, such as webhooks, get each
line in the same transaction.

    models.py       the table `AuditEvent`
    action_words.py what actions are called on pages
    field_words.py  what the fields are called that they tell before and after
    changes.py      what was changed: fields before and after
    operations.py   noting lines, and subscribing listeners
"""
