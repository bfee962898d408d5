import Foundation

/// What the command line asks for.
struct Options {
  static let usage = """
    fx-fuzz FOLDER... [--count N] [--seed S] [--first I] [--workers N] [--keep FOLDER] [--limit BYTES] [--verbose]
    fx-fuzz FOLDER... [--seed S] --write INDEX FILE
    fx-fuzz --replay FILE...

    Mutates the ONNX models below the folders and takes each result through import, verification, shape inference and
    compilation, and some of them through export, the formats, the optimizer and a run. Ends with status 1 if one of
    them crashed, took more than a second, or held more memory than four times its size and 128 MB; its file is then in
    the folder of --keep (.cache/fuzz). A seed, an index and the same folders always make the same file.

    """

  var folders: [String] = []
  var count = 200_000
  var seed: UInt64 = 1
  var first = 0
  var workers = 2
  var keep = ".cache/fuzz"
  /// Models of more bytes are not mutated.
  var sizeLimit = 1 << 20
  var isVerbose = false
  /// Writes the file of this index and ends.
  var write: (index: Int, path: String)?
  var replays: [String] = []
  /// Of a worker: its number.
  var worker: Int?

  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      switch argument {
      case "--count": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; count = value
      case "--seed": guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }; seed = value
      case "--first": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; first = value
      case "--workers": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; workers = max(1, value)
      case "--limit": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; sizeLimit = value
      case "--keep": guard let value = rest.popFirst() else { return nil }; keep = value
      case "--worker": guard let value = rest.popFirst().flatMap({ Int($0) }) else { return nil }; worker = value
      case "--verbose": isVerbose = true
      case "--replay":
        replays = Array(rest)
        rest = []
      case "--write":
        guard let index = rest.popFirst().flatMap({ Int($0) }), let path = rest.popFirst() else { return nil }
        write = (index, path)
      default:
        guard !argument.hasPrefix("--") else { return nil }
        folders.append(argument)
      }
    }
    guard !folders.isEmpty || !replays.isEmpty else { return nil }
  }
}

/// The models below the folders, in the order of their paths.
func modelFiles(_ folders: [String], sizeLimit: Int) -> [String] {
  var paths: [String] = []
  for folder in folders {
    if folder.hasSuffix(".onnx") {
      paths.append(folder)
      continue
    }
    guard let files = FileManager.default.enumerator(atPath: folder) else { continue }
    for case let file as String in files where file.hasSuffix(".onnx") { paths.append("\(folder)/\(file)") }
  }
  return paths.sorted().filter { path in
    let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
    return size > 0 && size <= sizeLimit
  }
}
