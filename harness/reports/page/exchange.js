// One event in full: its request, what was sent, what was answered; long texts a page at a time.
"use strict";

const PAGE_LENGTH = 20000;

/** Fill the panel with a row of a story. */
async function showExchange(panel, story, at, { onClose, onStep }) {
  const row = story.row(at);
  const close = el("button", { type: "button", class: "close", "aria-label": "Close" }, "✕");
  const back = el("button", { type: "button", "aria-label": "Previous event" }, "↑");
  const on = el("button", { type: "button", "aria-label": "Next event" }, "↓");
  close.addEventListener("click", onClose);
  back.addEventListener("click", () => onStep(-1));
  on.addEventListener("click", () => onStep(1));
  const parts = [el("div", { class: "tools" }, back, on, close), el("h2", { id: "exchange-title" }, labelOf(row))];
  parts.push(facts(story, row));
  if (row.request >= 0) parts.push(...(await exchangeParts(story, row)));
  else if (row.kind !== "gap") parts.push(textPart((await story.text(row.body)) || row.label, "note"));
  panel.replaceChildren(...parts);
  panel.scrollTop = 0;
  panel.dataset.row = at;
  panel.hidden = false;
}

function facts(story, row) {
  const { at } = row;
  const list = el("dl");
  const add = (name, value) => list.append(el("dt", {}, name), el("dd", {}, value));
  add("When", seconds(row.time) + " s");
  if (row.mate >= 0) {
    const other = story.columns.time_s[row.mate];
    if (row.kind === "begin") add("Answered", seconds(other) + " s, " + duration(other - row.time) + " later");
    else add("Asked", seconds(other) + " s, " + duration(row.time - other) + " before");
  }
  if (row.who) add("Who", row.who);
  add("What", NAMES[row.tag]);
  if (row.op >= 0) add("In the history", "operation " + row.op);
  for (const [lane, first, last, what, text] of story.spans) {
    if (lane !== row.lane || at < first || at > last || what === "open") continue;
    add("Meanwhile", what === "held" ? "holds " + text : "is " + text);
  }
  if (row.type) {
    const means = { ok: "it happened", fail: "it definitely did not happen", info: "nobody knows whether it happened" };
    add("Outcome", el("span", { class: "type t-" + row.type }, row.type + " – " + means[row.type]));
  }
  return list;
}

async function exchangeParts(story, row) {
  const [request, body, answer] = await Promise.all([row.request, row.body, row.answer].map((one) => story.text(one)));
  const parts = [el("h3", {}, "Request"), textPart(request, "request")];
  parts.push(el("h3", {}, "Body"), textPart(body, "body"));
  parts.push(el("h3", {}, row.status ? "Answer " + row.status : "Answer"));
  const none = row.kind === "begin" && row.mate < 0 ? "none came before the end" : "empty";
  parts.push(textPart(answer, "answer", none));
  return parts;
}

/** A text, a page of it at first. */
function textPart(text, name, none = "empty") {
  if (!text) return el("p", { class: name }, el("i", {}, none));
  const shown = el("pre", { class: name, dir: "ltr", tabindex: "0", "aria-label": name });
  const box = el("div", {}, shown);
  let length = 0;
  const more = el("button", { type: "button" });
  const grow = () => {
    shown.append(speakable(text.slice(length, length + PAGE_LENGTH)));
    length = Math.min(text.length, length + PAGE_LENGTH);
    more.textContent = `Show more: ${length.toLocaleString("en")} of ${text.length.toLocaleString("en")} characters`;
    more.hidden = length >= text.length;
  };
  more.addEventListener("click", grow);
  grow();
  box.append(more);
  return box;
}
