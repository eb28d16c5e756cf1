"use strict";
// Follows a trial through all charts and the table, keeps trials by a range of an axis, sorts the
// table. The page is whole without it.
(() => {
  const { labels, order } = JSON.parse(document.getElementById("data").textContent);
  const readout = document.getElementById("readout");
  const table = document.querySelector("table.trials");
  const REACH = 14; // how near the pointer must come to a mark, in the units of the view box
  const byTrial = new Map();
  for (const node of document.querySelectorAll("[data-trial]")) {
    const trial = Number(node.dataset.trial);
    if (!byTrial.has(trial)) byTrial.set(trial, []);
    byTrial.get(trial).push(node);
  }
  const out = new Set();
  let picked = null;

  function pick(trial) {
    if (trial === picked) return;
    for (const node of byTrial.get(picked) ?? []) node.classList.remove("picked");
    picked = trial;
    for (const node of byTrial.get(trial) ?? []) {
      node.classList.add("picked");
      // What is drawn last lies on top; a row of the table stays where it is.
      if (node.classList.contains("mark")) node.parentElement.append(node);
    }
    for (const view of views) view.svg.classList.toggle("following", trial !== null);
    readout.hidden = trial === null;
    readout.textContent = trial === null ? "" : labels[trial];
  }

  // Corners of a mark: of a line's path, or of a circle its middle.
  const corners = (node) => node.tagName === "circle"
    ? [[Number(node.getAttribute("cx")), Number(node.getAttribute("cy"))]]
    : [...node.getAttribute("d").matchAll(/(-?[\d.]+) (-?[\d.]+)/g)]
      .map(([, x, y]) => [Number(x), Number(y)]);

  const views = [...document.querySelectorAll("figure.chart")].map((figure) => ({
    figure,
    svg: figure.querySelector("svg"),
    marks: [...figure.querySelectorAll(".mark:not(.stop)")].map((node) => ({
      trial: Number(node.dataset.trial), corners: corners(node),
    })),
  }));

  // How far a point is from a line, straight up or down; from a single corner, as the crow flies.
  function distance(points, x, y) {
    if (points.length === 1) return Math.hypot(points[0][0] - x, points[0][1] - y);
    for (let index = 1; index < points.length; index += 1) {
      const [x0, y0] = points[index - 1];
      const [x1, y1] = points[index];
      if (x0 - 1 <= x && x <= x1 + 1) {
        const share = x1 > x0 ? Math.min(Math.max((x - x0) / (x1 - x0), 0), 1) : 0;
        return Math.abs(y0 + share * (y1 - y0) - y);
      }
    }
    return Infinity;
  }

  function place(svg, event) {
    const box = svg.getBoundingClientRect();
    const scale = svg.viewBox.baseVal.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  }

  for (const { svg, marks } of views) {
    svg.addEventListener("pointermove", (event) => {
      if (event.buttons && event.pointerType === "mouse") return;
      const [x, y] = place(svg, event);
      let best = null;
      let least = REACH;
      for (const mark of marks) {
        if (out.has(mark.trial)) continue;
        const far = distance(mark.corners, x, y);
        if (far < least) [best, least] = [mark.trial, far];
      }
      pick(best);
    });
    svg.addEventListener("pointerleave", () => pick(null));
    svg.addEventListener("blur", () => pick(null));
    svg.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (event.key === "Escape") pick(null);
      if (move === undefined) return;
      event.preventDefault();
      const shown = order.filter((trial) => !out.has(trial));
      const at = picked === null ? (move > 0 ? -1 : shown.length) : shown.indexOf(picked);
      if (shown.length) pick(shown[Math.min(Math.max(at + move, 0), shown.length - 1)]);
    });
  }

  table?.addEventListener("pointerover", (event) => {
    const row = event.target.closest("tr[data-trial]");
    pick(row ? Number(row.dataset.trial) : null);
  });
  table?.addEventListener("pointerleave", () => pick(null));

  for (const view of views.filter(({ figure }) => figure.dataset.kind === "parallel")) {
    const note = view.figure.querySelector(".kept");
    const columns = [...view.svg.querySelectorAll(".column")].map((group) => ({
      x: Number(group.dataset.x),
      grip: group.querySelector(".grip"),
      brush: group.querySelector(".brush"),
      range: null,
    }));

    function keep() {
      out.clear();
      for (const { trial, corners: points } of view.marks) {
        const passes = columns.every(({ x, range }) => !range || points.some(
          ([px, py]) => Math.abs(px - x) < 0.5 && range[0] <= py && py <= range[1]));
        if (!passes) out.add(trial);
      }
      const brushed = columns.some(({ range }) => range);
      const drawn = new Set(view.marks.map(({ trial }) => trial));
      if (brushed) for (const trial of byTrial.keys()) if (!drawn.has(trial)) out.add(trial);
      for (const [trial, nodes] of byTrial) {
        for (const node of nodes) node.classList.toggle("out", out.has(trial));
      }
      note.hidden = !brushed;
      note.firstElementChild.textContent =
        `${byTrial.size - out.size} of ${byTrial.size} trials are kept.`;
    }

    function set(column, range) {
      column.range = range;
      column.brush.setAttribute("y", range ? range[0] : 0);
      column.brush.setAttribute("height", range ? range[1] - range[0] : 0);
      keep();
    }

    for (const column of columns) {
      let start = null;
      column.grip.addEventListener("pointerdown", (event) => {
        start = place(view.svg, event)[1];
        column.grip.setPointerCapture(event.pointerId);
        pick(null);
      });
      column.grip.addEventListener("pointermove", (event) => {
        if (start === null) return;
        const end = place(view.svg, event)[1];
        if (Math.abs(end - start) > 3) set(column, [Math.min(start, end), Math.max(start, end)]);
      });
      column.grip.addEventListener("pointerup", (event) => {
        if (start !== null && Math.abs(place(view.svg, event)[1] - start) <= 3) set(column, null);
        start = null;
      });
      column.grip.addEventListener("pointercancel", () => { start = null; });
    }
    note.querySelector(".clear").addEventListener("click", () => {
      for (const column of columns) set(column, null);
    });
  }

  // Sorting: numbers by size, text by the alphabet, empty cells at the end either way.
  function compare(a, b) {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en") : x - y;
  }

  const heads = [...(table?.querySelectorAll("thead th") ?? [])];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const first = "descending" in head.dataset ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const direction = head.getAttribute("aria-sort") === first ? other : first;
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction);
      const sign = direction === "ascending" ? 1 : -1;
      const key = (row) => row.cells[column].dataset.key;
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) =>
        (key(a) === "") - (key(b) === "") || sign * compare(key(a), key(b))));
    });
  });
})();
