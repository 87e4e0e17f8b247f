"""Folders that cannot mean two classes are refused, and the one that was meant is named."""

import re

import pytest

from shallowdeep.files.errors import InputError
from shallowdeep.pictures.layout import classes_of

PAIR = ("cat", "dog")


def lay(top, *folders):
    for folder in folders:
        (top / folder).mkdir(parents=True)
    return top


def below(*tops, names=PAIR):
    return [f"{top}/{name}" for top in tops for name in names]


@pytest.mark.parametrize(
    ("folders", "problem", "meant"),
    [
        (below("train", "validation"), "are splits", "train"),
        (below("Training", "Val", "test"), "are splits", "Training"),
        (below("train"), "are splits", "train"),
        (
            below("training_set/training_set", "test_set/test_set"),
            "splits",
            "training_set/training",
        ),
        (below("01-train", "02-test"), "are splits", "01-train"),
        (below("train", "extra"), "train is a split, not a class", "train"),
        (["cat", "validation"], "validation is a split, not a class; if it is one, rename", None),
        (["train", "test1"], r"are splits, not classes; data\.classes: \[test1, train\]", None),
        (below("2019", "2020"), r"2019 and 2020 hold the same ones \(cat, dog\)", "2019"),
        (below("a", "b", names=("Cat", "dog", "x")), "hold the same ones", None),
        (below("a/data", "b/data"), "hold the same ones", "a/data"),
        (below("PetImages"), r"found: 1 \(PetImages\); two are needed", "PetImages"),
        (["cat", "cow", "dog"], r"found: 3 \(cat, cow, dog\); two are needed", None),
        (["apprentissage", "essai", "validation"], r"found: 3 \(app.*\), which are splits", None),
    ],
)
def test_what_are_no_classes(tmp_path, folders, problem, meant):
    """Splits, parts of the same data, a folder around the classes."""
    with pytest.raises(InputError, match=problem) as error:
        classes_of(lay(tmp_path, *folders), ())
    named = re.search(r"; (\S+) was probably meant, with", str(error.value))
    assert (named and named[1].startswith(str(tmp_path / (meant or "-")))) == (meant and True)


SPLITS = """
x_train x_test, training_v2 testing_v2, cats_train cats_test, trainA testA, Training Test,
xtrain xtest, cats cats_test, CATSTRAIN CATSTEST, imagesTr imagesTs, dogsTrain dogsVal,
cats-train-2019 cats-test-2020, query gallery, entrenamiento prueba, apprentissage validation,
Entraînement Test, treino teste, addestramento collaudo, Prüfung Training, Träning Test,
eğitim test, Обучение Тест, 训练 测试, 猫训练集 猫测试集, 学習 検証, 훈련 테스트, تدريب اختبار
"""


@pytest.mark.parametrize("names", SPLITS.split(","))
def test_names_that_differ_by_a_word_for_a_split_are_no_classes(tmp_path, names):
    """In many spellings and languages; somebody who means them can say so."""
    first, second = sorted(names.split())
    with pytest.raises(InputError, match=r"which are splits, not classes; data\.classes: "):
        classes_of(lay(tmp_path, first, second), ())
    assert classes_of(tmp_path, (first, second)) == (first, second)


@pytest.mark.parametrize(
    "folders",
    [
        *("bus train", "invalid valid", "pro protest", "trainA trainB", "con contest", "1 2"),
        *("negative_test positive_test", "diesel_train steam_train", "la latest", "seen unseen"),
        *("Training_cat Training_dog", "inter interval", "strain train", "狗 猫"),
        *(
            "cat/images dog/images",
            "cat/train dog/train cat/test dog/test",
            "cat/x dog/y cat/z",
        ),
        "cat dog __MACOSX/x @eaDir .git #recycle $RECYCLE.BIN",
    ],
)
def test_what_are_classes(tmp_path, folders):
    """Words that differ by no word for a split; splits within classes; what systems lay beside."""
    lay(tmp_path, *folders.split())
    first, second = (folder.split("/")[0] for folder in folders.split()[:2])
    assert classes_of(tmp_path, ()) == (first, second)


def test_named_classes_are_taken_in_their_order_and_no_others(tmp_path):
    """Two of many; one that is not there is refused."""
    lay(tmp_path, "cat", "cow", "dog")
    assert classes_of(tmp_path, ("dog", "cat")) == ("dog", "cat")
    with pytest.raises(InputError, match=r"data\.classes: cta is no subfolder .* 3 \(cat, cow, d"):
        classes_of(tmp_path, ("cta", "dog"))


def test_a_class_folder_may_be_no_link_and_circles_of_links_end(tmp_path):
    """DVC would hash it as empty; the message names where it leads."""
    lay(tmp_path, "top/dog", "elsewhere", *PAIR)
    (tmp_path / "top/cat").symlink_to(tmp_path / "elsewhere")
    for wanted in ((), PAIR):
        with pytest.raises(InputError, match=r"top/cat: is a link to the folder .*elsewhere; DVC"):
            classes_of(tmp_path / "top", wanted)
    for name in PAIR:
        (lay(tmp_path, f"circles/{name}") / f"circles/{name}/loop").symlink_to(".")
    assert classes_of(tmp_path / "circles", ()) == PAIR  # what is below is refused when listed
