// Sorting by a click on a column's heading, filtering by words; both by keyboard, too.
"use strict";
for (const block of document.querySelectorAll("section.block")) {
  const table = block.querySelector("table.sortable");
  if (!table) continue;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headings = Array.from(table.tHead.rows[0].cells);
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.textContent.trim();
    // A text that is a number as a whole, like a seed or a class, sorts as one.
    const number = cell.dataset.value !== undefined ? Number(cell.dataset.value)
      : /^[+−-]?\d+(\.\d+)?$/.test(text) ? Number(text.replace("−", "-")) : NaN;
    return { number, text };
  };
  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
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
  const input = block.querySelector("input[type=search]");
  if (!input) continue;
  const output = block.querySelector("output");
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
