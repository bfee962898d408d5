import ArgumentParser
import FXCore
import Foundation

struct FX: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fx",
    abstract: "Neural-network graphs: inspect, optimize, run, convert.",
    discussion: """
      MODEL is a file that `fx convert` reads: .onnx, .fxt (text), .json or .fxb (binary).
      Exit status: 0 done, 1 a check failed, 2 wrong usage, 3 a bad model or input.
      Completion: fx --generate-completion-script bash (or zsh, fish).
      """,
    subcommands: [
      Inspect.self, Run.self, Bench.self, Conformance.self, Optimize.self, Why.self, Convert.self, Ops.self,
      ProfileCommand.self, PlanCommand.self, Visualize.self, Codegen.self, Compile.self, Quantize.self, Diff.self,
      Distribute.self, Generate.self, Reduce.self, Doctor.self, Demo.self,
    ])
}

@main
enum Main {
  static func main() {
    do {
      var command = try FX.parseAsRoot()
      try command.run()
    } catch let failure as CheckFailed {
      Terminal.error(failure.message)
      exit(1)
    } catch let code as ExitCode {
      exit(code.rawValue)
    } catch {
      exit(Main.report(error))
    }
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

/// A check that the command was asked to make did not hold.
struct CheckFailed: Error {
  let message: String
}
