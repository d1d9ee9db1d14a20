"""Watching, for whoever is in a room of videos: the page with the player, and the files that it fetches.

pages.py        the page, its list of videos, and leaving
watch_list.py   the videos that somebody may watch
presence.py     the signs of life of the page
reports.py      what players report of what was played
media.py        the files of videos, behind the gate
"""
