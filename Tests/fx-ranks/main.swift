import FXCore
import FXDistributed
import FXPasses
import FXRuntime
import FXTrace
import Foundation

// fx-ranks: what `make distributed` starts with mpirun beside `fx run --distributed`. Each rank is a process.
//
//   fx-ranks train MESH STEPS [--model FILE.fxb --inputs FOLDER --rate R] [--micro-batches N] [--schedule gpipe|1f1b]
//     [--bucket BYTES] [--checkpoint FOLDER] [--from FOLDER] [--die-at STEP] [--hang-at STEP] [--timeout SECONDS]
//   fx-ranks wait SECONDS hang|kill|other-plan|group
//
// Training prints `step N loss L` on rank 0, and what the steps took. Whatever goes wrong, a rank says so and ends the job with status 3.

var arguments = CommandLine.arguments.dropFirst()
let mode = arguments.popFirst() ?? ""
do {
  switch mode {
  case "train": try RankTraining(arguments).run()
  case "wait": try RankFault(arguments).run()
  default:
    FileHandle.standardError.write(Data("usage: fx-ranks train|wait …\n".utf8))
    exit(2)
  }
  MPICommunicator.finish()
} catch {
  FileHandle.standardError.write(Data("fx-ranks: \(error)\n".utf8))
  // The others say what they waited for before the job ends.
  Thread.sleep(forTimeInterval: 1)
  if MPICommunicator.isBuilt { MPICommunicator.abort(status: 3) }
  exit(3)
}
