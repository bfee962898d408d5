import FXCore
import FXRuntime
import FXTrace
import Testing

/// A wrong program, what it is told, and the line that is named.
struct Mistake: CustomTestStringConvertible {
  let message: String
  /// `nil` where no line of the program is to blame.
  let line: Int?
  let run: () throws -> Void

  init(_ message: String, at line: Int?, run: @escaping () throws -> Void) {
    self.message = message
    self.line = line
    self.run = run
  }

  /// A wrong function of the tensors that a trace is given.
  static func tracing<Output: TensorGroup>(
    _ message: String, at line: Int, _ body: @escaping (Inputs) throws -> Output
  ) -> Mistake {
    Mistake(message, at: line) {
      _ = try trace(Inputs.types) { try body(Inputs($0)).tensors }
    }
  }

  struct Inputs {
    static let types: [TraceInput] = [
      .tensor(.float32, [2, 3], name: "a"), .tensor(.float32, [2, 4], name: "b"), .tensor(.int64, [2, 5], name: "ids"),
      .tensor(.bool, [2, 3], name: "mask"), .tensor(.float32, ["n", 3, 32, 32], name: "image"),
      .tensor(.float32, ["batch", "time", 8], name: "sequence"), .tensor(.float32, [], name: "number"),
      TraceInput("open", .tensor(.float32, nil)),
    ]
    let a, b, ids, mask, image, sequence, number, open: SymbolicTensor

    init(_ tensors: [SymbolicTensor]) {
      (a, b, ids, mask) = (tensors[0], tensors[1], tensors[2], tensors[3])
      (image, sequence, number, open) = (tensors[4], tensors[5], tensors[6], tensors[7])
    }
  }

  var testDescription: String { message }

  /// What the program is told, without the place, and the line.
  func told() -> (message: String, line: Int?) {
    do {
      try run()
      return ("no mistake was found", nil)
    } catch let error as TraceError {
      let place = error.location.map { "\($0): " } ?? ""
      return (String(error.description.dropFirst(place.count)), error.location?.line)
    } catch {
      return (String(describing: error), nil)
    }
  }
}

/// Typical mistakes, each with the words that the user reads.
@Suite struct MistakeTests {
  static var all: [(String, [Mistake])] {
    [
      ("shapes", Mistake.shapes), ("types", Mistake.types), ("layers", Mistake.layers), ("control flow", Mistake.controlFlow),
      ("indexing", Mistake.indexing), ("modules", Mistake.modules), ("flat", Mistake.flat),
    ]
  }

  @Test func eachIsTold() {
    for (group, mistakes) in MistakeTests.all {
      for (index, mistake) in mistakes.enumerated() {
        let told = mistake.told()
        #expect(told.message == mistake.message, "\(group) \(index)")
        #expect(told.line == mistake.line, "\(group) \(index): \(told.message)")
      }
    }
    #expect(MistakeTests.all.reduce(0) { $0 + $1.1.count } >= 40)
  }
}
