// store.js: the draft, its history, and keeping it: every change is saved a moment later, and nothing is lost when the
// network is gone, the session is over or another tab was faster.
import { call, signInAgain } from "./calls.js";
import { walk } from "./known.js";

// A tree in which every expression that looks up the step `id` looks up `fresh` instead.
function lookingUp(value, id, fresh) {
  const look = new RegExp(`(?<![\\w.\\]"'-])${id}(?![\\w-])`, "g");
  if (typeof value === "string") return value.replace(/\{\{[\s\S]*?\}\}/g, (found) => found.replace(look, fresh));
  if (Array.isArray(value)) return value.map((item) => lookingUp(item, id, fresh));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lookingUp(item, id, fresh)]));
}

// What failed for another reason than what it is about is tried again.
function stateAfter(status) {
  if (!status) return "offline";
  if (status === 401) return "signed_out";
  return status === 429 || status >= 500 ? "busy" : "refused";
}

const SAVE_AFTER = 500;
const MOST_HISTORY = 100;

export class Store extends EventTarget {
  constructor(data) {
    super();
    this.data = data;
    this.draft = data.draft;
    this.draft.steps ??= [];
    this.draft.settings ??= [];
    this.draft.trigger ??= { type: "event", name: "" };
    this.about = { name: data.workflow.name, description: data.workflow.description, ...data.flags };
    this.revision = data.revision;
    this.problems = data.problems;
    this.samples = data.samples;
    this.results = null;
    this.begun = this.draft.steps.length ? null : "trigger"; // the open card that nobody has left yet: nothing in it is called wrong
    this.selected = this.begun ?? this.problems.map((each) => each.where).find((where) => this.isCard(where)) ?? null;
    this.past = [];
    this.future = [];
    this.saved = this.snapshot();
    this.tries = 0;
    this.keptKey = `patchbay-draft-${data.workflow.id}`;
    this.restore();
    addEventListener("beforeunload", (event) => {
      if (this.isDirty()) event.preventDefault();
    });
    addEventListener("online", () => this.save());
    addEventListener("focus", () => this.isSignedOut && this.save()); // back from the tab in which to sign in
  }

  snapshot() {
    return JSON.stringify({ draft: this.draft, about: this.about });
  }

  isDirty() {
    return this.snapshot() !== this.saved;
  }

  // What a reload in the middle of a lost connection would lose is kept in this browser until it is saved.
  restore() {
    const kept = JSON.parse(localStorage.getItem(this.keptKey) ?? "null");
    if (!kept) return;
    if (kept.text === this.saved) return localStorage.removeItem(this.keptKey);
    if (kept.revision !== this.revision) {
      this.conflict = { mine: kept.text };
      return;
    }
    this.take(kept.text);
    this.note = "Changes that were not saved the last time are back.";
    this.later();
  }

  take(text) {
    const { draft, about } = JSON.parse(text);
    this.draft = draft;
    this.about = about;
  }

  say(type) {
    this.dispatchEvent(new Event(type));
  }

  // `mutate` changes the draft. With `redraw: false` the page shows the change already (someone is typing).
  change(mutate, { redraw = true, merge = "" } = {}) {
    const before = this.snapshot();
    mutate(this.draft);
    if (this.snapshot() === before) return;
    if (!merge || this.merging !== merge) this.past.push(before);
    if (this.past.length > MOST_HISTORY) this.past.shift();
    this.merging = merge;
    this.future = [];
    this.later();
    this.say(redraw ? "draw" : "touched");
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  travel(from, to) {
    const text = from.pop();
    if (text === undefined) return;
    to.push(this.snapshot());
    this.take(text);
    this.merging = "";
    if (!this.isCard(this.selected)) this.selected = null;
    this.later();
    this.say("draw");
  }

  later() {
    localStorage.setItem(this.keptKey, JSON.stringify({ text: this.snapshot(), revision: this.revision }));
    this.state = "changed";
    this.say("state");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), SAVE_AFTER);
  }

  async save({ force = false } = {}) {
    clearTimeout(this.timer);
    if (this.saving) return this.saving.then(() => this.save());
    if ((!this.isDirty() && !force) || (this.conflict && !force)) return;
    if (!this.isSignedOut) this.state = "saving";
    this.say("state");
    this.saving = this.send().finally(() => (this.saving = null));
    return this.saving;
  }

  async send() {
    const text = this.snapshot();
    const { draft, about } = JSON.parse(text);
    try {
      if (this.isSignedOut) await signInAgain();
      const answer = await call(this.data.urls.save_draft, { draft, ...about, revision: this.revision });
      this.saved = text;
      this.revision = answer.revision;
      this.problems = answer.problems;
      this.hasChanges = answer.has_changes;
      this.tries = 0;
      this.isSignedOut = false;
      this.state = "saved";
      if (this.isDirty()) this.later();
      else localStorage.removeItem(this.keptKey);
      this.say("problems");
    } catch (error) {
      this.failed(error, text);
    }
    this.say("state");
  }

  failed(error, text) {
    if (error.status === 409) {
      this.conflict = { mine: text, revision: error.body.revision };
      this.state = "conflict";
      this.say("conflict");
      return;
    }
    this.isSignedOut = error.status === 401;
    this.state = stateAfter(error.status);
    this.words = error.message;
    if (this.state !== "refused") {
      this.tries += 1;
      this.timer = setTimeout(() => this.save(), Math.min(1000 * 2 ** this.tries, 15000));
    }
  }

  // Of two versions keep mine: it is saved over the other.
  keepMine() {
    const { mine, revision } = this.conflict;
    this.conflict = null;
    this.take(mine);
    this.revision = revision ?? this.revision;
    this.say("draw");
    return this.save({ force: true });
  }

  takeTheirs() {
    localStorage.removeItem(this.keptKey);
    this.saved = this.snapshot();
    location.reload();
  }

  // Steps

  isCard(id) {
    return ["trigger", "settings"].includes(id) || Boolean(this.step(id));
  }

  step(id) {
    return [...walk(this.draft.steps)].find((each) => each.id === id);
  }

  // The list that holds a step, and its place in it.
  place(id, steps = this.draft.steps) {
    for (const [position, step] of steps.entries()) {
      if (step.id === id) return { list: steps, position };
      for (const name of ["then", "else", "steps"]) {
        const found = step[name] && this.place(id, step[name]);
        if (found) return found;
      }
    }
    return null;
  }

  // The list at an address such as [] (the top) or ["check", "then"].
  listAt([holder, name]) {
    if (!holder) return this.draft.steps;
    const step = this.step(holder);
    return (step[name] ??= []);
  }

  freeId(wanted, more = []) {
    const base = wanted.toLowerCase().replace(/[^a-z0-9]+/g, "_").replace(/^[^a-z]+|_+$/g, "").slice(0, 32) || "step";
    const taken = new Set([...walk(this.draft.steps)].map((each) => each.id).concat(this.data.reserved, more));
    let id = base;
    for (let number = 2; taken.has(id); number += 1) id = `${base}_${number}`;
    return id;
  }

  titleOf(step) {
    if (step.name) return step.name;
    if (step.type === "action") return this.data.actions.find((each) => each.slug === step.action)?.title ?? "Action";
    return this.data.types.find((each) => each.type === step.type)?.title ?? "Step";
  }

  // A copy of a step under names of its own, with what stands inside it; what looked up its own parts still does.
  copyOf(step) {
    let copy = structuredClone(step);
    const names = new Map();
    for (const { id } of walk([step])) names.set(id, this.freeId(id.replace(/_\d+$/, ""), [...names.values()]));
    for (const inner of walk([copy])) inner.id = names.get(inner.id);
    for (const [id, fresh] of names) if (id !== step.id) copy = lookingUp(copy, id, fresh);
    return copy;
  }

  // Rename a step and every expression that looks it up.
  rename(id, wanted) {
    const fresh = this.freeId(wanted);
    this.change((draft) => {
      const before = this.step(id);
      before.id = fresh;
      draft.steps = lookingUp(draft.steps, id, fresh);
    });
    if (id in this.samples) this.samples[fresh] = this.samples[id];
    if (this.begun === id) this.begun = fresh;
    this.selected = fresh;
    this.say("draw");
    return fresh;
  }
}
