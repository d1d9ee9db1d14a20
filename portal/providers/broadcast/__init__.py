"""Live rooms that the portal itself sends: a browser records, ffmpeg makes segments, viewers play them.

adapter.py   the adapter and its service
settings.py  what rooms of the service choose
"""
