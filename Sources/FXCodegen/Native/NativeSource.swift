import FXCore

/// Prints a program: kernels as functions, and steps as statements. C++ and CUDA differ in a few words.
struct NativeSource {
  enum Language { case cpp, cuda }
  let program: NativeProgram
  let language: Language
  private(set) var code = CodeText()

  init(_ program: NativeProgram, _ language: Language) {
    self.program = program
    self.language = language
  }

  // MARK: - Kernels

  mutating func writeKernels() {
    for kernel in program.kernels { write(kernel) }
  }

  private mutating func write(_ kernel: NativeProgram.Kernel) {
    code.comment(kernel.summary)
    var parameters = kernel.parameters.map { parameter in
      let type = (parameter.isWritten ? "" : "const ") + NativeType.name(parameter.elementType) + "*"
      let isUsed = kernel.body.contains { NativeSource.mentions($0, parameter.name) }
      // `__restrict` lets compilers use vectors; what is written is nothing that is read under another name.
      return isUsed ? "\(type) __restrict \(parameter.name)" : type
    }
    if kernel.usesStatus { parameters.append("int* status") }
    let head = (language == .cuda ? "__global__ void " : "void ") + kernel.name
    code.line("\(head)(\(parameters.joined(separator: ", "))) {")
    switch language {
    case .cpp:
      for (number, axis) in kernel.axes.enumerated() {
        if kernel.isVectorizable, number == kernel.axes.count - 1, axis.size > 1 { code.line("#pragma GCC ivdep") }
        code.line("for (fx::index \(axis.name) = 0; \(axis.name) < \(axis.size); ++\(axis.name)) {")
      }
      code.lines(kernel.body)
      for _ in kernel.axes { code.line("}") }
    case .cuda:
      let count = IndexText.count(kernel.axes.map(\.size))
      code.line("const fx::index thread = fx::index(blockIdx.x) * blockDim.x + threadIdx.x;")
      code.line("if (thread >= \(count)) return;")
      let strides = IndexText.strides(kernel.axes.map(\.size))
      for (number, axis) in kernel.axes.enumerated() where kernel.body.contains(where: { NativeSource.mentions($0, axis.name) }) {
        let quotient = strides[number] == 1 ? "thread" : "thread / \(strides[number])"
        code.line("const fx::index \(axis.name) = \(number == 0 ? quotient : "\(quotient) % \(axis.size)");")
      }
      code.lines(kernel.body)
    }
    code.line("}")
    code.line()
  }

  /// Whether a word stands in a line of code.
  static func mentions(_ line: String, _ word: String) -> Bool {
    var rest = line[...]
    while let range = rest.firstRange(of: word) {
      let before = range.lowerBound == line.startIndex ? " " : line[line.index(before: range.lowerBound)]
      let after = range.upperBound == line.endIndex ? " " : line[range.upperBound]
      if !isWord(before), !isWord(after) { return true }
      rest = rest[range.upperBound...]
    }
    return false
  }

  private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber || character == "_" }

  // MARK: - Steps

  /// The steps of the program, with pointers declared where they are first needed.
  mutating func writeSteps() { write(program.steps, declared: []) }

  private mutating func write(_ steps: [NativeProgram.Step], declared: Set<Int>) {
    var declared = declared
    var uses: [Int: Int] = [:]
    for step in steps { for buffer in Set(step.allBuffers) { uses[buffer, default: 0] += 1 } }
    for step in steps {
      let own = Set(step.buffers)
      // What several steps share, or one uses itself; the rest is declared inside of it.
      for buffer in Set(step.allBuffers).sorted()
      where !declared.contains(buffer) && (own.contains(buffer) || uses[buffer, default: 0] > 1) {
        declare(buffer)
        declared.insert(buffer)
      }
      write(step, declared)
    }
  }

  private mutating func declare(_ index: Int) {
    let buffer = program.buffers[index]
    let type = NativeType.name(buffer.elementType)
    let note = "  // \(buffer.elementType.rawValue)\(buffer.shape)"
    switch buffer.place {
    case .input(let number):
      code.line("const \(type)* const \(buffer.name) = static_cast<const \(type)*>(inputs[\(number)]);\(note)")
    case .output(let number):
      code.line("\(type)* const \(buffer.name) = static_cast<\(type)*>(outputs[\(number)]);\(note)")
    case .weight(let number):
      code.line("const \(type)* const \(buffer.name) = fx::at<\(type)>(weights, \(program.weights[number].offset));\(note)")
    case .arena(let offset):
      code.line("\(type)* const \(buffer.name) = fx::at<\(type)>(arena, \(offset));\(note)")
    }
  }

  private func name(_ buffer: Int) -> String { program.buffers[buffer].name }
  private var isCuda: Bool { language == .cuda }

  private func read(_ buffer: Int) -> String { isCuda ? "fx::load(queue, \(name(buffer)))" : "*\(name(buffer))" }

  private mutating func write(_ step: NativeProgram.Step, _ declared: Set<Int>) {
    switch step {
    case .launch(let index, let buffers, let comment):
      let kernel = program.kernels[index]
      code.comment(comment)
      let arguments = buffers.map(name) + (kernel.usesStatus ? ["status"] : [])
      if isCuda {
        let count = IndexText.count(kernel.axes.map(\.size))
        code.line("fx::launch(queue, \(count), \(([kernel.name] + arguments).joined(separator: ", ")));")
      } else {
        code.line("\(kernel.name)(\(arguments.joined(separator: ", ")));")
      }
    case .library(let function, let types, let reads, let writes, let numbers, let comment):
      code.comment(comment)
      let arguments = (isCuda ? ["queue"] : []) + (reads + writes).map(name) + numbers
      code.line("fx::\(function)<\(types.joined(separator: ", "))>(\(arguments.joined(separator: ", ")));")
    case .copy(let from, let to):
      code.line(copy(name(to), name(from), program.buffers[to].byteCount))
    case .copyPart(let from, let fromPart, let to, let toPart, let bytes):
      let source = fromPart.map { "fx::part(\(name(from)), \($0), \(bytes))" } ?? name(from)
      let target = toPart.map { "fx::part(\(name(to)), \($0), \(bytes))" } ?? name(to)
      code.line(copy(target, source, bytes))
    case .set(let buffer, let text):
      let type = NativeType.name(program.buffers[buffer].elementType)
      code.line(isCuda ? "fx::store(queue, \(name(buffer)), \(type)(\(text)));" : "*\(name(buffer)) = \(type)(\(text));")
    case .branch(let condition, let then, let otherwise):
      code.line("if (\(read(condition))) {")
      write(then, declared: declared)
      code.line("} else {")
      write(otherwise, declared: declared)
      code.line("}")
    case .loop(let counter, let limit, let condition, let body, let comment):
      code.comment(comment)
      code.line("fx::index \(counter) = 0;")
      var tests: [String] = []
      var start = ""
      switch limit {
      case .none: break
      case .fixed(let turns): tests.append("\(counter) < \(turns)")
      case .buffer(let buffer):
        start = "const fx::index limit = \(read(buffer))"
        tests.append("\(counter) < limit")
      }
      if let condition { tests.append(read(condition)) }
      code.line("for (\(start); \(tests.joined(separator: " && ")); ++\(counter)) {")
      write(body, declared: declared)
      code.line("}")
    case .expect(let condition): code.line("if (!(\(condition))) return fx::bad_size;")
    }
  }

  private func copy(_ to: String, _ from: String, _ bytes: Int) -> String {
    isCuda ? "fx::copy(queue, \(to), \(from), \(bytes));" : "std::memcpy(\(to), \(from), \(bytes));"
  }

  /// Declares what a function is given and its body, already written, does not mention, so that compilers do not warn.
  static func unused(_ names: [String], in body: String) -> [String] {
    names.filter { !mentions(body, $0) }.map { "static_cast<void>(\($0));" }
  }
}
