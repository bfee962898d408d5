import Embeddings
import Foundation

// nearest-sentence FOLDER [QUESTION]: which of some sentences is nearest to a question, by meaning rather than by words.

let sentences = [
  "The cat sleeps on the sofa all day.",
  "Interest rates rose for the third time this year.",
  "Boil the pasta until it is soft, then add the sauce.",
  "The train to Berlin leaves at half past eight.",
  "A goal in the last minute decided the match.",
  "Compilers turn programs into instructions for machines.",
]
guard CommandLine.arguments.count > 1 else {
  print("usage: nearest-sentence FOLDER [QUESTION]")
  exit(2)
}
let clock = ContinuousClock()
var start = clock.now
let encoder = try SentenceEncoder(folder: CommandLine.arguments[1])
print("ready after \(clock.now - start)")

start = clock.now
let vectors = try encoder.encode(sentences)
print("\(sentences.count) sentences in \(clock.now - start)")

let questions =
  CommandLine.arguments.count > 2
  ? [CommandLine.arguments.dropFirst(2).joined(separator: " ")]
  : [
    "What is my pet doing?", "How do I cook noodles?", "When can I travel to Germany?", "Who won the football game?",
    "Is money getting more expensive?", "How is source code made to run?",
  ]
for question in questions {
  let vector = try encoder.encode([question])[0]
  let scores = vectors.map { similarity($0, vector) }
  let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
  print("\(question)  →  \(sentences[best])  (\((scores[best] * 100).rounded() / 100))")
}
