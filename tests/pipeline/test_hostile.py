"""A corpus of bad inputs: each works, or ends in one clear line, and nothing else happens."""

import json
import re
import struct
import zlib

import numpy as np
import pytest
from checkouts import ROOT
from in_process import call_alone, dvc_main
from picture_files import decoded, png, stored
from PIL import Image

from shallowdeep.commands.gate import rules
from shallowdeep.files.errors import InputError
from shallowdeep.pictures.decoding import Unusable, quiet
from shallowdeep.pictures.listing import classes
from shallowdeep.settings import params


def picture(form, *, size=(60, 40), **options):
    """A valid picture file."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return stored(Image.fromarray(noise), form, **options)


def animated(form):
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue")]
    return stored(frames[0], form, save_all=True, append_images=frames[1:])


ODD = {
    "one pixel": picture("PNG", size=(1, 1)),
    "one pixel JPEG": picture("JPEG", size=(1, 1)),
    "a line": picture("JPEG", size=(65_500, 1)),
    "a column": picture("PNG", size=(1, 65_500)),
    "animated GIF": animated("GIF"),
    "animated WebP": animated("WEBP"),
    "animated PNG": animated("PNG"),
    "two TIFF pages": animated("TIFF"),
    "LAB": stored(Image.new("LAB", (20, 30)), "TIFF"),
    "a bomb": png(50_000, 50_000, zlib.compress(bytes(1_000_000))),
    "a bomb of the largest size": png(2**31 - 1, 2**31 - 1),
    "no width": png(0, 10),
    "no data": png(10, 10),
    "too much data": png(2, 2, zlib.compress(bytes(100_000))),
    "an unknown depth": png(10, 10, depth=7),
    "an unknown colour type": png(10, 10, colour=5),
    "GIF of nothing": b"GIF89a" + bytes(7),
    "BMP with a negative width": b"BM" + bytes(16) + struct.pack("<ii", -5, 5) + bytes(28),
    "TIFF that points at itself": b"II*\0\x08\0\0\0" + struct.pack("<HI", 0, 8) * 4,
    "TIFF with a million tags": b"II*\0\x08\0\0\0\xff\xff" + bytes(400),
    "JPEG of a header only": picture("JPEG")[:20],
    "JPEG of two starts": picture("JPEG")[:2] * 500 + picture("JPEG"),
    "WebP of a wrong length": picture("WEBP")[:4] + b"\xff\xff\xff\x7f" + picture("WEBP")[8:],
    "EXIF of rubbish": picture("JPEG", exif=b"Exif\0\0" + b"\xff" * 300),
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "HTML": b"<html><body>not found</body></html>",
}


@pytest.mark.parametrize("name", ODD)
def test_odd_pictures(tmp_path, name):
    """Small, huge, animated, or something else under a picture's name."""
    try:
        with quiet():
            pixels = decoded(tmp_path, ODD[name], size=16, max_pixels=1_000_000).pixels
    except Unusable as reason:
        assert str(reason).strip() and "\n" not in str(reason)
    else:
        assert pixels.shape == (3, 16, 16) and pixels.dtype == np.uint8


PLAIN = (ROOT / "params.yaml").read_bytes()
SETTINGS = {
    "empty": b"",
    "a comment": b"# nothing\n",
    "a list": b"- 1\n- 2\n",
    "a word": b"word\n",
    "a NUL": PLAIN + b"\0",
    "a huge whole number": PLAIN.replace(b"epochs: 10 ", b"epochs: 1" + b"0" * 5000),
    "a truth": PLAIN.replace(b"runs: 10 ", b"runs: true "),
    "sixties": PLAIN.replace(b"runs: 10 ", b"runs: 1000:00 "),
    "an anchor that holds itself": b"&a [*a]\n",
    "a code tag": b"!!python/object/apply:os.system ['touch executed']\n",
    "an open quote": PLAIN + b'x: "\n',
    "a merge of nothing": PLAIN + b"<<: 3\n",
    "a list as a key": PLAIN + b"? [1, 2]\n: 3\n",
    "a folder that does not end": PLAIN.replace(b"data/sample", b'"a\\0b"'),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("load", [params.read, rules], ids=["params", "gate"])
def test_settings(tmp_path, monkeypatch, name, load):
    """Refused in one line that names the file; no code in it is run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "settings.yaml"
    path.write_bytes(SETTINGS[name])
    with pytest.raises(InputError, match=rf"^{path}: [^\n]+\Z"):
        load(path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("target", ["pictures", "gone"])
def test_links_to_nothing(tmp_path, target):
    """A link to itself has no end, one to nothing no classes."""
    (tmp_path / "pictures").symlink_to(target)
    with pytest.raises(InputError, match=rf"{tmp_path}/pictures: no such folder; [^\n]+\Z"):
        classes(tmp_path / "pictures")


PREPARE, TRAIN, EVALUATE = ("prepare",), ("train", "deep"), ("evaluate",)
HARM = {
    "params.yaml": [PREPARE, TRAIN, EVALUATE],
    "data/prepared/pictures.npy": [TRAIN, EVALUATE],
    "data/prepared/manifest.csv": [TRAIN, EVALUATE],
    "data/prepared/gram.npy": [TRAIN],
    "models/deep/weights.safetensors": [EVALUATE],
    "models/deep/predictions.safetensors": [EVALUATE],
    "models/deep/history.csv": [EVALUATE],
    "results/data.json": [EVALUATE],
}


@pytest.mark.parametrize("harmed", HARM)
def test_stages(project, harmed):
    """A stage that is given a damaged file ends in one line; its outputs stay as they were."""
    path = project / harmed
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = outputs(project)
    for stage in HARM[harmed]:
        ended = call_alone(project, *stage)
        assert (ended.status, ended.out) == (1, "")
        assert re.fullmatch(rf"{'-'.join(stage)}: .*{re.escape(path.name)}.*\n", ended.err)
    assert outputs(project) == before


def outputs(project):
    files = [
        path
        for top in ("data/prepared", "models", "results")
        for path in (project / top).rglob("*")
        if path.is_file() and "provenance" not in path.parts
    ]
    return {path: path.read_bytes() for path in files}


def test_a_lock_that_is_damaged(project):
    """DVC says so in its own words, and does nothing."""
    for harm in ("words", "stages: [", json.dumps({"stages": 3})):
        (project / "dvc.lock").write_text(harm)
        before = outputs(project)
        message = dvc_main(project, "repro", status=255)
        assert "dvc.lock" in message and "Traceback" not in message
        assert outputs(project) == before
