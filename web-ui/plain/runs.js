// The list of runs, and starting one.
"use strict";

let older = [];
let next = null;

function row(run) {
  return make("tr", {},
    make("td", {}, make("a", { href: `/plain/runs/${run.id}` }, String(run.id))),
    make("td", {}, run.project + (run.temporary ? " (temporary)" : "")),
    make("td", {}, run.user),
    make("td", {}, run.state),
    make("td", {}, counts(run.counts, run.tests)),
    make("td", {}, when(run.submitted)));
}

async function show() {
  const page = await ask("GET", "/runs?limit=50");
  if (older.length === 0) next = page.next;
  const known = new Set(page.items.map((run) => run.id));
  $("runs").replaceChildren(...page.items.concat(older.filter((run) => !known.has(run.id))).map(row));
  $("more").hidden = !next;
}

$("more").addEventListener("click", act(async () => {
  const page = await ask("GET", `/runs?limit=50&after=${encodeURIComponent(next)}`);
  older = older.concat(page.items);
  next = page.next;
  await show();
}));

$("start").addEventListener("submit", act(async () => {
  const submitted = await ask("POST", "/runs", { project: $("project").value });
  location.href = `/plain/runs/${submitted.run}`;
}));

ask("GET", "/projects").then((page) => {
  $("project").replaceChildren(...page.items.map((name) => make("option", {}, name)));
  $("start").hidden = page.items.length === 0;
}).catch(tell);

again(3, show);
