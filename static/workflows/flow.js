// flow.js: the workflow as a column of cards, branches beside a line, with places to add or move steps.
import { afterPress } from "../js/press.js";
import { button, h, icon } from "./dom.js";

export class Flow {
  constructor(store, forms, holder, onTest) {
    this.store = store;
    this.forms = forms;
    this.holder = holder;
    this.onTest = onTest;
    this.moving = null;
    store.addEventListener("draw", () => this.draw());
    store.addEventListener("problems", () => afterPress(() => this.mark()));
    store.addEventListener("results", () => afterPress(() => this.mark()));
    store.addEventListener("touched", () => this.summarise());
    holder.addEventListener("focusout", () => setTimeout(() => afterPress(() => this.mark())));
    holder.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.moving) this.move(null);
    });
  }

  draw() {
    if (this.store.begun !== this.store.selected) this.store.begun = null;
    const focused = document.activeElement?.closest?.("[data-keep]")?.dataset.keep;
    this.holder.replaceChildren(
      this.card({ id: "trigger", type: "trigger" }, "Trigger", () => this.forms.trigger()),
      this.list(this.store.draft.steps, []),
      this.card({ id: "settings", type: "settings" }, "User settings", () => this.forms.settings()),
    );
    this.mark();
    if (focused) this.holder.querySelector(`[data-keep="${CSS.escape(focused)}"]`)?.focus();
  }

  list(steps, address) {
    const items = steps.flatMap((step, position) => [this.gap(address, position), this.item(step, steps, position)]);
    return h("ol", { class: "flow" }, ...items, this.gap(address, steps.length));
  }

  item(step, steps, position) {
    const card = this.card(step, this.store.titleOf(step), () => this.forms.step(step), this.tools(step, steps, position));
    const branches = [];
    if (step.type === "condition") branches.push(this.branch(step, "then", "Then"), this.branch(step, "else", "Else"));
    if (step.type === "fan_out") branches.push(this.branch(step, "steps", "For each item"));
    return h("li", { class: "flow-item" }, card, ...branches);
  }

  branch(step, name, title) {
    return h("section", { class: "branch", "aria-label": `${title} of ${this.store.titleOf(step)}` }, h("p", { class: "branch-title" }, title), this.list(step[name] ?? [], [step.id, name]));
  }

  card(step, title, form, tools = []) {
    const isOpen = this.store.selected === step.id;
    const head = h("button", {
      type: "button", class: "card-head", "aria-expanded": isOpen ? "true" : "false", "data-keep": step.id,
      on: { click: () => this.select(isOpen ? null : step.id) },
    }, h("span", { class: `step-icon step-icon-${step.type}`, "aria-hidden": "true" }), h("span", { class: "card-title" }, title),
      h("span", { class: "card-summary", "data-summary": step.id }, this.summary(step)), h("span", { class: "card-marks", "data-marks": step.id }));
    return h("div", { class: `step-card${isOpen ? " step-card-open" : ""}`, "data-step": step.id },
      h("div", { class: "card-line" }, head, h("div", { class: "card-tools" }, ...tools)),
      isOpen ? h("div", { class: "card-body" }, h("ul", { class: "errorlist", "data-problems": step.id }), form(), h("div", { "data-result": step.id })) : null);
  }

  select(id) {
    this.store.selected = id;
    this.draw();
    if (id) this.show(id);
  }

  // As much of a card as the window holds, and its title in any case.
  show(id) {
    const card = this.holder.querySelector(`[data-step="${CSS.escape(id)}"]`);
    card?.scrollIntoView({ block: "nearest" });
    card?.querySelector(".card-line").scrollIntoView({ block: "nearest" });
  }

  summary(step) {
    const { draft } = this.store;
    if (step.type === "trigger") {
      const { type, name, cron, input } = draft.trigger;
      const isTold = type === "integration";
      const label = this.store.data.triggers.find((each) => each.value === (isTold ? `${type}:${name}` : type))?.label ?? "";
      return [label, isTold ? Object.values(input ?? {}).join(", ") : (name ?? cron)].filter(Boolean).join(" · ");
    }
    if (step.type === "settings") return draft.settings.map((each) => each.label || each.key).join(", ") || "None";
    const given = step.input ?? {};
    const first = given.summary ?? given.issue ?? given.jql ?? given.path ?? given.url ?? given.over ?? given.until ?? given.body;
    if (step.type === "delay" && given.amount) return `${given.amount} ${given.unit ?? "minutes"}`;
    if (step.type === "values") return (given.values ?? []).map((row) => row.key).join(", ");
    return typeof first === "string" ? first : "";
  }

  summarise() {
    for (const element of this.holder.querySelectorAll("[data-summary]")) {
      const id = element.dataset.summary;
      const step = this.store.step(id) ?? { id, type: id };
      element.textContent = this.summary(step);
    }
  }

  // Tools of a step

  tools(step, steps, position) {
    const title = this.store.titleOf(step);
    const tool = (label, sign, act, disabled = false) => button(icon(sign), act, { class: "tool", "aria-label": `${label}: ${title}`, title: label, disabled, "data-keep": `${step.id}-${label}` });
    const swap = (to) => this.store.change(() => steps.splice(to, 0, steps.splice(position, 1)[0]));
    return [
      tool("Move up", "up", () => swap(position - 1), position === 0),
      tool("Move down", "down", () => swap(position + 1), position === steps.length - 1),
      tool("Move elsewhere", "move", () => this.move(this.moving === step.id ? null : step.id)),
      tool("Duplicate", "copy", () => this.duplicate(step, steps, position)),
      tool("Delete", "delete", () => this.remove(step, steps, position)),
    ];
  }

  duplicate(step, steps, position) {
    this.store.change(() => {
      const copy = this.store.copyOf(step);
      steps.splice(position + 1, 0, copy);
      this.store.selected = copy.id;
    });
  }

  remove(step, steps, position) {
    this.store.change(() => {
      steps.splice(position, 1);
      if (this.store.selected === step.id) this.store.selected = null;
    });
    const next = this.holder.querySelectorAll(".card-head")[position + 1];
    next?.focus();
  }

  move(id) {
    this.moving = id;
    this.draw();
    if (id) this.holder.querySelector(".gap-place")?.focus();
  }

  isInside(id, [holder]) {
    if (!holder) return false;
    if (holder === id) return true;
    const moved = this.store.step(id);
    return ["then", "else", "steps"].some((name) => (moved[name] ?? []).some((inner) => this.isWithin(inner, holder)));
  }

  isWithin(step, id) {
    return step.id === id || ["then", "else", "steps"].some((name) => (step[name] ?? []).some((inner) => this.isWithin(inner, id)));
  }

  // Where steps are added

  gap(address, position) {
    if (this.moving) {
      if (this.isInside(this.moving, address)) return h("li", { class: "gap" });
      return h("li", { class: "gap" }, button("Move it here", () => this.placeHere(address, position), { class: "button button-small gap-place" }));
    }
    const menu = h("ul", { class: "menu-list gap-menu" }, ...this.choices(address, position));
    const key = `gap-${address.join("-")}-${position}`;
    return h("li", { class: "gap" }, h("details", { class: "menu gap-add", on: { toggle: () => menu.scrollIntoView({ block: "nearest" }) } }, h("summary", { "data-keep": key, "aria-label": "Add a step here", title: "Add a step here" }, "+"), menu));
  }

  choices(address, position) {
    const { data } = this.store;
    const entry = (label, note, make) => h("li", {}, h("button", { type: "button", on: { click: () => this.add(address, position, make()) } }, label, note ? h("span", { class: "menu-note" }, note) : null));
    const actions = data.actions.map((action) => entry(action.title, "", () => ({ id: this.store.freeId(action.slug), type: "action", action: action.slug, input: {} })));
    const names = { request: "Any call to the user's account", http: "Any other address", condition: "Then this, else that", fan_out: "The same for each item of a list", delay: "Wait", values: "An object made of values", response: "Answer a request" };
    const others = data.types.filter((kind) => kind.type !== "action").map((kind) => entry(kind.title, names[kind.type], () => ({ id: this.store.freeId(kind.title), type: kind.type, input: {} })));
    return [h("li", { class: "menu-group" }, data.provider.name), ...actions, h("li", { class: "menu-group" }, "Steps"), ...others];
  }

  add(address, position, step) {
    this.store.selected = this.store.begun = step.id;
    this.store.change(() => this.store.listAt(address).splice(position, 0, step));
    this.holder.querySelector(`[data-step="${CSS.escape(step.id)}"] .card-body :is(.expression, input, select)`)?.focus();
    this.show(step.id);
  }

  placeHere(address, position) {
    const id = this.moving;
    this.moving = null;
    this.store.change(() => {
      const from = this.store.place(id);
      const to = this.store.listAt(address);
      const [step] = from.list.splice(from.position, 1);
      to.splice(from.list === to && from.position < position ? position - 1 : position, 0, step);
      this.store.selected = id;
    });
    this.holder.querySelector(`[data-keep="${CSS.escape(id)}"]`)?.focus();
  }

  // Problems and results, in place

  mark() {
    for (const element of this.holder.querySelectorAll("[data-marks]")) this.markCard(element);
    for (const element of this.holder.querySelectorAll("[data-problems]")) this.markForm(element);
    for (const element of this.holder.querySelectorAll("[data-result]")) this.showResult(element);
  }

  problemsOf(id) {
    return id === this.store.begun ? [] : this.store.problems.filter((each) => each.where === id);
  }

  rowsOf(id) {
    return (this.store.results?.steps ?? []).filter((row) => row.path === id);
  }

  markCard(element) {
    const id = element.dataset.marks;
    const problems = this.problemsOf(id);
    const rows = this.rowsOf(id);
    element.replaceChildren();
    if (rows.length) {
      const worst = rows.find((row) => row.status !== "done") ?? rows[0];
      const kind = { done: "badge-good", failed: "badge-bad", uncertain: "badge-warn", in_doubt: "badge-warn" }[worst.status] ?? "badge-live";
      const time = worst.milliseconds === null ? "" : ` · ${worst.milliseconds} ms`;
      element.append(h("span", { class: `badge ${kind}` }, `${rows.length > 1 ? `${rows.length} × ` : ""}${worst.label}${time}`));
    }
    if (problems.length) element.append(h("span", { class: "badge badge-warn", title: problems.map((each) => each.message).join("\n") }, `${problems.length} to mend`));
  }

  markForm(list) {
    const id = list.dataset.problems;
    const body = list.parentElement;
    const failed = this.rowsOf(id).flatMap((row) => Object.entries(row.fields ?? {}).map(([field, message]) => ({ field, message })));
    const found = [...this.problemsOf(id), ...failed];
    body.querySelectorAll(".field-wrong").forEach((each) => each.classList.remove("field-wrong"));
    body.querySelectorAll(".field-error").forEach((each) => each.remove());
    const left = found.filter(({ field, message }) => {
      const holder = field && body.querySelector(`[data-field="${CSS.escape(field)}"]`);
      if (!holder) return true;
      if (holder.contains(document.activeElement)) return false; // Someone is still writing here.
      holder.classList.add("field-wrong");
      holder.append(h("p", { class: "errorlist field-error" }, message));
      return false;
    });
    list.replaceChildren(...left.map(({ message }) => h("li", {}, message)));
  }

  showResult(element) {
    const id = element.dataset.result;
    const step = this.store.step(id);
    if (!step) return;
    const rows = this.rowsOf(id);
    const shown = rows.slice(0, 5).flatMap((row) => [
      row.error ? h("p", { class: "timeline-error" }, row.error) : null,
      row.input !== null ? h("details", {}, h("summary", {}, `Input${row.iteration ? ` of item ${row.iteration}` : ""}`), h("pre", { tabindex: "0" }, pretty(row.input))) : null,
      row.output !== null ? h("details", { open: rows.length === 1 && row.status === "done" }, h("summary", {}, `Output${row.cut ? ` (cut: it was ${row.cut} bytes)` : ""}`), h("pre", { tabindex: "0" }, pretty(row.output))) : null,
    ]);
    const test = ["fan_out", "condition"].includes(step.type) ? null : button("Test this step", () => this.onTest(id), { class: "button button-small" });
    element.replaceChildren(h("div", { class: "small-buttons" }, test), ...shown.filter(Boolean));
  }
}

function pretty(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  return text.length > 8000 ? `${text.slice(0, 8000)}\n…` : text;
}
