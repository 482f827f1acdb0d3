"use strict";
// Everything the page knows is asked of the server; what the annotator does is written there before it is shown.

const $ = (id) => document.getElementById(id);
const CHINESE = { content: "正文", chrome: "周边", spam: "垃圾" };
const QUEUES = ["uncertain", "suspects", "disagreements", "pages"];
const KIND_KEYS = { KeyB: "brand", KeyA: "advert", KeyC: "contact", KeyO: "noise" };

let overview; // who, with what model, how far, all pages
let page; // the page shown, with its blocks
let here = 0; // number of the current block
let asked = null; // number of the block that the queue asked for, null when looking around
let queue = "uncertain";
let selection = null; // text selected in a block: its number, and code points from, to

// ---------------------------------------------------------------- the server

async function call(name, parameters, body) {
  const query = parameters ? "?" + new URLSearchParams(parameters) : "";
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`api/${name}${query}`, options);
  const found = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Error(found.error);
  if (found.queues) showQueues(found.queues);
  return found;
}

// One thing after another: keys that come while an answer is on its way wait for it.
let busy = Promise.resolve();
function next(step) {
  busy = busy.then(step).catch((error) => say(error.message, true));
  return busy;
}

// ---------------------------------------------------------------- moving about

async function open(key, number, isAsked) {
  if (page?.key !== key || queue === "disagreements" || queue === "suspects") {
    page = await call("page", { page: key, queue });
    showPage();
  }
  asked = isAsked ? number : null;
  go(number);
}

function go(number) {
  here = Math.max(0, Math.min(number, page.blocks.length - 1));
  hideKinds();
  for (const row of document.querySelectorAll(".block.here, .block.asked")) row.classList.remove("here", "asked");
  const row = $("blocks").children[here];
  row.classList.add("here");
  if (asked !== null) $("blocks").children[asked].classList.add("asked");
  row.scrollIntoView({ block: "center" });
  showChoice();
  $("frame").contentWindow.location.replace(`${base()}frame/${page.key}#block-${here}`);
  history.replaceState(null, "", `#${queue}/${page.key}/${here}${asked === null ? "" : "/asked"}`);
}

const base = () => location.href.replace(/#.*/, "");

async function nextInQueue() {
  if (queue === "pages") return turn(1);
  if (queue === "suspects" && overview.queues.suspects === null) say("fitting a model without each site …");
  const after = asked === null || !page ? {} : { page: page.key, block: asked };
  const found = await call("next", { queue, ...after });
  if (found.next) await open(found.next.page, found.next.block, true);
  else say(`nothing waits in ${queue}`);
  return found.next;
}

async function turn(step) {
  const keys = overview.pages.map((p) => p.key);
  const place = (keys.indexOf(page.key) + step + keys.length) % keys.length;
  await open(keys[place], 0, false);
}

async function choose(name) {
  queue = name;
  showQueues(overview.queues);
  asked = null;
  if (queue === "pages") go(here);
  else if (!(await nextInQueue())) go(here);
}

// ---------------------------------------------------------------- answering

const known = (block) => block.mine ?? block.given;
const labelOf = (block) => known(block)?.label ?? block.guess;

async function answer(label, { everywhere = false, spans = known(page.blocks[here])?.spans ?? [], stay = false } = {}) {
  const number = here;
  const done = await call("answer", null, { page: page.key, block: number, label, spans, everywhere, queue });
  for (const place of done.places.filter((p) => p.page === page.key)) {
    page.blocks[place.block].mine = { by: overview.annotator, label: done.label, spans: done.spans };
    showBlock(place.block);
  }
  count(done.fresh);
  say(`${number + 1} is ${label}${done.places.length > 1 ? `, ${done.places.length} copies` : ""}`);
  if (stay) go(number);
  else if (number === asked && (await nextInQueue())) return;
  else go(number + 1);
}

async function undo() {
  const found = await call("undo", null, {});
  if (found.undone === null) return say("nothing to undo");
  const place = found.places[0];
  page = null; // what held before is known to the server
  overview = await call("overview");
  count([]);
  if (place) await open(place.page, place.block, true);
  else await open(overview.pages[0].key, 0, false);
  say(`undone: ${found.undone.slice(0, 30)}`);
}

function mark(kind) {
  const { block, from, to } = selection;
  const others = (known(page.blocks[block])?.spans ?? []).filter(([start, stop]) => stop <= from || start >= to);
  getSelection().removeAllRanges();
  go(block);
  next(() => answer(labelOf(page.blocks[block]), { spans: [...others, [from, to, kind]], stay: true }));
}

function unmark(number, start) {
  const spans = (known(page.blocks[number])?.spans ?? []).filter((span) => span[0] !== start);
  go(number);
  next(() => answer(labelOf(page.blocks[number]), { spans, stay: true }));
}

// ---------------------------------------------------------------- keys

// By `code`, the key's place on the keyboard: with a Chinese input method on, `key` may be "Process".
const ACTIONS = {
  ArrowDown: () => go(here + 1),
  ArrowUp: () => go(here - 1),
  ArrowRight: () => turn(1),
  ArrowLeft: () => turn(-1),
  KeyN: nextInQueue,
  KeyU: undo,
  KeyQ: () => choose(QUEUES[(QUEUES.indexOf(queue) + 1) % QUEUES.length]),
  KeyG: showChooser,
  KeyS: () => answer(labelOf(page.blocks[here]), { spans: page.blocks[here].suggested, stay: true }),
  KeyX: () => answer(labelOf(page.blocks[here]), { spans: [], stay: true }),
  Enter: () => answer(page.blocks[here].guess),
  NumpadEnter: () => answer(page.blocks[here].guess),
};

document.addEventListener("click", (event) => {
  if (event.detail) event.target.closest("button")?.blur(); // Enter after a click is an answer, not the same click again
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, dialog")) return;
  const digit = /^(?:Digit|Numpad)([123])$/.exec(event.code);
  const button = event.target.closest("button") && /Enter/.test(event.code);
  if (digit) {
    const label = overview.labels[digit[1] - 1];
    next(() => answer(label, { everywhere: event.shiftKey }));
  } else if (selection && event.code in KIND_KEYS) mark(KIND_KEYS[event.code]);
  else if (event.code === "Escape") hideKinds();
  else if (event.code in ACTIONS && !button) next(ACTIONS[event.code]);
  else return;
  event.preventDefault();
});

// ---------------------------------------------------------------- selecting text

// Offsets are code points everywhere but in the browser, which counts UTF-16 units.
const codePoints = (text) => [...text].length;

document.addEventListener("selectionchange", () => {
  const chosen = getSelection();
  const row = chosen.rangeCount && !chosen.isCollapsed && textOf(chosen.anchorNode);
  if (!row || row !== textOf(chosen.focusNode)) return hideKinds();
  const range = chosen.getRangeAt(0);
  const before = document.createRange();
  before.setStart(row, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const from = codePoints(before.toString());
  const block = Number(row.parentElement.dataset.number);
  selection = { block, from, to: from + codePoints(range.toString()) };
  const box = range.getBoundingClientRect();
  $("kinds").hidden = false;
  $("kinds").style.left = `${Math.max(4, Math.min(box.left, innerWidth - 340))}px`;
  $("kinds").style.top = `${box.bottom + 38 > innerHeight ? box.top - 38 : box.bottom + 6}px`;
});

const textOf = (node) => (node?.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest(".text");

function hideKinds() {
  selection = null;
  $("kinds").hidden = true;
}

// ---------------------------------------------------------------- showing

function make(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function showQueues(waiting) {
  overview.queues = waiting;
  for (const button of document.querySelectorAll("#queues button")) {
    const name = button.dataset.queue;
    button.setAttribute("aria-pressed", name === queue);
    const number = button.querySelector("b");
    if (number) number.textContent = waiting[name] ?? "";
  }
}

function showPage() {
  $("site").textContent = page.site;
  $("name").textContent = overview.pages.find((p) => p.key === page.key)?.title || page.id;
  $("blocks").replaceChildren(...page.blocks.map(row));
  $("frame").removeAttribute("src");
}

function showBlock(number) {
  $("blocks").children[number].replaceWith(row(page.blocks[number], number));
}

function row(block, number) {
  const label = labelOf(block);
  const p = block.mine ? 1 : block.proba[overview.labels.indexOf(label)];
  const made = make("div", `block ${label}`);
  made.dataset.number = number;
  made.style.setProperty("--p", Math.max(0.15, p).toFixed(2));
  made.classList.toggle("answered", Boolean(block.mine));
  made.classList.toggle("hidden", block.hidden);
  const told = block.mine ? `${label} ✓` : block.given ? `${label} · ${p.toFixed(2)}` : `${label} ${p.toFixed(2)}`;
  made.append(make("i", "bar"), make("span", "number", number + 1), text(block), make("span", "label", told));
  return made;
}

function text(block) {
  const made = make("div", "text");
  const points = [...block.text];
  const marked = known(block)?.spans ?? [];
  const open = block.mine ? [] : block.suggested; // what is answered shows what is written down, and nothing else
  const free = open.filter(([a, b]) => marked.every(([start, stop]) => stop <= a || start >= b));
  const spans = [...marked.map((span) => [...span, true]), ...free.map((span) => [...span, false])];
  let place = 0;
  for (const [start, stop, kind, given] of spans.sort((a, b) => a[0] - b[0])) {
    const piece = make("mark", given ? "given" : "suggested", points.slice(start, stop).join(""));
    piece.title = given ? `${kind}: click to unmark` : `${kind}, suggested: s takes it`;
    piece.dataset.start = start;
    made.append(points.slice(place, start).join(""), piece);
    place = stop;
  }
  made.append(points.slice(place).join(""));
  return made;
}

function showChoice() {
  const block = page.blocks[here];
  overview.labels.forEach((label, i) => {
    const button = $("labels").children[i];
    button.setAttribute("aria-pressed", known(block)?.label === label);
    button.style.setProperty("--width", `${100 * block.proba[i]}%`);
    button.querySelector("small").textContent = block.proba[i].toFixed(2);
  });
  const facts = [`<${block.tag}>`, block.hidden && "hidden by its style"];
  facts.push(block.copies > 1 && `stands ${block.copies} times on this site's pages`);
  facts.push(block.given && `${block.given.by} says ${block.given.label}`);
  facts.push(block.doubt && `doubted: ${block.doubt}`);
  $("about").replaceChildren(facts.filter(Boolean).join(" · "));
  if (block.said.length) $("about").append(" · ", make("strong", "", block.said.map((s) => `${s.by}: ${s.label}`).join(", ")));
}

function say(message, isError = false) {
  $("said").textContent = message;
  $("said").classList.toggle("error", isError);
}

function count(fresh) {
  for (const place of fresh) overview.pages.find((p) => p.key === place.page).answered += 1;
  const answered = overview.pages.reduce((sum, p) => sum + p.answered, 0);
  $("who").textContent = `${overview.annotator} · ${answered} answered · ${overview.model}`;
}

// ---------------------------------------------------------------- choosing a page

const STATES = {
  "": () => true,
  new: (p) => !p.answered,
  begun: (p) => p.answered > 0 && p.answered < p.blocks,
  done: (p) => p.answered >= p.blocks,
};

async function showChooser() {
  overview = await call("overview");
  showPages();
  $("chooser").showModal();
  $("filter").select();
}

function showPages() {
  const words = $("filter").value.toLowerCase().split(/\s+/);
  const fits = (p) => words.every((word) => `${p.id} ${p.site} ${p.title} ${p.key}`.toLowerCase().includes(word));
  const found = overview.pages.filter((p) => STATES[$("state").value](p) && fits(p)).slice(0, 500);
  $("pages").replaceChildren(...found.map(pageRow));
}

function pageRow(p) {
  const button = make("button", "");
  button.toggleAttribute("aria-current", p.key === page.key);
  button.append(make("span", "", p.site), make("span", "", p.title || p.id), make("span", "", `${p.answered} / ${p.blocks}`));
  button.addEventListener("click", () => {
    $("chooser").close();
    next(() => open(p.key, 0, false));
  });
  const item = make("li", "");
  item.append(button);
  return item;
}

// ---------------------------------------------------------------- the beginning

function listen() {
  for (const button of document.querySelectorAll("#queues button")) {
    button.addEventListener("click", () => next(() => choose(button.dataset.queue)));
  }
  $("where").addEventListener("click", () => next(showChooser));
  $("filter").addEventListener("input", showPages);
  $("state").addEventListener("change", showPages);
  $("chooser").querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    $("pages").querySelector("button")?.click();
  });
  $("blocks").addEventListener("click", (event) => {
    const number = Number(event.target.closest(".block")?.dataset.number ?? NaN);
    if (Number.isNaN(number) || !getSelection().isCollapsed) return;
    const given = event.target.closest("mark.given");
    if (given && number === here) unmark(number, Number(given.dataset.start));
    else next(() => go(number));
  });
  overview.labels.forEach((label, i) => {
    const button = make("button", label);
    button.append(make("kbd", "", i + 1), ` ${label}`, make("em", "", CHINESE[label]), make("small", ""), make("i", ""));
    button.addEventListener("click", (event) => next(() => answer(label, { everywhere: event.shiftKey })));
    $("labels").append(button);
  });
  for (const [code, kind] of Object.entries(KIND_KEYS)) {
    const button = make("button", "");
    button.append(make("kbd", "", code.slice(3).toLowerCase()), ` ${kind}`);
    button.addEventListener("mousedown", (event) => event.preventDefault()); // keeps what is selected
    button.addEventListener("click", () => mark(kind));
    $("kinds").append(button);
  }
}

async function begin() {
  overview = await (await fetch("api/overview")).json();
  listen();
  count([]);
  const [, name, key, number, isAsked] = /^#(\w+)\/(\w+)\/(\d+)(\/asked)?$/.exec(location.hash) ?? [];
  queue = QUEUES.includes(name) ? name : queue;
  showQueues(overview.queues);
  if (overview.pages.some((p) => p.key === key)) await open(key, Number(number), Boolean(isAsked));
  else if (!(await nextInQueue())) await open(overview.pages[0].key, 0, false);
}

next(begin);
