// readers-fuzz READER [libFuzzer's options] [CORPUS...]: feeds a reader with what libFuzzer thinks of.

import CLibFuzzer
import Foundation

/// The reader that the command line names.
enum Chosen {
  static let reader = CommandLine.arguments.dropFirst().first.flatMap(Reader.init)
}

guard Chosen.reader != nil else {
  print("readers-fuzz \(Reader.allCases.map(\.rawValue).joined(separator: "|")) [libFuzzer's options] [CORPUS...]")
  exit(2)
}
// libFuzzer sees the arguments without the reader's.
let arguments = ([CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2)).map { strdup($0) } + [nil]
var count = CInt(arguments.count - 1)
arguments.withUnsafeBufferPointer { pointers in
  var pointer = UnsafeMutablePointer(mutating: pointers.baseAddress)
  let status = LLVMFuzzerRunDriver(&count, &pointer) { data, size in
    try? Chosen.reader?.read(UnsafeRawBufferPointer(start: data, count: size))
    return 0
  }
  exit(status)
}
