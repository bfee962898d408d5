"""onnxruntime_server.py MODEL PORT: the image server of Examples/ImageServer over ONNX Runtime, as one would write it in Python:
an ASGI application under uvicorn with uvloop and httptools, Pillow for the images, one process per core.

POST an image to /digit: JSON with the digit and its probability, 400 for what is no image, 413 for more than 64 KiB."""

import io
import json
import os
import sys

import numpy
import onnxruntime
import uvicorn
from PIL import Image

LIMIT = 64 << 10


def make_session():
    options = onnxruntime.SessionOptions()
    # Requests are what runs side by side.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(os.environ["MODEL"], options, providers=["CPUExecutionProvider"])


def read(session, body):
    image = Image.open(io.BytesIO(body)).convert("L")
    if image.size != (8, 8):
        image = image.resize((8, 8), Image.Resampling.BILINEAR)
    pixels = numpy.asarray(image, numpy.float32)[None, None] * numpy.float32(16 / 255)
    scores = session.run(None, {session.get_inputs()[0].name: pixels})[0][0]
    best = int(scores.argmax())
    return {"digit": best, "probability": float(scores[best])}


class Application:
    def __init__(self):
        self.session = make_session()

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        body, status = b"", 200
        while True:
            event = await receive()
            body += event.get("body", b"")
            if len(body) > LIMIT:
                status = 413
                break
            if not event.get("more_body"):
                break
        if status != 200:
            answer = {"error": "too large"}
        elif scope["path"] == "/health":
            answer = {}
        else:
            try:
                answer = read(self.session, body)
            except Exception as error:
                status, answer = 400, {"error": str(error)}
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})


def application():
    return Application()


if __name__ == "__main__":
    os.environ["MODEL"] = sys.argv[1]
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    uvicorn.run(
        "onnxruntime_server:application", factory=True, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools",
        workers=len(os.sched_getaffinity(0)), access_log=False, log_level="warning")
