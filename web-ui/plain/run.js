// One run as it happens: a snapshot, then its events, one by one.
"use strict";

const run = location.pathname.split("/").pop();
const FINAL = ["completed", "stopped"];
const EVENTS_MAX = 500;
const PAGE = 200;

let summary = null;
const rows = new Map();
let next = null;
let watched = null;

function head() {
  $("title").textContent = `Run ${run}: ${summary.project}`;
  document.title = `${summary.state} – run ${run}`;
  $("state").textContent = summary.state;
  $("counts").textContent = counts(summary.counts, summary.tests);
  $("user").textContent = summary.user;
  $("submitted").replaceChildren(when(summary.submitted));
  const ended = Object.values(summary.counts).reduce((sum, count) => sum + count, 0);
  $("progress").max = summary.tests || 1;
  $("progress").value = ended;
  const over = FINAL.includes(summary.state);
  $("pause").hidden = summary.state !== "running" && summary.state !== "queued";
  $("resume").hidden = summary.state !== "paused";
  $("stop").hidden = over || summary.state === "stopping";
  $("end").hidden = summary.state !== "stopping";
  $("retry").hidden = !over || (summary.counts.PASS || 0) === summary.tests;
  for (const [id, file] of [["report", "report.html"], ["junit", "junit.xml"]]) {
    $(id).hidden = false;
    $(id).href = `/api/v1/runs/${run}/${file}`;
  }
}

function why(test) {
  const cause = test.cause ? `${test.cause}: ` : "";
  if (test.waits_for) return "waits for " + test.waits_for;
  return test.reason ? cause + test.reason : test.cause || "";
}

function cells(test) {
  const look = test.attempt && make("button", { type: "button", onclick: () => watch(test) }, "Show");
  return [
    make("td", {}, test.name),
    make("td", {}, test.suite.join(" › ")),
    make("td", {}, verdict(test.state)),
    make("td", {}, why(test)),
    make("td", {}, test.ep || ""),
    make("td", { class: "number" }, span(test.elapsed_millis)),
    make("td", {}, look || ""),
  ];
}

function place(test) {
  let row = rows.get(test.test);
  if (!row) {
    row = { element: make("tr", {}), test };
    rows.set(test.test, row);
    $("tests").append(row.element);
  }
  row.test = test;
  row.element.replaceChildren(...cells(test));
}

async function tests(after) {
  const state = $("only").value;
  const filter = (state ? `&state=${state}` : "") + (after ? `&after=${after}` : "");
  const page = await ask("GET", `/runs/${run}/tests?limit=${PAGE}${filter}`);
  if (!after) {
    rows.clear();
    $("tests").replaceChildren();
  }
  page.items.forEach(place);
  next = page.next;
  $("more").hidden = !next;
  $("shown").textContent = `${rows.size} of ${summary.tests} tests`;
}

function change(index, facts) {
  const row = rows.get(index);
  if (row) place({ ...row.test, waits_for: null, ...facts });
}

const test_of = (attempt) => Number(attempt.split(".")[1]);

function counted(word, count) {
  summary.counts[word] = (summary.counts[word] || 0) + count;
}

function sentence(event) {
  const name = (index) => rows.get(index)?.test.name || `test ${index}`;
  switch (event.fact) {
    case "submitted": return `submitted by ${event.by}: ${event.tests} tests`;
    case "placed": return `given to ${event.ep}`;
    case "part_waits": return `waits for ${event.waits_for}`;
    case "test_waits": return `${name(event.test)} waits for ${event.waits_for}`;
    case "test_started": return `${name(test_of(event.attempt))} started on ${event.ep}`;
    case "test_ended": return `${name(event.test)}: ${event.outcome.verdict} ${event.outcome.reason || ""}`;
    case "tests_ended": return `${event.tests.reduce((sum, [from, to]) => sum + to - from, 0)} tests: ${event.outcome.verdict} ${event.outcome.reason || ""}`;
    case "tests_queued": return `${event.by} queued ${event.tests.length} more tests`;
    case "ep_silent": return `${event.ep} is silent; it is given up at ${event.until}`;
    case "ep_returned": return `${event.ep} is back`;
    case "ep_lost": return `${event.ep} is lost`;
    case "ep_notice": return `${event.over ? "mended: " : ""}${event.ep} ${event.notice.text}`;
    case "asked": return `${name(test_of(event.attempt))} asks: ${event.interact.message}`;
    case "answered": return event.by ? `${event.by} answered ${JSON.stringify(event.answer)}` : "nobody answered in time";
    case "paused": return `paused by ${event.by}`;
    case "resumed": return `resumed by ${event.by}`;
    case "stopping": return event.at_once ? `${event.by} ends it at once: no teardown, no post script` : `stopping: ${event.reason}`;
    case "hook_ended": return `${event.hook} script: ${event.outcome.verdict} ${event.outcome.reason || ""}`;
    case "note": return event.text;
    case "ended": return `ended: ${event.state}`;
    default: return event.fact.replaceAll("_", " ");
  }
}

function note(event) {
  const box = $("events");
  const down = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  box.append(`${new Date(event.at).toLocaleTimeString()}  ${sentence(event)}\n`);
  while (box.childNodes.length > EVENTS_MAX) box.firstChild.remove();
  if (down) box.scrollTop = box.scrollHeight;
}

/** Changes what is shown as the event says. */
function take(event) {
  switch (event.fact) {
    case "started":
      summary.state = "running";
      break;
    case "test_waits":
      change(event.test, { state: "WAITING", waits_for: event.waits_for });
      break;
    case "test_started":
      change(test_of(event.attempt), { state: "WORKING", attempt: event.attempt, ep: event.ep, started: event.started });
      break;
    case "test_ended":
      counted(event.outcome.verdict, 1);
      change(event.test, {
        state: event.outcome.verdict, cause: event.outcome.cause, reason: event.outcome.reason,
        attempt: event.attempt, ep: event.ep, elapsed_millis: event.elapsed_millis,
      });
      break;
    case "tests_ended":
      for (const [from, to] of event.tests) {
        counted(event.outcome.verdict, to - from);
        for (const index of rows.keys()) {
          if (from <= index && index < to) {
            change(index, { state: event.outcome.verdict, cause: event.outcome.cause, reason: event.outcome.reason });
          }
        }
      }
      break;
    case "tests_queued":
      summary.tests += event.tests.length;
      if (!next) tests(null).catch(tell);
      break;
    case "paused": summary.state = "paused"; break;
    case "resumed": summary.state = "running"; break;
    case "stopping": summary.state = "stopping"; break;
    case "asked":
    case "answered":
      questions().catch(tell);
      break;
    case "ended":
      summary.state = event.state;
      summary.counts = event.counts;
      questions().catch(tell);
      break;
  }
  note(event);
}

function answers(question) {
  const { kind, options } = question.interact;
  const give = (answer) => act(async () => {
    await ask("POST", `/runs/${run}/questions/${question.question}`, { answer });
    await questions();
  });
  const button = (label, answer) => make("button", { type: "button", onclick: give(answer) }, label);
  if (kind === "decide") return [button("Yes", true), button("No", false)];
  if (kind === "options") return options.map((option) => button(option, option));
  if (kind === "input") {
    const input = make("input", { "aria-label": "Answer" });
    return [input, make("button", { type: "button", onclick: (event) => give(input.value)(event) }, "Answer")];
  }
  return [button("Go on", null)];
}

async function questions() {
  const open = await ask("GET", `/runs/${run}/questions`);
  $("questions").replaceChildren(...open.map((question) => make("div", { class: "question" },
    make("p", {}, `Test ${question.attempt} asks: ${question.interact.message}`),
    make("div", { class: "bar" }, ...answers(question)))));
}

const size = (bytes) => bytes.toLocaleString();

/** Links to the files that a test left, each with its size. */
function files(artifacts) {
  const links = Object.entries(artifacts).map(([name, { hash, bytes }]) => make("span", {},
    make("a", { href: `/api/v1/blobs/${hash}`, download: name.replaceAll("/", "_") }, name),
    bytes === undefined ? " (not here yet) " : ` (${size(bytes)} bytes) `));
  $("files").replaceChildren(...(links.length ? ["Files: ", ...links] : []));
}

/** Says how much of a log has come, where a test has ended before its log had; answers whether more may come. */
async function log_state(test, stream) {
  const { ep, logs, logs_expected, artifacts } = await ask("GET", `/attempts/${test.attempt}`);
  files(artifacts);
  if (!logs_expected) return true;
  const stored = logs[stream] || 0;
  const expected = logs_expected[stream] || 0;
  const away = stored < expected && ep && (await ask("GET", `/eps/${encodeURIComponent(ep)}`)).state === "offline";
  $("logstate").textContent = stored < expected
    ? `${size(stored)} of ${size(expected)} bytes have come` + (away ? `; ${ep}, which has the rest, is not connected` : "")
    : "";
  return stored < expected;
}

/** Looks at a log's state every second until it is whole, or another log is shown. */
async function watch_state(test, stream, signal) {
  const turn = async () => {
    if (signal.aborted) return;
    if (document.hidden || await log_state(test, stream)) setTimeout(() => turn().catch(tell), 1000);
  };
  await turn();
}

/** Shows a log as it grows; a log that was shown before is let go. */
async function watch(test) {
  watched?.abort();
  const mine = watched = new AbortController();
  $("logbox").hidden = false;
  $("logtitle").textContent = `Log of ${test.name} (${test.attempt})`;
  const path = `/api/v1/attempts/${test.attempt}/logs/${$("stream").value}`;
  $("whole").href = path;
  $("stream").onchange = () => watch(test);
  const box = $("log");
  box.textContent = "";
  $("logstate").textContent = "";
  files({});
  watch_state(test, $("stream").value, mine.signal).catch(tell);
  box.scrollIntoView({ block: "nearest" });
  try {
    // The end of it, and what comes: a log may have gigabytes.
    const first = await fetch(path, { headers: { Range: "bytes=-65536" }, signal: mine.signal });
    const size = Number((first.headers.get("Content-Range") || "").split("/")[1]) || 0;
    const from = Math.max(0, size - 65536);
    if (from > 0) box.append("[the beginning is left out; see the whole log]\n");
    const response = await fetch(`${path}?follow=true&from=${from}`, { signal: mine.signal });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const down = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
      box.append(decoder.decode(value, { stream: true }));
      while (box.childNodes.length > 2000) box.firstChild.remove();
      if (down) box.scrollTop = box.scrollHeight;
    }
  } catch (error) {
    if (error.name !== "AbortError") tell(error);
  }
}

function follow(seq) {
  const source = new EventSource(`/api/v1/runs/${run}/live?after=${seq}`);
  source.addEventListener("run", (message) => {
    const event = JSON.parse(message.data);
    if (event.seq <= seq) return;
    seq = event.seq;
    take(event);
    head();
    if (event.fact === "ended") {
      source.close();
      $("link").textContent = "";
    }
  });
  source.addEventListener("open", () => { $("link").textContent = "live"; });
  source.addEventListener("error", () => { $("link").textContent = "connection lost; trying again"; });
}

for (const what of ["pause", "resume", "stop"]) {
  $(what).addEventListener("click", act(async () => {
    if (what === "stop" && !confirm("Stop this run? What runs is ended, the rest is not executed.")) return;
    await ask("POST", `/runs/${run}/${what}`);
  }));
}
$("end").addEventListener("click", act(async () => {
  if (!confirm("End this run at once? Its teardown is ended too, and its post script is not run.")) return;
  await ask("POST", `/runs/${run}/stop`, { now: true });
}));
$("retry").addEventListener("click", act(async () => {
  const submitted = await ask("POST", `/runs/${run}/retry`);
  location.href = `/plain/runs/${submitted.run}`;
}));
$("only").addEventListener("change", act(() => tests(null)));
$("more").addEventListener("click", act(() => tests(next)));

act(async () => {
  const detail = await ask("GET", `/runs/${run}`);
  summary = detail;
  head();
  await tests(null);
  await questions();
  if (!FINAL.includes(summary.state)) follow(detail.seq);
  else {
    const page = await ask("GET", `/runs/${run}/events?limit=1000`);
    page.items.slice(-EVENTS_MAX).forEach(note);
  }
})();
