import FXCore

/// The numbers that ONNX gives element types (`TensorProto.DataType`).
enum OnnxElementType {
  private static let table: [(code: Int32, type: ElementType)] = [
    (1, .float32), (2, .uint8), (3, .int8), (4, .uint16), (5, .int16), (6, .int32), (7, .int64), (8, .string),
    (9, .bool), (10, .float16), (11, .float64), (12, .uint32), (13, .uint64), (14, .complex64), (15, .complex128),
    (16, .bfloat16), (17, .float8e4m3fn), (18, .float8e4m3fnuz), (19, .float8e5m2), (20, .float8e5m2fnuz),
    (21, .uint4), (22, .int4), (23, .float4e2m1), (24, .float8e8m0), (25, .uint2), (26, .int2),
  ]
  private static let byCode = Dictionary(uniqueKeysWithValues: table.map { ($0.code, $0.type) })
  private static let byType = Dictionary(uniqueKeysWithValues: table.map { ($0.type, $0.code) })

  /// The first operator set whose operators take the type, among those that can be written.
  static func operatorSet(_ type: ElementType) -> Int {
    switch type {
    case .bfloat16: 13
    case .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz: 19
    case .int4, .uint4: 21
    case .float4e2m1: 23
    case .float8e8m0: 24
    case .int2, .uint2: 25
    default: OnnxOperators.oldestWritten
    }
  }

  /// `nil` for 0 (undefined) and for types that have no counterpart: the 6-bit floats of IR version 14.
  static func type(_ code: Int32) -> ElementType? { byCode[code] }

  /// Total: every element type of ours is one of ONNX's.
  static func code(_ type: ElementType) -> Int32 { byType[type] ?? 0 }
}
