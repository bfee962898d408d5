import FXCore

/// Where each buffer of a program lies in one block of memory, so that buffers that live at the same time do not overlap.
///
/// Buffers are placed from the largest to the smallest, each at the lowest offset that is free during its life. Source:
/// Pisarchyk and Lee 2020, "Efficient memory management for deep neural net inference", greedy by size.
struct ArenaPlan {
  private(set) var byteCount = 0

  static let alignment = 64

  private struct Life {
    var first: Int
    var last: Int
  }

  init(_ program: inout NativeProgram) {
    var lives: [Int: Life] = [:]
    var clock = 0
    var loops: [Life] = []
    ArenaPlan.note(program.steps, &lives, &loops, &clock)
    // What a loop leaves to those after it is written turn by turn: it lives from the first turn on. Inner loops come first.
    for loop in loops {
      for (buffer, life) in lives where life.first > loop.first && life.first <= loop.last && life.last > loop.last {
        lives[buffer]?.first = loop.first
      }
    }
    let movable = lives.keys.filter { if case .arena = program.buffers[$0].place { true } else { false } }
    let sizes = Dictionary(uniqueKeysWithValues: movable.map { ($0, ArenaPlan.aligned(program.buffers[$0].byteCount)) })
    let order = movable.sorted { (-(sizes[$0] ?? 0), $0) < (-(sizes[$1] ?? 0), $1) }
    var placed: [(life: Life, offset: Int, end: Int)] = []
    for index in order {
      guard let life = lives[index], let size = sizes[index] else { continue }
      var offset = 0
      // Kept sorted by offset: the first gap that is wide enough is the lowest.
      for other in placed where other.life.first <= life.last && life.first <= other.life.last {
        if other.offset >= offset + size { break }
        offset = max(offset, other.end)
      }
      let place = placed.firstIndex { $0.offset > offset } ?? placed.count
      placed.insert((life, offset, offset + size), at: place)
      program.buffers[index].place = .arena(offset: offset)
      byteCount = max(byteCount, offset + size)
    }
  }

  private static func aligned(_ size: Int) -> Int { (max(size, 1) + alignment - 1) / alignment * alignment }

  /// Notes when buffers are used. What a loop uses of what was there before it lives until the loop ends.
  private static func note(
    _ steps: [NativeProgram.Step], _ lives: inout [Int: Life], _ loops: inout [Life], _ clock: inout Int
  ) {
    for step in steps {
      clock += 1
      touch(step.buffers, at: clock, &lives)
      switch step {
      case .branch(_, let then, let otherwise):
        note(then, &lives, &loops, &clock)
        note(otherwise, &lives, &loops, &clock)
      case .loop(_, _, _, let body, _):
        let start = clock
        note(body, &lives, &loops, &clock)
        clock += 1
        touch(step.buffers, at: clock, &lives)
        let used = Set(body.flatMap(\.allBuffers))
        touch(used.filter { (lives[$0]?.first ?? .max) <= start }, at: clock, &lives)
        loops.append(Life(first: start, last: clock))
      default: break
      }
    }
  }

  private static func touch(_ buffers: some Sequence<Int>, at time: Int, _ lives: inout [Int: Life]) {
    for buffer in buffers { lives[buffer, default: Life(first: time, last: time)].last = time }
  }
}

extension NativeProgram.Step {
  /// As `buffers`, with those of nested steps.
  var allBuffers: [NativeProgram.BufferIndex] {
    switch self {
    case .branch(_, let then, let otherwise): buffers + (then + otherwise).flatMap(\.allBuffers)
    case .loop(_, _, _, let body, _): buffers + body.flatMap(\.allBuffers)
    default: buffers
    }
  }
}
