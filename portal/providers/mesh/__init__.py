"""Mesh: conferences directly between browsers, on the portal's own page. It works on a bare install.

adapter.py   the adapter and its one service, which provides the player
turn.py      credentials for TURN servers
"""
