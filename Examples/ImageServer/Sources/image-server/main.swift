import DigitReader
import Foundation
import Hummingbird

// image-server MODEL.onnx [PORT [WORKING [WAITING]]]: POST an image to /digit.

let arguments = CommandLine.arguments
guard arguments.count > 1 else {
  print("usage: image-server MODEL.onnx [PORT [WORKING [WAITING]]]")
  exit(2)
}
func number(_ index: Int, _ standard: Int) -> Int { arguments.count > index ? Int(arguments[index]) ?? standard : standard }

let reader = try DigitReader(model: arguments[1])
let gate = Gate(width: number(3, ProcessInfo.processInfo.activeProcessorCount), queueLimit: number(4, 64))

@Sendable func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok, _ headers: HTTPFields = [:]) throws -> Response
{
  var headers = headers
  headers[.contentType] = "application/json"
  return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(value))))
}

let router = Router()

router.get("health") { _, _ in
  try json(await gate.count)
}

router.post("digit") { request, _ in
  // A file of more bytes than that is refused with status 413 before it is read to its end. The limit also bounds what a
  // compressed image can become.
  var request = request
  let body = try await request.collectBody(upTo: 64 << 10)
  let file = Array(body.readableBytesView)
  do {
    return try json(await gate.pass { try reader.read(file) })
  } catch is Gate.Full {
    return try json(["error": "all are busy"], .serviceUnavailable, [.retryAfter: "1"])
  } catch {
    return try json(["error": "\(error)"], .badRequest)
  }
}

let app = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: number(2, 8080))))
try await app.runService()
