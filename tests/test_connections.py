"""Which connection gives way when too many wait."""

from portal.connections import Place, Places


class Clients:
    """Connections by name; `gone` are those that had to give way, in order."""

    def __init__(self, most: int) -> None:
        self.places, self.gone = Places(most), list[str]()

    def come(self, name: str, network: str | None = "192.0.2.1") -> Place:
        place = Place(network, lambda: self.gone.append(name))
        self.places.take(place)
        return place


def test_of_one_network_a_tenth_may_wait_and_who_waits_longest_gives_way() -> None:
    clients = Clients(40)
    for number in range(6):
        clients.come(f"a{number}")
    clients.come("b", "192.0.2.2")
    assert clients.gone == ["a0", "a1"]


def test_whoever_is_answered_counts_for_nobody_and_never_gives_way() -> None:
    clients = Clients(40)
    for number in range(30):
        clients.places.answer(clients.come(f"a{number}"))
    assert clients.gone == []
    for number in range(5):
        clients.come(f"waiting{number}")
    assert clients.gone == ["waiting0"]


def test_whoever_waits_again_is_the_last_to_give_way() -> None:
    clients = Clients(40)
    first = clients.come("first")
    for number in range(3):
        clients.come(f"a{number}")
    clients.places.answer(first)
    clients.places.wait(first)
    clients.come("b")
    assert clients.gone == ["a0"]


def test_where_places_run_short_newcomers_of_many_networks_take_that_of_who_waits_longest() -> None:
    clients = Clients(20)
    came = [clients.come(f"a{number}", f"192.0.2.{number}") for number in range(19)]
    clients.places.answer(came[0])
    assert clients.gone == []
    clients.come("b", "198.51.100.1")
    clients.come("unknown", None)
    assert clients.gone == ["a1", "a2"]
    for place in came:
        clients.places.leave(place)
    clients.come("c", "198.51.100.2")
    assert clients.gone == ["a1", "a2"]


def test_where_the_network_is_unknown_there_is_no_share() -> None:
    clients = Clients(40)
    for number in range(20):
        clients.come(f"a{number}", None)
    assert clients.gone == []


def test_who_has_left_waits_no_more() -> None:
    clients = Clients(40)
    place = clients.come("a")
    clients.places.leave(place)
    clients.places.wait(place)
    for number in range(4):
        clients.come(f"b{number}")
    assert clients.gone == []
