extension HTMLView {
  /// Reads the facts and lays boxes out: in layers within each open box, after Sugiyama, Tagawa and Toda 1981.
  ///
  /// What leaves or enters a box passes a port at its border, so that each box is laid out by itself and only boxes around
  /// one that opens or closes are laid out again. Edges that pass layers bend around boxes through places that all edges
  /// of one source share. Positions within a layer are those nearest to the neighbours' with a distance kept: the
  /// isotonic regression that pools adjacent violators solves.
  static let layoutScript = #"""
    const CALL = 0, INPUT = 1, OUTPUT = 2, ARGUMENT = 3, RESULT = 4, MODULE = 5, REGION = 6;
    const data = JSON.parse(document.getElementById("graph").textContent);
    const text = (i) => (i >= 0 ? data.strings[i] : "");
    const values = data.values.map(([name, type, origin]) => ({ name: text(name), type: text(type), origin, users: [] }));
    const root = { id: -1, kind: MODULE, title: "", name: "", kids: [], parent: null, open: true, depth: 0 };
    const boxes = data.boxes.map((b, id) => ({
      id, kind: b[0], title: text(b[1]), name: text(b[2]), kids: [], parent: null, open: false,
      family: text(b[4] ?? -1), location: text(b[5] ?? -1), summary: text(b[6] ?? -1),
      attributes: b[7] ?? [], operands: b[8] ?? [], results: b[9] ?? [], calls: 0, depth: 0,
      layers: null, x: 0, y: 0, w: 0, h: 0, left: 0, top: 0, visible: false,
    }));
    boxes.forEach((box, i) => {
      box.parent = data.boxes[i][3] < 0 ? root : boxes[data.boxes[i][3]];
      box.parent.kids.push(box);
    });
    const chainOf = (box) => { const c = []; for (let b = box; b !== root; b = b.parent) c.push(b); return c.reverse(); };
    for (const box of boxes) {
      const chain = chainOf(box);
      box.depth = chain.length;
      if (box.kind === CALL) for (const b of chain) if (b !== box) b.calls++;
    }
    const edges = data.edges.map(([from, to, value, role]) => ({
      from: boxes[from], to: boxes[to], value, role: text(role), links: null, meet: null, points: null,
    }));
    for (const edge of edges) if (edge.value >= 0) values[edge.value].users.push(edge.to.id);

    // Every box that holds others knows the links inside it: between boxes, and between boxes and ports at its border.
    const inner = new Map();
    const linksOf = (box) => {
      if (!inner.has(box)) inner.set(box, { ins: new Map(), outs: new Map(), pairs: [], keys: new Set() });
      return inner.get(box);
    };
    const portOf = (map, key) => { if (!map.has(key)) map.set(key, { port: true, w: 6, h: 0 }); return map.get(key); };
    const link = (box, from, to, fromKey, toKey) => {
      const links = linksOf(box), key = fromKey + ">" + toKey;
      if (links.keys.has(key)) return;
      links.keys.add(key);
      links.pairs.push([from, to]);
    };
    for (const edge of edges) {
      const a = chainOf(edge.from), b = chainOf(edge.to);
      let common = 0;
      while (common < a.length - 1 && common < b.length - 1 && a[common] === b[common]) common++;
      edge.meet = common ? a[common - 1] : root;
      edge.a = a; edge.b = b; edge.common = common;
      const key = edge.value;
      if (a[common] !== b[common]) link(edge.meet, a[common], b[common], "b" + a[common].id, "b" + b[common].id);
      for (let i = common; i < a.length - 1; i++)
        link(a[i], a[i + 1], portOf(linksOf(a[i]).outs, key), "b" + a[i + 1].id, "o" + key);
      for (let i = common; i < b.length - 1; i++)
        link(b[i], portOf(linksOf(b[i]).ins, key), b[i + 1], "i" + key, "b" + b[i + 1].id);
    }

    const GAP_X = 22, GAP_Y = 34, PAD = 14, HEAD = 26;
    const measure = (() => {
      const pen = document.createElement("canvas").getContext("2d");
      return (string, font) => { pen.font = font; return pen.measureText(string).width; };
    })();
    const FONT = '12px system-ui, "Helvetica Neue", "DejaVu Sans", sans-serif', SMALL = FONT.replace("12px", "10px");
    const clip = (string, n) => (string.length > n ? string.slice(0, n - 1) + "…" : string);
    const holds = (box) => box.kids.length > 0;
    const caption = (box) => box.kind === REGION ? box.title
      : box.kind === MODULE ? clip(box.title, 40) : clip(box.title, 30) + (box.name ? "  " + clip(box.name, 24) : "");

    function size(box) {
      if (box.open && holds(box)) {
        arrange(box);
        return;
      }
      const second = box.kind === MODULE || (box.kind === CALL && holds(box)) || box.kind === REGION
        ? box.calls + (box.calls === 1 ? " call" : " calls") : box.name;
      box.line1 = clip(box.kind === INPUT || box.kind === OUTPUT || box.kind === ARGUMENT || box.kind === RESULT
        ? box.name : box.title, 32);
      box.line2 = clip(box.kind === INPUT || box.kind === OUTPUT || box.kind === ARGUMENT || box.kind === RESULT
        ? box.title : second, 36);
      box.w = Math.max(64, measure(box.line1, FONT) + 24 + (holds(box) ? 16 : 0), measure(box.line2, SMALL) + 24);
      box.h = 38;
    }

    // Lays out what an open box holds; sizes of boxes inside come first.
    function arrange(box) {
      if (box.layers) return;
      for (const kid of box.kids) size(kid);
      const links = inner.get(box) ?? { ins: new Map(), outs: new Map(), pairs: [] };
      const nodes = [...links.ins.values(), ...box.kids, ...links.outs.values()];
      const outs = new Set(links.outs.values());
      nodes.forEach((n, i) => { n.at = i; n.up = []; n.down = []; n.rank = 0; });
      for (const [a, b] of links.pairs) { a.down.push(b); b.up.push(a); }
      assignRanks(nodes, outs);
      const ranks = addBends(nodes);
      orderRanks(ranks);
      const width = placeInRanks(ranks);
      let y = box === root ? 0 : HEAD;
      for (const rank of ranks) {
        const height = Math.max(0, ...rank.map((n) => n.h));
        for (const n of rank) { n.y = y + (n.bend ? 0 : (height - n.h) / 2); if (n.bend) n.h = height; }
        y += height + (height ? GAP_Y : GAP_Y / 2);
      }
      const title = box === root ? 0 : measure(caption(box), FONT) + 60;
      const spare = Math.max(0, title - width) / 2;
      box.w = Math.max(width, title) + 2 * PAD;
      box.h = y - (ranks.length ? GAP_Y / 2 : 0) + (box === root ? 0 : PAD / 2);
      for (const rank of ranks) for (const n of rank) n.x += PAD + spare;
      box.layers = ranks;
    }

    // Longest paths. Closed modules may depend on each other in a circle: the first in program order goes first then.
    function assignRanks(nodes, outs) {
      const waiting = nodes.map((n) => n.up.length), done = nodes.map(() => false);
      const ready = nodes.filter((n) => !n.up.length);
      let place = 0, head = 0, scan = 0;
      while (place < nodes.length) {
        if (head === ready.length) {
          while (done[scan]) scan++;
          ready.push(nodes[scan]);
        }
        const n = ready[head++];
        if (done[n.at]) continue;
        done[n.at] = true;
        n.turn = place++;
        for (const next of n.down) {
          if (done[next.at]) continue;
          next.rank = Math.max(next.rank, n.rank + 1);
          if (--waiting[next.at] === 0) ready.push(next);
        }
      }
      for (const n of nodes) { n.down = n.down.filter((m) => m.turn > n.turn); n.up = n.up.filter((m) => m.turn < n.turn); }
      // What nothing leads to stands just above its first user, ports at the border stay there.
      for (const n of nodes)
        if (!n.port && !n.up.length && n.down.length) n.rank = Math.max(0, Math.min(...n.down.map((m) => m.rank)) - 1);
      const last = nodes.reduce((most, n) => Math.max(most, n.rank), 0);
      for (const n of outs) n.rank = last;
      if (outs.size && nodes.some((n) => n.rank === last && !outs.has(n))) for (const n of outs) n.rank = last + 1;
    }

    // Gives each source a place in every layer that its edges pass.
    function addBends(nodes) {
      const ranks = [];
      const put = (n) => { while (ranks.length <= n.rank) ranks.push([]); ranks[n.rank].push(n); };
      for (const n of [...nodes].sort((a, b) => a.turn - b.turn)) put(n);
      for (const n of nodes) {
        n.bends = null;
        const far = n.down.reduce((most, m) => Math.max(most, m.rank), 0);
        if (far <= n.rank + 1) continue;
        const bends = [];
        for (let r = n.rank + 1; r < far; r++) {
          const bend = { bend: true, rank: r, w: 8, h: 0, up: [], down: [] };
          bends.push(bend);
          put(bend);
        }
        n.bends = bends;
      }
      for (const rank of ranks) for (const n of rank) { n.before = []; n.after = []; }
      const join = (a, b) => { a.after.push(b); b.before.push(a); };
      for (const n of nodes) {
        n.bends?.forEach((bend, i) => join(i ? n.bends[i - 1] : n, bend));
        for (const m of n.down) join(m.rank === n.rank + 1 ? n : n.bends[m.rank - n.rank - 2], m);
      }
      return ranks;
    }

    function orderRanks(ranks) {
      for (const rank of ranks) rank.forEach((n, i) => (n.order = i));
      const sweep = (rank, side) => {
        for (const n of rank) {
          const near = n[side];
          n.key = near.length ? near.reduce((sum, m) => sum + m.order, 0) / near.length : n.order;
        }
        rank.sort((a, b) => a.key - b.key || a.order - b.order);
        rank.forEach((n, i) => (n.order = i));
      };
      for (let round = 0; round < 5; round++) {
        for (let r = 1; r < ranks.length; r++) sweep(ranks[r], "before");
        if (round < 4) for (let r = ranks.length - 2; r >= 0; r--) sweep(ranks[r], "after");
      }
    }

    function placeInRanks(ranks) {
      for (const rank of ranks) {
        let x = 0;
        for (const n of rank) { n.offset = x + n.w / 2; x += n.w + (n.bend ? 10 : GAP_X); n.x = n.offset; }
      }
      const settle = (rank, side) => {
        const blocks = [];
        for (const n of rank) {
          const near = n[side];
          // Chains of calls and long edges are each kept straight: the one does not pull at the other.
          const same = near.filter((m) => !m.bend === !n.bend), from = same.length ? same : near;
          const wish = from.length ? from.reduce((sum, m) => sum + m.x, 0) / from.length : n.x;
          const weight = from.length ? (n.bend && same.length ? 4 : 1) : 0.1;
          let block = { sum: (wish - n.offset) * weight, weight, nodes: [n] };
          while (blocks.length && blocks[blocks.length - 1].sum / blocks[blocks.length - 1].weight > block.sum / block.weight) {
            const last = blocks.pop();
            for (const m of block.nodes) last.nodes.push(m);
            block = { sum: last.sum + block.sum, weight: last.weight + block.weight, nodes: last.nodes };
          }
          blocks.push(block);
        }
        for (const block of blocks) for (const n of block.nodes) n.x = block.sum / block.weight + n.offset;
      };
      for (let round = 0; round < 6; round++) {
        for (let r = 1; r < ranks.length; r++) settle(ranks[r], "before");
        for (let r = ranks.length - 2; r >= 0; r--) settle(ranks[r], "after");
      }
      let least = Infinity, most = -Infinity;
      for (const rank of ranks) for (const n of rank) {
        least = Math.min(least, n.x - n.w / 2);
        most = Math.max(most, n.x + n.w / 2);
      }
      for (const rank of ranks) for (const n of rank) n.x -= least + n.w / 2;
      return ranks.length ? most - least : 0;
    }

    // Positions on the page of all that is visible, and the paths of edges between.
    let shown = [], paths = [];
    function layOut() {
      arrange(root);
      for (const box of boxes) box.visible = false;
      shown = [];
      const pending = [root];
      while (pending.length) {
        const box = pending.pop();
        for (const kid of box.kids) {
          kid.left = box.left + kid.x;
          kid.top = box.top + kid.y;
          kid.visible = true;
          shown.push(kid);
          if (kid.open && holds(kid)) pending.push(kid);
        }
      }
      shown.sort((a, b) => a.depth - b.depth);
      routeEdges();
    }
    root.left = root.top = 0;

    // Edges of one value leave a box as one line: each path holds only what those before it do not, so that a value which
    // thousands use is not drawn thousands of times.
    function routeEdges() {
      paths = [];
      const known = new Set(), stems = new Map();
      for (const edge of edges) {
        const from = edge.a.find((b) => !b.open || !holds(b) || b === edge.from);
        const to = edge.b.find((b) => !b.open || !holds(b) || b === edge.to);
        if (from === to) continue;
        const key = from.id + ">" + to.id + ">" + edge.value;
        if (known.has(key)) continue;
        known.add(key);
        const { points, isBack } = trace(edge, from, to), stem = stems.get(from.id + ":" + edge.value);
        let shared = 0;
        const most = stem ? Math.min(points.length, stem.length) - 2 : 0;
        while (shared < most && points[shared] === stem[shared] && points[shared + 1] === stem[shared + 1]) shared += 2;
        if (!stem || points.length > stem.length) stems.set(from.id + ":" + edge.value, points);
        const own = shared > 2 ? points.slice(shared - 2) : points;
        paths.push({ edge, from, to, isBack, points: own, isStem: shared <= 2, bounds: boundsOf(own) });
      }
    }

    function boundsOf(points) {
      let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < points.length; i += 2) {
        x0 = Math.min(x0, points[i]); x1 = Math.max(x1, points[i]);
        y0 = Math.min(y0, points[i + 1]); y1 = Math.max(y1, points[i + 1]);
      }
      return [x0 - 40, y0 - 40, x1 + 40, y1 + 40];
    }

    const slot = (box, value) => {
      const at = box.results.indexOf(value);
      return box.results.length > 1 && at >= 0 ? (box.w * (at + 1)) / (box.results.length + 1) : box.w / 2;
    };

    function trace(edge, from, to) {
      const points = [from.left + slot(from, edge.value), from.top + from.h];
      // Through the layers between two nodes of one box.
      const pass = (box, a, b) => {
        if (b.rank <= a.rank || !a.bends) return;
        for (const bend of a.bends) {
          if (bend.rank >= b.rank) break;
          const x = box.left + bend.x + bend.w / 2, y = box.top + bend.y;
          points.push(x, y, x, y + bend.h);
        }
      };
      let here = from;
      for (let i = edge.a.indexOf(from) - 1; i >= edge.common; i--) {
        const box = edge.a[i], port = linksOf(box).outs.get(edge.value);
        pass(box, here, port);
        points.push(box.left + port.x + 3, box.top + box.h);
        here = box;
      }
      const goal = edge.b[edge.common], isBack = here.turn > goal.turn;
      if (!isBack) pass(edge.meet, here, goal);
      let entry = goal;
      for (let i = edge.common; edge.b[i] !== to; i++) {
        const box = edge.b[i], port = linksOf(box).ins.get(edge.value);
        points.push(box.left + port.x + 3, box.top);
        pass(box, port, edge.b[i + 1]);
        entry = edge.b[i + 1];
      }
      points.push(entry.left + entry.w / 2, entry.top);
      return { points, isBack };
    }

    // A box that opens or closes changes its own size and that of all around it.
    function setOpen(box, open) {
      if (!holds(box) || box.open === open) return;
      box.open = open;
      for (let b = box; b; b = b.parent) b.layers = null;
    }
    """#
}
