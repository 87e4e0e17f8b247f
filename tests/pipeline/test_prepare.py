"""The stage `prepare`, run as DVC runs it: whole outputs, or one clear line and the old ones."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from checkouts import ROOT
from in_process import call_alone
from PIL import Image

from shallowdeep.files.markup import unescape
from shallowdeep.prepared import prepared_set

OUTPUTS = (
    "data/prepared",
    "results/rejected.csv",
    "results/near_duplicates.csv",
    "results/data.json",
)
NO_PICTURE = "no picture in one of the formats JPEG, PNG, WEBP, GIF, BMP, TIFF"
NO_PRIVILEGES = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.fixture
def project(tmp_path):
    """A folder with params.yaml and a small data set: 12 pictures a class."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for i in range(12):
            noise = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
            save(Image.fromarray(noise), tmp_path / "set" / name / f"{i}.jpg")
    configure(tmp_path)
    return tmp_path


def save(image, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def configure(project, **data):
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    split = {"train": 0.6, "validation": 0.2, "test": 0.2}
    settings |= {"folds": 5}
    settings["data"] |= {"dir": "set", "size": 16, "split": split} | data
    (project / "params.yaml").write_text(yaml.safe_dump(settings))


def start(project, *, before=(), **environment):
    return subprocess.Popen(
        [*before, sys.executable, ROOT / "stages" / "prepare.py"],
        cwd=project,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(project, **options):
    """The stage in a process of its own if it needs one, else in this one."""
    if not options:
        return call_alone(project, "prepare")
    process = start(project, **options)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def content(project):
    """Every file below a folder that may be written to, hidden ones too."""
    files = [p for top in ("data", "results") for p in (project / top).rglob("*") if p.is_file()]
    return {str(path.relative_to(project)): path.read_bytes() for path in files}


def spoil(project):
    """Put all into the data set that should not be there, and what is odd but right."""
    cat, dog = project / "set" / "cat", project / "set" / "dog"
    whole = (cat / "1.jpg").read_bytes()
    (cat / "empty.jpg").touch()
    (cat / "half.jpg").write_bytes(whole[: len(whole) // 2])
    (cat / "with\nnew line.jpg").write_bytes(b"words")
    (cat / os.fsdecode(b"\xff.jpg")).write_bytes(b"words")
    (cat / "copy.jpg").write_bytes(whole)
    (cat / ".hidden").write_bytes(b"words")
    (dog / "itself").symlink_to("itself")
    save(Image.new("RGB", (71, 71)), dog / "large.png")
    save(Image.new("L", (9, 9), 80), project / "outside.png")
    (dog / "linked ümläut.jpg").symlink_to(project / "outside.png")
    save(Image.new("RGB", (70, 71), "red"), dog / "new\nline, and comma" / "b" / "deep.png")
    configure(project, max_pixels=70 * 71, mean="train", std="train")


def test_whatever_lies_in_the_folder(project):
    """Odd names, nested folders, links, damaged files and copies: the rest is prepared."""
    spoil(project)
    status, out, err = run(project)
    assert (status, err) == (0, "")
    assert out == (
        "prepare: 26 pictures (12 cat, 14 dog): 15 train, 6 validation, 5 test;"
        " 6 rejected, 1 duplicate (results/rejected.csv)\n"
    )
    with (project / "results" / "rejected.csv").open(newline="", encoding="utf-8") as file:
        assert [tuple(row) for row in csv.reader(file)] == [
            ("path", "reason"),
            ("cat/copy.jpg", "duplicate of cat/1.jpg"),
            ("cat/empty.jpg", "empty file"),
            ("cat/half.jpg", "truncated"),
            ("cat/with\nnew line.jpg", NO_PICTURE),
            ("cat/\\udcff.jpg", NO_PICTURE),
            ("dog/itself", "cannot be read: Too many levels of symbolic links"),
            ("dog/large.png", "71 x 71 pixels are more than data.max_pixels 4970"),
        ]
    ready = prepared_set.read(project / "data" / "prepared")
    paths = list(ready.manifest["path"])
    assert paths[-2:] == ["dog/linked ümläut.jpg", "dog/new\nline, and comma/b/deep.png"]
    assert ready.pictures.shape == (26, 3, 16, 16)
    train = ready.pictures[ready.rows("train")] / 255
    np.testing.assert_allclose(ready.mean, train.mean((0, 2, 3)))
    np.testing.assert_allclose(ready.std, train.std((0, 2, 3)))
    assert ready.gram().shape == (26, 26)
    report = json.loads((project / "results" / "data.json").read_text())
    assert report["rejected"] == 6
    assert ready.counts()["train"] == {"cat": 7, "dog": 8}


def test_the_same_bytes_every_time(project):
    """Also with one core, in the C locale, with other hash seeds and no threads for numpy."""
    spoil(project)
    assert run(project)[0] == 0
    first = content(project)
    assert len(first) == 7
    status, _, err = run(
        project, before=["taskset", "-c", "0"], LC_ALL="C", PYTHONHASHSEED="2", OMP_NUM_THREADS="1"
    )
    assert (status, err) == (0, "")
    assert content(project) == first


def refused(project, message, *, but=(), **options):
    """Run the stage; it must say this in one line, and leave all `but` these as it was."""
    for name in OUTPUTS:
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("old")
    before = content(project)
    status, out, err = run(project, **options)
    assert (status, out) == (1, "")
    assert err.startswith("prepare: ") and err.count("\n") == 1
    assert message in err
    after = content(project)
    assert {name: after[name] for name in after if name not in but} == before


def test_a_rejected_file_can_be_an_error(project):
    """With `on_reject: fail`: how many, and the first."""
    (project / "set" / "cat" / "0\n.jpg").write_bytes(b"")
    (project / "set" / "cat" / "1.jpg").write_bytes(b"")
    configure(project, on_reject="fail")
    refused(project, "2 files rejected, first cat/0\\n.jpg: empty file; data.on_reject: fail")


def test_the_same_picture_in_both_classes(project):
    """It could be either: all are listed, and can all be left out."""
    for number in (3, 5):
        (project / "set" / "dog" / f"same{number}.jpg").symlink_to(f"../cat/{number}.jpg")
    message = "in both classes: cat/3.jpg and dog/same3.jpg; pictures in both: 2, all listed in"
    refused(project, message, but=["results/conflicts.csv"])
    with (project / "results" / "conflicts.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["path", "reason"],
            ["cat/3.jpg", "the same picture as dog/same3.jpg"],
            ["cat/5.jpg", "the same picture as dog/same5.jpg"],
            ["dog/same3.jpg", "the same picture as cat/3.jpg"],
            ["dog/same5.jpg", "the same picture as cat/5.jpg"],
        ]
    configure(project, on_conflict="skip")
    for name in OUTPUTS:
        (project / name).unlink()
    status, out, _ = run(project)
    assert (status, out.count("; 4 in both classes (results/rejected.csv)")) == (0, 1)
    assert not (project / "results" / "conflicts.csv").exists()
    assert len(prepared_set.read(project / "data" / "prepared").manifest) == 22


def test_splits_are_not_classes(project):
    """As Kaggle and TensorFlow's tutorial ship cats and dogs; who means them can say so."""
    (project / "set").rename(project / "train")
    shutil.copytree(project / "train", project / "set" / "train")
    (project / "train").rename(project / "set" / "validation")
    refused(project, "[train, validation] takes them as they are; set/train was probably meant")
    configure(project, classes=["validation", "cat"])
    refused(project, "data.classes: cat is no subfolder of set; found: 2 (train, validation)")
    shutil.rmtree(project / "set" / "validation")
    configure(project, dir="set/train", classes=["dog", "cat"])
    for name in OUTPUTS:
        (project / name).unlink()
    assert "24 pictures (12 dog, 12 cat)" in run(project)[1]


def test_a_link_to_a_folder_is_refused_before_anything_is_hashed(project):
    """Two that lead back make a tree without end."""
    for name in ("a", "b"):
        (project / "set" / "cat" / name).symlink_to(".")
    refused(project, f": is a link to the folder {project}/set/cat; DVC does not see")


def test_thumbnails_and_other_copies(project):
    """Those beside the pictures are skipped; a smaller copy among them goes where the picture is.

    And what is no file costs itself alone.
    """
    cat = project / "set" / "cat"
    for i in range(12):
        save(Image.open(cat / f"{i}.jpg"), cat / "@eaDir" / f"{i}.jpg" / "SYNOPHOTO_THUMB_M.jpg")
    coarse = np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    large = Image.fromarray(coarse).resize((200, 150))
    save(large, cat / "large.png")
    save(large.resize((80, 60)), cat / "small.jpg")
    save(large.resize((100, 70)), project / "set" / "dog" / "small.png")
    os.mkfifo(cat / "pipe")
    status, out, err = run(project)
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert first.endswith(
        "; 1 rejected (results/rejected.csv); 2 near-duplicates (results/near_duplicates.csv);"
        " 3 pictures in 1 group (1 with both classes); 12 in hidden or sidecar folders skipped"
    )
    across = "near-duplicate of cat/large.png, which is in the other class"
    assert second == (
        f"prepare: 1 near-duplicates lie in both classes, first dog/small.png: {across}"
    )
    assert (project / "results" / "near_duplicates.csv").read_text() == (
        '"path","reason"\n"cat/small.jpg","near-duplicate of cat/large.png"\n'
        f'"dog/small.png","{across}"\n'
    )
    table = prepared_set.read(project / "data" / "prepared").manifest.set_index("path")
    assert table["fold"][["cat/large.png", "cat/small.jpg", "dog/small.png"]].nunique() == 1
    report = json.loads((project / "results" / "data.json").read_text())
    assert (report["near_duplicates"], report["skipped"]) == (2, 12)
    assert '"cat/pipe","not an ordinary file"' in (project / "results/rejected.csv").read_text()


def replace_pictures(project, scenes, *, own=0.0):
    """Make a data set of coarse colours, those of a scene mixed with some of a picture's own."""

    def colours(*seed):
        few = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
        return np.asarray(Image.fromarray(few).resize((64, 64)), dtype=float)

    shutil.rmtree(project / "set")
    for number, (path, scene) in enumerate(scenes.items()):
        mixed = (1 - own) * colours(scene) + own * colours(9, number)
        grainy = mixed + np.random.default_rng(number).normal(0, 8, mixed.shape)
        save(Image.fromarray(np.clip(grainy, 0, 255).astype(np.uint8)), project / "set" / path)


def test_pictures_that_belong_together_lie_in_one_fold(project):
    """Patients, some in both classes, copies of their pictures, and pictures of nobody."""
    names = [f"{'cat' if n < 40 else 'dog'}/p{n // 2 % 30}-{n}.png" for n in range(80)]
    names += ["cat/nobody.png", "dog/nobody.png"]
    seeds = {name: number for number, name in enumerate(names)}
    seeds["cat/p9-18.png"] = seeds["cat/p1-2.png"]  # a copy, so patients 1 and 9 are one
    replace_pictures(project, seeds)
    configure(project, group=r"/(p\d+)-")
    status, out, err = run(project)
    assert (status, err) == (0, "")
    first, second = out.splitlines()
    assert "; 1 near-duplicate (results/near_duplicates.csv); 80 pictures in 29 groups (9" in first
    assert second == "prepare: data.group does not match 2 of 82 paths: it puts them into no group"
    ready = prepared_set.read(project / "data" / "prepared")
    table = ready.manifest.set_index("path")
    assert np.array_equal(ready.parts, ready.parts[ready.groups])
    assert table["group"].value_counts().value_counts().to_dict() == {1: 2, 2: 20, 4: 8, 8: 1}
    report = json.loads((project / "results" / "data.json").read_text())
    counts = ("groups", "grouped", "groups_of_both_classes", "unnamed")
    assert [report[key] for key in counts] == [29, 80, 9, 2]
    for split in ready.counts().values():
        assert min(split.values()) >= 2


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (r"set\d", "params.yaml: data: group: 'set\\\\d' is neither `folder` nor has a group"),
        ("(clip)", "data.group: (clip): matches none of the 24 paths, such as cat/0.jpg"),
        ("folder", "data.group: folder: matches none of the 24 paths"),
        (r"(.+)\.jpg", "(.+)\\.jpg: each of its 24 groups has one picture, such as cat/0: nothing"),
        (
            "(cat|dog)",
            "data: class cat: its pictures belong together in 1 group, too few for folds",
        ),
    ],
)
def test_groups_that_will_not_do(project, group, message):
    """Known by the names, before a picture is read."""
    configure(project, group=group)
    refused(project, message)


def test_a_fixed_camera(project):
    """All its frames are near-duplicates: refused with the ways out, or taken as they are."""
    frames = {f"{name}/{n}.png": 0 for name in ("cat", "dog") for n in range(12)}
    replace_pictures(project, frames)
    refused(
        project,
        "data: class cat: its pictures belong together in 1 group, too few for folds: 5; there"
        " must be more groups; near-duplicates are groups too unless data.near_duplicates: ignore",
    )
    for name in OUTPUTS:
        (project / name).unlink()
    configure(project, near_duplicates="ignore")
    first, across, ignored = run(project)[1].splitlines()
    assert first.endswith("; 23 near-duplicates (results/near_duplicates.csv)")
    assert "12 near-duplicates lie in both classes, first dog/0.png: near-dup" in across
    assert "23 near-duplicates are not kept together (data.near_duplicates: ignore)" in ignored
    assert "group" not in (project / "results" / "data.json").read_text()
    report = json.loads((project / "results" / "data.json").read_text())
    assert report["near_duplicates_ignored"] == 23
    listing = (project / "results" / "near_duplicates.csv").read_text()
    assert listing.count(", not kept with it") == 23


def test_names_that_tell_what_belongs_together(project):
    """What to type is said and stored, until it is typed."""
    scenes = {f"{('cat', 'dog')[n // 60]}/clip{n // 12}_{n}.png": n // 12 for n in range(120)}
    replace_pictures(project, scenes, own=0.4)
    report = project / "results" / "data.json"
    _, said = run(project)[1].splitlines()
    assert said.startswith("prepare: of the pictures that share a part of their names 100% have")
    assert said.endswith(r" needs data.group: '(.*/\D*\d+)'")
    assert said == f"prepare: {json.loads(report.read_text())['warning']}"
    configure(project, group=r"(.*/\D*\d+)")
    (line,) = run(project)[1].splitlines()
    assert line.endswith("; 120 pictures in 10 groups")
    assert "warning" not in report.read_text()


def test_class_names_of_every_kind(project):
    """Formulas, escape sequences, markup: printed as escapes, in no table as a formula."""
    (project / "set" / "cat").rename(project / "set" / "=HYPERLINK(1)")
    (project / "set" / "dog").rename(project / "set" / "\x1b[31m<b>")
    for name in ("=HYPERLINK(1)", "\x1b[31m<b>"):
        (project / "set" / name / "bad").touch()
    status, out, err = run(project)
    assert (status, err) == (0, "")
    assert "\x1b" not in out and "12 \\x1b[31m<b>" in out
    for name in ("data/prepared/manifest.csv", "results/rejected.csv"):
        with (project / name).open(newline="", encoding="utf-8") as file:
            paths = [row[0] for row in csv.reader(file)][1:]
        assert not [path for path in paths if path.startswith(("=", "+", "-", "@"))]
        assert all((project / "set" / unescape(path)).exists() for path in paths)


def test_a_hundred_mistakes_are_known_before_the_first_picture_is_read(project):
    """Too few files, too many for the solver: nothing is decoded for it."""
    for path in (project / "set").rglob("*.jpg"):
        path.write_bytes(b"nobody reads this")
    configure(project, size=1024)
    for i in range(8):
        (project / "set" / "dog" / f"{i}.jpg").unlink()
    refused(project, "class dog: 4 usable pictures are too few for folds: 5, which need two each")


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("nowhere", "data.dir: nowhere: no such folder"),
        ("params.yaml", "data.dir: params.yaml: is a file, not a folder"),
        ("set/cat", "data.dir: set/cat: subfolders found: none; two are needed"),
        (".", "data.dir: .: subfolders found: 3 (data, results, set); two are needed"),
        ("with\nline", "data.dir: with\\nline: no such folder"),
        ("x" * 300, "File name too long: xxx"),
    ],
)
def test_a_folder_that_will_not_do(project, folder, message):
    """The message names the folder and what is needed."""
    configure(project, dir=folder)
    refused(project, message)


@pytest.mark.parametrize("folder", ["set", "set/cat", "set/dog/sub"])
def test_an_unreadable_folder(project, folder):
    """No picture may be missing for a reason that mends itself when someone else runs it."""
    (project / "set" / "dog" / "sub").mkdir()
    (project / folder).chmod(0)
    refused(project, f"data.dir: {folder}: cannot be read: Permission denied", before=NO_PRIVILEGES)
    (project / folder).chmod(0o755)


def test_an_unreadable_file_is_listed(project):
    """Like one that is damaged."""
    (project / "set" / "cat" / "5.jpg").chmod(0)
    status, out, err = run(project, before=NO_PRIVILEGES)
    assert (status, err) == (0, "")
    assert "1 rejected" in out
    listing = (project / "results" / "rejected.csv").read_text()
    assert '"cat/5.jpg","cannot be read: Permission denied"' in listing


def test_it_can_be_stopped(project):
    """In the middle of decoding: nothing is left of it."""
    save(Image.effect_noise((3_000, 3_000), 50), project / "set" / "cat" / "large.jpg")
    for i in range(5_000):  # several minutes' work
        (project / "set" / "cat" / f"link{i}").symlink_to("large.jpg")
    process = start(project)
    while not list(project.glob("data/.prepared.*.tmp/pictures.npy")):
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGINT
    assert "Traceback" not in err and out == ""
    assert content(project) == {}
