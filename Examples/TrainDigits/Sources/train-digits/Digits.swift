import FXCore
import FXTrace

/// Scikit-learn's handwritten digits: 1,797 images of 8 × 8 pixels, the last of which are held out.
struct Digits {
  /// [n, 64], from 0 to 16.
  let images: [UInt8]
  let labels: [UInt8]
  let trainingCount: Int

  /// - Throws: `NpyError` for files that are not there or not NumPy's.
  init(folder: String) throws {
    images = try Npy.read("\(folder)/images.npy").elements()
    labels = try Npy.read("\(folder)/labels.npy").elements()
    trainingCount = labels.count - Int(try Npy.read("\(folder)/held_out.npy").elements(Int64.self)[0])
  }

  var training: Range<Int> { 0..<trainingCount }
  var heldOut: Range<Int> { trainingCount..<labels.count }

  /// Images as f32[n, 1, 8, 8] from 0 to 1, each moved by `shift(image)` pixels right and down.
  func pixels(_ indices: some Collection<Int>, shift: () -> (Int, Int) = { (0, 0) }) throws -> Tensor {
    var numbers: [Float] = []
    numbers.reserveCapacity(indices.count * 64)
    for index in indices {
      let (right, down) = shift()
      for row in 0..<8 {
        for column in 0..<8 {
          let (y, x) = (row - down, column - right)
          let isInside = (0..<8).contains(y) && (0..<8).contains(x)
          numbers.append(isInside ? Float(images[index * 64 + y * 8 + x]) / 16 : 0)
        }
      }
    }
    return try Tensor([indices.count, 1, 8, 8], numbers)
  }

  /// What the images show: i64[n].
  func classes(_ indices: some Collection<Int>) throws -> Tensor {
    Tensor(vector: indices.map { Int(labels[$0]) })
  }
}
