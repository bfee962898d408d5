extension HTMLView {
  /// Pan, zoom, opening and closing, search, and the panel with a box's facts.
  static let controlScript = #"""
    const side = document.getElementById("side"), tip = document.getElementById("tip");
    const search = document.getElementById("search"), found = document.getElementById("found");
    const element = (name, content, kind) => {
      const e = document.createElement(name);
      if (content !== undefined) e.textContent = content;
      if (kind) e.className = kind;
      return e;
    };

    // MARK: Camera
    const clampScale = (s) => Math.min(4, Math.max(0.0005, s));
    function zoomAt(x, y, factor) {
      const scale = clampScale(camera.scale * factor), ratio = scale / camera.scale;
      camera.x = x - (x - camera.x) * ratio;
      camera.y = y - (y - camera.y) * ratio;
      camera.scale = scale;
      redraw();
    }
    function fit() {
      const area = canvas.getBoundingClientRect();
      camera.scale = clampScale(Math.min(area.width / (root.w + 40), area.height / (root.h + 40), 1.2));
      camera.x = (area.width - root.w * camera.scale) / 2;
      camera.y = Math.max(12, (area.height - root.h * camera.scale) / 2);
      redraw();
    }
    // The graph's beginning at a size that can be read.
    function showTop() {
      fit();
      const area = canvas.getBoundingClientRect();
      if (camera.scale >= 0.5) return;
      camera.scale = 0.8;
      const first = boxes.find((b) => b.visible && b.kind === INPUT) ?? shown[0];
      camera.x = area.width / 2 - (first ? first.left + first.w / 2 : 0) * camera.scale;
      camera.y = 30 - (first ? first.top : 0) * camera.scale;
    }
    function center(box) {
      const area = canvas.getBoundingClientRect();
      const width = side.hidden ? area.width : Math.max(80, area.width - side.offsetWidth);
      camera.scale = Math.max(camera.scale, 0.7);
      camera.x = width / 2 - (box.left + box.w / 2) * camera.scale;
      camera.y = area.height / 2 - (box.top + Math.min(box.h, area.height / camera.scale) / 2) * camera.scale;
      redraw();
    }

    // MARK: Opening and closing
    function toggle(box) {
      const [left, top] = [box.left, box.top];
      setOpen(box, !box.open);
      layOut();
      // The box stays where it was on the screen.
      camera.x += (left - box.left) * camera.scale;
      camera.y += (top - box.top) * camera.scale;
      markFound();
      redraw();
    }
    function openAll(open) {
      for (const box of boxes) setOpen(box, open);
      layOut();
      markFound();
      fit();
    }
    function reveal(box) {
      let changed = false;
      for (let b = box.parent; b && b !== root; b = b.parent) if (!b.open) { setOpen(b, true); changed = true; }
      if (changed) layOut();
      markFound();
    }
    const seen = (box) => chainOf(box).find((b) => !b.open || b === box);

    // MARK: Selection
    function select(box, moves) {
      if (box && moves) reveal(box);
      state.selected = box;
      describe(box);
      if (box && moves) center(box);
      redraw();
    }
    const goTo = (label, box) => {
      const button = element("button", label, "go");
      button.addEventListener("click", () => select(box, true));
      return button;
    };
    function section(title, rows) {
      if (!rows.length) return;
      side.append(element("h3", title));
      const table = element("table");
      for (const [name, value, kind] of rows) {
        const row = element("tr", undefined, kind), cell = element("td");
        if (value instanceof Node) cell.append(value); else cell.append(element("code", value));
        row.append(element("td", name), cell);
        table.append(row);
      }
      side.append(table);
    }
    const fragment = (...parts) => { const f = document.createDocumentFragment(); f.append(...parts); return f; };

    function describe(box) {
      side.replaceChildren();
      side.hidden = box === null;
      if (!box) return;
      const shut = element("button", "×", "shut");
      shut.title = "Close ( Esc )";
      shut.addEventListener("click", () => select(null));
      side.append(shut, element("h2", box.title), element("p", box.name));
      if (box.summary) side.append(element("p", box.summary, "default"));
      if (box.location) section("Location", [["", box.location]]);
      const path = chainOf(box).slice(0, -1);
      const kinds = ["call", "", "", "", "", "module", "region"];
      section("Inside", path.map((b) => [kinds[b.kind], goTo(b.title, b)]));
      if (holds(box)) {
        const button = element("button", box.open ? "Close" : "Open");
        button.addEventListener("click", () => { toggle(box); describe(box); });
        side.append(element("h3", box.calls + " calls inside"), button);
      }
      const attributes = [];
      for (let i = 0; i < box.attributes.length; i += 3)
        attributes.push([text(box.attributes[i]), text(box.attributes[i + 1]), box.attributes[i + 2] ? "default" : ""]);
      section("Attributes", attributes);
      const operands = [];
      for (let i = 0; i < box.operands.length; i += 3) {
        const value = values[box.operands[i + 1]];
        operands.push([text(box.operands[i]), value
          ? fragment(goTo(value.name, boxes[value.origin]), element("code", "  " + value.type)) : text(box.operands[i + 2])]);
      }
      section("Operands", operands);
      section("Results", box.results.map((v) => [values[v].name, values[v].type]));
      const users = [...new Set(box.results.flatMap((v) => values[v].users))];
      section("Used by", users.slice(0, 50).map((u) => [boxes[u].title, goTo(boxes[u].name, boxes[u])]));
      if (users.length > 50) side.append(element("p", "and " + (users.length - 50) + " more"));
    }

    // MARK: Search
    let hits = [], hit = -1;
    function haystack(box) {
      box.words ??= [box.name, box.title, box.location, ...box.results.map((v) => values[v].type),
        ...box.attributes.filter((_, i) => i % 3 < 2).map(text)].join("\n").toLowerCase();
      return box.words;
    }
    function find(query) {
      const words = query.toLowerCase().split(/\s+/).filter(Boolean);
      hits = words.length ? boxes.filter((box) => words.every((word) => haystack(box).includes(word))) : [];
      hit = -1;
      found.textContent = words.length ? hits.length + (hits.length === 1 ? " match" : " matches") : "";
      markFound();
      redraw();
    }
    function markFound() {
      state.found = new Set();
      state.foundIn = new Set();
      for (const box of hits) { const at = seen(box); (at === box ? state.found : state.foundIn).add(at); }
    }
    function nextHit(step) {
      if (!hits.length) return;
      hit = (hit + step + hits.length) % hits.length;
      found.textContent = hit + 1 + " of " + hits.length;
      select(hits[hit], true);
    }
    search.addEventListener("input", () => find(search.value));
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { nextHit(event.shiftKey ? -1 : 1); event.preventDefault(); }
      if (event.key === "Escape") { search.value = ""; find(""); canvas.focus(); }
      event.stopPropagation();
    });

    // MARK: Pointer
    const place = (event) => { const a = canvas.getBoundingClientRect(); return [event.clientX - a.left, event.clientY - a.top]; };
    function boxAt(x, y) {
      const [gx, gy] = [(x - camera.x) / camera.scale, (y - camera.y) / camera.scale];
      for (let i = shown.length - 1; i >= 0; i--) {
        const b = shown[i];
        if (gx >= b.left && gx <= b.left + b.w && gy >= b.top && gy <= b.top + b.h) return b;
      }
      return null;
    }
    const isSign = (box, x) => holds(box) && (x - camera.x) / camera.scale - box.left < 22;
    const isHead = (box, y) => !(box.open && holds(box)) || (y - camera.y) / camera.scale - box.top < HEAD;
    const pointers = new Map();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      moved = 0;
      canvas.focus();
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event), last = pointers.get(event.pointerId);
      if (!last) { hover(x, y); return; }
      const others = [...pointers.entries()].filter(([id]) => id !== event.pointerId);
      if (others.length) {
        const [ox, oy] = others[0][1], before = Math.hypot(last[0] - ox, last[1] - oy);
        if (before > 0) zoomAt((x + ox) / 2, (y + oy) / 2, Math.hypot(x - ox, y - oy) / before);
      } else {
        camera.x += x - last[0];
        camera.y += y - last[1];
      }
      moved += Math.abs(x - last[0]) + Math.abs(y - last[1]);
      pointers.set(event.pointerId, [x, y]);
      redraw();
    });
    const release = (event) => {
      const [x, y] = place(event), wasClick = pointers.delete(event.pointerId) && moved < 4 && event.type === "pointerup";
      if (!wasClick) return;
      const box = boxAt(x, y);
      if (box && isSign(box, x) && isHead(box, y)) toggle(box); else select(box);
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("dblclick", (event) => {
      const [x, y] = place(event), box = boxAt(x, y);
      if (box && holds(box) && !isSign(box, x)) toggle(box);
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [x, y] = place(event), unit = event.deltaMode === 1 ? 16 : 1;
      zoomAt(x, y, Math.exp(-event.deltaY * unit * (event.ctrlKey ? 0.01 : 0.0015)));
    }, { passive: false });
    canvas.addEventListener("pointerleave", () => { tip.hidden = true; if (state.hovered) { state.hovered = null; redraw(); } });

    function hover(x, y) {
      const box = boxAt(x, y);
      if (box !== state.hovered) { state.hovered = box; redraw(); }
      canvas.style.cursor = box && isHead(box, y) ? "pointer" : "grab";
      tip.hidden = !box || !isHead(box, y);
      if (tip.hidden) return;
      tip.textContent = clip(box.title + "  " + box.name + box.results.map((v) => "\n" + values[v].type).join(""), 300);
      tip.style.whiteSpace = "pre-wrap";
      tip.style.left = Math.min(x + 14, canvas.clientWidth * 0.6) + "px";
      tip.style.top = Math.min(y + 16, canvas.clientHeight - 50) + "px";
    }

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const area = canvas.getBoundingClientRect(), zoom = (f) => zoomAt(area.width / 2, area.height / 2, f);
      const pan = (x, y) => { camera.x += x; camera.y += y; redraw(); };
      const act = {
        "/": () => search.focus(), "0": fit, "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8),
        Escape: () => select(null), ArrowLeft: () => pan(80, 0), ArrowRight: () => pan(-80, 0),
        ArrowUp: () => pan(0, 80), ArrowDown: () => pan(0, -80), n: () => nextHit(1), N: () => nextHit(-1),
        Enter: () => { if (state.selected && holds(state.selected)) toggle(state.selected); },
      }[event.key];
      if (act && event.target.tagName !== "BUTTON") { act(); event.preventDefault(); }
    });
    document.getElementById("open").addEventListener("click", () => openAll(true));
    document.getElementById("close").addEventListener("click", () => openAll(false));
    document.getElementById("fit").addEventListener("click", fit);
    window.addEventListener("resize", resize);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); redraw(); });

    // MARK: Start
    // Modules open from outside in, as long as what is shown can be taken in.
    (function openSome() {
      let count = root.kids.length;
      const pending = [...root.kids];
      for (const box of pending) {
        if (!holds(box) || count - 1 + box.kids.length > 120 || (box.kind === MODULE && box.calls < 2)) continue;
        count += box.kids.length;
        setOpen(box, true);
        pending.push(...box.kids);
      }
    })();
    document.getElementById("facts").textContent = data.facts;
    readColors();
    layOut();
    resize();
    showTop();
    // For tests: where a box is on the screen, and what the view knows of itself.
    window.graphView = {
      boxes, edges, values, camera, state, frames, toggle, select, openAll, find, fit, draw,
      get shown() { return shown.length; },
      place(box) {
        const area = canvas.getBoundingClientRect();
        return { x: area.left + camera.x + (box.left + box.w / 2) * camera.scale,
          y: area.top + camera.y + (box.top + Math.min(box.h / 2, 13)) * camera.scale,
          signX: area.left + camera.x + (box.left + 11) * camera.scale };
      },
    };
    """#
}
