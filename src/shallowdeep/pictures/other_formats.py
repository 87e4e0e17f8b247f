"""Files that are no pictures of a known format: their names, and what to do with them."""

CONVERT = "; convert it to JPEG or PNG"
FILM = "; take a frame of it as JPEG or PNG"
UNPACK = "; unpack it"

BY_START = {
    b"version https://git-lfs": "a Git LFS pointer; `git lfs pull` brings the picture itself",
    b"\xff\x0a": f"JPEG XL{CONVERT}",
    b"\0\0\0\x0cJXL ": f"JPEG XL{CONVERT}",
    b"\0\0\0\x0cjP  ": f"JPEG 2000{CONVERT}",
    b"\xff\x4f\xff\x51": f"JPEG 2000{CONVERT}",
    b"8BPS": f"a Photoshop file{CONVERT}",
    b"%PDF": f"a PDF file{CONVERT}",
    b"%!PS": f"a PostScript file{CONVERT}",
    b"\0\0\1\0": f"an icon{CONVERT}",
    b"\x1aE\xdf\xa3": f"a Matroska or WebM film{FILM}",
    b"PK\3\4": f"a ZIP archive{UNPACK}",
    b"\x1f\x8b": f"a gzip archive{UNPACK}",
    b"7z\xbc\xaf": f"a 7z archive{UNPACK}",
    b"Rar!": f"a RAR archive{UNPACK}",
}
BY_BRAND = (  # of the boxes of ISO/IEC 14496-12; the first that is among a file's brands
    ({b"avif", b"avis"}, f"AVIF{CONVERT}"),
    ({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}, f"HEIC{CONVERT}"),
    ({b"crx "}, f"a camera's raw file{CONVERT}"),
    ({b"qt  "}, f"a MOV film{FILM}"),
)
OLD_MOV = (b"moov", b"mdat", b"wide", b"pnot")  # a film without brands begins with one of them
LONGEST = 512  # bytes at the start that are looked at


def format_of(start: bytes) -> str | None:
    """Name the format of a file that Pillow cannot read, with advice; None if it is unknown."""
    for magic, name in BY_START.items():
        if start.startswith(magic):
            return name
    if start[4:8] == b"ftyp":
        end = min(int.from_bytes(start[:4]), LONGEST)
        brands = {start[at : at + 4] for at in range(8, end, 4)}
        found = (name for known, name in BY_BRAND if brands & known)
        return next(found, f"an MP4 film{FILM}")
    if start[4:8] in OLD_MOV:
        return f"a MOV film{FILM}"
    if (start[:4], start[8:12]) == (b"RIFF", b"AVI "):
        return f"an AVI film{FILM}"
    text = start.lower()
    if b"<html" in text or b"<!doctype html" in text:
        return "an HTML page; download the picture itself"
    return f"SVG, a drawing{CONVERT}" if b"<svg" in text else None
