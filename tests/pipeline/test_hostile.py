"""A corpus of bad inputs: each works, or ends in one clear line, and nothing else happens."""

import json
import re
import struct
import zlib

import numpy as np
import pytest
from checkouts import ROOT
from in_process import call_alone, dvc_main
from picture_files import png, stored
from PIL import Image

from shallowdeep.commands.gate import rules
from shallowdeep.files.errors import InputError
from shallowdeep.pictures.decoding import Unusable, decode, quiet
from shallowdeep.pictures.listing import classes, listed
from shallowdeep.settings import params

SIZE = 16
PLAIN = (ROOT / "params.yaml").read_text()


def picture(form, *, size=(60, 40), **options):
    """A valid picture file."""
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return stored(Image.fromarray(noise), form, **options)


def works_or_one_line(path):
    """Either [3, S, S] bytes, or a reason in one line."""
    try:
        with quiet():
            pixels = decode(path, size=SIZE, max_pixels=1_000_000).pixels
    except Unusable as reason:
        assert str(reason).strip() and "\n" not in str(reason)
    else:
        assert pixels.shape == (3, SIZE, SIZE) and pixels.dtype == np.uint8


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
    (tmp_path / "picture.jpg").write_bytes(ODD[name])
    works_or_one_line(tmp_path / "picture.jpg")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGB", "RGBA", "CMYK", "F", "LAB"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_colour_modes(tmp_path, form, mode):
    """Whatever a format can hold."""
    if form == "PNG" and mode in {"CMYK", "F", "LAB"}:
        pytest.skip("PNG has no such mode")
    (tmp_path / "picture").write_bytes(stored(Image.new(mode, (20, 30)), form))
    works_or_one_line(tmp_path / "picture")


def refused(load, path):
    """One line that names the file."""
    with pytest.raises(InputError) as error:
        load(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value).replace(str(path), "")


SETTINGS = {
    "empty": b"",
    "a comment": b"# nothing\n",
    "a list": b"- 1\n- 2\n",
    "a word": b"word\n",
    "a tab": PLAIN.replace("  size: 128", "\tsize: 128").encode(),
    "not UTF-8": PLAIN.encode() + b"# \xff\xfe\n",
    "a NUL": PLAIN.encode() + b"\0",
    "UTF-16 without a mark": PLAIN.encode("utf-16-le"),
    "a key twice": PLAIN.encode() + b"epochs: 3\n",
    "not a number": PLAIN.replace("lr: 0.01", "lr: .nan").encode(),
    "infinity": PLAIN.replace("lr: 0.01", "lr: .inf").encode(),
    "a huge whole number": PLAIN.replace("epochs: 10 ", f"epochs: 1{'0' * 5000} ").encode(),
    "a huge exponent": PLAIN.replace("lr: 0.01", "lr: 1.0e+999").encode(),
    "a negative seed": PLAIN.replace("seed: 0", "seed: -1").encode(),
    "a truth": PLAIN.replace("runs: 10 ", "runs: true ").encode(),
    "a date": PLAIN.replace("runs: 10 ", "runs: 2026-01-01 ").encode(),
    "sixties": PLAIN.replace("runs: 10 ", "runs: 1000:00 ").encode(),
    "an alias of nothing": PLAIN.replace("runs: 10 ", "runs: *nothing ").encode(),
    "an anchor that holds itself": b"&a [*a]\n",
    "a code tag": b"!!python/object/apply:os.system ['touch executed']\n",
    "a code tag inside": PLAIN.replace("seed: 0", "seed: !!python/name:os.system").encode(),
    "an unknown tag": PLAIN.replace("seed: 0", "seed: !thing 0").encode(),
    "deep": b"[" * 3000 + b"]" * 3000,
    "a billion laughs": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n".encode()
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "an open quote": PLAIN.encode() + b'x: "\n',
    "two documents": PLAIN.encode() + b"---\n" + PLAIN.encode(),
    "a merge of nothing": PLAIN.encode() + b"<<: 3\n",
    "a list as a key": PLAIN.encode() + b"? [1, 2]\n: 3\n",
    "a folder that does not end": PLAIN.replace("data/sample", '"a\\0b"').encode(),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(tmp_path, monkeypatch, name):
    """Refused in one line that names the file; no code in it is run."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "params.yaml"
    path.write_bytes(SETTINGS[name])
    refused(params.read, path)
    refused(rules, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["params.yaml"]


FOLDERS = {
    "nothing": str,
    "a file": lambda top: top.write_text("words"),
    "empty": lambda top: top.mkdir(),
    "one class": lambda top: (top / "cat").mkdir(parents=True),
    "three classes": lambda top: [(top / c).mkdir(parents=True) for c in ("cat", "cow", "dog")],
    "a link to itself": lambda top: top.symlink_to(top),
    "a link to nothing": lambda top: top.symlink_to(top.with_name("gone")),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders(tmp_path, name):
    """Refused in one line that says what a folder of pictures needs."""
    FOLDERS[name](tmp_path / "pictures")

    def load(folder):
        listed(folder, classes(folder))

    refused(load, tmp_path / "pictures")


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
