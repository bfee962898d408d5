extension HTMLView {
  /// Draws what the window shows of the laid-out boxes and edges on a canvas, with less detail from afar.
  static let drawingScript = #"""
    const canvas = document.getElementById("view"), pen = canvas.getContext("2d");
    const camera = { x: 0, y: 0, scale: 1 };
    const state = { selected: null, hovered: null, found: new Set(), foundIn: new Set() };
    let colors = {};
    function readColors() {
      const style = getComputedStyle(document.documentElement);
      for (const name of ["back", "text", "faint", "line", "edge", "module", "region", "regionline", "accent", "found", "input",
        "output", "call", "linear", "activation", "normalization", "elementwise", "reshaping", "control", "other"])
        colors[name] = style.getPropertyValue("--" + name).trim();
    }
    const FAMILY = {
      linearAlgebra: "linear", convolution: "linear", attention: "linear", recurrent: "linear", activation: "activation",
      normalization: "normalization", loss: "normalization", elementwise: "elementwise", comparison: "elementwise",
      reduction: "elementwise", reshaping: "reshaping", indexing: "reshaping", pooling: "other", controlFlow: "control",
    };
    const fillOf = (box) =>
      box.kind === INPUT || box.kind === ARGUMENT ? colors.input
      : box.kind === OUTPUT || box.kind === RESULT ? colors.output
      : box.kind === MODULE ? colors.call : box.kind === REGION ? colors.region
      : colors[FAMILY[box.family]] ?? colors.other;

    let pendingFrame = 0;
    const redraw = () => { pendingFrame ||= requestAnimationFrame(draw); };

    function resize() {
      const ratio = window.devicePixelRatio || 1, area = canvas.getBoundingClientRect();
      canvas.width = Math.max(1, Math.round(area.width * ratio));
      canvas.height = Math.max(1, Math.round(area.height * ratio));
      redraw();
    }

    function roundRect(x, y, w, h, r) {
      pen.beginPath();
      pen.roundRect(x, y, w, h, Math.min(r, w / 2, h / 2));
    }

    // What is in the window, in graph coordinates.
    function windowBounds() {
      const area = canvas.getBoundingClientRect();
      return [-camera.x / camera.scale, -camera.y / camera.scale,
        (area.width - camera.x) / camera.scale, (area.height - camera.y) / camera.scale];
    }
    const meets = (box, [x0, y0, x1, y1]) => box.left < x1 && box.left + box.w > x0 && box.top < y1 && box.top + box.h > y0;

    function draw() {
      const start = performance.now();
      pendingFrame = 0;
      const ratio = window.devicePixelRatio || 1, scale = camera.scale, area = windowBounds();
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.fillStyle = colors.back;
      pen.fillRect(0, 0, canvas.width, canvas.height);
      pen.setTransform(ratio * scale, 0, 0, ratio * scale, ratio * camera.x, ratio * camera.y);
      const visible = shown.filter((box) => meets(box, area));
      for (const box of visible) if (box.open && holds(box)) drawContainer(box, scale);
      drawEdges(area, scale);
      for (const box of visible) if (!(box.open && holds(box))) drawBox(box, scale);
      if (scale > 0.45) drawTypes(area);
      frames.last = performance.now() - start;
      frames.count++;
    }
    const frames = { last: 0, count: 0 };

    function outline(box) {
      if (state.selected === box) return [colors.accent, 3];
      if (state.found.has(box)) return [colors.found, 3];
      if (state.foundIn.has(box)) return [colors.found, 1.5];
      if (state.hovered === box) return [colors.accent, 1.5];
      return [box.kind === REGION ? colors.regionline : colors.line, 1];
    }

    function drawContainer(box, scale) {
      const [stroke, width] = outline(box);
      roundRect(box.left, box.top, box.w, box.h, 8);
      pen.fillStyle = box.kind === REGION ? colors.region : colors.module;
      pen.fill();
      pen.strokeStyle = stroke;
      pen.lineWidth = width / Math.min(1, Math.max(scale, 0.2));
      pen.setLineDash(box.kind === REGION ? [6, 4] : []);
      pen.stroke();
      pen.setLineDash([]);
      if (scale < 0.12) return;
      pen.font = FONT;
      pen.textBaseline = "middle";
      pen.textAlign = "left";
      pen.fillStyle = colors.faint;
      pen.fillText("−", box.left + 9, box.top + 14);
      pen.fillStyle = colors.text;
      pen.fillText(caption(box), box.left + 24, box.top + 14, box.w - 30);
    }

    function drawBox(box, scale) {
      const [stroke, width] = outline(box), isRound = box.kind >= INPUT && box.kind <= RESULT;
      pen.fillStyle = fillOf(box);
      if (scale < 0.06 && width < 3) {
        pen.fillRect(box.left, box.top, box.w, box.h);
        return;
      }
      roundRect(box.left, box.top, box.w, box.h, isRound ? 19 : 5);
      pen.fill();
      pen.strokeStyle = stroke;
      pen.lineWidth = width / Math.min(1, Math.max(scale, 0.1));
      pen.stroke();
      if (holds(box)) {
        pen.strokeStyle = stroke;
        roundRect(box.left + 3, box.top + 3, box.w - 6, box.h - 6, 4);
        pen.lineWidth = 1;
        pen.stroke();
      }
      if (scale < 0.22) return;
      pen.textBaseline = "middle";
      pen.textAlign = "center";
      pen.fillStyle = colors.text;
      pen.font = FONT;
      const shift = holds(box) ? 6 : 0;
      pen.fillText(box.line1, box.left + box.w / 2 + shift, box.top + 13, box.w - 12);
      if (holds(box)) { pen.textAlign = "left"; pen.fillText("+", box.left + 9, box.top + 13); pen.textAlign = "center"; }
      if (scale < 0.4) return;
      pen.font = SMALL;
      pen.fillStyle = colors.faint;
      pen.fillText(box.line2, box.left + box.w / 2, box.top + 27, box.w - 10);
    }

    function drawEdges([x0, y0, x1, y1], scale) {
      pen.lineWidth = Math.max(1, 0.6 / scale);
      const inWindow = paths.filter(({ bounds: [a, b, c, d] }) => !(a > x1 || c < x0 || b > y1 || d < y0));
      // Those of the selected box are drawn in full, over what they share with others.
      const isBright = (path) => path.from === state.selected || path.to === state.selected;
      const bright = state.selected === null ? [] : paths.filter(isBright).map((p) => trace(p.edge, p.from, p.to));
      const stroke = (list, color, dash) => {
        pen.strokeStyle = pen.fillStyle = color;
        pen.setLineDash(dash);
        // Some hundred edges at once: fewer strokes, and none of a size that browsers are slow at.
        for (let start = 0; start < list.length; start += 200) {
          const some = list.slice(start, start + 200);
          pen.beginPath();
          for (const path of some) addPath(path, scale, y0, y1);
          pen.stroke();
          if (scale < 0.2) continue;
          pen.beginPath();
          for (const path of some) addArrow(path);
          pen.fill();
        }
        pen.setLineDash([]);
      };
      stroke(inWindow.filter((p) => !p.isBack), colors.edge, []);
      stroke(inWindow.filter((p) => p.isBack), colors.edge, [5, 4]);
      stroke(bright, colors.accent, []);
    }

    // Adds a path to the pen's, without what is far above or below the window, and without turns that nobody could see.
    function addPath({ points }, scale, y0, y1) {
      const far = scale < 0.1, least = 2 / scale, last = points.length - 2;
      let xa = points[0], ya = points[1];
      pen.moveTo(xa, ya);
      for (let i = 2; i <= last; i += 2) {
        const xb = points[i], yb = points[i + 1];
        if (far && i < last && Math.abs(xb - xa) + Math.abs(yb - ya) < least) continue;
        if ((ya < y0 && yb < y0) || (ya > y1 && yb > y1)) pen.moveTo(xb, yb);
        else if (far || xa === xb) pen.lineTo(xb, yb);
        else {
          const bow = yb > ya ? (yb - ya) / 2 : 40;
          pen.bezierCurveTo(xa, ya + bow, xb, yb - bow, xb, yb);
        }
        xa = xb;
        ya = yb;
      }
    }

    function addArrow({ points }) {
      const x = points[points.length - 2], y = points[points.length - 1];
      pen.moveTo(x, y);
      pen.lineTo(x - 4, y - 8);
      pen.lineTo(x + 4, y - 8);
    }

    // A value's type below where it leaves a box.
    function drawTypes([x0, y0, x1, y1]) {
      pen.font = SMALL;
      pen.textAlign = "left";
      pen.textBaseline = "middle";
      const done = new Set(), taken = new Map();
      for (const { edge, from, points, isStem } of paths) {
        if (!isStem) continue;
        const key = from.id + ":" + edge.value, [x, y] = points;
        if (edge.value < 0 || done.has(key) || x < x0 - 200 || x > x1 || y < y0 - 20 || y > y1 + 20) continue;
        done.add(key);
        const type = values[edge.value].type;
        if (type === "_") continue;
        // Values that leave a closed box at one place are named below each other, two at most.
        const line = taken.get(from) ?? 0;
        if (line > 1) continue;
        taken.set(from, line + 1);
        const label = clip(type, 34), width = measure(label, SMALL);
        pen.fillStyle = colors.back;
        pen.globalAlpha = 0.75;
        pen.fillRect(x + 3, y + 3 + line * 12, width + 4, 12);
        pen.globalAlpha = 1;
        pen.fillStyle = colors.faint;
        pen.fillText(label, x + 5, y + 9 + line * 12);
      }
    }
    """#
}
