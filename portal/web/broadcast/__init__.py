"""Live rooms, for whoever is in: the studio and the page of viewers, what is sent, and what is played.

answers.py      refusals as JSON, for the scripts of both pages
pages.py        the studio, the page of viewers, and leaving
connections.py  what a broadcaster's page sends
presence.py     the signs of life of both pages, and what they are told
media.py        playlists and segments, behind the gate
"""
