/// A function that NumPy lacks and a program defines where it needs it.
public struct NumpyFunction: Sendable, Hashable {
  /// What calls use. A program that needs two functions of one name is refused.
  public let name: String
  /// The definition.
  public let source: String
  /// The functions that the definition calls.
  public let uses: [NumpyFunction]

  /// A function of a name, with its definition in Python.
  public init(_ name: String, uses: [NumpyFunction] = [], _ source: String) {
    self.name = name
    self.source = source
    self.uses = uses
  }

  /// The functions with those that they use, each after what it uses.
  static func ordered(_ functions: Set<NumpyFunction>) -> [NumpyFunction] {
    var result: [NumpyFunction] = []
    func visit(_ function: NumpyFunction) {
      for used in function.uses { visit(used) }
      if !result.contains(function) { result.append(function) }
    }
    for function in functions.sorted(by: { ($0.name, $0.source) < ($1.name, $1.source) }) { visit(function) }
    return result
  }

  /// The functions of this package, whose names variables do not take.
  static let all: [NumpyFunction] = arithmetic + windowed + indexed + [.nonMaxSuppression]
}

extension NumpyFunction {
  static let arithmetic: [NumpyFunction] = [
    .rounded, .bfloat16, .erf, .truncatedDivide, .integerPower, .toInteger, .lowBits, .softmax, .cumulative, .roundedPower,
  ]

  static let rounded = NumpyFunction(
    "rounded",
    """
    def rounded(x, mantissa_bits, least_exponent, largest, beyond):
        \"\"\"x rounded to a narrow floating-point type, ties to even.\"\"\"
        x = np.asarray(x, np.float64)
        _, exponent = np.frexp(x)
        step = np.exp2(np.maximum(exponent - 1, least_exponent) - mantissa_bits)
        y = np.rint(x / step) * step
        y = np.where(np.abs(y) > largest, np.copysign(beyond, x), y)
        return np.where(np.isfinite(x) | (beyond == largest), y, np.where(np.isinf(x), np.copysign(beyond, x), x)).astype(np.float32)
    """)

  static let bfloat16 = NumpyFunction(
    "bfloat16", uses: [.rounded],
    """
    def bfloat16(x):
        return rounded(x, 7, -126, 0x1.fep127, np.inf)
    """.replacing("0x1.fep127", with: "float.fromhex(\"0x1.fep127\")"))

  static let roundedPower = NumpyFunction(
    "rounded_power",
    """
    def rounded_power(x, mode):
        \"\"\"x rounded to a power of two.\"\"\"
        x = np.asarray(x, np.float64)
        mantissa, exponent = np.frexp(np.maximum(x, 2.0**-127))
        up = {"up": mantissa > 0.5, "down": False, "nearest": mantissa >= 0.75}[mode]
        power = np.exp2(np.minimum(exponent - 1 + up, 127))
        return np.where(np.isfinite(x), power, np.where(np.isnan(x), np.nan, 2.0**127)).astype(np.float32)
    """)

  static let erf = NumpyFunction(
    "erf",
    """
    def erf(x):
        return np.vectorize(math.erf, otypes=[np.float64])(x).astype(x.dtype)
    """)

  static let truncatedDivide = NumpyFunction(
    "truncated_divide",
    """
    def truncated_divide(a, b):
        \"\"\"Integers divided toward zero; 0 for a divisor of 0.\"\"\"
        divisor = np.where(b == 0, 1, b)
        quotient = a // divisor
        inexact = (quotient * divisor != a) & ((a < 0) != (divisor < 0))
        return np.where(b == 0, 0, quotient + inexact.astype(quotient.dtype)).astype(quotient.dtype)
    """)

  static let integerPower = NumpyFunction(
    "integer_power",
    """
    def integer_power(a, b):
        \"\"\"Integers to integer powers; 1 ÷ a rounds toward zero.\"\"\"
        inverse = np.where(a == 1, 1, np.where(a == -1, np.where(b % 2 == 0, 1, -1), 0))
        return np.where(b < 0, inverse, a ** np.maximum(b, 0).astype(a.dtype)).astype(a.dtype)
    """)

  static let toInteger = NumpyFunction(
    "to_integer",
    """
    def to_integer(x, dtype):
        \"\"\"Numbers cut toward zero; those out of range become the nearest integer, NaN becomes 0.\"\"\"
        limits = np.iinfo(dtype)
        x = np.trunc(np.asarray(x, np.float64))
        inside = (x > limits.min) & (x < limits.max)
        y = np.where(inside, x, 0).astype(dtype)
        return np.where(x >= limits.max, dtype(limits.max), np.where(x <= limits.min, dtype(limits.min), y))
    """)

  static let lowBits = NumpyFunction(
    "low_bits",
    """
    def low_bits(x, bits, signed):
        \"\"\"The lowest bits of integers as an integer of so many bits.\"\"\"
        x = np.trunc(x).astype(np.int64) & (2**bits - 1)
        return np.where(x >= 2 ** (bits - 1), x - 2**bits, x).astype(np.int8) if signed else x.astype(np.uint8)
    """)

  static let softmax = NumpyFunction(
    "softmax",
    """
    def softmax(x, axis):
        e = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
        return e / np.sum(e, axis=axis, keepdims=True)
    """)

  static let cumulative = NumpyFunction(
    "cumulative",
    """
    def cumulative(function, x, axis, exclusive=False, reverse=False):
        \"\"\"np.cumsum or np.cumprod, from the end if reverse, of the elements before each one if exclusive.\"\"\"
        if reverse:
            x = np.flip(x, axis)
        y = function(x, axis=axis, dtype=x.dtype)
        if exclusive:
            first = np.full_like(np.take(y, [0], axis=axis), function is np.cumprod)
            y = np.concatenate([first, np.delete(y, -1, axis=axis)], axis=axis)
        return np.flip(y, axis) if reverse else y
    """)
}
