"""Engines: the child processes that work on media, and how they are kept in bounds.

They take files and give files; they know nothing of rooms, people or the database. What they are given was sent by
anybody, so each child gets a folder with nothing else in it, formats it may open, and limits of memory, time and size.
A child dies with the process that started it.

    tool.py         finding ffmpeg, and what it can do
    child.py        running a child in bounds
    launched.py     what the child does before it becomes the tool
    ffmpeg.py       what all runs of ffmpeg on files of others have in common
    checking.py     what a file holds, and whether it can be used
    ladder.py       in which sizes a film is made
    renditions.py   making them
    pictures.py     posters, and small pictures for seeking
    stills.py       pictures of rooms, checked and made anew
    ingest.py       segments of what is sent live, as it comes
"""
