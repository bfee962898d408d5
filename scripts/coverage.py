"""coverage.py REPORT [--least 90]: lines that the tests run, by module, of the report that `swift test` writes.

Sources that protobuf-c wrote do not count. Exits with 1 where fewer than `least` per cent of the lines ran."""

import argparse
import collections
import json
import pathlib

parser = argparse.ArgumentParser()
parser.add_argument("report", type=pathlib.Path)
parser.add_argument("--least", type=float, default=90)
parser.add_argument("--files", type=int, default=15, help="how many files to name, those with most lines that never ran")
arguments = parser.parse_args()

sources = pathlib.Path(__file__).resolve().parent.parent / "Sources"
lines = collections.defaultdict(lambda: [0, 0])
files = []
for file in json.loads(arguments.report.read_text())["data"][0]["files"]:
    path = pathlib.Path(file["filename"])
    if not path.is_relative_to(sources) or ".pb-c." in path.name:
        continue
    summary = file["summary"]["lines"]
    path = path.relative_to(sources)
    for name in (path.parts[0], "all"):
        lines[name][0] += summary["covered"]
        lines[name][1] += summary["count"]
    files.append((summary["count"] - summary["covered"], summary["count"], path))

for missed, count, path in sorted(files, reverse=True)[: arguments.files]:
    print(f"{missed:6} of {count:5} lines never ran  {path}")
for name, (covered, count) in sorted(lines.items(), key=lambda item: item[0] == "all"):
    print(f"{100 * covered / count:6.1f} %  of {count:6} lines  {name}")
covered, count = lines["all"]
raise SystemExit(0 if count and 100 * covered / count >= arguments.least else 1)
