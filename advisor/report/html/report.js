(function () {
  "use strict";
  const page = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  root.classList.add("js");
  const mains = [...document.querySelectorAll("main[data-language]")];
  let language = mains.find((main) => !main.hidden).dataset.language;
  let plots = [];

  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const element = (tag, attributes, ...content) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    made.append(...content);
    return made;
  };
  const shown = (value) => (value == null ? "–" : String(value));
  const LINES = {
    raw: ["train", 1, 0.45], smooth: ["train", 2, 1], points: ["eval", 1.5, 1], step: ["rate", 2, 1], dashed: ["other", 1.5, 1],
  };
  const AXIS = 82;
  const HEIGHT = { loss: 320, reward: 320, gradient: 200 };

  // The nearest point of a curve: curves are logged at different steps.
  const nearest = (u, series, index) => {
    const values = u.data[series];
    if (index == null || values[index] != null) return index;
    let a = index, b = index;
    while (a >= 0 && values[a] == null) a--;
    while (b < values.length && values[b] == null) b++;
    if (a < 0) return b < values.length ? b : index;
    if (b >= values.length) return a;
    return u.data[0][index] - u.data[0][a] <= u.data[0][b] - u.data[0][index] ? a : b;
  };

  function tables(chart, log) {
    const positive = (y, axis) => (log && axis === "left" ? y.map((v) => (v > 0 ? v : null)) : y);
    const found = chart.lines.map((line) => [line.x, positive(line.y, line.axis)]);
    for (const band of chart.bands) found.push([band.x, positive(band.high, "left")], [band.x, positive(band.low, "left")]);
    return uPlot.join(found);
  }

  function background(chart, focus) {
    return (u) => {
      const c = u.ctx, { left, top, width, height } = u.bbox;
      c.save();
      c.beginPath(); c.rect(left, top, width, height); c.clip();
      for (const span of chart.spans) {
        const a = u.valToPos(span.begin, "x", true), b = u.valToPos(span.end, "x", true);
        c.fillStyle = colour("span-" + span.severity);
        if (!span.whole) c.fillRect(a, top, Math.max(b - a, 2), height);
        c.fillStyle = colour(span.severity === "error" ? "failure" : span.severity);
        if (focus.rule === span.rule) { c.strokeStyle = c.fillStyle; c.lineWidth = 2 * devicePixelRatio; c.strokeRect(a, top + 1, Math.max(b - a, 2), height - 2); }
      }
      c.strokeStyle = colour("rule"); c.lineWidth = devicePixelRatio; c.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
      for (const boundary of chart.epochs) {
        const x = Math.round(u.valToPos(boundary, "x", true)) + 0.5;
        c.beginPath(); c.moveTo(x, top); c.lineTo(x, top + height); c.stroke();
      }
      c.restore();
    };
  }

  // Words on a drawing, with a rim of paper around them.
  function written(c, at, name) {
    c.lineWidth = 4 * devicePixelRatio; c.lineJoin = "round"; c.strokeStyle = colour("paper"); c.fillStyle = colour(name);
    c.strokeText(...at);
    c.fillText(...at);
  }

  function foreground(chart, words) {
    return (u) => {
      const c = u.ctx, { left, top, width, height } = u.bbox, ratio = devicePixelRatio;
      c.save();
      c.beginPath(); c.rect(left - 7 * ratio, top - 7 * ratio, width + 14 * ratio, height + 14 * ratio); c.clip();
      c.font = 11 * ratio + "px system-ui, sans-serif"; c.textBaseline = "top"; c.textAlign = "left";
      chart.spans.forEach((span, i) => {
        const at = [span.rule, Math.max(u.valToPos(span.begin, "x", true), left) + 5 * ratio, top + (4 + 14 * i) * ratio];
        if (at[1] < left + width) written(c, at, span.severity === "error" ? "failure" : span.severity);
      });
      chart.marks.forEach((mark, i) => {
        const scale = mark.axis === "right" ? "right" : "y";
        const drawn = mark.y != null && !(u.scales[scale].distr === 3 && mark.y <= 0);
        const x = u.valToPos(mark.x, "x", true);
        const y = drawn ? Math.min(Math.max(u.valToPos(mark.y, scale, true), top), top + height) : top + height;
        if (x < left - 1 || x > left + width + 1) return;
        c.beginPath(); c.arc(x, y, (mark.kind === "best" ? 5 : 4) * ratio, 0, 2 * Math.PI);
        c.lineWidth = 1.5 * ratio;
        if (mark.kind === "best") { c.fillStyle = colour("best"); c.fill(); c.strokeStyle = colour("paper"); c.stroke(); }
        else if (mark.kind === "non-finite" || mark.kind === "event") { c.fillStyle = colour("failure"); c.fill(); }
        else { c.strokeStyle = colour("ink"); c.stroke(); }
        const first = chart.marks.findIndex((other) => other.kind === mark.kind) === i;
        if (mark.kind === "best" || (mark.kind !== "evidence" && first)) {
          c.font = "600 " + 12 * ratio + "px system-ui, sans-serif"; c.textBaseline = "bottom"; c.textAlign = "left";
          const wide = c.measureText(words.marks[i]).width, late = x > left + width / 2;
          const begin = Math.min(Math.max(x + (late ? -8 * ratio - wide : 8 * ratio), left), left + width - wide);
          written(c, [words.marks[i], begin, Math.max(y - 12 * ratio, top + 30 * ratio)], mark.kind === "best" ? "best" : "failure");
        }
      });
      c.restore();
    };
  }

  function yRange(chart, state) {
    return (u, low, high) => {
      if (!state.zoomed) return [chart.low, chart.high];
      if (low == null || high == null) return [chart.low, chart.high];
      if (state.log) return [low / 1.1, high * 1.1];
      const room = (high - low || Math.abs(high) || 1) * 0.06;
      return [low - room, high + room];
    };
  }

  function plot(place, chart, words, labels) {
    const state = { log: chart.log, zoomed: false, focus: { rule: "" }, hidden: new Set(), u: null, chart, place };
    const box = element("div", { class: "canvas" });
    const readout = element("p", { class: "readout", role: "status", "aria-live": "polite" });
    const controls = element("div", { class: "controls", role: "group", "aria-label": words.title });
    place.append(controls, box, readout);
    if (chart.name !== "gradient") place.prepend(element("p", { class: "keys", "aria-hidden": "true" }, labels.keys));
    place.classList.add("live");
    place.tabIndex = 0;
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", words.title + ". " + labels.keys);

    const lefts = chart.lines.filter((line) => line.axis === "left").flatMap((line) => line.y);

    function build() {
      const range = state.u && state.zoomed ? [state.u.scales.x.min, state.u.scales.x.max] : [chart.from, chart.to];
      if (state.u) state.u.destroy();
      const right = chart.lines.some((line) => line.axis === "right");
      const data = tables(chart, state.log);
      const series = [{ label: words.x, value: (u, v) => shown(v) }];
      chart.lines.forEach((line, i) => {
        let [name, width, alpha] = LINES[line.role];
        if (line.role === "raw" && !chart.lines.some((other) => other.role === "smooth")) alpha = 0.9;
        const stroke = colour(name);
        series.push({
          label: words.lines[i], scale: line.axis === "right" ? "right" : "y", stroke, width, alpha, spanGaps: true,
          dash: line.role === "dashed" ? [6, 4] : undefined, show: !state.hidden.has(line.role),
          points: { show: line.x.length === 1 || (line.role === "points" && line.x.length <= 120), size: 5, fill: stroke },
          value: (u, v, si, index) => (index == null || v == null ? "–" : shown(v) + " (" + words.x + " " + shown(u.data[0][index]) + ")"),
        });
      });
      const bands = [];
      chart.bands.forEach((band, i) => {
        const at = series.length, fill = colour(band.name === "noise" ? "eval" : "other");
        bands.push({ series: [at, at + 1], fill: fill + "24" });
        series.push({ label: words.bands[i] + " ↑", stroke: "transparent", width: 0, spanGaps: true, points: { show: false } });
        series.push({ label: words.bands[i] + " ↓", stroke: "transparent", width: 0, spanGaps: true, points: { show: false } });
      });
      const axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("rule"), width: 1 }, font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", labelSize: 18 };
      const numbers = (u, values) => values.map((v) => (v == null ? "" : Math.abs(v) >= 1e7 || (v !== 0 && Math.abs(v) < 1e-3) ? v.toExponential(1) : String(Number(v.toPrecision(7)))));
      const options = {
        width: Math.max(box.clientWidth, 200), height: HEIGHT[chart.name], series, bands,
        // Charts below one another share their horizontal axis.
        padding: [10, right || !page.charts.some((other) => other.lines.some((line) => line.axis === "right")) ? null : AXIS, null, null],
        scales: {
          x: { time: false, range: (u, low, high) => [low, high] },
          y: { distr: state.log ? 3 : 1, range: yRange(chart, state) },
          right: { range: (u, low, high) => [Math.min(low, 0), high > 0 ? high * 1.05 : 1] },
        },
        axes: [
          { ...axis, label: words.x, values: numbers },
          // Where nothing belongs to the left axis it keeps its room, so that charts stay aligned, and says nothing.
          { ...axis, label: lefts.length ? words.left : "", size: AXIS - 18, values: lefts.length ? numbers : (u, values) => values.map(() => "") },
          ...(right ? [{ ...axis, side: 1, scale: "right", label: words.right, size: AXIS - 18, grid: { show: false }, stroke: colour("rate"), values: numbers }] : []),
        ],
        cursor: { sync: { key: "run", scales: ["x", null] }, drag: { x: true, y: false, dist: 5 }, dataIdx: nearest, points: { size: 7 } },
        legend: { live: true, markers: { width: 2, fill: (u, i) => (i && chart.lines[i - 1] && chart.lines[i - 1].role !== "raw" ? series[i].stroke : null) } },
        hooks: {
          drawClear: [background(chart, state.focus)],
          draw: [foreground(chart, words)],
          setScale: [(u, key) => { if (key === "x") moved(u); }],
          setCursor: [(u) => { if (document.activeElement === place) readout.textContent = spoken(u); }],
        },
      };
      state.u = new uPlot(options, data, box);
      // Bands have no line of their own: they are not listed.
      const rows = state.u.root.querySelectorAll(".u-legend .u-series");
      chart.bands.forEach((_, i) => { for (const n of [0, 1]) rows[1 + chart.lines.length + 2 * i + n].hidden = true; });
      if (state.zoomed) state.u.setScale("x", { min: range[0], max: range[1] });
      else { state.quiet = true; state.u.setScale("x", { min: chart.from, max: chart.to }); state.quiet = false; }
    }

    function spoken(u) {
      const index = u.cursor.idx;
      if (index == null) return "";
      return words.x + " " + shown(u.data[0][index]) + ": " + chart.lines.map((line, i) => {
        const at = nearest(u, i + 1, index);
        return u.series[i + 1].show ? words.lines[i] + " " + shown(u.data[i + 1][at]) : null;
      }).filter(Boolean).join(", ");
    }

    function moved(u) {
      const { min, max } = u.scales.x;
      if (min == null) return;
      const whole = min <= chart.from && max >= chart.to;
      state.zoomed = !whole;
      place.dataset.from = min; place.dataset.to = max;
      if (state.quiet) return;
      for (const other of plots) {
        if (other === state || !other.u) continue;
        const now = other.u.scales.x;
        if (now.min !== min || now.max !== max) { other.zoomed = !whole; other.quiet = true; other.u.setScale("x", { min, max }); other.quiet = false; }
      }
    }

    state.zoom = (min, max) => {
      const smallest = (chart.to - chart.from) / 1e4;
      min = Math.max(min, chart.from); max = Math.min(max, chart.to);
      if (max - min < smallest) { const middle = (min + max) / 2; min = middle - smallest; max = middle + smallest; }
      state.zoomed = !(min <= chart.from && max >= chart.to);
      state.u.setScale("x", { min, max });
    };
    const scaled = (factor) => {
      const { min, max } = state.u.scales.x, middle = (min + max) / 2, half = ((max - min) / 2) * factor;
      state.zoom(middle - half, middle + half);
    };
    state.reset = () => { state.focus.rule = ""; state.zoom(chart.from, chart.to); };

    const button = (text, action, pressed) => {
      const made = element("button", { type: "button", ...(pressed == null ? {} : { "aria-pressed": String(pressed) }) }, text);
      made.addEventListener("click", () => action(made));
      controls.append(made);
      return made;
    };
    const toggle = (role, text) => button(text, (made) => {
      const on = made.getAttribute("aria-pressed") !== "true";
      made.setAttribute("aria-pressed", String(on));
      on ? state.hidden.delete(role) : state.hidden.add(role);
      chart.lines.forEach((line, i) => { if (line.role === role) state.u.setSeries(i + 1, { show: on }); });
    }, true);
    if (chart.lines.some((line) => line.role === "smooth")) { toggle("raw", labels.raw); toggle("smooth", labels.smooth); }
    const logarithmic = button(labels.logarithmic, (made) => {
      state.log = !state.log;
      made.setAttribute("aria-pressed", String(state.log));
      chart.low = state.log ? state.logLow : state.low; chart.high = state.log ? state.logHigh : state.high;
      build();
    }, state.log);
    const positives = lefts.filter((v) => v > 0);
    const extent = (values) => values.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    const [lowest, highest] = extent(lefts), [lowestPositive, highestPositive] = extent(positives);
    state.low = chart.log ? Math.min(0, lowest) : chart.low; state.high = chart.log ? highest * 1.05 : chart.high;
    state.logLow = chart.log ? chart.low : lowestPositive / 1.15; state.logHigh = chart.log ? chart.high : highestPositive * 1.15;
    logarithmic.disabled = !positives.length || lowestPositive === highestPositive;
    button("+", () => scaled(0.5)).setAttribute("aria-label", labels.zoom_in);
    button("−", () => scaled(2)).setAttribute("aria-label", labels.zoom_out);
    button(labels.reset, () => state.reset());

    place.addEventListener("keydown", (event) => {
      if (event.target !== place) return;
      const u = state.u, xs = u.data[0];
      const act = { "+": () => scaled(0.5), "=": () => scaled(0.5), "-": () => scaled(2), 0: () => state.reset() }[event.key];
      if (act) { act(); event.preventDefault(); return; }
      const step = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step) return;
      event.preventDefault();
      const current = u.cursor.idx == null ? (step > 0 ? -1 : xs.length) : u.cursor.idx;
      const index = Math.min(Math.max(current + step, 0), xs.length - 1);
      u.setCursor({ left: u.valToPos(xs[index], "x"), top: 10 });
      readout.textContent = spoken(u);
    });
    new ResizeObserver(() => { if (state.u && box.clientWidth && box.clientWidth !== state.u.width) state.u.setSize({ width: box.clientWidth, height: HEIGHT[chart.name] }); }).observe(box);
    state.build = build;
    build();
    return state;
  }

  function draw() {
    for (const old of plots) { old.u.destroy(); old.place.querySelectorAll(".keys,.controls,.canvas,.readout").forEach((n) => n.remove()); old.place.classList.remove("live"); }
    plots = [];
    const main = mains.find((m) => m.dataset.language === language), words = page.text[language];
    page.charts.forEach((chart, i) => {
      const place = main.querySelector('.plot[data-chart="' + chart.name + '"]');
      if (place && chart.lines.length) plots.push(plot(place, { ...chart }, words.charts[i], words.labels));
    });
    main.querySelectorAll("details[data-table]").forEach((details) => {
      const i = page.charts.findIndex((chart) => chart.name === details.dataset.table);
      details.addEventListener("toggle", () => fill(details.querySelector(".values"), page.charts[i], words.charts[i]), { once: true });
    });
  }

  function fill(place, chart, words) {
    const data = uPlot.join(chart.lines.map((line) => [line.x, line.y]));
    const head = element("tr", {}, ...[words.x, ...words.lines].map((name) => element("th", { scope: "col" }, name)));
    const body = element("tbody");
    data[0].forEach((x, n) => {
      const row = element("tr", {}, element("th", { scope: "row" }, shown(x)));
      chart.lines.forEach((_, i) => row.append(element("td", {}, data[i + 1][n] == null ? "" : shown(data[i + 1][n]))));
      body.append(row);
    });
    place.replaceChildren(element("table", {}, element("caption", {}, words.title), element("thead", {}, head), body));
  }

  document.querySelectorAll("button[data-language]").forEach((button) => button.addEventListener("click", () => {
    language = button.dataset.language;
    document.querySelectorAll("button[data-language]").forEach((b) => b.setAttribute("aria-pressed", String(b === button)));
    for (const main of mains) main.hidden = main.dataset.language !== language;
    root.lang = page.languages[language];
    document.title = page.text[language].title;
    draw();
  }));

  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    for (const one of plots) one.build();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const one of plots) one.build(); });

  document.addEventListener("click", (event) => {
    const spot = event.target.closest(".spot"), copy = event.target.closest(".copy");
    if (spot && plots.length) {
      const begin = Number(spot.dataset.begin), end = Number(spot.dataset.end), chart = plots[0].chart;
      const room = Math.max((end - begin) * 0.15, (chart.to - chart.from) * 0.03);
      for (const one of plots) one.focus.rule = spot.dataset.rule;
      plots[0].zoom(begin - room, end + room);
      plots[0].place.closest("figure").scrollIntoView({ block: "start" });
      plots[0].place.focus({ preventScroll: true });
    }
    if (copy) {
      const code = copy.parentElement.querySelector("code"), selection = getSelection(), words = page.text[language].labels, before = copy.textContent;
      selection.selectAllChildren(code);
      const done = () => { copy.textContent = words.copied; setTimeout(() => { copy.textContent = before; }, 1500); };
      if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(done, () => { if (document.execCommand("copy")) done(); });
      else if (document.execCommand("copy")) done();
    }
  });

  const closed = [];
  addEventListener("beforeprint", () => document.querySelectorAll("main:not([hidden]) details:not([open]):not(.data)").forEach((d) => { d.open = true; closed.push(d); }));
  addEventListener("afterprint", () => { while (closed.length) closed.pop().open = false; });
  draw();
})();
