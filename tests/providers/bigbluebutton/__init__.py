"""The adapter of BigBlueButton, against a server that lives in these tests and is as strict, and as odd, as real ones.

`server` checks every checksum by itself, keeps meetings, and answers in XML as real servers do; it can be made to hang,
or to be dead, malformed, lying, oversized or busy. `kept` is what it keeps, and how that looks in XML. `world` has the
demo's board room held by it.
"""
