// Tables: sorting by a click on a column's heading, filtering by words, hiding columns, CSV, and a cue where one is cut.
"use strict";
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name in element) element[name] = value; else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}
function csv(table) {
  const shown = (cell) => !cell.hidden;
  const quoted = (cell) => {
    // Signs and words for screen readers are not part of the value, nor is the mark of the sorting.
    const copy = cell.cloneNode(true);
    for (const extra of copy.querySelectorAll(".sign, .hidden")) extra.remove();
    return `"${copy.textContent.trim().replaceAll('"', '""')}"`;
  };
  const rows = Array.from(table.rows).filter((row) => !row.hidden);
  return rows.map((row) => Array.from(row.cells).filter(shown).map(quoted).join(",")).join("\r\n") + "\r\n";
}
for (const table of document.querySelectorAll("table.sortable")) {
  const frame = table.closest(".frame"), scroll = table.closest(".scroll");
  const tools = frame.previousElementSibling;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headings = Array.from(table.tHead.rows[0].cells);
  const names = headings.map((heading) => heading.textContent);
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.textContent.trim();
    // A text that is a number as a whole, like a seed or a class, sorts as one.
    const number = cell.dataset.value !== undefined ? Number(cell.dataset.value)
      : /^[+−-]?\d+(\.\d+)?$/.test(text) ? Number(text.replace("−", "-")) : NaN;
    return { number, text };
  };
  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", textContent: names[column] });
    heading.replaceChildren(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keyed = rows.map((row) => [valueOf(row, column), row]);
      keyed.sort(([a], [b]) => {
        const [aNone, bNone] = [a.text === "–" || a.text === "", b.text === "–" || b.text === ""];
        if (aNone || bNone) return aNone - bNone; // What is missing comes last, either way.
        const order = Number.isNaN(a.number) || Number.isNaN(b.number)
          ? a.text.localeCompare(b.text, "en", { numeric: true }) : a.number - b.number;
        return descending ? -order : order;
      });
      body.append(...keyed.map(([, row]) => row));
    });
  });
  // Stub columns but the first stay beside those before them; a column that is cut shows, and can be reached by a button.
  const stubs = headings.filter((heading) => heading.classList.contains("stub"));
  const cue = make("button", { type: "button", className: "cue", hidden: true });
  cue.addEventListener("click", () => scroll.scrollBy({ left: 0.7 * scroll.clientWidth }));
  const look = () => {
    let left = 0;
    stubs.forEach((heading, place) => {
      for (const row of table.rows) row.cells[place].style.setProperty("--left", `${left}px`);
      left += heading.offsetWidth;
    });
    frame.style.setProperty("--stub", `${left}px`);
    frame.classList.toggle("cut-left", scroll.scrollLeft > 2);
    const edge = scroll.getBoundingClientRect().right;
    const cut = headings.filter((heading) => !heading.hidden && heading.getBoundingClientRect().right > edge + 2).length;
    frame.classList.toggle("cut-right", cut > 0);
    cue.hidden = cut === 0;
    cue.textContent = `${cut} more column${cut === 1 ? "" : "s"} →`;
  };
  let asked = 0;
  const lookSoon = () => { cancelAnimationFrame(asked); asked = requestAnimationFrame(look); };
  scroll.addEventListener("scroll", lookSoon, { passive: true });
  new ResizeObserver(lookSoon).observe(scroll);
  if (!tools || !tools.classList.contains("tools")) continue;
  if (headings.length > 4) {
    const boxes = headings.slice(1).map((heading, place) => {
      const box = make("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () => {
        for (const row of table.rows) row.cells[place + 1].hidden = !box.checked;
        look();
      });
      return make("label", {}, box, ` ${names[place + 1]}`);
    });
    tools.append(make("details", { className: "columns" }, make("summary", {}, "Columns"), make("div", {}, ...boxes)));
  }
  const save = make("button", { type: "button", textContent: "CSV", title: "The rows and columns that are shown, as CSV" });
  save.addEventListener("click", () => {
    const title = table.caption.textContent;
    const link = make("a", { download: `${title.replace(/[^\p{L}\p{N}]+/gu, "_")}.csv` });
    link.href = URL.createObjectURL(new Blob(["\ufeff", csv(table)], { type: "text/csv" }));
    link.click();
    URL.revokeObjectURL(link.href);
  });
  tools.append(save, cue);
  const input = tools.querySelector("input[type=search]");
  if (!input) continue;
  const output = tools.querySelector("output");
  const cellTexts = new Map(rows.map((row) => [row, Array.from(row.cells, (cell) => cell.textContent.toLowerCase())]));
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => cellTexts.get(row).some((text) => text.includes(word)));
      shown += !row.hidden;
    }
    output.textContent = shown === rows.length ? `${rows.length} rows` : `${shown} of ${rows.length} rows`;
  });
}
// A menu of columns closes by a click elsewhere, or Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.columns[open]")) if (!menu.contains(event.target)) menu.open = false;
});
