import FXTestSupport
import Foundation

if CommandLine.arguments.dropFirst().first == "passes" {
  guard let fuzz = PassFuzz(CommandLine.arguments.dropFirst(2)) else {
    FileHandle.standardError.write(Data(PassFuzz.usage.utf8))
    exit(2)
  }
  exit(try fuzz.run() ? 0 : 1)
}

guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
  FileHandle.standardError.write(Data(Options.usage.utf8))
  exit(2)
}

if !options.replays.isEmpty {
  onSmallStack {
    var judge = Judge(folder: FileManager.default.temporaryDirectory.path)
    judge.isVerbose = true
    for path in options.replays {
      guard let data = FileManager.default.contents(atPath: path) else { continue }
      print("== \(path)")
      // Every further step once.
      for variant in [15, 1, 2, 3, 4] {
        let verdict = judge.judge(Array(data), variant: variant)
        print("\(verdict.outcome), \(verdict.milliseconds) ms, \(verdict.peak >> 10) KB", verdict.defect ?? "")
      }
    }
  }
  exit(0)
}

let paths = modelFiles(options.folders, sizeLimit: options.sizeLimit)
let contents = paths.map { path in FileManager.default.contents(atPath: path).map { Array($0) } ?? [] }
guard !paths.isEmpty else {
  FileHandle.standardError.write(Data("no models in \(options.folders.joined(separator: " "))\n".utf8))
  exit(2)
}
let vocabulary = ModelVocabulary(contents)

if let write = options.write {
  let file = ModelMutation.make(of: vocabulary, seed: options.seed, index: write.index)
  try Data(file.bytes).write(to: URL(fileURLWithPath: write.path))
  print("\(paths[file.source]): \(file.steps.joined(separator: ", "))")
} else if options.worker != nil {
  let worker = Worker(options, vocabulary)
  onSmallStack { worker.run() }
} else {
  exit(try Coordinator(options, vocabulary, paths).run() ? 0 : 1)
}
