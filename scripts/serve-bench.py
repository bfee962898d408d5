"""serve-bench.py SERVER MODEL_FOLDER [--seconds 60] [--connections 16] [--beside PYTHON]: the image server of Examples/ImageServer, as its users
meet it.

1. Every shipped image is posted; answers must be those of the labels. What is no image, and what is too big, is refused.
2. wrk posts images over loopback for the time given: answers a second, latencies, errors, and the server's memory before,
   in between and after, which must not grow.
3. A server with one place and no queue is asked by many: it must answer some, refuse the others with 503, and stay well.
4. SIGTERM while it is at work: the server must end by itself with status 0.
5. With an interpreter, 1 and 2 of a server over ONNX Runtime too (Benchmarks/serving), to compare with."""

import argparse
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time


def npy(path):
    """The numbers of a NumPy file, and their shape; float32, int64 and uint8 in C order."""
    data = path.read_bytes()
    length = struct.unpack("<H", data[8:10])[0]
    header = data[10:10 + length].decode()
    kind = re.search(r"'descr': '[<|]([a-z]\d)'", header).group(1)
    shape = [int(n) for n in re.search(r"\(([^)]*)\)", header).group(1).split(",") if n.strip()]
    code, size = {"f4": ("f", 4), "i8": ("q", 8), "u1": ("B", 1), "i4": ("i", 4)}[kind]
    body = data[10 + length:]
    return struct.unpack(f"<{len(body) // size}{code}", body), shape


def graymap(pixels):
    return b"P5 8 8 255\n" + bytes(round(p * 255 / 16) for p in pixels)


class Server:
    def __init__(self, command, model, *limits):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = [*command, model, str(self.port), *map(str, limits)]
        self.process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"error: the server ended with status {self.process.returncode}")
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
        sys.exit("error: the server does not answer")

    def ask(self, method, path, body=None, connection=None):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())

    def memory(self):
        """Resident megabytes of the server and its processes."""
        total = 0
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
            except OSError:
                continue
            if self.process.pid in (int(status["Pid"]), int(status["PPid"])):
                total += int(status.get("VmRSS", "0 kB").split()[0])
        return total / 1024

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


problems = []


def expect(holds, message):
    if not holds:
        problems.append(message)
        print(f"error: {message}")


def answers(server, folder):
    numbers, shape = npy(folder / "images.npy")
    labels, _ = npy(folder / "labels.npy")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    right = 0
    for index, label in enumerate(labels):
        status, body, _ = server.ask("POST", "/digit", graymap(numbers[index * 64:index * 64 + 64]), connection)
        expect(status == 200, f"image {index} has status {status}: {body[:100]}")
        right += status == 200 and json.loads(body)["digit"] == label
    print(f"{right} of {shape[0]} images right")
    expect(right >= 0.98 * shape[0], "too few images are right")
    for body, wanted in [(b"no image", 400), (b"", 400), (b"P5 8 8 255\n", 400), (b"\x89PNG\r\n\x1a\n" + b"x" * 99, 400), (b"x" * 70000, 413)]:
        status, text, _ = server.ask("POST", "/digit", body)
        expect(status == wanted, f"{body[:20]} has status {status}, {wanted} was expected: {text[:100]}")
    return graymap(numbers[:64])


def load(server, image, seconds, connections):
    with tempfile.TemporaryDirectory() as scratch:
        picture, script = pathlib.Path(scratch, "image.pgm"), pathlib.Path(scratch, "post.lua")
        picture.write_bytes(image)
        script.write_text(
            f'local file = io.open("{picture}", "rb")\nwrk.method = "POST"\nwrk.body = file:read("*a")\n'
            'function done(summary, latency)\n  io.write(string.format("RESULT %d %d %d %d %d %d %d %d\\n", summary.requests, '
            "summary.duration, latency:percentile(50), latency:percentile(99), latency.max, summary.errors.status, "
            'summary.errors.timeout, summary.errors.connect + summary.errors.read + summary.errors.write))\nend\n')

        def wrk(duration):
            output = subprocess.run(
                ["wrk", "-t1", f"-c{connections}", f"-d{duration}s", "-s", script, f"http://127.0.0.1:{server.port}/digit"],
                check=True, capture_output=True, text=True).stdout
            return [int(n) for n in re.search(r"RESULT (.*)", output).group(1).split()]

        wrk(max(2, seconds // 12))
        before = server.memory()
        middle = []
        timer = threading.Timer(seconds / 2, lambda: middle.append(server.memory()))
        timer.start()
        requests, duration, p50, p99, slowest, statuses, timeouts, sockets = wrk(seconds)
        timer.join()
        after = server.memory()
    errors = statuses + timeouts + sockets
    print(f"{requests / (duration / 1e6):.0f} answers a second over {seconds} s at {connections} connections; "
          f"p50 {p50 / 1000:.2f} ms, p99 {p99 / 1000:.2f} ms, slowest {slowest / 1000:.1f} ms; {errors} errors; "
          f"memory {before:.1f} MB, {middle[0]:.1f} MB half-way, {after:.1f} MB after")
    expect(errors == 0, f"{statuses} bad statuses, {timeouts} timeouts, {sockets} socket errors under load")
    expect(after < before * 1.1 + 2, f"memory grew from {before:.1f} to {after:.1f} MB")


def overload(server, image):
    counts = {}
    lock = threading.Lock()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for _ in range(100):
            status, _, headers = server.ask("POST", "/digit", image, connection)
            with lock:
                counts[status] = counts.get(status, 0) + 1
                if status == 503 and headers.get("Retry-After") != "1":
                    counts["no Retry-After"] = counts.get("no Retry-After", 0) + 1

    clients = [threading.Thread(target=client) for _ in range(32)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    status, body, _ = server.ask("GET", "/health")
    health = json.loads(body)
    print(f"one place, no queue, 32 clients: {counts.get(200, 0)} answered, {counts.get(503, 0)} refused with 503")
    expect(set(counts) <= {200, 503} and counts.get(200, 0) > 0, f"an overloaded server answers {counts}")
    expect(health["working"] == 0 and health["waiting"] == 0, f"places are lost: {health}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--beside", help="an interpreter with what Benchmarks/serving needs")
    options = parser.parse_args()
    model = str(options.folder / "model.onnx")
    server = Server([options.server], model)
    try:
        image = answers(server, options.folder)
        load(server, image, options.seconds, options.connections)
        stop = threading.Event()

        def keep_asking():
            while not stop.is_set():
                try:
                    server.ask("POST", "/digit", image)
                except OSError:
                    return

        asking = threading.Thread(target=keep_asking)
        asking.start()
        time.sleep(0.3)
        status = server.end()
        stop.set()
        asking.join()
        print(f"after SIGTERM it ended with status {status}")
        expect(status == 0, f"the server ended with status {status}")
        server = Server([options.server], model, 1, 0)
        overload(server, image)
        expect(server.end() == 0, "the overloaded server did not end well")
        if options.beside:
            print("over ONNX Runtime, in Python:")
            script = pathlib.Path(__file__).resolve().parent.parent / "Benchmarks/serving/onnxruntime_server.py"
            server = Server([options.beside, str(script)], model)
            image = answers(server, options.folder)
            load(server, image, options.seconds, options.connections)
            server.end()
    finally:
        if server.process.poll() is None:
            server.process.kill()
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
