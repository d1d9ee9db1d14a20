"""Videos: the films of rooms of type `video`, from the first byte of an upload to what can be watched.

A video is a row. Its files follow from it: the file that was sent (`source`), and one folder of renditions, a poster
and a sprite for each attempt at preparing it. The row names the folder that counts, and it does so by one UPDATE once
its files are whole; so what people watch is never half of anything, and a worker that lost its turn can publish
nothing. While a file is being replaced, the one before is watched on.

Storage is promised before the first byte comes (`VideoUpload.size`), and counted from the rows: `RoomVideo.size` and
the sizes of uploads that have not ended. What a row counts until it is deleted is what lies on the disk for it.

    models.py          the tables of videos, of uploads, and of captions
    operations.py      changing, moving, hiding and deleting a video
    uploads.py         beginning, finishing and giving up the upload of a file
    storage_used.py    how much storage plans and rooms use
    service_videos.py  videos that a service holds instead of the portal
    service_uploads.py files that go straight to such a service
    service_looks.py   asking services after such videos
    queries.py         finding videos: all of a room, or those that can be watched
    posters.py         choosing the picture that stands for a video
    frames.py          small pictures of its moments, among which that is chosen
    totals.py          views, hours and videos of a room, for its status
    captions.py        the captions of a video, one text for each language
    caption_files.py   reading WebVTT and SRT files
    preparation.py     having a file prepared, cancelling that, trying it again
    publishing.py      what the worker writes that prepares a video
    leftovers.py       deleting what no video needs any more
    verification.py    comparing rows and files, for an operator
    state_words.py     what the state of a video is called
"""
