// What all pages share: asking the engine, building elements from text, and who is logged in.
"use strict";

const $ = (id) => document.getElementById(id);

/** Asks the engine. A missing log-in leads to the log-in page; any other failure is thrown with its sentence. */
async function ask(method, path, body) {
  const options = { method, headers: {}, credentials: "same-origin" };
  if (method !== "GET") {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body ?? {});
  }
  const response = await fetch("/api/v1" + path, options);
  if (response.status === 401 && location.pathname !== "/plain/login") {
    location.href = "/plain/login?next=" + encodeURIComponent(location.pathname);
    return new Promise(() => {});
  }
  const text = await response.text();
  const json = text && (response.headers.get("Content-Type") || "").includes("json") ? JSON.parse(text) : null;
  if (!response.ok) {
    const problems = (json?.problems || []).map((p) => `\n${p.file}:${p.line}: ${p.message}`).join("");
    throw new Error((json?.title || `the engine answered ${response.status}`) + problems);
  }
  return json;
}

/** An element. Text is always text: nothing from a test or a device becomes HTML. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const verdict = (state) => make("span", { class: "verdict " + state }, String(state).replace("_", " "));

function counts(counts, tests) {
  const words = Object.entries(counts || {}).map(([word, count]) => `${count} ${word.replace("_", " ")}`);
  return (words.join(", ") || "nothing yet") + ` of ${tests}`;
}

function when(text) {
  if (!text) return "";
  const date = new Date(text);
  return make("time", { datetime: text, title: text }, date.toLocaleString());
}

function span(millis) {
  if (!millis) return "";
  const seconds = millis / 1000;
  if (seconds < 60) return seconds.toFixed(seconds < 10 ? 2 : 1) + " s";
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function tell(error) {
  const place = $("problem");
  if (place) place.textContent = error ? error.message || String(error) : "";
}

/** Does something a person asked for, and says so when it fails. */
function act(work) {
  return async (event) => {
    event?.preventDefault();
    tell(null);
    try {
      await work(event);
    } catch (error) {
      tell(error);
    }
  };
}

/** Does something now and again, never twice at once, and not while nobody looks. */
function again(seconds, work) {
  const turn = async () => {
    try {
      if (!document.hidden) await work();
    } catch (error) {
      tell(error);
    }
    setTimeout(turn, seconds * 1000);
  };
  turn();
}

for (const link of document.querySelectorAll("nav a")) {
  if (location.pathname.startsWith(link.pathname)) link.setAttribute("aria-current", "page");
}

if (location.pathname !== "/plain/login") {
  ask("GET", "/me").then((me) => {
    $("who").textContent = me.user;
    $("logout").hidden = false;
    $("logout").addEventListener("click", act(async () => {
      await ask("POST", "/logout");
      location.href = "/plain/login";
    }));
  }).catch(tell);
}
