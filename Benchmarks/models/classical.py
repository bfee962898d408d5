"""Models of scikit-learn, converted by skl2onnx: linear, trees, support vectors and text."""

import numpy as np

from example import Ready

TEXTS = [
    "the cat sat on the mat", "a dog ate my homework", "the quick brown fox jumps", "graph compilers fuse operators",
    "the dog and the fox", "operators of a graph", "my cat ate the fox", "compilers jump over brown mats",
]


def digits():
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return images.astype(np.float32), labels


def converted(model, width: int, rows: np.ndarray, expected: list, **options) -> Ready:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    types = [("X", FloatTensorType([None, width]))]
    return Ready(to_onnx(model, initial_types=types, options={id(model): options}), {"X": rows}, expected)


def classifier(model) -> Ready:
    images, labels = digits()
    model.fit(images, labels)
    rows = images[:16]
    return converted(model, images.shape[1], rows, [model.predict(rows), model.predict_proba(rows)], zipmap=False)


def logistic_regression() -> Ready:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return classifier(make_pipeline(StandardScaler(), LogisticRegression(max_iter=300)))


def random_forest() -> Ready:
    from sklearn.ensemble import RandomForestClassifier

    return classifier(RandomForestClassifier(30, max_depth=8, random_state=0))


def boosted_trees() -> Ready:
    from sklearn.ensemble import GradientBoostingRegressor

    images, labels = digits()
    model = GradientBoostingRegressor(n_estimators=40, random_state=0).fit(images, labels)
    rows = images[:16]
    return converted(model, images.shape[1], rows, [model.predict(rows)[:, None]])


def support_vectors() -> Ready:
    from sklearn.svm import SVR

    images, labels = digits()
    images = images[:300] / 16
    model = SVR(kernel="rbf").fit(images, labels[:300])
    rows = images[:16]
    return converted(model, images.shape[1], rows, [model.predict(rows)[:, None]])


def text_classifier() -> Ready:
    """Words of sentences, weighted by how rare they are, through logistic regression."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import StringTensorType
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, [0, 1, 0, 2, 0, 2, 1, 2])
    # ONNX Runtime takes the locale from the system, which has this one everywhere.
    options = {TfidfVectorizer: {"locale": "C.UTF-8"}, id(model.steps[-1][1]): {"zipmap": False}}
    proto = to_onnx(model, initial_types=[("text", StringTensorType([None, 1]))], options=options)
    rows = np.array([[text] for text in TEXTS[:3] + ["a brown cat", "fox"]], dtype=object)
    words = [row[0] for row in rows]
    return Ready(proto, {"text": rows}, [model.predict(words), model.predict_proba(words)])
