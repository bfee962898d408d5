"""check-views.py FX FOLDER [MODEL...]: draws models and judges the drawings by programs that we did not write.

For each model `fx visualize` writes HTML and DOT into FOLDER. `dot -Tsvg` must take the DOT (of graphs that a drawing by
layers can hold), and headless Chromium must open the HTML without a word on its console, a request, or an exception;
there the script searches, opens, closes, pans, zooms and clicks as a person does, measures the time of a frame, and
leaves a screenshot of each state in FOLDER. Exit status 1 if anything is not as it should be."""

import base64
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

HOSTILE = r'''
graph @"</script><script>alert(1)</script>"(%"a\"b\\N\\": f32[2], %"<img src=x onerror=alert(1)>": f32[2], %"--> ]]> &lt; \u{1}\n\u{7f} 名前 🙂": f32[2]) {
  parameter @"weird & <name>": f32[2] weight = [1.0, 2.0]
  %"c|{d}": f32[2] = add(%"a\"b\\N\\", %"<img src=x onerror=alert(1)>") "</ScRiPt >/mod<u>le/x" at "</script>.swift":3 in "layers.<b>.\"q\""
  %"e": f32[2] = mul(%"c|{d}", @"weird & <name>") at "a\\b.swift":4 in "layers.<b>"
  %"\\": f32[2] = ?"ven\"dor\\"::"O<p>\n&amp;"(%e, %"--> ]]> &lt; \u{1}\n\u{7f} 名前 🙂") {"at\"tr" = "</script><!--", n = [1, 2]}
  return %"\\" as "</textarea>", %e as "graph [label=\"x\"];"
}
'''


class Browser:
    """Chromium behind the DevTools protocol on a pair of pipes."""

    def __init__(self):
        program = next((p for p in ("chromium", "chromium-browser", "google-chrome") if shutil.which(p)), None)
        if program is None:
            sys.exit("error: no Chromium: scripts/deps.sh views installs it")
        self.profile = tempfile.mkdtemp(prefix="fx-views-")
        to_read, self.to_write = os.pipe()
        self.from_read, from_write = os.pipe()

        def wire():
            os.dup2(to_read, 3)
            os.dup2(from_write, 4)

        # Descriptors 3 and 4 must not be taken when they are assigned, so they are moved out of the way first.
        for descriptor in (to_read, from_write):
            os.set_inheritable(descriptor, True)
        self.process = subprocess.Popen(
            [program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={self.profile}", "--window-size=1400,900", "about:blank"],
            close_fds=False, preexec_fn=wire, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=1400, height=900, deviceScaleFactor=1, mobile=False)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to_write, json.dumps(message).encode() + b"\0")
        while True:
            reply = self.receive(60)
            if reply.get("id") == self.number:
                if "error" in reply:
                    raise RuntimeError(f"{method}: {reply['error']}")
                return reply["result"]
            self.events.append(reply)

    def receive(self, timeout):
        deadline = time.time() + timeout
        while b"\0" not in self.buffer:
            if not select.select([self.from_read], [], [], max(0, deadline - time.time()))[0]:
                raise TimeoutError("the browser does not answer")
            self.buffer += os.read(self.from_read, 1 << 20)
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def open(self, path):
        self.events = []
        self.call("Page.navigate", url=path.resolve().as_uri())
        deadline = time.time() + 90
        while self.js("document.readyState") != "complete":
            if time.time() > deadline:
                raise TimeoutError(f"{path} does not load")
            time.sleep(0.05)

    def js(self, expression):
        reply = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in reply:
            raise RuntimeError(f"{expression}: {reply['exceptionDetails']}")
        return reply["result"].get("value")

    def settle(self):
        self.js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y, count=1):
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=count)
        self.settle()

    def key(self, key, text=None):
        code = {"Enter": 13, "Escape": 27}.get(key, 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
        self.settle()

    def screenshot(self, path):
        self.settle()
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def complaints(self, page):
        """What the console, the log and uncaught exceptions say, and requests for anything but the page."""
        self.js("1")
        found = []
        for event in self.events:
            method, params = event.get("method"), event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append("exception: " + params["exceptionDetails"].get("text", "") + str(params["exceptionDetails"].get("exception", {}).get("description", "")))
            elif method == "Runtime.consoleAPICalled":
                found.append("console: " + json.dumps([a.get("value", a.get("description")) for a in params["args"]]))
            elif method == "Log.entryAdded":
                found.append("log: " + params["entry"]["text"])
            elif method == "Network.requestWillBeSent" and params["request"]["url"] != page.resolve().as_uri():
                if not params["request"]["url"].startswith("data:"):
                    found.append("request: " + params["request"]["url"][:200])
            elif method == "Page.javascriptDialogOpening":
                found.append("dialog: " + params["message"])
        return found

    def close(self):
        try:
            self.session = None
            self.call("Browser.close")
            self.process.wait(20)
        except Exception:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


class Checks:
    def __init__(self):
        self.failed = 0

    def expect(self, condition, what):
        if not condition:
            self.failed += 1
            print(f"  FAILED: {what}")


def check_page(browser, page, checks):
    started = time.time()
    browser.open(page)
    loading = time.time() - started
    view = "graphView"
    checks.expect(browser.js(f"typeof {view}") == "object", "the page's script ran to its end")
    if browser.js(f"typeof {view}") != "object":
        print("  " + "; ".join(browser.complaints(page)))
        return
    count = browser.js(f"{view}.boxes.length")
    browser.screenshot(page.with_suffix(".start.png"))

    # Search: typed into the field; Enter goes to the first match, which is opened and shown.
    word = browser.js(f"(() => {{ const c = {view}.boxes.filter(b => b.kind === 0); return c.length ? c[c.length >> 1].name : ''; }})()")
    if word:
        browser.js("document.getElementById('search').focus()")
        browser.call("Input.insertText", text=word)
        browser.settle()
        checks.expect(browser.js(f"{view}.state.found.size + {view}.state.foundIn.size") > 0, f"search finds {word!r}")
        browser.key("Enter")
        checks.expect(browser.js(f"{view}.state.selected !== null && {view}.state.selected.visible"), "Enter shows the match")
        checks.expect(not browser.js("document.getElementById('side').hidden"), "the panel shows the match")
        browser.screenshot(page.with_suffix(".search.png"))
        browser.key("Escape")
        checks.expect(browser.js("document.getElementById('found').textContent") == "", "Escape ends the search")

    # Close and open a module by its sign.
    browser.js(f"{view}.openAll(false)")
    browser.settle()
    closed = browser.js(f"{view}.shown")
    at = browser.js(f"(() => {{ const b = {view}.boxes.find(b => b.visible && b.kids.length); return b ? {view}.place(b) : null; }})()")
    if at:
        browser.click(at["signX"], at["y"])
        opened = browser.js(f"{view}.shown")
        checks.expect(opened > closed, "a click on + opens the box")
        at = browser.js(f"{view}.place({view}.boxes.find(b => b.visible && b.open && b.kids.length))")
        browser.screenshot(page.with_suffix(".opened.png"))
        browser.click(at["signX"], at["y"])
        checks.expect(browser.js(f"{view}.shown") == closed, "a click on − closes it")
    browser.screenshot(page.with_suffix(".closed.png"))

    # Everything open: layout and frame times.
    started = time.time()
    browser.js(f"{view}.openAll(true)")
    opening = time.time() - started
    checks.expect(browser.js(f"{view}.shown") == count, "all boxes are shown when all is open")
    overlaps = browser.js(OVERLAPS)
    checks.expect(overlaps == 0, f"{overlaps} pairs of boxes overlap")
    checks.expect(browser.js(f"{view}.edges.every(e => e.from.visible && e.to.visible)"), "both ends of every edge are shown")
    frame = browser.js(f"(() => {{ const t = []; for (let i = 0; i < 9; i++) {{ const s = performance.now(); {view}.draw(); t.push(performance.now() - s); }} return Math.min(...t); }})()")
    browser.screenshot(page.with_suffix(".all.png"))

    # Zoom by wheel, pan by drag, click a call.
    before = browser.js(f"[{view}.camera.scale, {view}.camera.x]")
    for _ in range(4):
        browser.mouse("mouseWheel", 700, 450, deltaX=0, deltaY=-300)
    browser.settle()
    checks.expect(browser.js(f"{view}.camera.scale") > before[0], "the wheel zooms")
    x = browser.js(f"{view}.camera.x")
    browser.mouse("mousePressed", 300, 700, button="left", clickCount=1)
    browser.mouse("mouseMoved", 380, 640, button="left", buttons=1)
    browser.mouse("mouseReleased", 380, 640, button="left", clickCount=1)
    browser.settle()
    checks.expect(abs(browser.js(f"{view}.camera.x") - x - 80) < 1, "dragging pans")
    call = f"{view}.boxes.find(b => b.kind === 0 && !b.kids.length && b.attributes.length + b.operands.length > 0)"
    if browser.js(f"!!{call}"):
        browser.js(f"{view}.select({call}, true); {view}.select(null)")
        browser.settle()
        at = browser.js(f"{view}.place({call})")
        browser.click(at["x"], at["y"])
        checks.expect(browser.js(f"{view}.state.selected === {call}"), "a click selects the call")
        panel = browser.js("document.getElementById('side').textContent")
        title = browser.js(f"{call}.title")
        checks.expect(title in panel and ("Operands" in panel or "Attributes" in panel), "the panel tells of the call")
        browser.screenshot(page.with_suffix(".click.png"))
    complaints = browser.complaints(page)
    checks.expect(not complaints, "; ".join(complaints))
    print(f"  {count} boxes, {page.stat().st_size // 1000} kB; shown after {loading:.2f} s, all opened in {opening:.2f} s, {frame:.1f} ms a frame")


# Pairs of boxes of one parent whose rectangles share area.
OVERLAPS = """(() => {
  let count = 0;
  const groups = new Map();
  for (const b of graphView.boxes) if (b.visible) { if (!groups.has(b.parent)) groups.set(b.parent, []); groups.get(b.parent).push(b); }
  for (const list of groups.values()) {
    list.sort((a, b) => a.top - b.top);
    for (let i = 0; i < list.length; i++)
      for (let j = i + 1; j < list.length && list[j].top < list[i].top + list[i].h - 0.5; j++)
        if (list[i].left < list[j].left + list[j].w - 0.5 && list[j].left < list[i].left + list[i].w - 0.5) count++;
  }
  return count;
})()"""


def deep(count, has_modules=True):
    """A graph of `count` calls with branches, skips and a value that many use."""
    lines = ["graph @big(%x: f32[8], %m: f32[8]) {"]
    last, older = "x", "x"
    for i in range(count):
        operand = {0: f"%{last}, %m", 1: f"%{last}, %{older}"}.get(i % 7)
        op = "add" if operand else ("relu", "tanh", "sigmoid")[i % 3]
        module = f' in "stage{i // 500}.block{i // 50}"' if has_modules else ""
        lines.append(f'  %v{i}: f32[8] = {op}({operand or "%" + last}) at "big.swift":{i + 1}{module}')
        if i % 9 == 0:
            older = last
        last = f"v{i}"
    return "\n".join(lines + [f"  return %{last}", "}"])


def main():
    fx, folder, models = sys.argv[1], pathlib.Path(sys.argv[2]), [pathlib.Path(m) for m in sys.argv[3:]]
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in {"hostile": HOSTILE, "big": deep(5000), "flat": deep(5000, has_modules=False), "empty": "graph @empty() {\n  return\n}\n"}.items():
        path = folder / f"{name}.fxt"
        path.write_text("fx 1\n" + source.strip() + "\n")
        models.append(path)
    checks, browser = Checks(), Browser()
    try:
        for model in models:
            name = model.stem if model.suffix == ".fxt" or model.parent.name in ("", ".") else model.parent.name
            print(f"{name}")
            page, dot, words = (folder / f"{name}.{e}" for e in ("html", "dot", "txt"))
            for path in (page, dot, words):
                status = subprocess.run([fx, "visualize", str(model), "-o", str(path)], capture_output=True, text=True)
                checks.expect(status.returncode == 0, f"fx visualize {path.name}: {status.stderr.strip()}")
            if not page.exists():
                continue
            # Graphviz' own layout takes minutes beyond some thousand nodes; its parser does not.
            size = dot.read_text().count("\n")
            drawing = ["dot", "-Tsvg", str(dot), "-o", str(dot.with_suffix(".svg"))] if size < 2500 else ["nop", "-p", str(dot)]
            try:
                result = subprocess.run(drawing, capture_output=True, text=True, timeout=240)
                checks.expect(result.returncode == 0 and not result.stderr.strip(), f"dot: {result.stderr.strip()[:300]}")
            except subprocess.TimeoutExpired:
                checks.expect(False, "dot takes more than four minutes")
            try:
                check_page(browser, page, checks)
            except (RuntimeError, TimeoutError) as error:
                checks.expect(False, str(error)[:500])
                print("  " + "; ".join(browser.complaints(page))[:500])
    finally:
        browser.close()
    print(f"{checks.failed} failed" if checks.failed else "all views are as they should be")
    sys.exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
