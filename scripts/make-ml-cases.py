#!/usr/bin/env python3
"""Writes Tests/FXConformanceTests/Cases/ml: every operator of ai.onnx.ml and ai.onnx.preview.training on small random
inputs, and small models that scikit-learn trained and skl2onnx exported.

Each folder has the layout of ONNX's backend tests. The expected outputs are ONNX Runtime's, or the reference evaluator's of
the package onnx where ONNX Runtime has no kernel for the types, or leaves a transform out. Needs numpy, onnx, onnxruntime,
scikit-learn and skl2onnx (made with 2.4, 1.23.2, 1.32, 1.9 and 1.20), and the locale en_US.UTF-8. Run it from the package's root.
"""
import json
import pathlib
import shutil
import warnings
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

ROOT = pathlib.Path("Tests/FXConformanceTests/Cases/ml")
FLOAT, DOUBLE, INT64, INT32, INT16, STRING = (
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.INT32, TensorProto.INT16, TensorProto.STRING)
ML, TRAINING, VENDOR = "ai.onnx.ml", "ai.onnx.preview.training", "com.microsoft"
TRANSFORMS = ["NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO", "PROBIT"]
DTYPES = {"float": np.float32, "double": np.float64, "int64": np.int64, "int32": np.int32}


def scalar(value):
    return np.array(value, dtype=object) if isinstance(value, str) else np.asarray(value)


def map_message(values):
    """A dictionary as a MapProto. Keys and types are those of its elements."""
    message = onnx.MapProto()
    keys = sorted(values)
    if isinstance(keys[0], str):
        message.key_type = STRING
        message.string_keys.extend(key.encode() for key in keys)
    else:
        message.key_type = INT64
        message.keys.extend(int(key) for key in keys)
    message.values.elem_type = onnx.SequenceProto.TENSOR
    message.values.tensor_values.extend(numpy_helper.from_array(scalar(values[key])) for key in keys)
    return message


def message(value, name=""):
    if isinstance(value, dict):
        return map_message(value)
    if isinstance(value, list):
        result = onnx.SequenceProto()
        result.elem_type = onnx.SequenceProto.MAP
        result.map_values.extend(map_message({k: np.float32(x) for k, x in element.items()}) for element in value)
        return result
    return numpy_helper.from_array(value, name)


def write(name, model, feeds, by="runtime", atol=1e-5):
    """Writes one case and gives the expected outputs: `by` itself, if that is not a name."""
    expected = by
    if by == "runtime":
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        expected = session.run(None, {n: {k: x.item() for k, x in v.items()} if isinstance(v, dict) else v for n, v in feeds.items()})
    elif by == "reference":
        expected = ReferenceEvaluator(model).run(None, feeds)
    for x, info in zip(expected, model.graph.output):
        if isinstance(x, np.ndarray) and not info.type.tensor_type.HasField("shape"):
            info.CopyFrom(helper.make_tensor_value_info(info.name, info.type.tensor_type.elem_type, x.shape))
    folder = ROOT / name
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    onnx.save(model, folder / "model.onnx")
    (folder / "data.json").write_text(json.dumps({"rtol": 1e-3, "atol": atol}) + "\n")
    for i, (n, x) in enumerate(feeds.items()):
        (data / f"input_{i}.pb").write_bytes(message(x, n).SerializeToString())
    for i, (x, info) in enumerate(zip(expected, model.graph.output)):
        if isinstance(x, np.ndarray) and by != "runtime":
            x = x.astype(helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type))
        (data / f"output_{i}.pb").write_bytes(message(x).SerializeToString())
    return expected


def input_info(name, value):
    if isinstance(value, dict):
        key, element = next(iter(value.items()))
        kind = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(scalar(element).dtype), ())
        kind = helper.make_map_type_proto(STRING if isinstance(key, str) else INT64, kind)
        return helper.make_value_info(name, kind)
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)


def case(name, op, inputs, outputs, by="runtime", domain=ML, version=1, atol=1e-5, **attributes):
    """One node. An input is a function of the random generator, an array or a dictionary; an output an element type, or
    the type of a key for a sequence of maps."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    values = {f"x{i}": x(rng) if callable(x) else x for i, x in enumerate(inputs)}
    infos = []
    for i, kind in enumerate(outputs):
        if isinstance(kind, tuple):
            kind = helper.make_map_type_proto(kind[0], helper.make_tensor_type_proto(FLOAT, ()))
            infos.append(helper.make_value_info(f"y{i}", helper.make_sequence_type_proto(kind)))
        else:
            infos.append(helper.make_tensor_value_info(f"y{i}", kind, None))
    attributes = {key: value for key, value in attributes.items() if value is not None}
    node = helper.make_node(op, list(values), [info.name for info in infos], domain=domain, **attributes)
    graph = helper.make_graph([node], name, [input_info(n, x) for n, x in values.items()], infos)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, version)], ir_version=8)
    return write(name, model, values, by, atol)


def f(*shape, low=-1.0, high=1.0, dtype=np.float32):
    return lambda rng: rng.uniform(low, high, shape).astype(dtype)


def numbers(kind, *shape):
    if kind in ("int64", "int32"):
        return lambda rng: rng.integers(-5, 6, shape).astype(DTYPES[kind])
    return f(*shape, low=-5, high=5, dtype=DTYPES[kind])


def strings(*values):
    return np.array(values, dtype=object)


def floats(rng, *shape):
    return rng.uniform(-1, 1, shape).astype(np.float32).ravel().tolist()


def by_kind(kind, *runtime):
    return "runtime" if kind in runtime else "reference"


# MARK: Features and labels


def features():
    for kind in DTYPES:
        case(f"array_feature_extractor_{kind}", "ArrayFeatureExtractor",
             [numbers(kind, 3, 5), np.array([4, 0, 4], np.int64)], [helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[kind]))])
        case(f"binarizer_{kind}", "Binarizer", [numbers(kind, 3, 5)],
             [helper.np_dtype_to_tensor_dtype(np.dtype(DTYPES[kind]))], by_kind(kind, "float"), threshold=1.0)
        case(f"scaler_{kind}", "Scaler", [numbers(kind, 3, 2)], [FLOAT], offset=[0.5, -1.5], scale=[2.0, 0.25])
        for norm in ("MAX", "L1", "L2"):
            case(f"normalizer_{norm.lower()}_{kind}", "Normalizer", [numbers(kind, 4, 3)], [FLOAT], norm=norm)
    case("array_feature_extractor_vector", "ArrayFeatureExtractor", [f(5), np.array([3, 1], np.int64)], [FLOAT])
    case("array_feature_extractor_cube", "ArrayFeatureExtractor", [f(2, 3, 5), np.array([[3, 1]], np.int64)], [FLOAT])
    case("array_feature_extractor_string", "ArrayFeatureExtractor",
         [strings("a", "b", "c", "d").reshape(2, 2), np.array([1], np.int64)], [STRING])
    case("scaler_one", "Scaler", [f(3, 4)], [FLOAT], offset=[0.5], scale=[3.0])
    case("normalizer_zeros", "Normalizer", [np.array([[0, 0], [3, 4]], np.float32)], [FLOAT], norm="L2")
    nan = float("nan")
    gaps = np.array([[1, nan, 0], [nan, 2, nan]], np.float32)
    case("imputer_nan", "Imputer", [gaps], [FLOAT], imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=nan)
    case("imputer_one", "Imputer", [gaps], [FLOAT], imputed_value_floats=[7.0], replaced_value_float=0.0)
    case("imputer_int64", "Imputer", [np.array([[0, 1], [2, 0]], np.int64)], [INT64], imputed_value_int64s=[7, 8],
         replaced_value_int64=0)
    case("imputer_double", "Imputer", [gaps.astype(np.float64)], [DOUBLE], "reference", imputed_value_floats=[7.0, 8.0, 9.0],
         replaced_value_float=nan)
    case("imputer_int32", "Imputer", [np.array([[0, 1], [2, 0]], np.int32)], [INT32], "reference",
         imputed_value_int64s=[7], replaced_value_int64=2)
    case("feature_vectorizer", "FeatureVectorizer", [f(2, 3), f(2, 2), f(2, 4)], [FLOAT],
         inputdimensions=[3, 4, 1])
    case("feature_vectorizer_vectors", "FeatureVectorizer", [numbers("int32", 3), numbers("int32", 2)], [FLOAT], inputdimensions=[3, 2])
    case("one_hot_encoder_string", "OneHotEncoder", [strings("a", "c", "x")], [FLOAT], cats_strings=["a", "b", "c"])
    case("one_hot_encoder_int64", "OneHotEncoder", [np.array([[3, 5], [1, 3]], np.int64)], [FLOAT], cats_int64s=[5, 3, 1],
         zeros=0)
    for kind in ("float", "double"):
        case(f"one_hot_encoder_{kind}", "OneHotEncoder", [np.array([3.0, 5.9, -1.0, 9.0], DTYPES[kind])], [FLOAT],
             cats_int64s=[5, 3, -1])
    case("one_hot_encoder_int32", "OneHotEncoder", [np.array([3, 4], np.int32)], [FLOAT], "reference", cats_int64s=[5, 3])


def labels():
    words, integers = strings("b", "a", "zebra", "c"), np.array([2, 0, 9, 1], np.int64)
    pairs = dict(cats_strings=["a", "b", "c"], cats_int64s=[0, 2, 1])
    case("category_mapper_string", "CategoryMapper", [words], [INT64], default_int64=-5, **pairs)
    case("category_mapper_int64", "CategoryMapper", [integers], [STRING], default_string="none", **pairs)
    case("label_encoder_1_string", "LabelEncoder", [words], [INT64], classes_strings=["a", "b", "c"])
    case("label_encoder_1_int64", "LabelEncoder", [integers], [STRING], classes_strings=["a", "b", "c"], default_string="?")
    keys = {"strings": ["a", "b", "c"], "int64s": [0, 1, 2], "floats": [0.5, 1.0, 2.0]}
    inputs = {"strings": words, "int64s": integers, "floats": np.array([[2.0, 0.5], [3.0, 1.0]], np.float32)}
    types = {"strings": STRING, "int64s": INT64, "floats": FLOAT}
    for key in keys:
        for value in keys:
            # ONNX Runtime has no kernel for two tables.
            case(f"label_encoder_2_{key}_{value}", "LabelEncoder", [inputs[key]], [types[value]], version=2,
                 **{f"keys_{key}": keys[key], f"values_{value}": keys[value]},
                 default_string="?", default_int64=-7, default_float=-0.5)
    for name, kind, number in (("double", DOUBLE, np.float64), ("int16", INT16, np.int16), ("int32", INT32, np.int32)):
        by = "runtime" if name == "double" else "reference"
        case(f"label_encoder_4_{name}", "LabelEncoder", [np.array([3, 1, 8], number)], [kind], by, version=4,
             keys_tensor=helper.make_tensor("keys", kind, [3], [1, 2, 3]),
             values_tensor=helper.make_tensor("values", kind, [3], [10, 20, 30]),
             default_tensor=helper.make_tensor("default", kind, [1], [5]))
    case("label_encoder_4_nan", "LabelEncoder", [np.array([1, np.nan, 2], np.float32)], [INT64], version=4,
         keys_floats=[1.0, float("nan")], values_int64s=[4, 6])
    case("label_encoder_4_strings", "LabelEncoder", [words], [INT64], version=4,
         keys_tensor=helper.make_tensor("keys", STRING, [2], [b"a", b"b"]), values_int64s=[4, 6], default_int64=0)


def maps():
    case("zip_map_int64", "ZipMap", [f(3, 3)], [(INT64,)], classlabels_int64s=[7, -2, 4])
    case("zip_map_string", "ZipMap", [f(2, 3)], [(STRING,)], classlabels_strings=["b", "a", "é"])
    case("zip_map_vector", "ZipMap", [f(2)], [(STRING,)], classlabels_strings=["no", "yes"])
    for name, number in (("int64", np.int64), ("float", np.float32), ("double", np.float64)):
        # From Python, ONNX Runtime takes maps to float only.
        by = "runtime" if name == "float" else [np.array([[4, 8, 0, 0]], number)]
        case(f"dict_vectorizer_string_{name}", "DictVectorizer", [{"a": number(4), "c": number(8)}],
             [helper.np_dtype_to_tensor_dtype(np.dtype(number))], by, string_vocabulary=["a", "c", "b", "z"])
    case("dict_vectorizer_int64_float", "DictVectorizer", [{3: np.float32(1.5), 9: np.float32(-2)}], [FLOAT],
         int64_vocabulary=[9, 1, 3])
    case("dict_vectorizer_int64_string", "DictVectorizer", [{3: "x", 9: "y"}], [STRING], [strings("y", "", "x").reshape(1, 3)],
         int64_vocabulary=[9, 1, 3])
    sparse = dict(map_form="SPARSE", max_map=5)
    for to, kind in (("TO_FLOAT", FLOAT), ("TO_INT64", INT64)):
        case(f"cast_map_{to.lower()}", "CastMap", [{4: np.float32(1.5), 0: np.float32(-2), 2: np.float32(7)}], [kind], cast_to=to)
        case(f"cast_map_sparse_{to.lower()}", "CastMap", [{4: np.float32(1.5), 1: np.float32(-2)}], [kind], cast_to=to, **sparse)


# MARK: Linear models and support vectors


def linear():
    rng = np.random.default_rng(1)
    words = ["cat", "dog", "eel"]
    for transform in TRANSFORMS:
        name = transform.lower()
        common = dict(coefficients=floats(rng, 3, 4), intercepts=floats(rng, 3), post_transform=transform)
        case(f"linear_classifier_{name}", "LinearClassifier", [f(5, 4)], [INT64, FLOAT], classlabels_ints=[5, 3, 9], **common)
        case(f"linear_regressor_{name}", "LinearRegressor", [f(5, 4)], [FLOAT], targets=3, **common)
    common = dict(coefficients=floats(rng, 3, 4), intercepts=floats(rng, 3))
    case("linear_classifier_strings", "LinearClassifier", [f(5, 4)], [STRING, FLOAT], classlabels_strings=words, **common)
    for kind in ("double", "int64", "int32"):
        case(f"linear_classifier_{kind}", "LinearClassifier", [numbers(kind, 5, 4)], [INT64, FLOAT],
             classlabels_ints=[0, 1, 2], multi_class=1, **common)
    one = dict(coefficients=floats(rng, 4), intercepts=[0.1])
    case("linear_classifier_one_sum", "LinearClassifier", [f(5, 4)], [INT64, FLOAT], classlabels_ints=[4, 8], **one)
    case("linear_classifier_one_sum_strings", "LinearClassifier", [f(5, 4)], [STRING, FLOAT],
         classlabels_strings=["no", "yes"], **one)
    case("linear_classifier_one_sum_softmax", "LinearClassifier", [f(5, 4)], [INT64, FLOAT], "reference",
         classlabels_ints=[4, 8], post_transform="SOFTMAX", **one)
    case("linear_classifier_one_sum_logistic", "LinearClassifier", [f(5, 4)], [INT64, FLOAT], "reference",
         classlabels_ints=[4, 8], post_transform="LOGISTIC", **one)
    case("linear_regressor_one", "LinearRegressor", [f(5, 4)], [FLOAT], **one)
    case("linear_regressor_no_intercept", "LinearRegressor", [f(5, 4)], [FLOAT], coefficients=floats(rng, 8), targets=2)
    case("linear_regressor_double", "LinearRegressor", [numbers("double", 5, 4)], [FLOAT], "reference", **one)


def support_vectors():
    rng = np.random.default_rng(2)
    parameters = {"LINEAR": [0.0, 0.0, 0.0], "POLY": [0.5, 1.0, 3.0], "RBF": [0.7, 0.0, 0.0], "SIGMOID": [0.3, 0.1, 0.0]}
    for kernel in parameters:
        common = dict(kernel_type=kernel, kernel_params=parameters[kernel])
        case(f"svm_regressor_{kernel.lower()}", "SVMRegressor", [f(4, 3)], [FLOAT], n_supports=5,
             support_vectors=floats(rng, 15), coefficients=floats(rng, 5), rho=[0.2], **common)
        three = dict(support_vectors=floats(rng, 6, 3), coefficients=floats(rng, 2, 6), vectors_per_class=[2, 1, 3],
                     rho=floats(rng, 3), **common)
        case(f"svm_classifier_{kernel.lower()}", "SVMClassifier", [f(6, 3)], [INT64, FLOAT], classlabels_ints=[4, 2, 7], **three)
        case(f"svm_classifier_{kernel.lower()}_probabilities", "SVMClassifier", [f(6, 3)], [STRING, FLOAT],
             classlabels_strings=["a", "b", "c"], prob_a=[-1.2, -0.7, -2.0], prob_b=[0.1, -0.2, 0.05], **three)
    common = dict(kernel_type="RBF", kernel_params=parameters["RBF"])
    two = dict(support_vectors=floats(rng, 4, 3), coefficients=floats(rng, 4), vectors_per_class=[1, 3], rho=[0.1], **common)
    for transform in ("NONE", "LOGISTIC"):
        case(f"svm_classifier_two_{transform.lower()}", "SVMClassifier", [f(6, 3)], [INT64, FLOAT], classlabels_ints=[4, 2],
             post_transform=transform, **two)
    case("svm_classifier_two_softmax", "SVMClassifier", [f(6, 3)], [INT64, FLOAT], "reference", classlabels_ints=[4, 2],
         post_transform="SOFTMAX", **two)
    case("svm_classifier_two_probabilities", "SVMClassifier", [f(6, 3)], [INT64, FLOAT], classlabels_ints=[4, 2], prob_a=[-1.2],
         prob_b=[0.1], **two)
    for kind in ("double", "int64", "int32"):
        case(f"svm_classifier_{kind}", "SVMClassifier", [numbers(kind, 6, 3)], [INT64, FLOAT], classlabels_ints=[4, 2], **two)
    case("svm_classifier_no_vectors", "SVMClassifier", [f(6, 3)], [INT64, FLOAT], classlabels_ints=[4, 2, 9],
         coefficients=floats(rng, 9), rho=[0.1], kernel_params=[0.0, 0.0, 0.0], post_transform="SOFTMAX")
    case("svm_regressor_no_vectors", "SVMRegressor", [f(6, 3)], [FLOAT], n_supports=0, coefficients=floats(rng, 3), rho=[0.1],
         kernel_params=[0.0, 0.0, 0.0])
    case("svm_regressor_one_class", "SVMRegressor", [f(6, 3)], [FLOAT], n_supports=4, support_vectors=floats(rng, 12),
         coefficients=floats(rng, 4), rho=[-0.1], one_class=1, **common)


# MARK: Trees

MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]


def forest(rng, trees, depth, features, modes=MODES[:1], missing=False, tensors=False):
    """Random trees in the form of versions 1 to 4: attributes, and the (tree, node) of each leaf. Thresholds are integers."""
    lists = {key: [] for key in ("treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids")}
    leaves = []

    def grow(tree, level, ids):
        at = len(lists["nodeids"])
        node = ids[0]
        ids[0] += 1
        is_leaf = level == depth or (level > 0 and rng.random() < 0.2)
        for key, value in (("treeids", tree), ("nodeids", node), ("featureids", 0 if is_leaf else int(rng.integers(features))),
                           ("modes", "LEAF" if is_leaf else modes[int(rng.integers(len(modes)))]),
                           ("values", 0.0 if is_leaf else float(rng.integers(-3, 4))), ("truenodeids", 0), ("falsenodeids", 0)):
            lists[key].append(value)
        if is_leaf:
            leaves.append((tree, node))
        else:
            lists["truenodeids"][at] = grow(tree, level + 1, ids)
            lists["falsenodeids"][at] = grow(tree, level + 1, ids)
        return node

    for tree in range(trees):
        grow(tree, 0, [0])
    attributes = {f"nodes_{key}": value for key, value in lists.items()}
    if missing:
        attributes["nodes_missing_value_tracks_true"] = rng.integers(0, 2, len(lists["nodeids"])).tolist()
    if tensors:
        values = attributes.pop("nodes_values")
        attributes["nodes_values_as_tensor"] = helper.make_tensor("values", DOUBLE, [len(values)], values)
    return attributes, leaves


def votes(prefix, rng, leaves, targets, positive=False, one=False):
    """Each leaf speaks for one target, or for all."""
    rows = []
    for i, (tree, node) in enumerate(leaves):
        for target in [i % targets] if one else range(targets):
            rows.append((tree, node, target, float(np.float32(rng.uniform(0 if positive else -1, 1)))))
    names = "class_treeids class_nodeids class_ids class_weights" if prefix == "class" else \
        "target_treeids target_nodeids target_ids target_weights"
    return {name: list(column) for name, column in zip(names.split(), zip(*rows))}


def rows(kind="float", gaps=False):
    def make(rng):
        x = rng.integers(-4, 5, (8, 4)).astype(DTYPES[kind])
        if gaps:
            x[rng.random(x.shape) < 0.3] = np.nan
        return x
    return make


def classifiers():
    rng = np.random.default_rng(3)
    three = dict(classlabels_int64s=[5, 3, 9])
    for transform in TRANSFORMS:
        nodes, leaves = forest(rng, 3, 3, 4)
        case(f"tree_classifier_{transform.lower()}", "TreeEnsembleClassifier", [rows()], [INT64, FLOAT],
             post_transform=transform, **nodes, **votes("class", rng, leaves, 3, positive=True), **three)
    for kind in ("double", "int64", "int32"):
        nodes, leaves = forest(rng, 3, 3, 4)
        case(f"tree_classifier_{kind}", "TreeEnsembleClassifier", [rows(kind)], [INT64, FLOAT], **nodes,
             **votes("class", rng, leaves, 3), **three)
    for mode in MODES:
        nodes, leaves = forest(rng, 2, 3, 4, [mode])
        case(f"tree_classifier_{mode.lower()}", "TreeEnsembleClassifier", [rows()], [INT64, FLOAT], **nodes,
             **votes("class", rng, leaves, 3), **three)
    nodes, leaves = forest(rng, 4, 4, 4, MODES)
    case("tree_classifier_mixed", "TreeEnsembleClassifier", [rows()], [STRING, FLOAT], **nodes,
         **votes("class", rng, leaves, 3), classlabels_strings=["a", "b", "c"])
    nodes, leaves = forest(rng, 4, 4, 4, MODES[:4], missing=True)
    case("tree_classifier_missing", "TreeEnsembleClassifier", [rows(gaps=True)], [INT64, FLOAT], **nodes,
         **votes("class", rng, leaves, 3), base_values=[0.5, -0.25, 0.1], **three)
    nodes, leaves = forest(rng, 3, 3, 4, tensors=True)
    weights = votes("class", rng, leaves, 3)
    numbers = weights.pop("class_weights")
    case("tree_classifier_tensors", "TreeEnsembleClassifier", [rows("double")], [INT64, FLOAT], version=3, **nodes, **weights,
         **three, class_weights_as_tensor=helper.make_tensor("weights", DOUBLE, [len(numbers)], numbers),
         base_values_as_tensor=helper.make_tensor("base", DOUBLE, [3], [0.1, 0.2, -0.3]))
    for sign in ("positive", "mixed"):
        for transform in ("NONE", "LOGISTIC"):
            nodes, leaves = forest(rng, 2, 3, 4)
            case(f"tree_classifier_two_{sign}_{transform.lower()}", "TreeEnsembleClassifier", [rows()], [INT64, FLOAT],
                 post_transform=transform, classlabels_int64s=[6, 2], **nodes,
                 **votes("class", rng, leaves, 1, positive=sign == "positive"))
    nodes, leaves = forest(rng, 2, 3, 4)
    case("tree_classifier_two_base", "TreeEnsembleClassifier", [rows()], [STRING, FLOAT], classlabels_strings=["no", "yes"],
         base_values=[-0.2], **nodes, **votes("class", rng, leaves, 1))
    case("tree_classifier_two_both", "TreeEnsembleClassifier", [rows()], [INT64, FLOAT], "reference",
         classlabels_int64s=[6, 2], **nodes, **votes("class", rng, leaves, 2))
    case("tree_classifier_one", "TreeEnsembleClassifier", [rows()], [INT64, FLOAT], classlabels_int64s=[1], **nodes,
         **votes("class", rng, leaves, 1))


def regressors():
    rng = np.random.default_rng(4)
    for function in ("SUM", "AVERAGE", "MIN", "MAX"):
        for targets in (1, 3):
            nodes, leaves = forest(rng, 3, 3, 4)
            case(f"tree_regressor_{function.lower()}_{targets}", "TreeEnsembleRegressor", [rows()], [FLOAT], n_targets=targets,
                 aggregate_function=function, **nodes, **votes("target", rng, leaves, targets),
                 base_values=floats(rng, targets))
    for transform in TRANSFORMS[1:]:
        nodes, leaves = forest(rng, 2, 3, 4)
        case(f"tree_regressor_{transform.lower()}", "TreeEnsembleRegressor", [rows()], [FLOAT], n_targets=2,
             post_transform=transform, **nodes, **votes("target", rng, leaves, 2, positive=True))
    nodes, leaves = forest(rng, 2, 3, 4)
    case("tree_regressor_sparse", "TreeEnsembleRegressor", [rows()], [FLOAT], n_targets=2, **nodes,
         **votes("target", rng, leaves, 2, one=True))
    nodes, leaves = forest(rng, 3, 3, 4, tensors=True)
    weights = votes("target", rng, leaves, 2)
    numbers = weights.pop("target_weights")
    case("tree_regressor_tensors", "TreeEnsembleRegressor", [rows("double")], [FLOAT], version=3, n_targets=2, **nodes,
         **weights, target_weights_as_tensor=helper.make_tensor("weights", DOUBLE, [len(numbers)], numbers))
    # Ids that are not 0, 1, 2, …, and trees whose nodes stand in any order behind their roots.
    nodes, leaves = forest(rng, 2, 3, 4)
    changed = {**nodes, **{f"nodes_{key}": [3 * i + 10 for i in nodes[f"nodes_{key}"]]
                           for key in ("nodeids", "truenodeids", "falsenodeids")}}
    changed["nodes_treeids"] = [7 - tree for tree in nodes["nodes_treeids"]]
    case("tree_regressor_ids", "TreeEnsembleRegressor", [rows()], [FLOAT], "reference", n_targets=1, **changed,
         **votes("target", rng, [(7 - tree, 3 * node + 10) for tree, node in leaves], 1))


def ensembles():
    """Version 5, of the trees of the earlier form."""
    rng = np.random.default_rng(5)
    for kind, number, by in (("float", FLOAT, "runtime"), ("double", DOUBLE, "runtime"), ("float16", TensorProto.FLOAT16, "reference")):
        for targets in (1, 3):
            nodes, _ = forest(rng, 3, 3, 4, MODES, missing=kind == "float")
            x = rows(gaps=kind == "float")
            case(f"tree_ensemble_{kind}_{targets}", "TreeEnsemble", [lambda rng: x(rng).astype(DTYPES.get(kind, np.float16))],
                 [number], by, version=5, n_targets=targets, **five(rng, nodes, targets, number))
    # ONNX Runtime numbers the transforms 1 and 2 the other way round.
    for transform in range(1, 5):
        nodes, _ = forest(rng, 2, 2, 4)
        ensemble = dict(five(rng, nodes, 2, FLOAT), version=5, n_targets=2)
        name, x = f"tree_ensemble_transform_{transform}", rows()(rng)
        expected = case(name, "TreeEnsemble", [x], [FLOAT], post_transform={1: 2, 2: 1}.get(transform, transform), **ensemble)
        shutil.rmtree(ROOT / name)
        case(name, "TreeEnsemble", [x], [FLOAT], expected, post_transform=transform, **ensemble)
    for function in (0, 2, 3):
        nodes, _ = forest(rng, 3, 3, 4)
        case(f"tree_ensemble_aggregate_{function}", "TreeEnsemble", [rows()], [FLOAT], version=5, aggregate_function=function,
             n_targets=2, **five(rng, nodes, 2, FLOAT))
    nodes, _ = forest(rng, 2, 3, 4)
    ensemble = five(rng, nodes, 2, FLOAT)
    modes = numpy_helper.to_array(ensemble["nodes_modes"]).copy()
    members = []
    for at in range(0, len(modes), 2):
        modes[at] = 6
        members += [*rng.choice(np.arange(-4, 5), 3, replace=False).tolist(), float("nan")]
    ensemble["nodes_modes"] = numpy_helper.from_array(modes, "modes")
    ensemble["membership_values"] = helper.make_tensor("members", FLOAT, [len(members)], members)
    case("tree_ensemble_members", "TreeEnsemble", [rows()], [FLOAT], version=5, n_targets=2, **ensemble)
    case("tree_ensemble_leaf", "TreeEnsemble", [rows()], [FLOAT], version=5, n_targets=1, tree_roots=[0],
         nodes_modes=numpy_helper.from_array(np.zeros(1, np.uint8), "modes"), nodes_featureids=[0],
         nodes_splits=helper.make_tensor("splits", FLOAT, [1], [0.0]), nodes_truenodeids=[0], nodes_falsenodeids=[0],
         nodes_trueleafs=[1], nodes_falseleafs=[1], leaf_targetids=[0],
         leaf_weights=helper.make_tensor("weights", FLOAT, [1], [2.5]))


def five(rng, nodes, targets, number):
    places, leaves, branches = {}, 0, 0
    for tree, node, mode in zip(nodes["nodes_treeids"], nodes["nodes_nodeids"], nodes["nodes_modes"]):
        if mode == "LEAF":
            places[tree, node] = (1, leaves)
            leaves += 1
        else:
            places[tree, node] = (0, branches)
            branches += 1
    at = [i for i, mode in enumerate(nodes["nodes_modes"]) if mode != "LEAF"]
    children = {way: [places[nodes["nodes_treeids"][i], nodes[f"nodes_{way}nodeids"][i]] for i in at] for way in ("true", "false")}
    modes = np.array([MODES.index(nodes["nodes_modes"][i]) for i in at], np.uint8)
    splits = [nodes["nodes_values"][i] for i in at]
    missing = nodes.get("nodes_missing_value_tracks_true")
    return dict(
        tree_roots=[places[tree, 0][1] for tree in sorted(set(nodes["nodes_treeids"]))],
        nodes_modes=numpy_helper.from_array(modes, "modes"), nodes_featureids=[nodes["nodes_featureids"][i] for i in at],
        nodes_splits=helper.make_tensor("splits", number, [len(at)], splits),
        nodes_missing_value_tracks_true=missing and [missing[i] for i in at],
        nodes_truenodeids=[i for _, i in children["true"]], nodes_trueleafs=[leaf for leaf, _ in children["true"]],
        nodes_falsenodeids=[i for _, i in children["false"]], nodes_falseleafs=[leaf for leaf, _ in children["false"]],
        leaf_targetids=[i % targets for i in range(leaves)],
        leaf_weights=helper.make_tensor("weights", number, [leaves], floats(rng, leaves)))


# MARK: Optimizers and texts


def optimizers():
    for kind in ("float", "double"):
        number = DTYPES[kind]
        type_ = helper.np_dtype_to_tensor_dtype(np.dtype(number))

        def tensors(*groups):
            return [f(*shape, low=low, dtype=number) for low in groups for shape in ((2, 3), (4,))]

        for step in (0, 3):
            start = [np.array(0.1, np.float32), np.array(step, np.int64)]
            common = dict(by="reference", domain=TRAINING)
            case(f"adagrad_{kind}_{step}", "Adagrad", start + tensors(-1, -1, 0), [type_] * 4, norm_coefficient=0.01,
                 decay_factor=0.1, **common)
            for mode in ("standard", "nesterov"):
                case(f"momentum_{mode}_{kind}_{step}", "Momentum", start + tensors(-1, -1, -1), [type_] * 4,
                     norm_coefficient=0.01, alpha=0.9, beta=0.8, mode=mode, **common)
            case(f"adam_{kind}_{step}", "Adam", start + tensors(-1, -1, -1, 0), [type_] * 6, norm_coefficient=0.01,
                 norm_coefficient_post=0.02, alpha=0.9, beta=0.99, **common)


def tokenizers():
    texts = strings("a cat, a dog", "", "the  quick-brown fox")
    common = dict(domain=VENDOR, mark=0, mincharnum=2, pad_value="#")
    case("tokenizer_expression", "Tokenizer", [texts], [STRING], tokenexp="[a-z]+", **common)
    case("tokenizer_separators", "Tokenizer", [texts], [STRING], separators=[" ", ",", "-"], **{**common, "mincharnum": 1})
    case("tokenizer_marks", "Tokenizer", [texts.reshape(3, 1)], [STRING], tokenexp="[a-z]+", **{**common, "mark": 1})
    case("tokenizer_characters", "Tokenizer", [strings("aé", "xyz")], [STRING], separators=[""], **{**common, "mincharnum": 1})


# MARK: scikit-learn


def scikit_learn():
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DictionaryType, FloatTensorType, Int64TensorType, StringTensorType
    from sklearn import (calibration, cluster, compose, decomposition, discriminant_analysis, ensemble, feature_extraction,
                         gaussian_process, impute, linear_model, mixture, naive_bayes, neighbors, neural_network, pipeline,
                         preprocessing, svm, tree)

    np.random.seed(0)  # what estimators without a seed draw from
    rng = np.random.default_rng(6)
    x = rng.normal(size=(120, 4)).astype(np.float32)
    score = x @ [1, -2, 0.5, 0] + 0.3 * rng.normal(size=120)
    two, three = (score > 0).astype(np.int64), np.digitize(score, [-1, 1]).astype(np.int64)
    words = np.array(["no", "perhaps", "yes"])[three]
    sample = x[:10] * np.float32(1.1)

    def model(name, estimator, y=None, inputs=None, feeds=None, atol=1e-4, **options):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            onnx_model = to_onnx(
                estimator if y is None else estimator.fit(x, y), initial_types=inputs or [("x", FloatTensorType([None, 4]))],
                options=options, target_opset={"": 18, ML: 3})
        for kind in ("metadata_props", "doc_string"):
            onnx_model.ClearField(kind)
        write(f"sklearn_{name}", onnx_model, feeds or {"x": sample}, atol=atol)

    raw = dict(zipmap=False)
    for name, y in (("two", two), ("three", three)):
        model(f"gradient_boosting_{name}", ensemble.GradientBoostingClassifier(n_estimators=3, max_depth=2), y, **raw)
        model(f"random_forest_{name}", ensemble.RandomForestClassifier(4, max_depth=3, random_state=0), y, **raw)
        model(f"svc_{name}", svm.SVC(C=5), y, **raw)
        model(f"svc_probabilities_{name}", svm.SVC(C=5, probability=True, random_state=0), y, **raw)
        model(f"linear_svc_{name}", svm.LinearSVC(), y)
        model(f"logistic_regression_{name}", linear_model.LogisticRegression(), y)
        model(f"knn_{name}", neighbors.KNeighborsClassifier(3), y, **raw)
        model(f"gaussian_nb_{name}", naive_bayes.GaussianNB(), y, **raw)
        model(f"mlp_{name}", neural_network.MLPClassifier((5,), max_iter=50, random_state=0), y, **raw)
        model(f"sgd_{name}", linear_model.SGDClassifier(random_state=0), y, **raw)
        model(f"ada_boost_{name}", ensemble.AdaBoostClassifier(n_estimators=3, random_state=0), y, **raw)
        model(f"calibrated_{name}", calibration.CalibratedClassifierCV(linear_model.LogisticRegression(), cv=2), y, **raw)
    model("decision_tree_words", tree.DecisionTreeClassifier(max_depth=3), words)
    model("random_forest_words", ensemble.RandomForestClassifier(3, max_depth=2, random_state=0), words, **raw)
    model("svc_polynomial", svm.SVC(kernel="poly", degree=2), words, **raw)
    model("svc_sigmoid", svm.SVC(kernel="sigmoid"), three, **raw)
    model("nu_svc", svm.NuSVC(), three, **raw)
    model("lda", discriminant_analysis.LinearDiscriminantAnalysis(), three, **raw)
    model("voting", ensemble.VotingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(max_depth=2))], voting="soft", flatten_transform=False), three, **raw)
    model("stacking", ensemble.StackingClassifier(
        [("a", linear_model.LogisticRegression()), ("b", tree.DecisionTreeClassifier(max_depth=2))], cv=2), three, **raw)
    model("random_forest_double", ensemble.RandomForestClassifier(3, max_depth=3, random_state=0).fit(x, three),
          inputs=[("x", Int64TensorType([None, 4]))], feeds={"x": sample.astype(np.int64)}, **raw)

    many = np.stack([score, x[:, 3]], 1)
    for name, estimator in (
            ("linear_regression", linear_model.LinearRegression()), ("ridge", linear_model.Ridge()),
            ("gradient_boosting_regressor", ensemble.GradientBoostingRegressor(n_estimators=4, max_depth=2)),
            ("random_forest_regressor", ensemble.RandomForestRegressor(4, max_depth=3, random_state=0)),
            ("extra_trees_regressor", ensemble.ExtraTreesRegressor(4, max_depth=3, random_state=0)),
            ("svr", svm.SVR()), ("svr_polynomial", svm.SVR(kernel="poly", degree=2)), ("nu_svr", svm.NuSVR()),
            ("knn_regressor", neighbors.KNeighborsRegressor(3)),
            ("mlp_regressor", neural_network.MLPRegressor(hidden_layer_sizes=(5,), max_iter=50, random_state=0)),
            ("ada_boost_regressor", ensemble.AdaBoostRegressor(n_estimators=3, random_state=0))):
        model(name, estimator, score)
    model("decision_tree_two_targets", tree.DecisionTreeRegressor(max_depth=3), many)
    model("linear_regression_two_targets", linear_model.LinearRegression(), many)
    model("gaussian_process", gaussian_process.GaussianProcessRegressor(
        gaussian_process.kernels.RBF() + gaussian_process.kernels.WhiteKernel(), random_state=0).fit(x[:20], score[:20]), atol=1e-3)
    model("one_class_svm", svm.OneClassSVM().fit(x))
    model("isolation_forest", ensemble.IsolationForest(n_estimators=3, max_samples=20, random_state=0).fit(x))
    model("k_means", cluster.KMeans(3, n_init=1, random_state=0).fit(x))
    model("gaussian_mixture", mixture.GaussianMixture(2, random_state=0).fit(x))
    model("pca", decomposition.PCA(2).fit(x))

    for name, step in (
            ("standard_scaler", preprocessing.StandardScaler()), ("min_max_scaler", preprocessing.MinMaxScaler()),
            ("robust_scaler", preprocessing.RobustScaler()), ("normalizer", preprocessing.Normalizer()),
            ("binarizer", preprocessing.Binarizer()), ("polynomial_features", preprocessing.PolynomialFeatures(2)),
            ("k_bins", preprocessing.KBinsDiscretizer(3, encode="onehot-dense", quantile_method="averaged_inverted_cdf")),
            ("power_transformer", preprocessing.PowerTransformer())):
        model(name, step.fit(x))
    gaps = sample.copy()
    gaps[rng.random(gaps.shape) < 0.3] = np.nan
    model("simple_imputer", pipeline.make_pipeline(impute.SimpleImputer(), preprocessing.StandardScaler()).fit(x), feeds={"x": gaps})

    colors, sizes = rng.choice(["red", "green", "blue"], (60, 1)).astype(object), rng.normal(size=(60, 1)).astype(np.float32)
    columns = compose.ColumnTransformer(
        [("word", preprocessing.OneHotEncoder(handle_unknown="ignore"), [0]), ("number", preprocessing.StandardScaler(), [1])])
    target = (sizes[:, 0] > 0).astype(int) + (colors[:, 0] == "red")
    feeds = {"color": strings("red", "blue", "violet").reshape(3, 1), "size": np.array([[0.5], [-1], [2]], np.float32)}
    types = [("color", StringTensorType([None, 1])), ("size", FloatTensorType([None, 1]))]
    model("columns", pipeline.make_pipeline(columns, linear_model.LogisticRegression()).fit(np.hstack([colors, sizes]), target),
          inputs=types, feeds=feeds, **raw)
    model("ordinal_encoder", preprocessing.OrdinalEncoder().fit(colors), inputs=types[:1],
          feeds={"color": strings("red", "blue", "green").reshape(3, 1)})
    model("label_encoder", preprocessing.LabelEncoder().fit(colors[:, 0]), inputs=[("color", StringTensorType([None]))],
          feeds={"color": strings("red", "blue", "green")})
    dictionaries = [{"a": 1.0, "b": 2.0}, {"b": 3.0, "c": 1.0}]
    model("dict_vectorizer", feature_extraction.DictVectorizer(sparse=False).fit(dictionaries),
          inputs=[("x", DictionaryType(StringTensorType([1]), FloatTensorType([1])))], feeds={"x": {"b": np.float32(5), "c": np.float32(7)}})
    texts = ["the cat sat on the mat", "a dog ate my homework", "the quick brown fox", "the dog and the fox"]
    for name, step in (("count_vectorizer", feature_extraction.text.CountVectorizer(ngram_range=(1, 2))),
                       ("tfidf", feature_extraction.text.TfidfVectorizer())):
        model(name, step.fit(texts), inputs=[("text", StringTensorType([None, 1]))],
              feeds={"text": strings("The fox sat", "my dog, the cat").reshape(2, 1)})


if __name__ == "__main__":
    shutil.rmtree(ROOT, ignore_errors=True)
    for group in (features, labels, maps, linear, support_vectors, classifiers, regressors, ensembles, optimizers, tokenizers,
                  scikit_learn):
        group()
    folders = sorted(ROOT.iterdir())
    print(len(folders), "cases,", sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()), "bytes")
