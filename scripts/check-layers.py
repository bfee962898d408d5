"""check-layers.py [--self-test]: sources import only what Package.swift declares and what the layers allow.

For every target it compares three things: the modules that its sources import (for C, the headers that they
include), the dependencies that Package.swift declares, and the layer order below. The compiler accepts an import
that is reachable through some other target; this check does not. Exit status 1 and a line `FILE:LINE: error: ...`
for each mistake."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

# What each target may depend on. A target without a line here may depend on nothing.
ALLOWED = {
    "CBlasShim": {"COpenBLAS"},
    "COnnx": {"CProtobufC"},
    "CMPI": {"COpenMPI"},
    "FXShapes": {"FXCore"},
    "FXOnnx": {"FXCore", "COnnx"},
    "FXTrace": {"FXCore", "FXShapes"},
    "FXPasses": {"FXCore", "FXShapes", "FXTrace"},
    "FXCodegen": {"FXCore", "FXShapes", "FXTrace", "FXPasses"},
    "FXRuntime": {"FXCore", "FXShapes", "FXTrace", "FXPasses", "CBlasShim", "CImageShim", "CKernels"},
    "FXQuant": {"FXCore", "FXShapes", "FXTrace", "FXPasses"},
    "FXDistributed": {"FXCore", "FXShapes", "FXTrace", "FXPasses", "CMPI"},
}
# The command line and the tests see everything, as long as it is declared.
UNRESTRICTED = re.compile(r"^fx$|^FX\w*Tests$|^FXTestSupport$|^fx-fuzz$|^fx-ranks$")

# Modules of the toolchain and the system, which need no declaration.
SYSTEM = {"Swift", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin", "Foundation", "FoundationEssentials", "Runtime", "Testing", "XCTest"}
# Modules that only these targets or files may import, with the reason beside each.
RESERVED = {
    "Foundation": {
        "FXCore": [
            "Sources/FXCore/Formats/*JSON*",  # JSONEncoder and JSONDecoder
        ],
    },
    "FoundationEssentials": {"FXCore": ["Sources/FXCore/Formats/*JSON*"]},
    "ArgumentParser": {"FXCore": []},
}
# Headers of system libraries, and the system-library target that a C target must declare to include them.
SYSTEM_HEADERS = {
    r"^(openblas/)?(cblas|openblas_config|lapacke)\.h$": "COpenBLAS",
    r"^(google/)?protobuf-c/": "CProtobufC",
    r"^mpi\.h$": "COpenMPI",
}

SWIFT_IMPORT = re.compile(
    r"^\s*(?P<attributes>(?:@\w+(?:\([^)]*\))?\s+)*)(?P<access>(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?(?P<module>\w+)")
C_INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*[<"](?P<header>[^>"]+)[>"]')


@dataclass
class Target:
    name: str
    kind: str
    folder: pathlib.Path
    declared: set = field(default_factory=set)


def read_package(root):
    """The targets that Package.swift declares, by name, with their direct dependencies."""
    with tempfile.TemporaryDirectory() as scratch:  # its own folder, so that a running build is not waited for
        command = ["swift", "package", "--package-path", str(root), "--scratch-path", scratch, "dump-package"]
        manifest = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    targets = {}
    for entry in manifest["targets"]:
        parent = "Tests" if entry["type"] == "test" else "Sources"
        folder = root / (entry.get("path") or f"{parent}/{entry['name']}")
        declared = {next(iter(dependency.values()))[0] for dependency in entry["dependencies"]}
        targets[entry["name"]] = Target(entry["name"], entry["type"], folder, declared)
    return targets


def code_lines(path):
    """(number, line) of what is not in a comment. Strings that hold comment marks are not worth a parser here."""
    text = path.read_text(encoding="utf-8", errors="replace")
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    text = re.sub(r'"""(.*?)"""', lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    return [(number, re.sub(r"(?<!:)//.*", "", line)) for number, line in enumerate(text.split("\n"), 1)]


def header_owners(targets):
    """Which package target each public C header belongs to, by the name that an #include uses."""
    owners = {}
    for target in targets.values():
        include = target.folder if target.kind == "system" else target.folder / "include"
        if include.is_dir():
            for header in include.rglob("*.h"):
                owners.setdefault(str(header.relative_to(include)), set()).add(target.name)
    return owners


def check_declared(targets):
    for target in targets.values():
        if UNRESTRICTED.match(target.name):
            continue
        for name in sorted((target.declared & targets.keys()) - ALLOWED.get(target.name, set())):
            yield f"Package.swift: error: {target.name} may not depend on {name} (scripts/check-layers.py has the order)"


def check_swift(root, target, targets, path):
    relative = path.relative_to(root)
    for number, line in code_lines(path):
        found = SWIFT_IMPORT.match(line)
        if not found:
            continue
        module, where = found["module"], f"{relative}:{number}: error:"
        limits = RESERVED.get(module, {}).get(target.name)
        if limits is not None and not any(relative.match(pattern) for pattern in limits):
            yield f"{where} {target.name} may import {module} only in: {', '.join(limits) or 'no file'}"
        if module in SYSTEM or module == target.name or module in target.declared:
            is_c = module in targets and (targets[module].kind == "system" or (targets[module].folder / "include").is_dir())
            hidden = found["access"] and found["access"].strip() not in ("public", "package")
            if is_c and not hidden and target.kind == "regular":
                yield f"{where} {module} is C and must be imported `internal`, so that users of {target.name} do not need it"
        elif module in targets:
            yield f"{where} {target.name} imports {module}, which Package.swift does not declare for it"
        else:
            yield f"{where} {target.name} imports {module}, which is neither a declared dependency nor known to the check"


def check_c(root, target, owners, path):
    for number, line in code_lines(path):
        found = C_INCLUDE.match(line)
        if not found:
            continue
        header, where = found["header"], f"{path.relative_to(root)}:{number}: error:"
        climbs = ".." in pathlib.PurePosixPath(header).parts
        if climbs and target.folder.resolve() not in (path.parent / header).resolve().parents:
            yield f"{where} {header} reaches out of {target.name}"
        if any((folder / header).exists() for folder in (path.parent, target.folder, target.folder / "include")):
            continue
        needed = owners.get(header) or {owner for pattern, owner in SYSTEM_HEADERS.items() if re.match(pattern, header)}
        if needed and not needed & target.declared:
            owner = " or ".join(sorted(needed))
            yield f"{where} {target.name} includes {header} of {owner}, which Package.swift does not declare for it"


def check(root, targets):
    owners = header_owners(targets)
    problems = list(check_declared(targets))
    for target in targets.values():
        for path in sorted(target.folder.rglob("*")):
            if path.suffix == ".swift":
                problems += check_swift(root, target, targets, path)
            elif path.suffix in (".c", ".h", ".inc") and target.kind != "system":
                problems += check_c(root, target, owners, path)
    return problems


def self_test():
    """Plants one mistake of each kind in a small package and expects to be told where it is."""
    planted = {
        "Sources/FXCore/A.swift": ("// import FXTrace\nimport FXTrace\n", 2, "does not declare"),
        "Sources/FXCore/B.swift": ("import Foundation\n", 1, "only in"),
        "Sources/FXCore/Formats/JSONWriter.swift": ("import Foundation\n/* import FXTrace */\n", None, ""),
        "Sources/FXShapes/Undeclared.swift": ("import FXCore\n@testable import struct FXPasses.Pass\n", 2, "does not declare"),
        "Sources/FXPasses/Transitive.swift": ("import FXTrace\nimport FXCore\n", 2, "does not declare"),
        "Sources/FXRuntime/Leak.swift": ("internal import CKernels\nimport CKernels\n", 2, "must be imported `internal`"),
        "Sources/FXTrace/Unknown.swift": ("import Numerics\n", 1, "neither"),
        "Sources/CKernels/k.c": ('#include "k.h"\n#include <math.h>\n#include <cblas.h>\n', 3, "COpenBLAS"),
        "Sources/CKernels/include/k.h": ("#include <stdint.h>\n", None, ""),
        "Sources/COnnx/o.c": ('#include "../CKernels/include/k.h"\n', 1, "reaches out"),
        "Sources/CMPI/m.c": ("#include <k.h>\n", 1, "CKernels"),
        "Sources/CMPI/include/m.h": ("#include <mpi.h>\n", 1, "COpenMPI"),
    }
    declared = {"FXCore": {}, "FXShapes": {"FXCore"}, "FXTrace": {"FXPasses"}, "FXPasses": {"FXTrace"},
                "FXRuntime": {"CKernels"}, "CKernels": {}, "COnnx": {}, "CMPI": {}}
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, (text, _, _) in planted.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        targets = {name: Target(name, "regular", root / "Sources" / name, set(uses)) for name, uses in declared.items()}
        found = check(root, targets)
    expected = [(f"{name}:{line}: ", words) for name, (_, line, words) in planted.items() if line]
    expected.append(("Package.swift: ", "FXTrace may not depend on FXPasses"))
    missed = [e for e in expected if not any(f.startswith(e[0]) and e[1] in f for f in found)]
    invented = [f for f in found if not any(f.startswith(e[0]) and e[1] in f for e in expected)]
    for where, words in missed:
        print(f"self-test: not found: {where}{words}")
    for problem in invented:
        print(f"self-test: not planted: {problem}")
    return not missed and not invented


def main():
    if "--self-test" in sys.argv[1:]:
        return 0 if self_test() else 1
    root = pathlib.Path(__file__).resolve().parent.parent
    targets = read_package(root)
    problems = check(root, targets)
    for problem in problems:
        print(problem)
    print(f"{len(targets)} targets, {len(problems)} wrong imports")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
