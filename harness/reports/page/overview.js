// The first page: filters over the clauses and scenarios, and the theme.
"use strict";

const CHOICES = { verdict: "by-verdict", area: "by-area", level: "by-level" };

/** Show the clauses and scenarios that the filters leave, and say how many they are. */
function filterOverview() {
  const wanted = byId("search").value.trim().toLowerCase();
  const chosen = Object.fromEntries(Object.entries(CHOICES).map(([key, id]) => [key, byId(id).value]));
  const kept = new Set();
  let clauses = 0;
  let scenarios = 0;
  for (const body of document.querySelectorAll("table.clauses tbody")) {
    let left = 0;
    for (const row of body.querySelectorAll("tr.clause")) {
      const fits =
        (!chosen.verdict || row.dataset.verdict === chosen.verdict) &&
        (!chosen.area || body.dataset.area === chosen.area) &&
        (!chosen.level || row.dataset.level === chosen.level) &&
        row.textContent.toLowerCase().includes(wanted);
      row.hidden = !fits;
      if (fits) kept.add(row.id);
      left += fits ? 1 : 0;
    }
    body.hidden = !left;
    clauses += left;
  }
  for (const cell of document.querySelectorAll(".cell")) {
    cell.classList.toggle("out", !kept.has(cell.getAttribute("href").slice(1)));
  }
  for (const row of document.querySelectorAll("tr.scenario")) {
    const about = [...row.querySelectorAll(".stories a")].map((link) => link.getAttribute("href").slice(1));
    const fits =
      (!chosen.verdict || row.dataset.verdict === chosen.verdict) &&
      ((!chosen.area && !chosen.level) || about.some((id) => isChosen(id, chosen))) &&
      row.textContent.toLowerCase().includes(wanted);
    row.hidden = !fits;
    scenarios += fits ? 1 : 0;
  }
  byId("found").textContent = clauses + " clauses, " + scenarios + " scenarios";
}

/** Whether a clause's line is of the chosen area and level, whatever its verdict. */
function isChosen(id, chosen) {
  const row = byId(id);
  return (
    row !== null &&
    (!chosen.area || row.parentElement.dataset.area === chosen.area) &&
    (!chosen.level || row.dataset.level === chosen.level)
  );
}

function clearFilters() {
  byId("search").value = "";
  for (const id of Object.values(CHOICES)) byId(id).value = "";
  filterOverview();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function nameTheme() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
}

function setUpOverview(onTheme) {
  byId("search").addEventListener("input", filterOverview);
  for (const id of Object.values(CHOICES)) byId(id).addEventListener("change", filterOverview);
  byId("no-filters").addEventListener("click", clearFilters);
  byId("clause-filters").addEventListener("submit", (event) => event.preventDefault());
  byId("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
    onTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    nameTheme();
    onTheme();
  });
  nameTheme();
  filterOverview();
}
