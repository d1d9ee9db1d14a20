"""Videos on demand, kept and prepared by the portal itself with ffmpeg.

adapter.py   the adapter and its service
"""
