import FXCore

/// The wording of errors: one line that names the file, the node and the reason.
extension OnnxError: CustomStringConvertible {
  public var description: String {
    var parts: [String] = []
    // An error of the file system names the file.
    if let path, !problem.names(path) { parts.append(path) }
    if let node { parts.append(node.description) }
    parts.append(problem.description)
    return parts.joined(separator: ": ")
  }
}

extension OnnxError.Node: CustomStringConvertible {
  /// `node "conv1" (Conv)`, or by its output where it has no name.
  public var description: String {
    let label = name.isEmpty ? (output.isEmpty ? "node" : "node with output \(output.quoted)") : "node \(name.quoted)"
    // Of a deep path the ends tell enough.
    let names = path.map(\.nameText)
    let shown = names.count > 8 ? names.prefix(3) + ["… \(names.count - 6) more …"] + names.suffix(3) : names
    let place = shown.isEmpty ? "" : " in \(shown.joined(separator: "/"))"
    return "\(label) (\(opType.isEmpty ? "no op_type" : opType.nameText))\(place)"
  }
}

extension OnnxError.Wire: CustomStringConvertible {
  public var description: String {
    let place = (field.isEmpty ? "" : " in \(field)") + (offset == 0 ? "" : " at byte \(offset)")
    return switch fault {
    case .truncated: "the file ends\(place): it was cut off, or is not an ONNX model"
    case .malformed: "not an ONNX model, or a damaged one: malformed bytes\(place)"
    case .tooDeep(let limit): "messages nest deeper than \(limit) levels\(place)"
    case .badString: "text that is not UTF-8, or holds a NUL\(place)"
    case .duplicateField: "a field that may occur once occurs twice\(place)"
    case .overBudget(let bytes): "the model unpacks to more than \(bytes) bytes of structure"
    case .tooLarge: "more than 2 GiB, which protobuf does not allow: keep the weights in an external data file"
    }
  }
}

extension OnnxError.Unmapped: CustomStringConvertible {
  public var description: String { "\(op) at \(node.quoted): \(reason)" }
}

extension OnnxError.ExternalDataFault: CustomStringConvertible {
  public var description: String {
    switch self {
    case .noDirectory: "its data is in another file, and a model read from memory has no directory to look in"
    case .noLocation: "its external data has no location"
    case .outside(let location): "its data is in \(location.quoted), outside the model's directory"
    case .badNumber(let key, let value): "its external data has the \(key) \(value.quoted), which is not a size in bytes"
    case .range(let location, let offset, let length, let fileSize):
      "bytes \(offset) to \(offset.addingReportingOverflow(length).partialValue) of \(location.quoted), which has \(fileSize)"
    case .file(let error): error.description
    }
  }
}

extension OnnxError.Problem {
  fileprivate func names(_ path: String) -> Bool {
    if case .file(let error) = self { error.path == path } else { false }
  }
}

extension OnnxError.Problem: CustomStringConvertible {
  public var description: String {
    switch self {
    case .file(let error): error.description
    case .outOfMemory: "out of memory"
    case .wire(let wire): wire.description
    case .noGraph: "the model has no graph: not an ONNX model, or an empty one"
    case .noOperatorSet(let domain): "the model imports no operator set for the domain \(domain.quoted)"
    case .operatorSetTooNew(let domain, let version, let newest):
      "operator set \(version) of \(domain.quoted) is newer than \(newest), the newest known"
    case .recursiveFunction(let name): "the function \(name.quoted) calls itself"
    case .scopesTooDeep(let limit): "functions and subgraphs nest deeper than \(limit) levels"
    case .badOperatorSet(let domain, let version): "operator set \(version) of \(domain.quoted), where 1 is the first"
    case .metadata(let key, let reason): "the metadata \(key.quoted) cannot be read: \(reason)"
    case .tooManyNodes(let limit): "functions expand to more than \(limit) nodes"
    case .undefinedValue(let name): "nothing defines the value \(name.quoted)"
    case .duplicateValue(let name): "the value \(name.quoted) is defined twice"
    case .cycle(let names): "the nodes form a cycle through \(names.map(\.quoted).joined(separator: ", "))"
    case .elementType(let code, let of): "\(of.quoted) has the element type \(code), which is none that is supported"
    case .valueType(let of): "\(of.quoted) has a type that is empty or of a kind that is not supported"
    case .rank(let rank, let of): "\(of.quoted) has \(rank) dimensions, at most \(TypeReader.rankLimit) are possible"
    case .dimension(let size, let of): "\(of.quoted) has a dimension of size \(size)"
    case .tensor(let name, let error): "tensor \(name.quoted): \(error)"
    case .tensorText(let name): "tensor \(name.quoted): a string is not UTF-8"
    case .tensorSegment(let name): "tensor \(name.quoted): tensors in segments are not supported"
    case .tensorHasNoData(let name): "tensor \(name.quoted): no data"
    case .sparse(let name): "sparse tensor \(name.quoted): indices that do not fit the shape"
    case .sparseTooLarge(let name, let bytes, let limit):
      "sparse tensor \(name.quoted) would take \(bytes) bytes as a dense one, \(limit) are left: see OnnxImporter.denseLimit"
    case .externalData(let name, let fault): "tensor \(name.quoted): \(fault)"
    case .missingAttribute(let name): "the attribute \(name.quoted) is missing"
    case .attributeKind(let name, let expected): "the attribute \(name.quoted) is not \(expected)"
    case .attributeValue(let name, let reason): "the attribute \(name.quoted) \(reason)"
    case .attributeReference(let name): "the attribute refers to \(name.quoted) of a function, and the node is in none"
    case .missingOperand(let name): "the input \(name.quoted) is missing"
    case .operandCount(let count, let allowed): "\(count) inputs, where \(OnnxError.text(allowed)) are allowed"
    case .resultCount(let count, let allowed): "\(count) outputs, where \(OnnxError.text(allowed)) are allowed"
    case .unsupported(let what): what
    case .graph(let error): "\(error)"
    case .unmapped(let offenders):
      "ONNX cannot express \(offenders.count) of the calls: " + offenders.map(\.description).joined(separator: "; ")
    case .textHoldsNul(let text): "the text \(text.quoted) holds a NUL character, which ONNX does not allow"
    case .nestedTooDeep(let limit):
      "the graph nests deeper than \(limit) levels: protobuf limits how deep messages are inside each other"
    case .modelTooLarge(let bytes): "the model takes \(bytes) bytes without its weights, more than the 2 GiB protobuf allows"
    case .operatorSet(let version, let allowed): "operator set \(version) cannot be written, only \(OnnxError.text(allowed))"
    }
  }
}

extension OnnxError {
  fileprivate static func text(_ range: ClosedRange<Int>) -> String {
    if range.lowerBound == range.upperBound { return String(range.lowerBound) }
    return range.upperBound == .max ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  }
}
