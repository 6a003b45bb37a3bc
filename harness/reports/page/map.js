// The whole scenario in one picture: a line for each lane, a dash for each row, to see and to jump.
"use strict";

const MARKS = { claim: "ok-fill", result: "ok-fill", fault: "fail", broken: "fail", timer: "warn", seen: "warn" };

const AXIS = 16;
const TICKS = 6;

class StoryMap {
  /** `onJump` is told the row that was pointed at. */
  constructor(canvas, onJump) {
    this.canvas = canvas;
    this.story = null;
    this.first = 0;
    this.last = 0;
    this.draw = eachFrame(() => this.paint());
    const jump = (event) => {
      if (this.story) onJump(this.rowAt(event.offsetX));
    };
    canvas.addEventListener("pointerdown", jump);
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons === 1) jump(event);
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  show(story) {
    this.story = story;
    this.draw();
  }

  /** Mark which rows the list shows. */
  mark(first, last) {
    this.first = first;
    this.last = last;
    this.draw();
  }

  rowAt(x) {
    const width = this.canvas.clientWidth || 1;
    return Math.max(0, Math.min(this.story.length - 1, Math.floor((x / width) * this.story.length)));
  }

  paint() {
    const { canvas, story } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!story || !width) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const names = ["ok-fill", "info-fill", "fail-fill", "fail", "warn", "held", "down", "line", "faint", "focus", "ink"];
    const ink = Object.fromEntries(names.map((name) => [name, colour(name)]));
    const lane = (height - AXIS) / story.lanes.length;
    const x = (row) => (row / story.length) * width;
    this.paintSpans(pen, ink, lane, x);
    this.paintRows(pen, ink, lane, x, width);
    this.paintAxis(pen, ink, x, width, height);
    pen.strokeStyle = ink.focus;
    pen.lineWidth = 2;
    pen.strokeRect(x(this.first) + 1, 1, Math.max(4, x(this.last + 1) - x(this.first) - 2), height - AXIS - 2);
  }

  paintSpans(pen, ink, lane, x) {
    for (const [at, first, last, what] of this.story.spans) {
      if (what === "open") continue;
      pen.fillStyle = ink[what];
      pen.fillRect(x(first), at * lane, Math.max(1, x(last + 1) - x(first)), lane);
    }
  }

  paintRows(pen, ink, lane, x, width) {
    const { story } = this;
    const dash = Math.max(1, Math.min(8, (width / story.length) * 0.8));
    // where many rows share a pixel, heartbeats and empty polls would cover all that matters
    const crowded = story.length > width;
    for (let row = 0; row < story.length; row += 1) {
      const at = story.columns.lane[row];
      const left = x(row);
      if (at < 0) {
        pen.fillStyle = ink.line;
        pen.fillRect(left, 0, dash, lane * story.lanes.length);
        continue;
      }
      const tag = story.word("tag", row);
      const type = story.word("type", row);
      const plain = !(tag in MARKS) && (type === "ok" || type === "");
      if (crowded && plain && (tag === "heartbeat" || tag === "poll")) continue;
      const weight = plain ? 0.4 : 0.9;
      pen.fillStyle = ink[type === "fail" || type === "info" ? type + "-fill" : (MARKS[tag] ?? "faint")];
      if (tag in MARKS && MARKS[tag] !== "ok-fill") pen.fillStyle = ink[MARKS[tag]];
      pen.fillRect(left, at * lane + (lane * (1 - weight)) / 2, dash, Math.max(1, lane * weight));
    }
  }

  /** Write the time of some rows below the picture: it does not run evenly. */
  paintAxis(pen, ink, x, width, height) {
    const { story } = this;
    const ticks = Math.max(1, Math.min(TICKS, Math.floor(width / 120), story.length - 1));
    pen.fillStyle = ink.faint;
    pen.font = "11px monospace";
    for (let tick = 0; tick <= ticks; tick += 1) {
      const row = Math.round((tick / ticks) * (story.length - 1));
      pen.textAlign = tick === 0 ? "left" : tick === ticks ? "right" : "center";
      pen.fillText(seconds(story.columns.time_s[row]) + " s", tick === ticks ? width - 2 : x(row) + 2, height - 4);
    }
  }
}
