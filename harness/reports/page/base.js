// Making elements, and saying things: what every other script uses. All text goes in as text nodes.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** The element with an id. */
function byId(id) {
  return document.getElementById(id);
}

function withAttributes(element, attributes) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  return element;
}

/** An HTML element with attributes and children; strings become text. */
function el(name, attributes = {}, ...children) {
  const element = withAttributes(document.createElement(name), attributes);
  element.append(...children);
  return element;
}

/** An SVG element with attributes. */
function drawn(name, attributes = {}, ...children) {
  const element = withAttributes(document.createElementNS(SVG, name), attributes);
  element.append(...children);
  return element;
}

/** A text with every character that cannot be seen, or that turns the direction of others, written out. */
function speakable(text) {
  return text.replace(UNSEEN, (one) => "\\u" + one.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** Seconds to the millisecond: 630.000. */
function seconds(value) {
  return value.toFixed(3);
}

/** A length of time in words: 10 min 30 s. */
function duration(value) {
  const parts = [];
  let rest = value;
  for (const [unit, size] of [["d", 86400], ["h", 3600], ["min", 60]]) {
    if (rest >= size) {
      parts.push(Math.floor(rest / size) + " " + unit);
      rest %= size;
    }
  }
  if (rest >= 0.0005 || !parts.length) parts.push(Number(rest.toFixed(3)) + " s");
  return parts.join(" ");
}

/** Say something to a screen reader. */
function announce(text) {
  byId("live").textContent = text;
}

/** A colour of the style sheet, as a canvas takes it, in the theme of now. */
function colour(name) {
  const probe = byId("live");
  probe.style.color = "var(--" + name + ")";
  const value = getComputedStyle(probe).color;
  probe.style.color = "";
  return value;
}

/** Call an action once before the next frame, however often it is asked for. */
function eachFrame(action) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      action();
    });
  };
}

/** Copy what a button is for, and say so. */
async function copyFrom(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
    announce("copied");
    button.textContent = "Copied";
  } catch {
    const code = button.parentElement.querySelector("code");
    if (code) getSelection().selectAllChildren(code);
    button.textContent = "Selected: press Ctrl C";
  }
}
