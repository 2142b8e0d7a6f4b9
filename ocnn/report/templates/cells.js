// The details of a cell, opened by the address #cell=…; the search over cells; and the contents.
"use strict";
const details = JSON.parse(document.getElementById("details").textContent);
// The fits of every cell, packed by zlib; unpacked when the first one is opened.
let unpacked;
const fitsOf = async (key) => {
  unpacked ??= (async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("fits").textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  })();
  return (await unpacked)[key];
};
const dialog = document.getElementById("cell");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const listOf = (parts) => parts.filter(Boolean).join("; ");

function chart(label, data, series, axes, hooks = {}) {
  const place = make("div", { className: "chart", role: "img", "aria-label": label });
  // Drawn once it has a width.
  requestAnimationFrame(() => {
    if (!place.clientWidth) return;
    const axis = { stroke: colour("quiet"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") } };
    new uPlot({
      width: place.clientWidth, height: 190, legend: { show: false }, cursor: { show: false }, scales: { x: { time: false } },
      series: [{}, ...series], axes: axes.map((own) => ({ ...axis, ...own })), hooks,
    }, data, place);
  });
  return place;
}
function trainingCurve(cell, fit) {
  const label = `${cell.objective} over ${fit.steps} epochs or outer iterations`;
  return make("div", {}, make("h3", {}, `Training: ${cell.objective}`),
    chart(label, fit.curve, [{ stroke: colour("normal"), width: 2, points: { show: fit.curve[0].length < 3 } }], [{}, { size: 64 }]),
    make("p", { className: "key" }, `${fit.steps} epochs or outer iterations. A gap: a number that is not finite.`));
}
function histogram(fit, labelled) {
  const [[low, high], normal, anomalous] = fit.scores;
  const width = (high - low) / normal.length;
  const share = (counts) => { const sum = counts.reduce((a, b) => a + b, 0); return counts.map((n) => sum ? 100 * n / sum : 0); };
  const bars = uPlot.paths.bars({ size: [1, Infinity], align: 1 });
  const kind = (name) => ({ stroke: colour(name), fill: `${colour(name)}80`, paths: bars, points: { show: false } });
  const threshold = (plot) => {
    if (low > 0 || high < 0) return;
    const x = Math.round(plot.valToPos(0, "x", true));
    plot.ctx.save();
    plot.ctx.strokeStyle = colour("text");
    plot.ctx.setLineDash([6, 4]);
    plot.ctx.beginPath();
    plot.ctx.moveTo(x, plot.bbox.top);
    plot.ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    plot.ctx.stroke();
    plot.ctx.restore();
  };
  const edges = [...normal.keys()].map((place) => low + place * width);
  const data = [[...edges, high], [...share(normal), null]], series = [kind("normal")];
  const square = (name) => { const box = make("b"); box.style.background = colour(name); return box; };
  const key = make("p", { className: "key" }, square("normal"), labelled ? "normal " : "samples ");
  if (labelled) { data.push([...share(anomalous), null]); series.push(kind("anomalous")); key.append(square("anomalous"), "anomalous "); }
  key.append("; % of their kind. Dashed: the threshold, 0; from it on, taken for normal. The outer bins hold what lies beyond.");
  return make("div", {}, make("h3", {}, "Decision scores"),
    chart(`Histogram of decision scores from ${low} to ${high}`, data, series, [{}, { size: 48 }], { draw: [threshold] }), key);
}
function samples(title, found, pictured) {
  const items = found.map(([name, decision, picture]) => {
    const item = make("li");
    if (picture >= 0) {
      const thumb = make("span", { className: "thumb" });
      thumb.style.backgroundPosition = `-${picture % pictured.columns * pictured.side}px -${Math.floor(picture / pictured.columns) * pictured.side}px`;
      item.append(thumb);
    }
    item.append(`${name}: ${decision === null ? "not finite" : String(decision).replace("-", "−")}`);
    return item;
  });
  return make("div", {}, make("h3", {}, title), make("ul", { className: "samples" }, ...items));
}
function showFit(cell, fit, place, rows) {
  rows.forEach((row, number) => row.setAttribute("aria-selected", cell.fits[number] === fit));
  place.replaceChildren();
  const labelled = details.labelled[cell.names[0]];
  if (fit.reason) place.append(make("p", { className: fit.status }, `${fit.status}: ${fit.reason}`));
  const pair = make("div", { className: "pair" });
  if (fit.curve) pair.append(trainingCurve(cell, fit));
  if (fit.scores) pair.append(histogram(fit, labelled));
  const wrong = make("div", { className: "pair" });
  const kinds = labelled ? [["Worst false alarms: normal samples, by decision score", "false_alarms"], ["Worst misses: anomalies, by decision score", "misses"]]
    : [["Most anomalous, by decision score", "false_alarms"]];
  for (const [title, name] of kinds) if (fit[name]) wrong.append(samples(title, fit[name], details.pictures));
  place.append(pair, wrong);
}
async function showCell(key) {
  if (!details.cells[key]) return;
  let fits;
  try { fits = await fitsOf(key); } catch (error) {
    document.getElementById("cell-body").replaceChildren(make("p", {}, `This browser cannot unpack the fits: ${error.message}`));
    if (!dialog.open) dialog.showModal();
    return;
  }
  const cell = { ...details.cells[key], fits };
  // Another address since, or the page's own.
  if (location.hash.slice(6) !== key) return;
  const [experiment, normal, method] = cell.names;
  document.getElementById("cell-title").textContent = `${method} on ${experiment}, class ${normal}`;
  const compared = cell.published && `published ${cell.published}`;
  const verdict = cell.verdict && `${cell.verdict}${cell.reason ? ` (${cell.reason})` : ""}`;
  const seconds = cell.fits.reduce((sum, fit) => sum + (fit.seconds || 0), 0);
  const head = make("p", {}, listOf([details.labelled[experiment] && `${details.metric} on ${cell.evaluation}: ${cell.shown}`, compared, verdict, `${seconds.toPrecision(3)} s for ${cell.fits.length} fit${cell.fits.length === 1 ? "" : "s"}`]) + ".");
  const place = make("div"), metrics = details.labelled[experiment] ? details.metrics : [];
  const rows = cell.fits.map((fit) => {
    const choose = make("button", { type: "button", textContent: fit.seed, "aria-label": `Show seed ${fit.seed}` });
    choose.addEventListener("click", () => showFit(cell, fit, place, rows));
    return make("tr", {}, make("th", { scope: "row" }, choose), make("td", { className: fit.status }, fit.status),
      ...metrics.map((_, number) => make("td", {}, fit.values[number])), make("td", {}, fit.seconds ?? "–"), make("td", {}, fit.memory ?? "–"),
      make("td", {}, make("a", { href: fit.log }, "log")));
  });
  const titles = ["seed", "status", ...metrics, "seconds", "MiB", "log"].map((name) => make("th", { scope: "col" }, name));
  const table = make("table", {}, make("caption", { className: "hidden" }, "Fits"), make("thead", {}, make("tr", {}, ...titles)), make("tbody", {}, ...rows));
  const settings = make("dl", { className: "settings" });
  for (const [name, value] of Object.entries(details.settings[experiment][method] || {})) settings.append(make("dt", {}, name), make("dd", {}, value));
  document.getElementById("cell-body").replaceChildren(head, make("div", { className: "scroll", tabIndex: 0, role: "group", "aria-label": "Fits" }, table), place,
    make("details", {}, make("summary", {}, "Settings (of the first class and seed)"), settings));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  showFit(cell, cell.fits.find((fit) => fit.status === "diverged" || fit.status === "collapsed") || cell.fits[0], place, rows);
}
// What is folded is opened by an address in it, by the search, by a button, and for print.
const reveal = (hash) => {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  return target;
};
const unfold = () => {
  const closed = Array.from(document.querySelectorAll("details:not(.contents, .columns, [open])"));
  for (const fold of closed) fold.open = true;
  return closed;
};
document.getElementById("unfold").addEventListener("click", unfold);
let printed = [];
addEventListener("beforeprint", () => { printed = unfold(); });
addEventListener("afterprint", () => { for (const fold of printed) fold.open = false; });
document.addEventListener("click", (event) => { const link = event.target.closest('a[href^="#"]'); if (link) reveal(link.hash); });

const openAddress = () => {
  if (location.hash.startsWith("#cell=")) { showCell(location.hash.slice(6)); return; }
  if (dialog.open) dialog.close();
  const target = location.hash && reveal(location.hash);
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", openAddress);
// Closed, the address is that of the page again, so that the same cell opens once more; nothing scrolls.
dialog.addEventListener("close", () => { if (location.hash.startsWith("#cell=")) history.replaceState(null, "", location.pathname + location.search); });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (dialog.open) openAddress(); });

// The maps: one stop of the tabulator each, and the arrow keys within.
for (const map of document.querySelectorAll(".map table")) {
  const links = Array.from(map.querySelectorAll("td a"));
  links.forEach((link, number) => { link.tabIndex = number ? -1 : 0; });
  map.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!move || !cell) return;
    const row = cell.parentElement.parentElement.rows[cell.parentElement.sectionRowIndex + move[0]];
    const next = row && row.cells[cell.cellIndex + move[1]] && row.cells[cell.cellIndex + move[1]].querySelector("a");
    if (!next) return;
    event.preventDefault();
    for (const link of links) link.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}

// The search.
const find = document.getElementById("find"), found = document.getElementById("found");
const places = Array.from(document.querySelectorAll(".contents a"), (link) => [link.getAttribute("href"), link.textContent, "section"]);
const texts = [...Object.entries(details.cells).map(([key, cell]) => [`#cell=${key}`, cell.names.join(" · "), details.labelled[cell.names[0]] ? cell.shown : ""]), ...places];
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  const hits = words.length ? texts.filter(([, text]) => words.every((word) => text.toLowerCase().includes(word))) : [];
  found.replaceChildren(...hits.slice(0, 12).map(([address, text, shown]) => make("li", {}, make("a", { href: address }, shown ? `${text}: ${shown}` : text))));
  document.getElementById("found-count").textContent = words.length ? `${hits.length} found` : "";
});
find.addEventListener("keydown", (event) => {
  const first = found.querySelector("a");
  if (event.key === "Enter" && first) first.click();
  if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
});
found.addEventListener("keydown", (event) => {
  const item = event.target.closest("li"), next = { ArrowDown: item.nextElementSibling, ArrowUp: item.previousElementSibling }[event.key];
  if (event.key === "ArrowUp" && !next) find.focus();
  if (next) { event.preventDefault(); next.firstElementChild.focus(); }
});
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !typing && !dialog.open) { event.preventDefault(); find.focus(); }
  if (event.key === "Escape" && document.activeElement === find) { find.value = ""; find.dispatchEvent(new Event("input")); }
});

// The contents: folded where they lie over the page, and the section in view marked.
const contents = document.querySelector("details.contents"), narrow = matchMedia("(max-width: 1099px)");
const fold = () => { contents.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();
contents.addEventListener("click", (event) => { if (narrow.matches && event.target.closest("a")) contents.open = false; });
const entries = new Map(Array.from(contents.querySelectorAll("a"), (link) => [link.getAttribute("href").slice(1), link]));
const watched = Array.from(entries.keys(), (id) => document.getElementById(id)).filter(Boolean);
const mark = () => {
  const passed = watched.filter((element) => element.getBoundingClientRect().top < 120).pop() || watched[0];
  for (const [id, link] of entries) if (passed && id === passed.id) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
};
let marking = 0;
addEventListener("scroll", () => { cancelAnimationFrame(marking); marking = requestAnimationFrame(mark); }, { passive: true });
mark();
for (const scroll of document.querySelectorAll("figure .scroll")) {
  const look = () => scroll.parentElement.classList.toggle("cut-right", scroll.scrollWidth - scroll.clientWidth - scroll.scrollLeft > 2);
  scroll.addEventListener("scroll", look, { passive: true });
  new ResizeObserver(look).observe(scroll);
}
openAddress();
