// One scenario's page: it reads the story, filters its rows, and keeps list, map and panel together.
"use strict";

const WRONG = new Set(["fault", "broken"]);

class ScenarioPage {
  constructor() {
    this.story = null;
    this.asked = 0;
    this.map = new StoryMap(byId("map"), (row) => this.lanes.jump(row));
    this.lanes = new Lanes(byId("rows"), byId("lane-names"), {
      onPick: (row) => this.follow(row),
      onOpen: (row) => this.open(row),
      onScroll: (first, last) => this.map.mark(first, last),
    });
    this.panel = byId("exchange");
    byId("row-filters").addEventListener("submit", (event) => event.preventDefault());
    for (const id of ["row-lane", "row-kind"]) byId(id).addEventListener("change", () => this.filter());
    byId("row-search").addEventListener("input", () => this.filter());
    byId("row-time").addEventListener("change", () => this.goTo(parseFloat(byId("row-time").value)));
    byId("rows").addEventListener("keydown", (event) => this.key(event));
    this.panel.addEventListener("keydown", (event) => this.key(event));
  }

  /** Show the scenario with a number; `at` is `broken`, a row, or nothing. */
  async show(number, at) {
    const row = byId("s-" + number);
    byId("scenario-title").replaceChildren(row.querySelector(".verdict").cloneNode(true), " " + row.dataset.id);
    byId("scenario-shows").textContent = row.querySelector(".text").textContent;
    const copy = el("button", { type: "button", class: "copy", "data-copy": row.dataset.replay }, "Copy");
    byId("scenario-replay").replaceChildren(el("span", { class: "command" }, el("code", {}, row.dataset.replay), copy));
    if (this.story?.number !== number && !(await this.read(number))) return;
    if (at === "broken") this.goToBroken();
    else if (at) await this.openAt(Math.min(Number(at) || 0, this.story.length - 1));
  }

  async read(number) {
    this.close();
    byId("stage").hidden = true;
    const trouble = byId("trouble");
    trouble.hidden = true;
    this.story = null;
    if (!CAN_UNPACK) {
      trouble.textContent =
        "This browser cannot unpack the history (it has no DecompressionStream; browsers have had it since May 2023)." +
        " muster run --history FOLDER writes it as JSON lines.";
      trouble.hidden = false;
      return false;
    }
    this.asked = number;
    const story = await Story.read(number);
    if (this.asked !== number) return false; // somebody went on to another meanwhile
    this.story = story;
    byId("stage").hidden = false;
    const lanes = byId("row-lane");
    lanes.replaceChildren(el("option", { value: "" }, "all"));
    story.lanes.forEach((name, at) => lanes.append(el("option", { value: at }, name)));
    for (const id of ["row-search", "row-kind", "row-time"]) byId(id).value = "";
    this.map.show(story);
    await this.filter();
    return true;
  }

  // --- filters ------------------------------------------------------------------------------------

  async filter() {
    const { story } = this;
    const wanted = byId("row-search").value.trim().toLowerCase();
    const texts = wanted ? await story.textsWith(wanted) : null;
    if (story !== this.story || wanted !== byId("row-search").value.trim().toLowerCase()) return;
    const [lane, kind] = [byId("row-lane").value, byId("row-kind").value];
    const words = story.words.map((word) => !wanted || word.toLowerCase().includes(wanted));
    const tags = story.words.map((word) => tagFits(word, kind));
    const { columns } = story;
    const shown = [];
    for (let row = 0; row < story.length; row += 1) {
      const fits =
        (lane === "" || columns.lane[row] === Number(lane)) &&
        (kind === "!ok" ? isWrong(story, row) : tags[columns.tag[row]]) &&
        (!wanted ||
          words[columns.label[row]] ||
          texts.has(columns.request[row]) ||
          texts.has(columns.body[row]) ||
          texts.has(columns.answer[row]));
      if (fits) shown.push(row);
    }
    const keep = this.lanes.story === story ? this.lanes.shown[this.lanes.picked] : 0;
    this.lanes.show(story, shown);
    if (keep) this.lanes.jump(keep);
    byId("row-found").textContent = shown.length.toLocaleString("en") + " of " + story.length.toLocaleString("en") + " events";
  }

  clearFilters() {
    for (const id of ["row-search", "row-lane", "row-kind"]) byId(id).value = "";
    return this.filter();
  }

  // --- going somewhere ------------------------------------------------------------------------------

  goTo(time) {
    if (!this.story || Number.isNaN(time)) return;
    const row = this.story.columns.time_s.findIndex((one) => one >= time);
    this.lanes.jump(row < 0 ? this.story.length - 1 : row);
  }

  goToBroken() {
    const { story } = this;
    for (let row = 0; row < story.length; row += 1) {
      if (story.word("tag", row) === "broken") {
        this.lanes.jump(row);
        return;
      }
    }
  }

  /** Go to the next row that went wrong, in one direction or the other. */
  goToWrong(step) {
    const { shown, picked } = this.lanes;
    for (let place = picked + step; place >= 0 && place < shown.length; place += step) {
      if (isWrong(this.story, shown[place])) {
        this.lanes.jump(shown[place]);
        return;
      }
    }
    byId("row-found").textContent = "Nothing further went wrong."; // a live region as well
  }

  async openAt(row) {
    if (!this.lanes.shown.includes(row)) await this.clearFilters();
    this.lanes.jump(row);
    await this.open(row);
  }

  // --- the panel --------------------------------------------------------------------------------

  async open(row) {
    byId("stage").querySelector(".panes").classList.add("open");
    history.replaceState(null, "", "#s-" + this.story.number + "/" + row); // a link to this event
    await showExchange(this.panel, this.story, row, {
      onClose: () => this.close(),
      onStep: (step) => this.lanes.pick(this.lanes.picked + step),
    });
  }

  /** Show the chosen row in the panel, if that is open. */
  follow(row) {
    if (!this.panel.hidden && Number(this.panel.dataset.row) !== row) this.open(row);
  }

  /** Close the panel; whether it was open. */
  close() {
    const was = !this.panel.hidden;
    this.panel.hidden = true;
    byId("stage").querySelector(".panes").classList.remove("open");
    if (was) {
      history.replaceState(null, "", "#s-" + this.story.number);
      byId("rows").focus({ preventScroll: true });
    }
    return was;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.story) return;
    const { lanes } = this;
    const inPanel = this.panel.contains(event.target);
    const places = {
      ArrowDown: lanes.picked + 1,
      ArrowUp: lanes.picked - 1,
      PageDown: lanes.picked + lanes.page,
      PageUp: lanes.picked - lanes.page,
      Home: 0,
      End: lanes.shown.length - 1,
    };
    if (event.key in places && !inPanel) lanes.pick(places[event.key]);
    else if (event.key === "Enter" && !inPanel && lanes.picked >= 0) this.open(lanes.shown[lanes.picked]);
    else if (event.key === "n") this.goToWrong(1);
    else if (event.key === "p") this.goToWrong(-1);
    else return;
    event.preventDefault();
  }
}

function isWrong(story, row) {
  const type = story.word("type", row);
  return type === "fail" || type === "info" || WRONG.has(story.word("tag", row));
}

function tagFits(tag, kind) {
  if (kind === "" || kind === "!ok") return true;
  if (kind === "work") return tag !== "heartbeat" && tag !== "poll";
  return kind.split(" ").includes(tag) || tag === "broken";
}
