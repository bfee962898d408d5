import FXCore
import FXTrace
import Foundation
import Generation

// generate-text: learns a short text by heart, writes it out again from its first words, and then writes freely.

let text = """
  A graph is a list of calls. Each call takes values and gives values, and none of them changes once it is made. So a graph \
  can be read from its first call to its last, or from what it gives back to what it needs, and both ways tell the same \
  story. Whoever changes one call must say what becomes of all who read its value; whoever removes one must show that nobody \
  does.
  """
let characters = Characters(of: text)
let tokens = characters.tokens(text)
let llama = Llama(.init(vocabulary: characters.all.count, width: 64, depth: 2, heads: 4, context: 1024))
try llama.initializeParameters(seed: 1)

func seconds(_ work: () throws -> Void) rethrows -> Double {
  let duration = try ContinuousClock().measure(work)
  return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }

var teacher = try Teacher(llama, tokens: tokens)
let time = try seconds {
  let loss = try teacher.teach(until: 0.02, limit: 1000) { step, loss in
    if step % 50 == 1 { print("step \(step): loss \((loss * 1000).rounded() / 1000)") }
  }
  print("step \(teacher.stepCount): loss \((loss * 1000).rounded() / 1000)")
}
print("\(text.count) characters learned in \(tenths(time)) s")

var generator = try Generator(llama, seed: 7)
let beginning = characters.tokens("A graph is")
var written: [Int] = []
let writing = try seconds {
  written = try generator.generate(after: beginning, count: tokens.count - beginning.count, .greedy)
}
print("\nfrom memory:", characters.text(beginning + written))
let right = zip(beginning + written, tokens).count { $0 == $1 }
print("\(right) of \(tokens.count) characters right, \(Int(Double(written.count) / writing)) a second with the cache")

// Without a cache everything is read again for every character.
let count = 50
var again: [Int] = []
let rereading = try seconds {
  for _ in 0..<count {
    try generator.reset()
    again += try generator.generate(after: beginning + again, count: 1, .greedy)
  }
}
print("\(Int(Double(count) / rereading)) a second without it, for the first \(count)")

try generator.reset()
let free = try generator.generate(after: characters.tokens("Whoever "), count: 120, .sampling(temperature: 0.7, top: 5))
print("\nfreely: Whoever " + characters.text(free))

guard right == tokens.count, again == Array(written.prefix(count)) else {
  print("the text was not learned, or the cache changes what is written")
  exit(1)
}
