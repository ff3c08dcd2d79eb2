// The page works without this; it tells the window that opened the page how it went, and spares waiting and scrolling.
"use strict";

function tell(page) {
  const other = window.opener ?? (window.parent === window ? null : window.parent);
  const origins = page.dataset.origins.split(" ").filter(Boolean);
  if (!other || origins.length === 0) return;
  const result = JSON.parse(page.dataset.result);
  for (const origin of origins) other.postMessage(result, origin);
  if (window.opener) window.close();
}

function search(form) {
  const items = [...document.querySelectorAll("[data-vendors] > li")];
  const count = document.querySelector("[data-count]");
  const input = form.querySelector("input");
  const narrow = () => {
    const words = input.value.trim().toLowerCase().split(/\s+/);
    let shown = 0;
    for (const item of items) {
      const text = item.querySelector(".words").textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    count.textContent = shown === 1 ? "1 product" : `${shown} products`;
  };
  form.querySelector("button").hidden = true;
  input.addEventListener("input", narrow);
  form.addEventListener("submit", (event) => event.preventDefault());
}

function busy(form) {
  const button = form.querySelector("button");
  const words = form.querySelector("[data-busy-words]");
  const set = (is) => {
    button.disabled = is;
    words.textContent = is ? form.dataset.busy : "";
  };
  form.addEventListener("submit", () => set(true));
  window.addEventListener("pageshow", () => set(false));
}

// A browser that came back from a vendor is at an address that works once, and one that sent something that was refused
// would ask whether to send it again, if it went back to this page.
function settle(form) {
  history.replaceState(null, "", new URL(form.dataset.at, location.href));
}

for (const page of document.querySelectorAll("[data-result]")) tell(page);
for (const form of document.querySelectorAll("[data-search]")) search(form);
for (const form of document.querySelectorAll("[data-busy]")) busy(form);
for (const form of document.querySelectorAll("[data-at]")) settle(form);
document.getElementById("problem")?.focus();
