import ArgumentParser
import FXCore
import Foundation

struct FX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fx",
    abstract: "Neural-network graphs: inspect, optimize, run, convert.",
    discussion: """
      MODEL is a file that `fx convert` reads: .onnx, .fxt (text), .json or .fxb (binary).
      Exit status: 0 done; 1 the answer is no: a check failed, models differ, nothing could be verified; 2 wrong usage; 3 a bad \
      model or input, or a file that cannot be read or written. `fx help COMMAND` says what a command's 1 means.
      Completion: fx --generate-completion-script bash (or zsh, fish).
      """,
    version: "fx \(Version.current)",
    subcommands: [
      Inspect.self, Run.self, Bench.self, Conformance.self, Optimize.self, Why.self, Convert.self, Ops.self,
      ProfileCommand.self, PlanCommand.self, Visualize.self, Codegen.self, Compile.self, Quantize.self, Diff.self,
      Distribute.self, Generate.self, Reduce.self, Doctor.self, Demo.self,
    ])
}

@main
enum Main {
  static func main() {
    var command: (any ParsableCommand)?
    do {
      if let name = unknownCommand { throw ValidationError(name) }
      command = try FX.parseAsRoot()
      try command?.run()
    } catch let failure as CheckFailed {
      Terminal.error(failure.message)
      exit(1)
    } catch let code as ExitCode {
      exit(code.rawValue)
    } catch let error as ValidationError {
      // What only the model told: options are checked before, and those errors show how the command is used.
      let name = command.map { " " + type(of: $0).name } ?? ""
      Terminal.error("Error: \(error.message)\n  See 'fx help\(name)' for more information.", prefixed: false)
      exit(2)
    } catch {
      exit(Main.report(error))
    }
  }

  /// What to say of a command that is none, in `fx COMMAND` and `fx help COMMAND`.
  private static var unknownCommand: String? {
    var arguments = CommandLine.arguments.dropFirst()
    if arguments.first == "help" { arguments = arguments.dropFirst() }
    let names = FX.configuration.subcommands.map { $0.name }
    guard let name = arguments.first, !name.hasPrefix("-"), name != "help", !names.contains(name) else { return nil }
    let near = (names + ["help"]).nearest(to: name)
    return "there is no command '\(name)'" + (near.isEmpty ? "" : "; did you mean \(near.joined(separator: " or "))?")
  }

  /// Prints what went wrong and gives the exit status that says so.
  private static func report(_ error: any Error) -> Int32 {
    switch FX.exitCode(for: error) {
    case .success:
      print(FX.message(for: error))
      return 0
    case .validationFailure:
      Terminal.error(FX.fullMessage(for: error), prefixed: false)
      return 2
    default:
      Terminal.error(String(describing: error))
      return 3
    }
  }
}

extension ParsableCommand {
  /// What the command is called: commands that are named otherwise than their types say so.
  static var name: String { configuration.commandName ?? "\(self)".lowercased() }
}

/// A check that the command was asked to make did not hold.
struct CheckFailed: Error {
  let message: String
}
