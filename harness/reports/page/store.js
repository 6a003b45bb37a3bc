// The histories in this file: packed chunks that are unpacked when somebody looks, and not before.
"use strict";

const CAN_UNPACK = typeof DecompressionStream === "function";
const KEPT_CHUNKS = 24;

/** The JSON value in a packed chunk. */
async function unpack(id) {
  const text = atob(byId(id).textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** One scenario's rows in columns, its spans, and its texts by number. */
class Story {
  constructor(number, table) {
    this.number = number;
    this.lanes = table.lanes;
    this.words = table.words;
    this.columns = table.columns;
    this.spans = table.spans;
    this.starts = table.starts;
    this.length = table.columns.time_s.length;
    this.master = Math.max(0, table.lanes.indexOf("master"));
    this.kept = new Map();
  }

  static async read(number) {
    return new Story(number, await unpack("t-" + number));
  }

  word(column, row) {
    return this.words[this.columns[column][row]];
  }

  /** A row as an object, with its words. */
  row(at) {
    const { columns } = this;
    return {
      at,
      time: columns.time_s[at],
      lane: columns.lane[at],
      who: this.lanes[columns.lane[at]] ?? "",
      kind: this.word("kind", at),
      type: this.word("type", at),
      tag: this.word("tag", at),
      label: this.word("label", at),
      op: columns.op[at],
      status: columns.status[at],
      request: columns.request[at],
      body: columns.body[at],
      answer: columns.answer[at],
      mate: columns.mate[at],
    };
  }

  /** The text with a number; "" for -1. */
  async text(number) {
    if (number < 0) return "";
    let chunk = 0;
    while (chunk + 1 < this.starts.length && this.starts[chunk + 1] <= number) chunk += 1;
    const texts = await this.chunk(chunk);
    return texts[number - this.starts[chunk]];
  }

  async chunk(number) {
    if (!this.kept.has(number)) {
      if (this.kept.size >= KEPT_CHUNKS) this.kept.delete(this.kept.keys().next().value);
      this.kept.set(number, unpack("x-" + this.number + "-" + number));
    }
    return this.kept.get(number);
  }

  /** The numbers of the texts that hold a word, whatever its case. */
  async textsWith(wanted) {
    const found = new Set();
    for (let chunk = 0; chunk < this.starts.length; chunk += 1) {
      const texts = await this.chunk(chunk);
      texts.forEach((text, at) => {
        if (text.toLowerCase().includes(wanted)) found.add(this.starts[chunk] + at);
      });
    }
    return found;
  }
}
