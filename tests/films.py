"""Films of two seconds for tests, made by ffmpeg itself, and files that only say that they are films."""

import subprocess
from functools import cache
from pathlib import Path

from portal.engines.tool import Tool, candidates, examine, find_tool
from tests.programs import install_ffmpeg

PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=2")
SOUND = ("-f", "lavfi", "-i", "sine=440:d=2")
H264 = ("-c:v", "libx264", "-preset", "ultrafast")
SECONDS = 2
WORDS = {
    "empty.mp4": "This file is empty.",
    "noise.mp4": "This is not a video, or it is damaged.",
    "list.mp4": "This is not a video, or it is damaged.",
    "concat.mp4": "This is not a video, or it is damaged.",
    "sound.m4a": "This file has no picture.",
    "cover.m4a": "This file has no picture.",
    "one.mp4": "This video has no length.",
    "cut.mp4": "It is damaged: only 0:01 of 0:06 can be read.",
    "bomb.mkv": "Its picture has too many pixels. Save it with 8192 a side at most.",
    "wide.mkv": "Its picture has 16384 by 16 pixels. Save it with 8192 at most.",
    "hours.mp4": "It says that it is 2:46:[34]0 long, but it is almost empty.",
    "streams.mkv": "This file holds 101 streams. Save it with one picture and one sound.",
}
"""What is said of the files that cannot be used, as patterns: versions do not agree on the length of a last picture."""


@cache
def tools() -> list[Tool]:
    """Each ffmpeg: the one of this machine, which gets installed if that is possible, and the packaged one."""
    install_ffmpeg()
    return [tool for path in candidates() if (tool := examine(path)) is not None]


def make(folder: Path, *arguments: str) -> None:
    """Run ffmpeg in this folder."""
    subprocess.run([find_tool().path, "-v", "error", "-nostdin", "-y", *arguments], cwd=folder, check=True, timeout=60)


def make_films(folder: Path) -> Path:
    """Fill the folder with good films and bad files."""
    make(folder, *PICTURE, *SOUND, *H264, "-c:a", "aac", "plain.mp4")
    make(folder, *PICTURE, *H264, "silent.mp4")
    make(folder, "-i", "plain.mp4", "-c", "copy", "plain.ts")
    make(folder, *PICTURE, *H264, "-pix_fmt", "yuv420p10le", "-color_trc", "smpte2084", "-color_primaries", "bt2020",
         "-colorspace", "bt2020nc", "hdr.mp4")  # fmt: skip
    _turn(folder / "plain.mp4", folder / "turned.mp4")
    make_bad(folder)
    return folder


def make_bad(folder: Path) -> None:
    """Those of which something is said in `WORDS`."""
    make(folder, *SOUND, "sound.m4a")
    make(folder, "-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", "1", "cover.png")
    make(folder, "-i", "sound.m4a", "-i", "cover.png", "-map", "0", "-map", "1", "-c", "copy",
         "-disposition:v", "attached_pic", "cover.m4a")  # fmt: skip
    make(folder, *PICTURE, "-frames:v", "1", *H264, "one.mp4")
    make(folder, "-f", "lavfi", "-i", "testsrc2=s=160x90:r=25:d=6", *H264, "-movflags", "+faststart", "six.mp4")
    six = (folder / "six.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(six[: len(six) // 6])
    (folder / "six.mp4").unlink()
    make(folder, "-f", "lavfi", "-i", "color=red:s=8192x8192", "-frames:v", "1", "-c:v", "png", "bomb.mkv")
    make(folder, "-f", "lavfi", "-i", "color=red:s=16384x16", "-frames:v", "1", "-c:v", "png", "wide.mkv")
    make(folder, "-f", "lavfi", "-i", "color=red:s=16x16:r=1/10:d=10000", *H264, "hours.mp4")
    streams = [word for _ in range(100) for word in ("-map", "0:a")]
    make(folder, *SOUND, *PICTURE, *streams, "-map", "1:v", "-t", "0.3", "-c:a", "pcm_u8", *H264, "streams.mkv")
    (folder / "empty.mp4").touch()
    (folder / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    playlist = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:2,\n{file}\n#EXT-X-ENDLIST\n"
    (folder / "list.mp4").write_text(playlist.format(file=folder / "plain.ts"))
    (folder / "concat.mp4").write_text(f"ffconcat version 1.0\nfile {folder / 'plain.ts'}\n")


def _turn(film: Path, turned: Path) -> None:
    """Say in the header of an MP4 that its picture is to be turned by 90 degrees, as telephones do."""
    upright = b"".join(number.to_bytes(4, "big", signed=True) for number in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    by_90 = b"".join(number.to_bytes(4, "big", signed=True) for number in (0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30))
    data = film.read_bytes()
    at = data.index(upright, data.index(b"tkhd"))
    turned.write_bytes(data[:at] + by_90 + data[at + len(upright) :])
