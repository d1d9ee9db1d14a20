"""Which connection the server ends when there are too many."""

from portal.connections import Slot, Slots


class Clients:
    """Connections by name; `ended` are those that the server ended, in order."""

    def __init__(self, most: int) -> None:
        self.slots, self.ended = Slots(most), list[str]()

    def connect(self, name: str, network: str | None = "192.0.2.1") -> Slot:
        slot = Slot(network, lambda: self.ended.append(name))
        self.slots.add(slot)
        return slot

    def connect_idle(self, name: str, network: str | None = "192.0.2.1") -> Slot:
        """One that was answered, and has sent nothing since."""
        slot = self.connect(name, network)
        self.slots.mark_answering(slot)
        self.slots.mark_idle(slot)
        return slot


def test_one_network_may_have_a_tenth_of_the_slots_for_unfinished_requests_and_its_oldest_is_ended() -> None:
    clients = Clients(40)
    for number in range(6):
        clients.connect(f"a{number}")
    clients.connect("b", "192.0.2.2")
    assert clients.ended == ["a0", "a1"]


def test_an_answering_connection_counts_for_nobody_and_is_never_ended() -> None:
    clients = Clients(40)
    for number in range(30):
        clients.slots.mark_answering(clients.connect(f"a{number}"))
    assert clients.ended == []
    for number in range(5):
        clients.connect(f"unfinished{number}")
    assert clients.ended == ["unfinished0"]


def test_idle_connections_of_one_network_count_only_once_their_next_request_begins() -> None:
    clients = Clients(40)
    idle = [clients.connect_idle(f"idle{number}") for number in range(30)]
    clients.connect("new")
    assert clients.ended == []
    for slot in idle[:4]:
        clients.slots.mark_received(slot)
    assert clients.ended == ["new"]


def test_where_slots_run_short_idle_connections_are_ended_before_unfinished_ones() -> None:
    clients = Clients(20)
    clients.connect("unfinished", "192.0.2.100")
    for number in range(18):
        clients.connect_idle(f"idle{number}", f"192.0.2.{number}")
    assert clients.ended == []
    for number in range(19):
        clients.connect(f"new{number}", f"198.51.100.{number}")
    assert clients.ended == [f"idle{number}" for number in range(18)] + ["unfinished"]


def test_more_of_an_unfinished_request_does_not_renew_it() -> None:
    clients = Clients(40)
    first = clients.connect("first")
    for number in range(3):
        clients.connect(f"a{number}")
    clients.slots.mark_received(first)
    clients.connect("b")
    assert clients.ended == ["first"]


def test_a_body_that_makes_progress_is_ended_after_those_that_make_none() -> None:
    clients = Clients(40)
    steady = clients.connect("steady")
    for number in range(3):
        clients.connect(f"a{number}")
    clients.slots.mark_progress(steady)
    clients.connect("b")
    assert clients.ended == ["a0"]


def test_also_where_slots_run_short_a_body_that_makes_progress_is_ended_last() -> None:
    clients = Clients(20)
    steady = clients.connect("steady", None)
    for number in range(40):
        clients.connect(f"stalled{number}", None)
        clients.slots.mark_progress(steady)
    assert clients.ended == [f"stalled{number}" for number in range(22)]


def test_where_slots_run_short_new_connections_of_many_networks_end_the_oldest_unfinished_ones() -> None:
    clients = Clients(20)
    slots = [clients.connect(f"a{number}", f"192.0.2.{number}") for number in range(19)]
    clients.slots.mark_answering(slots[0])
    assert clients.ended == []
    clients.connect("b", "198.51.100.1")
    clients.connect("unknown", None)
    assert clients.ended == ["a1", "a2"]
    for slot in slots:
        clients.slots.remove(slot)
    clients.connect("c", "198.51.100.2")
    assert clients.ended == ["a1", "a2"]


def test_where_the_network_is_unknown_it_has_no_limit() -> None:
    clients = Clients(40)
    for number in range(20):
        clients.connect(f"a{number}", None)
    assert clients.ended == []


def test_a_removed_slot_stays_removed_whatever_is_marked_afterwards() -> None:
    clients = Clients(40)
    slot = clients.connect("a")
    clients.slots.remove(slot)
    clients.slots.mark_idle(slot)
    clients.slots.mark_received(slot)
    clients.slots.mark_unfinished(slot)
    for number in range(4):
        clients.connect(f"b{number}")
    assert clients.ended == []


def test_a_process_that_ends_keeps_no_idle_connection() -> None:
    clients = Clients(40)
    answering = clients.connect("answering")
    clients.slots.mark_answering(answering)
    clients.connect_idle("idle")
    clients.connect("unfinished")
    clients.slots.close()
    assert clients.ended == ["idle"]
    clients.slots.mark_idle(answering)
    assert clients.ended == ["idle", "answering"]
