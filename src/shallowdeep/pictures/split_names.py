"""Names of splits in data sets, in many languages."""

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# One alone is no class; numbers around it, and words such as `_set`, do not count.
ALONE = {
    *("train", "training", "validation", "valid", "validate", "validating", "val", "dev", "devel"),
    *("development", "test", "tests", "testing", "eval", "evaluation", "holdout", "hold-out"),
}
AROUND = re.compile(
    r"^[\W\d_]+|[\W_]*(sets?|data|images?|imgs?|pictures?|photos?|folder|split)?[\W\d_]*$"
)

# Two names that differ by nothing but these and those above are no classes.
WORDS = """
trn trng learning tst vld valset heldout unseen query gallery probe
entrenamiento entrenar entreno aprendizaje prueba pruebas ensayo validacion evaluacion comprobacion
apprentissage entrainement entrainer essai essais validation evaluation verification
trainieren trainings lernen lern anlernen testen pruefung pruefen prufung validierung auswertung
treino treinamento treinar teste testes validacao avaliacao aprendizagem
addestramento allenamento apprendimento prova prove collaudo convalida validazione valutazione
trainen oefenen toets toetsen validatie evaluatie
trening treningowy treningowe uczenie uczacy testowy testowe walidacja walidacyjny ewaluacja
trenovani trenink treninkova testovani testovaci validace overeni trenovanie validacia
traning trening treningsdata validering utvardering evaluering prove
koulutus opetus harjoitus testi testaus validointi arviointi
tanitas tanulo teszt ellenorzes antrenare antrenament testare validare evaluare
egitim egitme dogrulama sinama degerlendirme
latih latihan pelatihan uji pengujian validasi ujian
huanluyen huan luyen kiemtra danhgia thunghiem
обучение обучающая обучающий тренировка тренировочная тренировочный тест тестовая тестовый
тестирование проверка проверочная валидация валидационная контроль контрольная
навчання навчальна тренування перевірка валідація тестування тренувальна
εκπαιδευση δοκιμη επικυρωση ελεγχος
训练 訓練 测试 測試 验证 驗證 校验 评估 評估 学习 學習
学習 テスト 検証 評価 トレーニング
훈련 학습 시험 테스트 검증 평가
تدريب اختبار تحقق التدريب الاختبار التحقق אימון בדיקה
प्रशिक्षण परीक्षण सत्यापन ฝึก ทดสอบ ตรวจสอบ
"""
SHORT = {"tr", "te", "ts", "va", "vl"}  # only as words of their own
NOISE = {
    *("set", "sets", "data", "dataset", "image", "images", "img", "imgs", "picture", "pictures"),
    *("photo", "photos", "folder", "split", "subset", "part"),
}
MOST_NAMES = 5


class _Reading(NamedTuple):
    """A name, read as a word for a split and a rest."""

    rest: str
    word: str  # none if the name is all rest
    apart: bool  # the word is separate from the rest


def is_split(name: str) -> bool:
    """True if a folder of this name is no class, whatever the other folder is."""
    return AROUND.sub("", name.lower()) in ALONE or name.lower() in ALONE


def are_splits(names: Sequence[str]) -> bool:
    """True if a few names differ by nothing but words for splits: `cats_train`, `cats_test`."""
    if not 1 < len(names) <= MOST_NAMES:
        return False
    pairs = itertools.combinations([list(_readings(name)) for name in names], 2)
    return all(any(_differ(a, b) for a in one for b in other) for one, other in pairs)


def _differ(a: _Reading, b: _Reading) -> bool:
    """True if two names have the same rest and other words, `cats` and `cats_test` too."""
    if a.rest != b.rest or a.word == b.word:
        return False
    return (a.apart and b.apart) or bool(a.word and b.word)  # `pro` and `protest` are words


def _readings(name: str) -> Iterator[_Reading]:
    """Yield the ways to read a name, without signs, digits, accents and words for a set."""
    spaced = _plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))  # `testA`
    words = [word for word in re.findall(r"[^\W\d_]+", spaced) if word not in NOISE]
    yield _Reading("".join(words), "", apart=True)
    for i, word in enumerate(words):
        before, after = "".join(words[:i]), "".join(words[i + 1 :])
        if word in _SPLITS or word in SHORT:
            yield _Reading(before + after, word, apart=True)
        for split in _SPLITS:
            if split in word and split != word:
                yield _Reading(before + word.replace(split, "", 1) + after, split, apart=False)


def _plain(text: str) -> str:
    """Fold case, and remove accents."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.category(c).startswith("M")).casefold()


_SPLITS = {_plain(word) for word in (*ALONE, *WORDS.split())}
