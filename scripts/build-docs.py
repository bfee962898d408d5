"""build-docs.py FOLDER: the documentation of every library as a static site, from the comments in the sources.

Needs nothing but the toolchain and no network. Broken links, other mistakes in the comments, and public symbols without a
comment are errors; a parameter whose name says all need not be described."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

TOLERATED = re.compile(r"Parameter '\w+' is missing documentation")
# Members that explain themselves by the protocol that asks for them.
SELF_EXPLAINED = re.compile(
    r"^(==|<|!=|hash\(into:\)|hashValue|description|debugDescription|encode\(to:\)|init\((from|rawValue):\)|rawValue)")


def call(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def libraries():
    with tempfile.TemporaryDirectory() as scratch:
        manifest = json.loads(call("swift", "package", "--scratch-path", scratch, "dump-package"))
    return [product["name"] for product in manifest["products"] if "library" in product["type"]]


def coverage(path):
    """The public symbols in a symbol graph, and those without a comment as places in the sources."""
    symbols = json.loads(path.read_text())["symbols"]
    own = [s for s in symbols if not SELF_EXPLAINED.match(s["names"]["title"].split(".")[-1])]
    lacking = []
    for symbol in own:
        if "docComment" not in symbol:
            place = symbol.get("location", {})
            line = place.get("position", {}).get("line", -1) + 1
            lacking.append(f"{place.get('uri', '').removeprefix('file://')}:{line}: {'.'.join(symbol['pathComponents'])}")
    return len(own), sorted(lacking)


def mistakes(diagnostics):
    for entry in json.loads(diagnostics.read_text())["diagnostics"]:
        if entry["severity"] in ("error", "warning") and not TOLERATED.match(entry["summary"]):
            path = entry.get("source", "").removeprefix("file://")
            line = entry.get("range", {}).get("start", {}).get("line", 0)
            yield f"{path}:{line}: error: {entry['summary']}"


def main():
    site = pathlib.Path(sys.argv[1])
    work = site.with_name(site.name + ".work")
    shutil.rmtree(work, ignore_errors=True)
    built = pathlib.Path(call("swift", "build", "--show-bin-path").strip())
    triple = json.loads(call("swift", "-print-target-info"))["target"]["triple"]
    # Modules that are built for testing also show what only they import: modules of C, found by their maps.
    maps = [*built.glob("*.build/module.modulemap"), *pathlib.Path("Sources").glob("**/module.modulemap")]
    archives, problems = [], []
    for module in libraries():
        symbols, archive, diagnostics = work / "symbols" / module, work / f"{module}.doccarchive", work / f"{module}.json"
        symbols.mkdir(parents=True)
        call("swift", "symbolgraph-extract", "-module-name", module, "-I", built / "Modules", "-target", triple,
             "-minimum-access-level", "public", "-skip-synthesized-members", "-output-dir", symbols,
             *(argument for path in maps for argument in ("-Xcc", f"-fmodule-map-file={path}")))
        call("docc", "convert", "--additional-symbol-graph-dir", symbols, "--output-path", archive,
             "--diagnostics-file", diagnostics, "--transform-for-static-hosting",
             "--fallback-display-name", module, "--fallback-bundle-identifier", module)
        problems += mistakes(diagnostics)
        archives.append(archive)
        count, lacking = coverage(symbols / f"{module}.symbols.json")
        print(f"{module:16} {count - len(lacking):5} of {count:5} public symbols have a comment")
        problems += [f"error: no comment: {place}" for place in lacking]
    for problem in problems:
        print(problem)
    if problems:
        return 1
    shutil.rmtree(site, ignore_errors=True)
    call("docc", "merge", *archives, "--synthesized-landing-page-name", "Swift FX", "--output-path", site)
    shutil.rmtree(work)
    print(f"{site}: serve it with `python3 -m http.server --directory {site}` and open /documentation")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"error: {' '.join(error.cmd[:3])}: {(error.stderr or error.stdout).strip()[-2000:]}")
