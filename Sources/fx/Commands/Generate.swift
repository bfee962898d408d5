import ArgumentParser
import FXCore
import FXRuntime
import Foundation

struct Generate: ModelCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decode tokens with a model that has a cache, each time the one that scores best.",
    discussion: """
      The model takes a token and the cache of the tokens before, and gives scores and \
      the cache grown by one: what exporters call `past` and `present`. Prints the \
      tokens, and how many came a second.

      Example:
        fx generate model.onnx --prompt 1,15043 --tokens 64
      """)

  @Argument(help: "The model.") var model: String
  @Option(help: "The tokens to begin with, as numbers separated by commas.") var prompt = "1"
  @Option(help: "How many tokens to add.") var tokens = 32
  @Option(help: "Threads; by default one per core.") var threads: Int?
  @Flag(help: "As JSON on one line.") var json = false

  func validate() throws {
    if let threads, threads < 1 { throw ValidationError("--threads must be at least 1") }
    if tokens < 1 { throw ValidationError("--tokens must be at least 1") }
    if Generate.numbers(prompt) == nil { throw ValidationError("--prompt is numbers separated by commas") }
  }

  private static func numbers(_ text: String) -> [Int]? {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    return numbers.contains { ($0 ?? -1) < 0 } ? nil : numbers.compactMap(\.self)
  }

  func execute() throws {
    let graph = try ModelFile.read(model, checksWeights: false)
    var decoder = try Decoder(graph, CPUBackend(.init(threads: threads ?? CPUBackend.coreCount)))
    var next = 0
    for token in Generate.numbers(prompt) ?? [] { next = try decoder.step(token) }
    var generated = [next]
    let start = ContinuousClock.now
    while generated.count < tokens {
      next = try decoder.step(next)
      generated.append(next)
    }
    let seconds = start.duration(to: .now).milliseconds / 1e3
    let rate = Double(generated.count - 1) / max(seconds, 1e-9)
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      let report = Report(tokens: generated, tokens_per_second: rate)
      return Terminal.line(String(decoding: try encoder.encode(report), as: UTF8.self))
    }
    Terminal.line(generated.map(String.init).joined(separator: " "))
    Terminal.line("\(rate.fixed(1)) tokens a second")
  }

  private struct Report: Codable {
    let tokens: [Int]
    let tokens_per_second: Double
  }
}
