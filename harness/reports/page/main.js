// Where one is, by the part of the address behind `#`, and the keys that work everywhere.
"use strict";

document.documentElement.classList.add("js");
const page = new ScenarioPage();
const LIST_KEYS = new Set(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "Enter", "n", "p"]);

/** Show what the address says: `#s-3` a scenario, `#s-3/broken` or `#s-3/17` a row of it, else the overview. */
async function route() {
  const [, number, at] = /^#s-(\d+)(?:\/(\w+))?$/.exec(location.hash) ?? [];
  const row = number === undefined ? null : byId("s-" + number);
  const inside = row !== null && row.dataset.rows !== undefined;
  const cameFrom = byId("scenario").hidden ? null : page.story;
  byId("overview").hidden = inside;
  byId("scenario").hidden = !inside;
  if (inside) {
    document.title = row.dataset.id + " – muster";
    byId("scenario-title").focus();
    scrollTo(0, 0);
    await page.show(Number(number), at);
  } else if (cameFrom && location.hash === "#scenarios") {
    const left = byId("s-" + cameFrom.number);
    reveal(left);
    left.querySelector("a").focus({ preventScroll: true });
  } else if (location.hash.length > 1) {
    reveal(byId(decodeURIComponent(location.hash.slice(1))));
  }
}

/** Bring a line of the overview into sight, even if the filters have hidden it. */
function reveal(target) {
  if (!target) return;
  if (target.hidden || target.parentElement.hidden) clearFilters();
  for (const one of document.querySelectorAll("tr.picked")) one.classList.remove("picked");
  if (target.tagName === "TR") target.classList.add("picked");
  target.scrollIntoView({ block: target.tagName === "TR" ? "center" : "start" });
}

function search() {
  const field = byId(byId("scenario").hidden ? "search" : "row-search");
  field.focus();
  field.select();
}

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || byId("help").open) return;
  if (event.defaultPrevented) return;
  const typing = event.target.matches("input, select, textarea");
  if (event.key === "Escape") escape(event.target);
  else if (typing) return;
  else if (event.key === "/") search();
  else if (event.key === "?") byId("help").showModal();
  else if (LIST_KEYS.has(event.key) && !byId("scenario").hidden && event.target.matches("body, main, h1")) {
    byId("rows").focus({ preventScroll: true });
    page.key(event);
    return;
  } else return;
  event.preventDefault();
}

/** Leave the innermost thing: the open event, the search, the scenario. */
function escape(target) {
  if (target.matches("input[type=search]")) {
    target.value = "";
    target.dispatchEvent(new Event("input"));
    if (byId("scenario").hidden) byId("main").focus({ preventScroll: true });
    else byId("rows").focus({ preventScroll: true });
  } else if (!byId("scenario").hidden && !page.close()) {
    location.hash = "#scenarios";
  }
}

setUpOverview(() => page.map.draw());
byId("keys").addEventListener("click", () => byId("help").showModal());
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copyFrom(button);
});
addEventListener("hashchange", route);
route();
