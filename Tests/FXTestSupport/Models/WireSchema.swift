/// The messages of ONNX, as far as damage that keeps their structure wants to know them.
public enum MessageKind: Sendable, Hashable {
  case model, graph, node, attribute, function, training, operatorSet, entry, annotation
  case tensor, segment, sparseTensor
  case valueInfo, type, tensorType, sequenceType, mapType, opaqueType, shape, dimension
  case device, nodeDevice, sharding
}

/// What a field holds on the wire.
public enum FieldKind: Sendable, Hashable {
  case integer, float, double, text, bytes
  /// A repeated field of integers in one piece.
  case packedIntegers
  case message(MessageKind)
}

extension MessageKind {
  /// The fields by number; those that are not listed are kept as bytes.
  public var fields: [Int: FieldKind] { MessageKind.table[self] ?? [:] }

  private static let table: [MessageKind: [Int: FieldKind]] = [
    .model: [
      1: .integer, 2: .text, 3: .text, 4: .text, 5: .integer, 6: .text, 7: .message(.graph), 8: .message(.operatorSet),
      14: .message(.entry), 20: .message(.training), 25: .message(.function), 26: .message(.device),
    ],
    .operatorSet: [1: .text, 2: .integer],
    .entry: [1: .text, 2: .text],
    .training: [1: .message(.graph), 2: .message(.graph), 3: .message(.entry), 4: .message(.entry)],
    .function: [
      1: .text, 4: .text, 5: .text, 6: .text, 7: .message(.node), 8: .text, 9: .message(.operatorSet), 10: .text,
      11: .message(.attribute), 12: .message(.valueInfo), 13: .text, 14: .message(.entry),
    ],
    .graph: [
      1: .message(.node), 2: .text, 5: .message(.tensor), 10: .text, 11: .message(.valueInfo), 12: .message(.valueInfo),
      13: .message(.valueInfo), 14: .message(.annotation), 15: .message(.sparseTensor), 16: .message(.entry),
    ],
    .node: [
      1: .text, 2: .text, 3: .text, 4: .text, 5: .message(.attribute), 6: .text, 7: .text, 8: .text, 9: .message(.entry),
      10: .message(.nodeDevice),
    ],
    .attribute: [
      1: .text, 2: .float, 3: .integer, 4: .bytes, 5: .message(.tensor), 6: .message(.graph), 7: .float, 8: .integer,
      9: .bytes, 10: .message(.tensor), 11: .message(.graph), 13: .text, 14: .message(.type), 15: .message(.type),
      20: .integer, 21: .text, 22: .message(.sparseTensor), 23: .message(.sparseTensor),
    ],
    .valueInfo: [1: .text, 2: .message(.type), 3: .text, 4: .message(.entry)],
    .annotation: [1: .text, 2: .message(.entry)],
    .tensor: [
      1: .integer, 2: .integer, 3: .message(.segment), 4: .bytes, 5: .packedIntegers, 6: .bytes, 7: .packedIntegers,
      8: .text, 9: .bytes, 10: .bytes, 11: .packedIntegers, 12: .text, 13: .message(.entry), 14: .integer,
      16: .message(.entry),
    ],
    .segment: [1: .integer, 2: .integer],
    .sparseTensor: [1: .message(.tensor), 2: .message(.tensor), 3: .integer],
    .type: [
      1: .message(.tensorType), 4: .message(.sequenceType), 5: .message(.mapType), 6: .text, 7: .message(.opaqueType),
      8: .message(.tensorType), 9: .message(.sequenceType),
    ],
    .tensorType: [1: .integer, 2: .message(.shape)],
    .sequenceType: [1: .message(.type)],
    .mapType: [1: .integer, 2: .message(.type)],
    .opaqueType: [1: .text, 2: .text],
    .shape: [1: .message(.dimension)],
    .dimension: [1: .integer, 2: .text, 3: .text],
    .device: [1: .text, 2: .integer, 3: .text],
    .nodeDevice: [1: .text, 2: .message(.sharding), 3: .integer],
    .sharding: [1: .text, 2: .integer],
  ]
}
