"use strict";
// Reads charts at a step, redraws them on a logarithmic scale. The page is whole without it.
(() => {
  const { plot, charts } = JSON.parse(document.getElementById("data").textContent);
  const [left, right, top, bottom] = plot;
  const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
  const tiny = new Intl.NumberFormat("en", { maximumSignificantDigits: 4, notation: "scientific" });
  const write = (value) =>
    (value !== 0 && Math.abs(value) < 1e-4 ? tiny : plain).format(value).toLowerCase();
  const tenths = (value) => Math.round(value * 10) / 10;

  const views = [...document.querySelectorAll("figure.chart")].map((figure) => {
    const chart = charts[figure.dataset.chart];
    const [first, last] = chart.x;
    const legend = [...figure.querySelectorAll(".key b")];
    const view = {
      figure,
      chart,
      svg: figure.querySelector("svg"),
      cursor: figure.querySelector(".cursor"),
      at: figure.querySelector(".at"),
      legend,
      lasts: legend.map((node) => node.textContent),
      x: (step) => tenths(left + ((step - first) / (last - first)) * (right - left)),
      step: (x) => first + ((x - left) / (right - left)) * (last - first),
    };
    const toggle = figure.querySelector(".log-scale");
    toggle?.addEventListener("change", () => redraw(view, toggle.checked));
    return view;
  });

  // Points are [step, mean] or [step, mean, low, high]; null is a gap in the line.
  function redraw(view, log) {
    const [low, high] = log ? view.chart.log : view.chart.y;
    const y = (value) =>
      tenths(bottom - (((log ? Math.log10(value) : value) - low) / (high - low)) * (bottom - top));
    const path = (corners) => `M${corners.map(([x, value]) => `${x} ${y(value)}`).join("L")}`;
    view.figure.classList.toggle("is-log", log);
    view.svg.querySelectorAll("g.line").forEach((group, index) => {
      const runs = [[]];
      for (const point of view.chart.lines[index]) {
        if (point) runs.at(-1).push(point);
        else runs.push([]);
      }
      const whole = runs.filter((run) => run.length);
      group.querySelector(".mean").setAttribute(
        "d", whole.map((run) => path(run.map(([s, mean]) => [view.x(s), mean]))).join(""));
      group.querySelector(".band")?.setAttribute("d", whole.map((run) => path([
        ...run.map(([s, mean, , up = mean]) => [view.x(s), up]),
        ...run.toReversed().map(([s, mean, down = mean]) => [view.x(s), down]),
      ]) + "Z").join(""));
      for (const dot of group.querySelectorAll("circle")) {
        dot.setAttribute("cy", y(Number(dot.dataset.value)));
      }
    });
  }

  // The point nearest to a step; points are sorted, and few enough to be looked through.
  const nearest = (points, step) =>
    points.reduce((best, point) =>
      point && (!best || Math.abs(point[0] - step) < Math.abs(best[0] - step)) ? point : best, null);

  function read(group, step) {
    for (const view of group) {
      view.cursor.setAttribute("x1", view.x(step));
      view.cursor.setAttribute("x2", view.x(step));
      view.cursor.setAttribute("visibility", "visible");
      view.at.textContent = `step ${plain.format(Math.round(step))}`;
      view.chart.lines.forEach((points, index) => {
        const point = nearest(points, step);
        if (!point) return;
        const [, mean, low, high] = point;
        view.legend[index].textContent = write(mean);
        view.legend[index].title = high === undefined ? "" : `${write(low)} to ${write(high)}`;
      });
    }
  }

  function rest(group) {
    for (const view of group) {
      view.cursor.setAttribute("visibility", "hidden");
      view.at.textContent = "";
      view.legend.forEach((node, index) => { node.textContent = view.lasts[index]; });
    }
  }

  for (const view of views) {
    const group = views.filter((other) =>
      other.figure.parentElement === view.figure.parentElement);
    const longest = view.chart.lines.reduce((a, b) => (b.length > a.length ? b : a)).filter(Boolean);
    const snap = (step) => nearest(longest, step)[0];
    let step = view.chart.x[1];
    view.svg.addEventListener("pointermove", (event) => {
      const box = view.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * view.svg.viewBox.baseVal.width;
      step = snap(view.step(Math.min(Math.max(x, left), right)));
      read(group, step);
    });
    view.svg.addEventListener("pointerleave", () => rest(group));
    view.svg.addEventListener("blur", () => rest(group));
    view.svg.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (move === undefined) return;
      event.preventDefault();
      const index = longest.findIndex((point) => point[0] >= snap(step)) + move;
      step = longest[Math.min(Math.max(index, 0), longest.length - 1)][0];
      read(group, step);
    });
  }

  // One sound at a time.
  document.addEventListener("play", (event) => {
    for (const media of document.querySelectorAll("audio, video")) {
      if (media !== event.target) media.pause();
    }
  }, true);
})();
