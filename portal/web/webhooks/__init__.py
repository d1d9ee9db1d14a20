"""Pages of webhooks: those of a room and its customer, and those of the portal itself, which staff keep.

Both show the same pages: a place says of which webhooks, and what their addresses are.

    place.py       the room, or the portal
    of_rooms.py    routes and doors of a room's webhooks
    of_portal.py   routes and doors of the portal's
    answers.py     what each page shows and does: list, create, change, pause, rotate, test and delete, and deliveries
    form.py        the form of a webhook
    states.py      what pages say of the state of a webhook or a delivery
"""
