"""A service that lives in the tests only: people meet at its own address, and it tells by poll and by signed callbacks.

`server` is the service itself, over HTTP on loopback, which can be dead or lying; `adapter` is how the portal
speaks with it; `serving` starts the portal's real processes with that adapter in their catalog. Nothing of it ships.
"""
