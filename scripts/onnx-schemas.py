"""onnx-schemas.py: prints the operators of the installed package onnx, a line each: domain, name, and the versions of its
domain in which its schema changed; a version that deprecates it has a minus. Tests/FXConformanceTests/Cases/onnx-schemas.txt is
the output for onnx 1.23.2, and OperatorCoverageTests compares the operators here with it."""

import collections

from onnx import defs

operators = collections.defaultdict(list)
for schema in defs.get_all_schemas_with_history():
    version = -schema.since_version if schema.deprecated else schema.since_version
    operators[schema.domain or "ai.onnx", schema.name].append(version)
for (domain, name), versions in sorted(operators.items()):
    print(domain, name, *sorted(versions, key=abs))
