"""Names tell which pictures belong together; where they do unasked, it is noticed."""

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageFilter

from shallowdeep.datasets.sample import picture
from shallowdeep.files.errors import InputError
from shallowdeep.pictures.alike_names import suggestion
from shallowdeep.pictures.groups import by_name, merged
from shallowdeep.pictures.near_duplicates import copies, reduced

PATHS = ["cat/clip1_frame0.jpg", "cat/clip1_frame1.jpg", "cat/p7/left.jpg"]
PATHS += ["cat/p7/deeper/right.jpg", "./=dog/clip1_frame9.jpg", "./=dog/p7/left.jpg"]
PATHS += ["./=dog/p8/p7.jpg"]


@pytest.mark.parametrize(
    ("group", "expected", "unnamed"),
    [
        ("", [0, 1, 2, 3, 4, 5, 6], 0),
        ("folder", [0, 1, 2, 2, 4, 2, 6], 3),
        (r"(clip\d+)_frame", [0, 0, 2, 3, 0, 5, 6], 4),
        (r"^([^/]+/[^/]+)/", [0, 1, 2, 2, 4, 5, 6], 3),
        (r"clip(\d+)|p7/(.)", [0, 0, 2, 3, 0, 5, 6], 4),
        (r"^(cat|=dog)", [0, 0, 0, 0, 4, 4, 4], 0),
    ],
)
def test_a_part_of_the_path_names_the_group(group, expected, unnamed):
    """In both classes, unless it has the class; the folder is that below the class's.

    What has no name is alone, also where another part of the expression matches.
    """
    groups, count = by_name(PATHS, group)
    assert (groups.tolist(), count) == (expected, unnamed)


@pytest.mark.parametrize(
    ("paths", "group", "message"),
    [
        (PATHS, "(dogs)", "data.group: (dogs): matches none of the 7 paths, such as cat/clip1_f"),
        (PATHS[:2], "folder", "data.group: folder: matches none of the 2 paths, such as cat/clip1"),
        (PATHS, "(e[0-9])", "(e[0-9]): each of its 3 groups has one picture, such as e0: nothing"),
    ],
)
def test_an_expression_that_groups_nothing_is_refused(paths, group, message):
    """With what it was tried on."""
    with pytest.raises(InputError, match=re.escape(message)):
        by_name(paths, group)


def test_groups_that_share_a_picture_are_one():
    """Each is named by its first row."""
    groups = np.array([0, 0, 2, 3, 3, 5])
    assert merged(groups, np.array([[4, 5], [2, 2]])).tolist() == [0, 0, 2, 2, 2, 2]
    assert merged(groups).tolist() == groups.tolist()


SIDE = 64


def scene(rng, *, side=2 * SIDE, blur=6):
    """Noise, blurred, as bright and rich in contrast as others."""
    noise = Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8))
    smooth = np.asarray(noise.filter(ImageFilter.GaussianBlur(blur)), dtype=float)
    scaled = 128 + 50 * (smooth - smooth.mean()) / smooth.std()
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def clip(rng, frames=20):
    """Frames cropped from a scene with a drift."""
    whole, drift = scene(rng), rng.uniform(1, 3, 2)
    for number in range(frames):
        x, y = (drift * number).astype(int)
        frame = np.asarray(whole.crop((x, y, x + SIDE, y + SIDE)), dtype=float)
        yield np.clip(frame + rng.normal(0, 6, frame.shape), 0, 255).astype(np.uint8)


def augmentations(rng, copies=10):
    """A scene turned by up to 12 degrees, shifted, a quarter mirrored, light within 20 %."""
    whole = scene(rng, blur=10)
    for _ in range(copies):
        x, y = 32 + rng.integers(-6, 7, 2)
        turned = whole.rotate(rng.uniform(-12, 12), Image.Resampling.BILINEAR)
        one = np.asarray(turned.crop((x, y, x + SIDE, y + SIDE)), dtype=float)
        one = one[:, ::-1] if rng.random() < 0.25 else one
        yield np.clip(one * rng.uniform(0.8, 1.2), 0, 255).astype(np.uint8)


def of_scenes(kind, scenes, names):
    """Pictures of some scenes, half of the scenes in each class, and their paths."""
    rng = np.random.default_rng(0)
    taken = [(scene, *one) for scene in range(scenes) for one in enumerate(kind(rng))]
    classes = ["cat" if scene < scenes / 2 else "dog" for scene, *_ in taken]
    named = [names.format(scene=scene, copy=copy) for scene, copy, _ in taken]
    paths = ["/".join(both) for both in zip(classes, named, strict=True)]
    return paths, np.stack([picture for *_, picture in taken]).transpose(0, 3, 1, 2)


def suggested(paths, pictures, groups=None):
    """The line for pictures of which near-duplicates alone belong together if nothing is said."""
    labels = [int(path.startswith("dog")) for path in paths]
    means = reduced(pictures)
    groups = copies(means).all if groups is None else groups
    return suggestion(means, pd.DataFrame({"path": paths, "label": labels, "group": groups}))


@pytest.mark.parametrize(
    ("kind", "scenes", "names"),
    [
        (clip, 6, "clip{scene}_frame{copy:03}.jpg"),
        (clip, 10, "{scene}/{copy}.jpg"),
        (augmentations, 30, "img_{scene}_{copy}.png"),
        (augmentations, 12, "2026_img {scene} ({copy}).png"),
        (augmentations, 12, "img{scene}.png.rf.{copy}abc.jpg"),
    ],
)
def test_frames_and_saved_copies_are_noticed(kind, scenes, names):
    """With an expression that groups them as they belong, after which nothing more is said.

    If the same pictures have each other's names, nothing is said either.
    """
    paths, pictures = of_scenes(kind, scenes, names)
    line = suggested(paths, pictures)
    (expression,) = re.findall(r"data\.group: '(.+)'$", line)
    groups, unnamed = by_name(paths, expression)
    size = len(paths) // scenes
    assert (groups.tolist(), unnamed) == ((np.arange(len(paths)) // size * size).tolist(), 0)
    assert suggested(paths, pictures, groups) == ""
    rng, half = np.random.default_rng(1), len(paths) // 2
    shuffled = [name for part in (paths[:half], paths[half:]) for name in rng.permutation(part)]
    assert suggested(shuffled, pictures) == ""


def test_a_clip_in_both_classes_is_one_group():
    """Its frames are nearest to each other across classes, too."""
    paths, pictures = of_scenes(clip, 8, "{scene}-{copy}.jpg")
    mixed = [f"{('cat', 'dog')[row % 2]}/{path[4:]}" for row, path in enumerate(paths)]
    (expression,) = re.findall(r"data\.group: '(.+)'$", suggested(mixed, pictures))
    assert by_name(mixed, expression)[0].tolist() == (np.arange(160) // 20 * 20).tolist()


def test_names_of_independent_pictures_say_nothing():
    """Whatever they share: of drawn pictures numbered in sets of ten."""
    drawn = [picture(0, n // 60, n).resize((SIDE, SIDE)) for n in range(120)]
    for names in ("{0}/{0}.{1}.jpg", "{0}/set{2}_{1}.jpg", "{0}/{2}/{1}.jpg"):
        paths = [names.format(("cat", "dog")[n // 60], n, n // 10) for n in range(120)]
        assert suggested(paths, np.stack(drawn).transpose(0, 3, 1, 2)) == "", names
