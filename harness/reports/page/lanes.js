// The swim lanes: a list of rows of which only those in sight exist, each with its piece of every lane.
"use strict";

const LETTERS = {
  heartbeat: "H", poll: "P", claim: "C", result: "R", update: "U", spec: "S", look: "L", admin: "A",
  fault: "!", life: "↑", timer: "T", seen: "≠", phase: "§", wait: "W", note: "·", gap: "⋯", broken: "✕",
};
const NAMES = {
  heartbeat: "heartbeat", poll: "poll", claim: "claim", result: "result", update: "update", spec: "spec",
  look: "look", admin: "admin call", fault: "fault", life: "start", timer: "by the master itself",
  seen: "another state", phase: "phase", wait: "wait", note: "note", gap: "idle", broken: "failed expectation",
};
const MORE_ROWS = 12;

class Lanes {
  /** `onPick` is told the row that was chosen, `onOpen` the one that was opened, `onScroll` what is in sight. */
  constructor(box, names, { onPick, onOpen, onScroll }) {
    Object.assign(this, { box, names, onPick, onOpen, onScroll });
    this.inner = box.firstElementChild;
    this.story = null;
    this.shown = [];
    this.picked = -1;
    this.lines = new Map(); // the rows that exist now, by their place
    this.draw = eachFrame(() => this.paint());
    box.addEventListener("scroll", this.draw);
    box.addEventListener("click", (event) => {
      const row = event.target.closest(".row");
      if (!row) return;
      this.pick(Number(row.dataset.place));
      this.onOpen(this.shown[this.picked]);
    });
    new ResizeObserver(() => (box.clientWidth === this.laidOutFor ? this.draw() : this.layOut())).observe(box);
  }

  /** Show these rows of a story (their numbers, in order). */
  show(story, shown) {
    this.story = story;
    this.shown = shown;
    this.picked = shown.length ? 0 : -1;
    this.layOut();
    this.box.scrollTop = 0;
  }

  layOut() {
    if (!this.story) return;
    const { story, box } = this;
    this.laidOutFor = box.clientWidth;
    this.height = parseFloat(getComputedStyle(box).getPropertyValue("--row")) || 28;
    this.inner.style.height = this.shown.length * this.height + "px";
    const space = box.clientWidth * (box.clientWidth < 600 ? 0.3 : box.clientWidth < 900 ? 0.36 : 0.45);
    this.width = Math.max(2, Math.min(76, space / story.lanes.length));
    const steep = this.width < 46;
    const longest = Math.max(...story.lanes.map((name) => name.length));
    const labels = story.lanes.map((name) => el("span", { title: name }, name));
    for (const label of labels) label.style.width = this.width + "px";
    this.names.classList.toggle("steep", steep);
    this.names.style.height = steep ? Math.min(96, 14 + longest * 6) + "px" : "";
    this.names.replaceChildren(el("span", { class: "time" }), ...labels);
    this.names.hidden = this.width < 8;
    this.inner.replaceChildren();
    this.lines.clear();
    this.draw();
  }

  /** Draw the rows in sight, and only those. */
  paint() {
    if (!this.story) return;
    const { box, shown, height } = this;
    const top = Math.max(0, Math.floor(box.scrollTop / height));
    const bottom = Math.min(shown.length - 1, Math.ceil((box.scrollTop + box.clientHeight) / height));
    const first = Math.max(0, top - MORE_ROWS);
    const last = Math.min(shown.length - 1, bottom + MORE_ROWS);
    const spans = shown.length
      ? this.story.spans.filter((span) => span[1] <= shown[last] && span[2] >= shown[first])
      : [];
    for (const [place, line] of this.lines) {
      if (place >= first && place <= last) continue;
      line.remove();
      this.lines.delete(place);
    }
    for (let place = first; place <= last; place += 1) {
      if (!this.lines.has(place)) this.lines.set(place, this.inner.appendChild(this.line(place, spans)));
      this.lines.get(place).setAttribute("aria-selected", String(place === this.picked));
    }
    if (!shown.length) this.inner.replaceChildren(el("p", { class: "nothing" }, "Nothing of this scenario fits the filters."));
    const active = this.picked >= first && this.picked <= last;
    if (active) box.setAttribute("aria-activedescendant", "row-" + this.picked);
    else box.removeAttribute("aria-activedescendant");
    if (shown.length) this.onScroll(shown[top], shown[Math.max(top, bottom - 1)]);
  }

  line(place, spans) {
    const row = this.story.row(this.shown[place]);
    const line = el("div", {
      class: "row " + row.tag,
      id: "row-" + place,
      role: "option",
      "aria-posinset": place + 1,
      "aria-setsize": this.shown.length,
      "data-place": place,
    });
    line.style.top = place * this.height + "px";
    line.append(el("span", { class: "time" }, seconds(row.time)), this.drawing(row, spans));
    line.append(el("span", { class: "letter", title: NAMES[row.tag], "aria-hidden": "true" }, LETTERS[row.tag]));
    line.append(el("span", { class: "unseen" }, " " + NAMES[row.tag] + " "));
    line.append(el("span", { class: "label", dir: "ltr" }, labelOf(row)));
    if (row.type) line.append(el("span", { class: "type t-" + row.type }, row.type));
    else if (row.kind === "begin") line.append(el("span", { class: "unseen" }, "no answer yet"));
    return line;
  }

  /** A row's piece of every lane: tracks, what goes on there, the request's way, and its mark. */
  drawing(row, spans) {
    const { story, width, height } = this;
    const picture = drawn("svg", { width: story.lanes.length * width, height, "aria-hidden": "true" });
    const middle = (lane) => (lane + 0.5) * width;
    story.lanes.forEach((_, lane) => {
      const x = middle(lane);
      picture.append(drawn("line", { class: lane === story.master ? "track master" : "track", x1: x, x2: x, y1: 0, y2: height }));
    });
    for (const [lane, first, last, what] of spans) {
      if (row.at < first || row.at > last) continue;
      const [from, to] = [row.at === first ? height / 2 : 0, row.at === last ? height / 2 : height];
      const breadth = Math.min(width, what === "held" ? 16 : 26);
      if (what === "open") {
        picture.append(drawn("line", { class: "open", x1: middle(lane), x2: middle(lane), y1: from, y2: to }));
        continue;
      }
      picture.append(drawn("rect", { class: what, x: middle(lane) - breadth / 2, y: from, width: breadth, height: to - from }));
      if (what === "down") picture.append(drawn("line", { class: "cut", x1: middle(lane), x2: middle(lane), y1: from, y2: to }));
    }
    if (row.lane < 0) return picture;
    const [x, y] = [middle(row.lane), height / 2];
    if (row.request >= 0) {
      const goal = middle(story.master);
      const ahead = goal < x ? 6 : -6;
      picture.append(drawn("line", { class: "arrow", x1: x, x2: goal, y1: y, y2: y }));
      if (width >= 12) {
        const tip = row.kind === "end" ? [x - ahead * 1.2, x - ahead * 2.2] : [goal + ahead * 0.2, goal + ahead];
        picture.append(drawn("path", { class: "arrow", fill: "none", d: `M${tip[1]} ${y - 4}L${tip[0]} ${y}L${tip[1]} ${y + 4}` }));
      }
    }
    picture.append(...markOf(row, x, y, Math.min(6, width / 2)));
    return picture;
  }

  // --- choosing -----------------------------------------------------------------------------------

  /** Choose the row at a place of the list, and bring it into sight. */
  pick(place) {
    if (!this.shown.length) return;
    this.picked = Math.max(0, Math.min(this.shown.length - 1, place));
    const top = this.picked * this.height;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + this.height > scrollTop + clientHeight) this.box.scrollTop = top + this.height - clientHeight;
    this.paint();
    this.onPick(this.shown[this.picked]);
  }

  /** Choose a row of the story, or the next one that is shown, and put it in the middle. */
  jump(row) {
    let place = this.shown.findIndex((one) => one >= row);
    if (place < 0) place = this.shown.length - 1;
    this.box.scrollTop = place * this.height - this.box.clientHeight / 2;
    this.pick(place);
    this.box.scrollIntoView({ block: "nearest" });
  }

  /** How many rows fit. */
  get page() {
    return Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
  }
}

function labelOf(row) {
  if (row.kind === "gap") return duration(Number(row.label)) + " of nothing";
  if (row.kind === "begin") return row.who + ": " + row.label + " …";
  if (row.kind === "end") return row.who + ": … " + row.label;
  const named = row.kind === "sighting" || row.kind === "broken" || row.who === "muster" || row.label.startsWith(row.who);
  return named ? row.label : row.who + ": " + row.label;
}

/** The mark of a row in its lane: a shape for each type, so that colours are not needed. */
function markOf(row, x, y, size) {
  const kind = "mark " + row.type;
  if (row.kind === "begin") return [drawn("circle", { class: "mark", cx: x, cy: y, r: size * 0.7 })];
  if (row.type === "ok") return [drawn("circle", { class: kind, cx: x, cy: y, r: size })];
  if (row.type === "info") {
    return [drawn("path", { class: kind, d: `M${x} ${y - size * 1.2}l${size * 1.2} ${size * 1.2}l${-size * 1.2} ${size * 1.2}l${-size * 1.2} ${-size * 1.2}z` })];
  }
  if (row.type === "fail") {
    const arm = size * 0.55;
    return [
      drawn("rect", { class: kind, x: x - size, y: y - size, width: size * 2, height: size * 2 }),
      drawn("path", { class: kind, d: `M${x - arm} ${y - arm}L${x + arm} ${y + arm}M${x + arm} ${y - arm}L${x - arm} ${y + arm}` }),
    ];
  }
  return size < 4 ? [] : [drawn("text", { x, y: y + 4 }, LETTERS[row.tag])];
}
