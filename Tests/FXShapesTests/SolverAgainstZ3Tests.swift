import FXCore
import FXShapes
import FXTestSupport
import Foundation
import Testing

private let python = ProcessInfo.processInfo.environment["FX_PYTHON"]

/// Answers beside those of an exact solver, z3, on random systems of constraints.
@Suite struct SolverAgainstZ3Tests {
  private static let systems = 500

  /// One question to z3 and what we said.
  private struct Question {
    let smt: String
    /// What z3 must say; `nil` where we do not know.
    let expected: String?
    let what: String
    let kind: Kind
    enum Kind { case satisfiability, verdict, conflict, minimality }
  }

  @Test(.enabled(if: python != nil, "FX_PYTHON is not set: `make test` sets it")) func neverWrong() throws {
    var questions: [Question] = []
    var outcomes = ["satisfiable": 0, "unsatisfiable": 0, "unknown": 0]
    var verdicts = ["proved": 0, "refuted": 0, "unknown": 0]
    let start = ContinuousClock.now
    for seed in 0..<Self.systems {
      var source = RandomConstraints(seed: UInt64(seed))
      let system = source.system()
      let context = DynamicShapeInferenceContext(system.map(\.constraint))
      let text = "system \(seed): " + system.map { "\($0.constraint)" }.joined(separator: ", ")
      let smt = system.map(\.smt)
      func ask(_ smt: [String], _ expected: String?, _ what: String, _ kind: Question.Kind) {
        questions.append(Question(smt: script(smt, source.symbols), expected: expected, what: what, kind: kind))
      }
      let validation = context.validateConstraints()
      switch validation.outcome {
      case .satisfiable(let witness):
        outcomes["satisfiable", default: 0] += 1
        #expect(throws: Never.self, "\(text)") { try context.validate(witness) }
        for (symbol, sizes) in validation.ranges {
          #expect(witness[symbol].map(sizes.contains) == true, "\(text): \(symbol) in \(sizes), \(witness)")
        }
        ask(smt, "sat", text, .satisfiability)
      case .unsatisfiable(let conflict):
        outcomes["unsatisfiable", default: 0] += 1
        ask(smt, "unsat", text, .satisfiability)
        let parts = conflict.constraints.compactMap { part in system.first { $0.constraint == part.constraint }?.smt }
        ask(parts, "unsat", "\(text): conflict \(conflict)", .conflict)
        for index in parts.indices {
          var fewer = parts
          fewer.remove(at: index)
          ask(fewer, "sat", "\(text): conflict \(conflict) without \(parts[index])", .minimality)
        }
        continue
      case .unknown:
        outcomes["unknown", default: 0] += 1
        ask(smt, nil, text, .satisfiability)
      }
      for _ in 0..<2 {
        let asked = source.constraint()
        let what = "\(text): asked \(asked.constraint)"
        switch context.decide(asked.constraint) {
        case .proved:
          verdicts["proved", default: 0] += 1
          ask(smt + ["(not \(asked.smt))"], "unsat", what, .verdict)
        case .refuted:
          verdicts["refuted", default: 0] += 1
          ask(smt + [asked.smt], "unsat", what, .verdict)
        case .unknown:
          verdicts["unknown", default: 0] += 1
          // Right where both can be; z3 says whether something could have been known.
          ask(smt + [asked.smt], nil, what, .verdict)
          ask(smt + ["(not \(asked.smt))"], nil, what, .verdict)
        }
      }
    }
    let time = ContinuousClock.now - start
    let answers = try z3(questions.map(\.smt))
    try #require(answers.count == questions.count)

    var (open, missed, notMinimal, minimal) = (0, 0, 0, 0)
    for (question, answer) in zip(questions, answers) {
      if answer == "unknown" {
        open += 1
      } else if question.kind == .minimality {
        if answer == "sat" { minimal += 1 } else { notMinimal += 1 }
      } else if let expected = question.expected {
        #expect(answer == expected, "\(question.what): z3 says \(answer)")
      } else if question.kind == .satisfiability {
        missed += 1
        print("missed (\(answer)): \(question.what)")
      } else if answer == "unsat" {
        missed += 1
        print("missed: \(question.what)")
      }
    }
    let decisions = Self.systems + verdicts.values.reduce(0, +)
    print("systems: \(outcomes.sorted { $0.key < $1.key }), asked: \(verdicts.sorted { $0.key < $1.key }), our time \(time)")
    print("z3 knew more in \(missed) of \(decisions) answers and nothing of \(open) questions")
    print("constraints that their conflict needs: \(minimal), does not need: \(notMinimal)")
    #expect(Double(missed) < 0.1 * Double(decisions))
    #expect(Double(notMinimal) < 0.02 * Double(minimal + notMinimal))
  }

  private func script(_ assertions: [String], _ symbols: [String]) -> String {
    symbols.map { "(declare-const \($0) Int)(assert (>= \($0) 0))(assert (<= \($0) \(Int.max)))" }.joined()
      + assertions.map { "(assert \($0))" }.joined()
  }

  /// What z3 says of each script: `sat`, `unsat` or `unknown`.
  private func z3(_ scripts: [String]) throws -> [String] {
    let program = """
      import json, sys, z3
      answers = []
      for script in json.load(sys.stdin):
          solver = z3.Solver()
          solver.set("timeout", 250)
          solver.from_string(script)
          answers.append(str(solver.check()))
      json.dump(answers, sys.stdout)
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python ?? "")
    process.arguments = ["-c", program]
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("fx-z3-\(UUID().uuidString).json")
    try JSONEncoder().encode(scripts).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "z3 did not run: is z3-solver in FX_PYTHON's environment?")
    return try JSONDecoder().decode([String].self, from: data)
  }
}
