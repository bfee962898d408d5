import Foundation

/// BERT's tokenizer for texts without regard to case: words and punctuation first, then the longest pieces that the
/// vocabulary has, from the left (Schuster and Nakajima 2012; Devlin et al. 2019).
public struct WordPiece: Sendable {
  private let numbers: [String: Int]
  private let unknown, start, end: Int
  /// Pieces beyond are left out; `start` and `end` count.
  public var limit: Int
  /// Longer words are unknown.
  private let longestWord = 100

  public struct MissingPiece: Error, CustomStringConvertible {
    public let piece: String
    public var description: String { "the vocabulary has no \(piece)" }
  }

  /// - Parameter vocabulary: a file with a piece a line, whose number is the line's.
  /// - Throws: `MissingPiece` if it lacks `[UNK]`, `[CLS]` or `[SEP]`; what reading a file throws.
  public init(vocabulary path: String, limit: Int = 256) throws {
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    try self.init(pieces: lines.map(String.init), limit: limit)
  }

  public init(pieces: [String], limit: Int = 256) throws {
    let numbers = Dictionary(pieces.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    func number(_ piece: String) throws -> Int {
      guard let number = numbers[piece] else { throw MissingPiece(piece: piece) }
      return number
    }
    (unknown, start, end) = (try number("[UNK]"), try number("[CLS]"), try number("[SEP]"))
    (self.numbers, self.limit) = (numbers, limit)
  }

  /// The numbers of a text's pieces, between those of `[CLS]` and `[SEP]`.
  public func tokens(_ text: String) -> [Int] {
    [start] + words(text).flatMap(pieces).prefix(max(0, limit - 2)) + [end]
  }

  /// Words in lower case without accents; punctuation and Chinese characters are words of their own.
  func words(_ text: String) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    func finish() {
      if !word.isEmpty { words.append(String(word)) }
      word.removeAll()
    }
    for scalar in text.lowercased().decomposedStringWithCanonicalMapping.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .nonspacingMark: continue
      case .spaceSeparator, .lineSeparator, .paragraphSeparator: finish()
      case .control where "\t\n\r".unicodeScalars.contains(scalar): finish()
      case .control, .format, .surrogate, .privateUse, .unassigned: continue
      default:
        guard WordPiece.isPunctuation(scalar) || WordPiece.isChinese(scalar) else {
          word.append(scalar)
          continue
        }
        finish()
        words.append(String(scalar))
      }
    }
    finish()
    return words
  }

  /// A word as pieces; those that continue it begin with `##`. One that cannot be made of pieces is unknown as a whole.
  func pieces(of word: String) -> [Int] {
    let scalars = Array(word.unicodeScalars)
    guard scalars.count <= longestWord else { return [unknown] }
    var result: [Int] = []
    var from = 0
    while from < scalars.count {
      var to = scalars.count
      var found: Int?
      while to > from, found == nil {
        var piece = String.UnicodeScalarView(from == 0 ? [] : Array("##".unicodeScalars))
        piece.append(contentsOf: scalars[from..<to])
        found = numbers[String(piece)]
        if found == nil { to -= 1 }
      }
      guard let found else { return [unknown] }
      result.append(found)
      from = to
    }
    return result
  }

  /// ASCII's symbols count as punctuation, as in BERT.
  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.value > 32 && !scalar.properties.isAlphabetic && scalar.properties.numericType == nil }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }

  private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B820...0x2CEAF, 0xF900...0xFAFF,
      0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
