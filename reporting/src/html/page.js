"use strict";
// Shows the list of all tests a page at a time, so that a hundred thousand open as fast as ten.
(() => {
  const { strings, rows } = JSON.parse(document.getElementById("tests-data").textContent);
  const SIGNS = { PASS: "✔", FAIL: "✘", SKIPPED: "↷", ABORTED: "■", NOT_EXECUTED: "–", TIMEOUT: "⏱", INVALID: "!" };
  const PAGE = 200;
  const text = (at) => strings[at];
  const find = document.getElementById("find");
  const verdict = document.getElementById("verdict");
  const body = document.getElementById("tests-body");
  const status = document.getElementById("tests-status");
  const previous = document.getElementById("previous");
  const next = document.getElementById("next");
  let shown = rows;
  let page = 0;

  const span = (millis) => {
    const seconds = Math.floor(millis / 1000);
    const two = (number) => String(number).padStart(2, "0");
    if (seconds < 60) return `${seconds}.${two(Math.floor((millis % 1000) / 10))}s`;
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
    return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m ${two(seconds % 60)}s`;
  };
  const cell = (row, content, kind) => {
    const made = document.createElement("td");
    made.textContent = content;
    if (kind) made.className = kind;
    row.append(made);
  };
  const draw = () => {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(page, pages - 1);
    const fragment = document.createDocumentFragment();
    for (const [index, suite, name, state, cause, reason, ep, millis] of shown.slice(page * PAGE, (page + 1) * PAGE)) {
      const row = document.createElement("tr");
      cell(row, String(index), "number");
      cell(row, text(suite));
      cell(row, text(name));
      cell(row, `${SIGNS[text(state)] || "…"} ${text(state)}`, `verdict ${text(state)}`);
      cell(row, text(cause));
      cell(row, text(reason));
      cell(row, text(ep));
      cell(row, span(millis), "number");
      fragment.append(row);
    }
    body.replaceChildren(fragment);
    const first = shown.length === 0 ? 0 : page * PAGE + 1;
    const last = Math.min(shown.length, (page + 1) * PAGE);
    status.textContent = `${first} to ${last} of ${shown.length.toLocaleString("en")} tests` +
      (shown.length === rows.length ? "" : ` (${rows.length.toLocaleString("en")} in all)`);
    previous.disabled = page === 0;
    next.disabled = page >= pages - 1;
  };
  const filter = () => {
    const wanted = find.value.trim().toLowerCase();
    const matches = wanted === "" ? null : strings.map((string) => string.toLowerCase().includes(wanted));
    shown = rows.filter((row) =>
      (verdict.value === "" || (verdict.value === "not passed" ? !["PASS", "SKIPPED"].includes(text(row[3]))
        : text(row[3]) === verdict.value)) &&
      (matches === null || matches[row[1]] || matches[row[2]] || matches[row[5]] || matches[row[6]]));
    page = 0;
    draw();
  };
  let waiting = 0;
  find.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 150); });
  verdict.addEventListener("change", filter);
  document.getElementById("filter").addEventListener("submit", (event) => { event.preventDefault(); filter(); });
  previous.addEventListener("click", () => { page -= 1; draw(); });
  next.addEventListener("click", () => { page += 1; draw(); });
  for (const hidden of document.querySelectorAll("[data-script]")) hidden.hidden = false;
  filter();
})();
