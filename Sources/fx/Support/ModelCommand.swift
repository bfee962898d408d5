import ArgumentParser
import FXCore

/// A command about one model file: whatever goes wrong names the file.
protocol ModelCommand: ParsableCommand {
  /// The file that errors are about.
  var model: String { get }
  func execute() throws
}

extension ModelCommand {
  func run() throws {
    do {
      try execute()
    } catch let error
      where error is CheckFailed || error is ExitCode || error is ValidationError || error is ModelFileError
      || error is FileError
    {
      throw error
    } catch {
      throw ModelFileError(path: model, problem: .content(error))
    }
  }
}
