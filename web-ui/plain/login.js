// Logging in.
"use strict";

$("login").addEventListener("submit", act(async () => {
  await ask("POST", "/login", { user: $("user").value, password: $("password").value });
  const next = new URLSearchParams(location.search).get("next") || "/plain/runs";
  // Only to a page of ours: a path, not an address.
  location.href = /^\/[^/\\]/.test(next) ? next : "/plain/runs";
}));
