"""conformance-report.py RESULTS FILE: writes docs/Conformance.md from the MODE.json files that `fx conformance --json` left
in the folder RESULTS, one for each mode."""

import collections
import json
import pathlib
import sys

MODES = {
    "run": "compiled for the CPU",
    "reference": "by the kernels that define the operators",
    "optimized": "after the aggressive pipeline",
    "roundtrip": "after export to ONNX and import of the result",
    "decomposed": "with composite operators expressed by others",
    "constant": "with the inputs as constants, which are folded",
    "symbolic": "with every size of every input symbolic",
    "symbolic-decomposed": "both",
    "shapes": "inferred types against the outputs, and against `onnx.shape_inference` with data propagation",
}
MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def main() -> None:
    folder, target = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    results = {mode: json.loads((folder / f"{mode}.json").read_text()) for mode in MODES}
    cases: dict[str, dict[str, dict]] = collections.defaultdict(dict)
    for mode, entries in results.items():
        for entry in entries:
            cases[entry["name"]][mode] = entry
    everywhere = [name for name, modes in cases.items() if all(e["result"] == "passed" for e in modes.values())]
    lines = [
        "# Conformance",
        "",
        f"ONNX's {len(cases)} backend cases (onnx 1.23.2; tolerances are ONNX's own, 2⁻⁶ relative for bfloat16), in"
        f" {len(MODES)} modes. Written by `make conformance`, which runs them all; `make test` runs all but the nine whole"
        f" models. {len(everywhere)} cases pass in every mode.",
        "",
        "| mode | how | passed | of |",
        "|---|---|--:|--:|",
    ]
    for mode, entries in results.items():
        lines.append(f"| {mode} | {MODES[mode]} | {sum(e['result'] == 'passed' for e in entries)} | {len(entries)} |")
    missing = sorted(set(cases) - set(everywhere))
    lines += ["", "## What does not pass everywhere", ""]
    lines += ["| case | modes | reason |", "|---|---|---|"] if missing else ["Nothing."]
    for name in missing:
        by_reason = collections.defaultdict(list)
        for mode, entry in cases[name].items():
            if entry["result"] != "passed":
                by_reason[entry.get("reason", "")].append(mode)
        for reason, modes in by_reason.items():
            lines.append(f"| {name} | {', '.join(modes) if len(modes) < len(MODES) else 'all'} | {reason} |")
    lines += ["", "## Every case", "", f"| case | {' | '.join(MODES)} |", f"|---|{'|'.join(':-:' for _ in MODES)}|"]
    for name in sorted(cases):
        lines.append(f"| {name} | {' | '.join(MARKS[cases[name][m]['result']] if m in cases[name] else '' for m in MODES)} |")
    target.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
