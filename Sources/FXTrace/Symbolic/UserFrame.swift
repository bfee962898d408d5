#if os(Linux) && canImport(Runtime)
  // Linking the backtrace library statically needs the C library named here.
  import Glibc
  import Runtime
#endif

/// The innermost line on the stack that is not this module's: whose `a + b` it was.
///
/// Infix operators cannot have default arguments, so that they are not told `#line`. Where the program carries debug
/// information, as SwiftPM builds it in both configurations unless told otherwise, the stack says it; optimized code may
/// have inlined the frame away, and other systems may not offer it: callers fall back to the nearest call they know.
struct UserFrame {
  /// As `#fileID` gives it where the module's name is known, else the file's name.
  let file: String
  let line: Int

  static func nearest() -> UserFrame? {
    #if os(Linux) && canImport(Runtime)
      guard let backtrace = try? Backtrace.capture(limit: 16, top: 0), let stack = backtrace.symbolicated() else { return nil }
      let ours = directory(of: #filePath)
      for frame in stack.frames {
        guard let symbol = frame.symbol, let source = symbol.sourceLocation, source.line > 0,
          !source.path.contains("<compiler-generated>"), !source.path.hasPrefix(ours)
        else { continue }
        let name = source.path.split(separator: "/").last.map(String.init) ?? source.path
        guard let module = module(of: symbol.rawName) else { return UserFrame(file: name, line: source.line) }
        // The standard library calls closures of the user's, whose frames follow.
        if module == "Swift" { continue }
        return UserFrame(file: "\(module)/\(name)", line: source.line)
      }
    #endif
    return nil
  }

  /// The directory of this module's sources, which is above that of this file.
  private static func directory(of path: String) -> String {
    path.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/") + "/"
  }

  /// The module in a mangled name: `$s5Model…` and `$s12FXTraceTests…` begin with the length of its name.
  static func module(of symbol: String) -> String? {
    guard symbol.hasPrefix("$s") else { return nil }
    let rest = symbol.dropFirst(2)
    if rest.first == "S" || rest.first == "s" { return "Swift" }
    let digits = rest.prefix { $0.isNumber }
    guard let length = Int(digits), length > 0 else { return nil }
    let name = rest.dropFirst(digits.count).prefix(length)
    return name.count == length ? String(name) : nil
  }
}
