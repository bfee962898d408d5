import FXCore
import FXOnnx
import FXRuntime

/// Says which digit an image file shows: bright strokes on dark ground.
public struct DigitReader: Sendable {
  public struct Answer: Sendable, Equatable, Codable {
    public let digit: Int
    public let probability: Float
  }

  /// From the bytes of a PNG, JPEG, WebP, TIFF, BMP or Netpbm file to f32[1, 1, 8, 8] from 0 to 16.
  static let pixels = """
    fx 1
    graph @pixels(%file: u8[bytes]) {
      parameter @sizes: i64[2] constant = [8, 8]
      parameter @first: i64[1] constant = [0]
      %decoded = image_decoder(%file) {pixel_format = "Grayscale"}
      %numbers = cast(%decoded) {to = f32}
      %scaled = mul(%numbers, 0.0627450980392157)
      %planes = transpose(%scaled) {perm = [2, 0, 1]}
      %images = unsqueeze(%planes, @first)
      %image = resize(%images, none, none, @sizes) {axes = [2, 3], mode = "linear", antialias = true}
      return %image
    }
    """

  private let pixels, model: CompiledGraph

  /// - Parameter path: an ONNX model from f32[n, 1, 8, 8] to ten probabilities each.
  /// - Throws: `OnnxError` for a file that is no such model, `ExecutionError` if it cannot run.
  public init(model path: String) throws {
    // One thread for each run: requests are what runs side by side. No request may take more than 64 MB.
    let backend = CPUBackend(.init(threads: 1, memoryLimit: 64 << 20))
    pixels = try backend.compiled(Graph(text: DigitReader.pixels))
    model = try backend.compiled(OnnxImporter().graph(path: path))
    // A plan is made when sizes first appear: the first request should not wait for it.
    _ = try answer(to: Tensor(zeros: .float32, [1, 1, 8, 8]))
  }

  /// - Throws: `ExecutionError.node` for bytes that are no image of a known format.
  public func read(_ file: [UInt8]) throws -> Answer {
    guard let image = try pixels.run([.tensor(Tensor(vector: file))])[0].tensor else { return Answer(digit: 0, probability: 0) }
    return try answer(to: image)
  }

  private func answer(to image: Tensor) throws -> Answer {
    let scores = try model.run([.tensor(image)])[0].tensor?.elements(Float.self) ?? []
    let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    return Answer(digit: best, probability: scores.isEmpty ? 0 : scores[best])
  }
}
