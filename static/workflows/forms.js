// forms.js: the inputs of each kind of step, of the trigger and of the user settings.
import { call } from "./calls.js";
import { button, check, field, h, newId, select, textInput } from "./dom.js";
import { expressionInput } from "./expression-input.js";
import { entriesOf, isKnown, rootsAt } from "./known.js";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"].map((value) => ({ value, label: value }));
const LONG = new Set(["long_text", "rich_text", "query", "json"]);

export class Forms {
  constructor(store) {
    this.store = store;
  }

  // An input of a step that takes expressions: `get` and `set` reach its place in the draft.
  value(step, spec, get, set) {
    const roots = rootsAt(this.store, step.id);
    const id = newId();
    const current = get();
    const text = Array.isArray(current) ? current.join(", ") : current === undefined || current === null ? "" : typeof current === "object" ? JSON.stringify(current) : String(current);
    const input = expressionInput({
      value: text,
      id,
      label: spec.label,
      multiline: LONG.has(spec.kind),
      placeholder: spec.placeholder || shownDefault(spec),
      entries: () => entriesOf(rootsAt(this.store, step.id)),
      isKnown: (expression) => isKnown(expression, roots),
      choices: spec.source || spec.options?.length || spec.kind === "switch" ? (search) => this.choices(step, spec, search) : undefined,
      choiceLabel: step.labels?.[spec.key] ?? spec.options?.find((option) => option.value === text)?.label,
      onChange: (typed, label) => this.store.change(() => {
        set(typed === "" ? undefined : typed);
        step.labels ??= {};
        if (label && label !== typed) step.labels[spec.key] = label;
        else delete step.labels[spec.key];
        if (!Object.keys(step.labels).length) step.labels = undefined;
        if (spec.redraws) this.store.later();
      }, { redraw: false, merge: `${step.id}.${spec.key}` }),
    });
    input.addEventListener("focusout", () => spec.onLeave?.());
    const name = h("span", { class: "label", id: `${id}-label` }, spec.label, spec.required ? null : h("span", { class: "quiet" }, " (optional)"));
    return h("div", { class: "field", "data-field": spec.key }, name, input, spec.help ? h("p", { class: "help" }, spec.help) : null);
  }

  async choices(step, spec, search) {
    const fits = (option) => option.label.toLowerCase().includes(search.toLowerCase());
    if (spec.kind === "switch") return { options: [{ value: "true", label: "On" }, { value: "false", label: "Off" }].filter(fits) };
    if (spec.options?.length) return { options: spec.options.filter(fits) };
    if (!this.store.connection) return { options: [], error: "Choose a connection under Test to see the account's choices, or type a value." };
    try {
      const body = { connection: this.store.connection, source: spec.source, search, values: step.input ?? {} };
      const found = await call(this.store.data.urls.options, body);
      return { options: found.options };
    } catch (error) {
      return { options: [], error: error.message };
    }
  }

  // A plain input of a step, without expressions.
  inputOf(step) {
    step.input ??= {};
    return step.input;
  }

  expression(step, key, label, more = {}) {
    const spec = { key, label, ...more };
    return this.value(step, spec, () => step.input?.[key], (text) => {
      if (text === undefined) delete this.inputOf(step)[key];
      else this.inputOf(step)[key] = text;
    });
  }

  pick(step, key, label, options, fallback, help) {
    const value = step.input?.[key] ?? fallback;
    return field(label, select(options, value, (chosen) => this.store.change(() => (this.inputOf(step)[key] = chosen))), { help, key });
  }

  box(step, key, label) {
    return h("div", { class: "field" }, check(label, step.input?.[key], (on) => this.store.change(() => (this.inputOf(step)[key] = on), { redraw: false })));
  }

  // Rows of name and value.
  rows(step, key, label, words) {
    const list = () => (this.inputOf(step)[key] ??= []);
    const rows = (step.input?.[key] ?? []).map((row, number) =>
      h("div", { class: "pair" },
        textInput(row.key, (text) => this.store.change(() => (list()[number].key = text), { redraw: false, merge: `${step.id}.${key}.${number}` }), { "aria-label": `${words}: name`, placeholder: "name" }),
        this.value(step, { key: `${key}.${number}`, label: `${words}: value`, required: true }, () => row.value, (text) => (list()[number].value = text ?? "")),
        button("Remove", () => this.store.change(() => list().splice(number, 1)), { "aria-label": `Remove ${row.key || words}` })));
    return h("div", { class: "field", "data-field": key }, h("span", { class: "label" }, label), ...rows,
      button(`Add ${words}`, () => this.store.change(() => list().push({ key: "", value: "" }))));
  }

  step(step) {
    const kinds = {
      action: () => this.action(step), request: () => this.request(step), http: () => this.http(step),
      condition: () => this.condition(step), fan_out: () => this.fanOut(step), delay: () => this.delay(step),
      values: () => [this.rows(step, "values", "Values", "value")], response: () => this.response(step),
    };
    return h("div", { class: "step-form" }, ...(kinds[step.type]?.() ?? []), this.common(step));
  }

  common(step) {
    const takesTime = ["action", "request", "http"].includes(step.type);
    const name = textInput(step.name ?? "", (text) => this.store.change(() => (text ? (step.name = text) : delete step.name), { redraw: false, merge: `${step.id}.name` }), { maxlength: 80, placeholder: this.store.titleOf({ ...step, name: "" }) });
    const id = h("input", { value: step.id, maxlength: 40, spellcheck: "false", on: { change: () => this.store.rename(step.id, id.value) } });
    return h("details", { class: "inline-details" }, h("summary", {}, "Name and failures"),
      field("Name", name, { optional: true }),
      field("Name in expressions", id, { help: `Its output is {{${step.id}}} in the steps after it.`, key: "id" }),
      takesTime ? check("Try again when it fails for a moment (after 10, 20, 30, 50 and 80 seconds)", step.retry ?? true, (on) => this.store.change(() => (step.retry = on), { redraw: false })) : null,
      check("Go on with the next step if it fails", step.continue_on_error, (on) => this.store.change(() => (step.continue_on_error = on), { redraw: false })));
  }

  action(step) {
    const action = this.store.data.actions.find((each) => each.slug === step.action);
    if (!action) return [h("p", { class: "help" }, "This action does not exist any more.")];
    const feeds = new Set(action.fields.flatMap((each) => each.depends_on));
    const more = action.has_more ? h("div", { class: "more-fields" }) : null;
    const fields = action.fields.filter((each) => !(each.key === "fields" && action.has_more)).map((spec) => {
      if (spec.kind === "conditions") return this.filter(step, spec);
      if (spec.kind === "object") return this.json(step, spec);
      const watched = more && feeds.has(spec.key) ? { ...spec, onLeave: () => this.drawMore(step, action, more) } : spec;
      return this.expression(step, spec.key, spec.label, watched);
    });
    if (more) this.drawMore(step, action, more);
    return [h("p", { class: "help" }, action.description), ...fields, more];
  }

  // Inputs that the chosen project and type ask for.
  async drawMore(step, action, holder) {
    const values = step.input ?? {};
    const wanted = JSON.stringify([values.project, values.issue_type, values.issue, this.store.connection]);
    if (holder.dataset.for === wanted) return;
    holder.dataset.for = wanted;
    const own = (specs) => specs.map((spec) => {
      const name = spec.key.replace(/^fields\./, "");
      return this.value(step, spec, () => step.input?.fields?.[name], (text) => {
        const given = (this.inputOf(step).fields ??= {});
        if (text === undefined) delete given[name];
        else given[name] = text;
        if (!Object.keys(given).length) delete step.input.fields;
      });
    });
    const kept = Object.keys(values.fields ?? {}).map((name) => ({ key: `fields.${name}`, label: name }));
    holder.replaceChildren(...own(kept));
    if (!this.store.connection) return;
    try {
      const { fields } = await call(this.store.data.urls.more_fields, { connection: this.store.connection, action: action.slug, values });
      if (holder.dataset.for !== wanted) return;
      const known = new Set(fields.map((spec) => spec.key));
      holder.replaceChildren(...own([...fields, ...kept.filter((spec) => !known.has(spec.key))]));
      this.store.say("problems");
    } catch {
      // Without an answer the fields that have values are shown; the test says what is wrong.
    }
  }

  json(step, spec) {
    const area = textInput(written(step.input?.[spec.key]), (text) => {
      this.store.change(() => put(this.inputOf(step), spec.key, read(text)), { redraw: false, merge: `${step.id}.${spec.key}` });
    }, { rows: 3, spellcheck: "false", placeholder: "{ }" });
    return field(spec.label, area, { optional: !spec.required, help: `${spec.help} JSON; values may hold {{ }}.`, key: spec.key });
  }

  // Conditions of a search, in the provider's vocabulary.
  filter(step, spec) {
    const filter = () => (this.inputOf(step)[spec.key] ??= { join: "AND", conditions: [] });
    const { fields, operators, without_value: bare } = spec.vocabulary;
    const shown = step.input?.[spec.key] ?? { join: "AND", conditions: [] };
    const rows = shown.conditions.map((row, number) => {
      const allowed = fields.find((each) => each.value === row.field)?.operators ?? operators.map((each) => each.value);
      return h("div", { class: "condition" },
        select(fields, row.field, (chosen) => this.store.change(() => {
          const next = fields.find((each) => each.value === chosen).operators;
          filter().conditions[number] = { field: chosen, operator: next.includes(row.operator) ? row.operator : next[0], value: row.value };
        }), { "aria-label": "Field" }),
        select(operators.filter((each) => allowed.includes(each.value)), row.operator, (chosen) => this.store.change(() => (filter().conditions[number].operator = chosen)), { "aria-label": "Comparison" }),
        bare.includes(row.operator) ? h("span") : this.value(step, { key: `${spec.key}.${number}`, label: "Value", required: true }, () => row.value, (text) => (filter().conditions[number].value = text ?? "")),
        button("Remove", () => this.store.change(() => filter().conditions.splice(number, 1)), { "aria-label": "Remove this condition" }));
    });
    const join = shown.conditions.length > 1 ? select([{ value: "AND", label: "All of these" }, { value: "OR", label: "Any of these" }], shown.join, (chosen) => this.store.change(() => (filter().join = chosen)), { "aria-label": "How conditions are joined" }) : null;
    return h("div", { class: "field", "data-field": spec.key }, h("span", { class: "label" }, spec.label), join, ...rows,
      button("Add condition", () => this.store.change(() => filter().conditions.push({ field: fields[0].value, operator: fields[0].operators[0], value: "" }))));
  }

  request(step) {
    return [
      this.pick(step, "method", "Method", METHODS, "GET"),
      this.expression(step, "path", "Path", { placeholder: this.store.data.provider.example, required: true, help: `Below the API of the user's ${this.store.data.provider.name} account.` }),
      this.rows(step, "query", "Query", "parameter"),
      this.expression(step, "body", "Body (JSON)", { kind: "json", placeholder: '{"name": {{trigger.name}}}' }),
      this.box(step, "is_repeatable", "Safe to repeat: doing it twice does no harm"),
    ];
  }

  http(step) {
    const given = step.input ?? {};
    const secret = { help: "Use a secret: {{secrets.NAME}}", required: true };
    return [
      this.pick(step, "method", "Method", METHODS, "GET"),
      this.expression(step, "url", "Address", { placeholder: "https://api.example.com/items", required: true, help: "On the open internet, over https." }),
      this.rows(step, "query", "Query", "parameter"),
      this.pick(step, "auth", "Authorization", [{ value: "none", label: "None" }, { value: "bearer", label: "Bearer token" }, { value: "basic", label: "User name and password" }], "none"),
      given.auth === "bearer" ? this.expression(step, "token", "Token", secret) : null,
      given.auth === "basic" ? this.expression(step, "username", "User name", { required: true }) : null,
      given.auth === "basic" ? this.expression(step, "password", "Password", secret) : null,
      this.rows(step, "headers", "Headers", "header"),
      this.pick(step, "body_type", "Body", [{ value: "none", label: "None" }, { value: "json", label: "JSON" }, { value: "form", label: "Form" }, { value: "text", label: "Text" }], "none"),
      given.body_type === "form" ? this.rows(step, "body", "Form fields", "field") : null,
      ["json", "text"].includes(given.body_type) ? this.expression(step, "body", "Content", { kind: "json", required: true }) : null,
      this.box(step, "is_repeatable", "Safe to repeat: doing it twice does no harm"),
    ];
  }

  condition(step) {
    const root = () => (this.inputOf(step).if ??= { type: "JOIN", join: "AND", conditions: [leaf()] });
    if (step.input?.if?.type !== "JOIN") root();
    return [h("div", { class: "field", "data-field": "if" }, h("span", { class: "label" }, "Go on in “Then” when"), this.group(step, step.input.if, null))];
  }

  group(step, group, remove) {
    const { operators } = this.store.data;
    const rows = group.conditions.map((node, number) => {
      const drop = () => this.store.change(() => group.conditions.splice(number, 1));
      if (node.type === "JOIN") return this.group(step, node, drop);
      const own = (node.condition ??= {});
      const operator = operators.find((each) => each.value === own.operator);
      return h("div", { class: "condition" },
        this.value(step, { key: `if.${number}.variable`, label: "Value to look at", required: true, placeholder: "{{trigger.priority}}" }, () => own.variable, (text) => (own.variable = text ?? "")),
        select(operators, own.operator, (chosen) => this.store.change(() => (own.operator = chosen)), { "aria-label": "Comparison" }),
        operator?.takes === false ? h("span") : this.value(step, { key: `if.${number}.argument`, label: "Compare with", required: true }, () => own.argument, (text) => (own.argument = text ?? "")),
        button("Remove", drop, { "aria-label": "Remove this condition", disabled: !remove && group.conditions.length === 1 }));
    });
    const join = group.conditions.length > 1 ? select([{ value: "AND", label: "All of these hold" }, { value: "OR", label: "Any of these holds" }], group.join, (chosen) => this.store.change(() => (group.join = chosen)), { "aria-label": "How conditions are joined" }) : null;
    return h("div", { class: "condition-group" }, join, ...rows, h("div", { class: "small-buttons" },
      button("Add condition", () => this.store.change(() => group.conditions.push(leaf()))),
      button("Add group", () => this.store.change(() => group.conditions.push({ type: "JOIN", join: "OR", conditions: [leaf()] }))),
      remove ? button("Remove group", remove) : null));
  }

  fanOut(step) {
    const count = h("input", { type: "number", min: 1, max: 10, value: step.input?.at_once ?? 1, on: { change: () => this.store.change(() => (this.inputOf(step).at_once = Number(count.value) || 1)) } });
    return [
      this.expression(step, "over", "List to go through", { required: true, placeholder: "{{search_issues.issues}}", help: "Inside, {{item}} is the item and {{index}} its number." }),
      field("Items at once", count, { help: "1 to 10. With 1 they go in order.", key: "at_once" }),
    ];
  }

  delay(step) {
    const units = ["seconds", "minutes", "hours", "days"].map((value) => ({ value, label: value }));
    return [
      h("div", { class: "pair" }, this.expression(step, "amount", "Wait for", { placeholder: "10", required: true }), this.pick(step, "unit", "Unit", units, "minutes")),
      this.expression(step, "until", "Or until a time", { placeholder: "2026-11-23T14:30:00Z", help: "Where it is given, this counts." }),
    ];
  }

  response(step) {
    return [
      this.expression(step, "status", "Status", { placeholder: "200", required: true }),
      this.expression(step, "body", "Body (JSON)", { kind: "json", placeholder: '{"key": {{create_issue.key}}}' }),
    ];
  }

  // Trigger, order of runs, user settings

  trigger() {
    const { draft, data } = this.store;
    const trigger = draft.trigger;
    const redo = (change, more) => this.store.change(change, more);
    const kind = trigger.type === "integration" ? `integration:${trigger.name}` : trigger.type;
    const parts = [field("Starts with", select(data.triggers, kind, (chosen) => redo(() => (draft.trigger = freshTrigger(chosen)))), { key: "type" })];
    if (trigger.type === "integration") parts.push(...this.integrationTrigger(trigger));
    if (trigger.type === "event") {
      parts.push(field("Name of the event", textInput(trigger.name, (text) => redo(() => (trigger.name = text), { redraw: false, merge: "trigger.name" }), { placeholder: "task.created", maxlength: 120 }), { key: "name", help: "Your product sends it: patchbay.event(\"task.created\", { title: \"…\" })" }));
      parts.push(this.sample(trigger));
    }
    if (trigger.type === "request") {
      parts.push(h("p", { class: "help" }, "Your product starts it: patchbay.workflow(\"", data.workflow.id, "\", { body: { … } }). The body is {{trigger.body}}. A Response step answers."));
    }
    if (trigger.type === "schedule") {
      parts.push(field("Schedule (cron)", textInput(trigger.cron, (text) => redo(() => (trigger.cron = text), { redraw: false, merge: "trigger.cron" }), { placeholder: "0 9 * * 1-5", spellcheck: "false" }), { key: "cron", help: "Minute, hour, day, month, weekday. 0 9 * * 1-5 is nine o'clock on weekdays. It runs once for every user who has the workflow on." }));
      parts.push(field("Time zone", textInput(trigger.zone, (text) => redo(() => (trigger.zone = text), { redraw: false, merge: "trigger.zone" }), { placeholder: "Europe/Berlin" }), { key: "zone" }));
    }
    if (trigger.type === "connected") parts.push(h("p", { class: "help" }, "Runs once for every user who connects. Switch the workflow on by default, below, or it runs for nobody."));
    return h("div", { class: "step-form" }, ...parts, this.order(draft), this.audience());
  }

  // What the provider tells: its filter, and which events are left out.
  integrationTrigger(trigger) {
    const found = this.store.data.integration_triggers.find((each) => each.slug === trigger.name);
    if (!found) return [h("p", { class: "help" }, "This trigger does not exist any more.")];
    // The trigger as a step, so that its inputs are those of any step.
    const step = {
      id: "trigger",
      get input() { return trigger.input; },
      set input(values) { trigger.input = values; },
      get labels() { return trigger.labels; },
      set labels(found) { trigger.labels = found; },
    };
    const fields = found.fields.map((spec) => {
      const put = (text) => (text === undefined ? delete this.inputOf(step)[spec.key] : (this.inputOf(step)[spec.key] = text));
      const checked = spec.kind === "query" ? { ...spec, onLeave: () => this.checkFilter(trigger, words) } : spec;
      const words = h("p", { class: "errorlist", role: "status" });
      return h("div", {}, this.value(step, checked, () => step.input?.[spec.key], put), words);
    });
    const option = (key, label) => check(label, trigger.options?.[key], (on) => this.store.change(() => ((trigger.options ??= {})[key] = on), { redraw: false }));
    return [
      h("p", { class: "help" }, found.description),
      found.note ? h("p", { class: "message message-info" }, found.note) : null,
      ...fields,
      h("div", { class: "field" },
        option("skip_own", "Skip what this connection’s own runs caused"),
        option("skip_late", "Skip what arrives after a later change of the same")),
    ].filter(Boolean);
  }

  // What the provider thinks of a filter, asked through the preview connection.
  async checkFilter(trigger, words) {
    words.textContent = "";
    if (!this.store.connection) return;
    try {
      const body = { connection: this.store.connection, name: trigger.name, input: trigger.input };
      const { fields } = await call(this.store.data.urls.check_trigger, body);
      words.textContent = Object.values(fields).join(" ");
    } catch {
      // It is checked again when the workflow is deployed.
    }
  }

  sample(trigger) {
    const area = textInput(written(trigger.sample), (text) => {
      this.store.change(() => put(trigger, "sample", read(text)), { redraw: false, merge: "trigger.sample" });
    }, { rows: 5, spellcheck: "false", placeholder: '{\n  "title": "Disk is full",\n  "priority": "high"\n}' });
    return field("Example of its payload", area, { optional: true, key: "sample", help: "JSON. The menu of {{ shows what is in it, and tests use it." });
  }

  order(draft) {
    const found = draft.concurrency ?? {};
    const modes = [{ value: "parallel", label: "At the same time" }, { value: "in_order", label: "One after the other, by a key" }];
    const mode = field("Several runs of one user go", select(modes, found.mode ?? "parallel", (chosen) => this.store.change(() => (draft.concurrency = chosen === "in_order" ? { mode: chosen, key: "" } : {}))));
    if (found.mode !== "in_order") return mode;
    const key = textInput(found.key, (text) => this.store.change(() => (draft.concurrency.key = text), { redraw: false, merge: "order_key" }), { placeholder: "{{trigger.id}}" });
    return h("div", {}, mode, field("Key", key, { key: "order_key", help: "Runs with the same key wait for each other." }));
  }

  audience() {
    const { about } = this.store;
    const set = (key, on) => this.store.change(() => (about[key] = on), { redraw: false });
    return h("div", { class: "field" },
      check("On by default for users who connect from now on", about.is_default_on, (on) => set("is_default_on", on)),
      check("Not shown in the portal", about.is_hidden, (on) => set("is_hidden", on)));
  }

  settings() {
    const { draft } = this.store;
    const rows = draft.settings.map((item, number) => this.setting(item, number));
    const add = button("Add a setting", () => this.store.change(() => draft.settings.push({ key: `setting_${draft.settings.length + 1}`, label: "", type: "text" })));
    const words = `What each user chooses in the portal, such as the project that issues go to. A workflow reads it as {{settings.key}}.`;
    return h("div", { class: "step-form" }, h("p", { class: "help" }, words), ...rows, add);
  }

  setting(item, number) {
    const { draft, data } = this.store;
    const put = (key, more = {}) => (value) => this.store.change(() => (value === "" ? delete item[key] : (item[key] = value)), more);
    const typed = (key) => put(key, { redraw: false, merge: `settings.${number}.${key}` });
    const sources = data.sources.map((value) => ({ value, label: value.replaceAll("_", " ") }));
    const lines = (list) => (list ?? []).map((each) => (each.label === each.value ? each.value : `${each.value} = ${each.label}`)).join("\n");
    const unlines = (text) => text.split("\n").map((line) => line.split("=")).filter(([value]) => value.trim()).map(([value, ...label]) => ({ value: value.trim(), label: label.join("=").trim() || value.trim() }));
    const others = draft.settings.filter((each) => each !== item).map((each) => each.key);
    return h("fieldset", { class: "setting", "data-field": item.key }, h("legend", {}, item.label || "New setting"),
      field("Label for your users", textInput(item.label, typed("label"), { maxlength: 80 })),
      field("Key", textInput(item.key, typed("key"), { maxlength: 40, spellcheck: "false" }), { help: `{{settings.${item.key}}}` }),
      field("Kind", select(data.setting_types, item.type, (chosen) => this.store.change(() => {
        item.type = chosen;
        if (["dynamic", "mapping"].includes(chosen)) item.source ??= chosen === "mapping" && data.sources.includes("fields") ? "fields" : data.sources[0];
      }))),
      ["dynamic", "mapping"].includes(item.type) ? field("Offers", select(sources, item.source, put("source"))) : null,
      item.type === "dynamic" && others.length ? field("Needs first", textInput((item.depends_on ?? []).join(", "), (text) => this.store.change(() => (item.depends_on = text.split(",").map((each) => each.trim()).filter(Boolean)), { redraw: false }), { placeholder: "project" }), { optional: true, help: `Keys of settings that this one depends on: ${others.join(", ")}` }) : null,
      item.type === "select" ? field("Choices", textInput(lines(item.options), (text) => this.store.change(() => (item.options = unlines(text)), { redraw: false }), { rows: 3 }), { help: "One a line: value, or value = label." }) : null,
      item.type === "mapping" ? field("Your fields", textInput(lines(item.fields), (text) => this.store.change(() => (item.fields = unlines(text)), { redraw: false }), { rows: 3 }), { help: "One a line: name, or name = label. Users choose a field of theirs for each." }) : null,
      ["text", "number"].includes(item.type) ? field("Default", textInput(item.default, typed("default")), { optional: true }) : null,
      field("Help for your users", textInput(item.help, typed("help"), { maxlength: 200 }), { optional: true }),
      check("Required to switch the workflow on", item.required, (on) => this.store.change(() => (item.required = on), { redraw: false })),
      check("Shared: asked once for all workflows of this integration", item.shared, (on) => this.store.change(() => (on ? (item.shared = true) : delete item.shared), { redraw: false })),
      button("Remove this setting", () => this.store.change(() => draft.settings.splice(number, 1))));
  }
}

function freshTrigger(chosen) {
  if (chosen.startsWith("integration:")) return { type: "integration", name: chosen.slice(12), input: {}, options: { skip_own: true } };
  if (chosen === "schedule") return { type: chosen, cron: "0 9 * * 1-5", zone: Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC" };
  return { type: chosen };
}

const leaf = () => ({ type: "OPERATOR", condition: { operator: "$stringExactlyMatches", variable: "", argument: "" } });

// What is typed as JSON; as the text it is while it is none, so that nothing is lost: the checks mark it.
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text.trim() ? text : undefined;
  }
}

const written = (value) => (typeof value === "string" ? value : isFilled(value) ? JSON.stringify(value, null, 2) : "");
const isFilled = (value) => value !== undefined && value !== null && !(typeof value === "object" && !Object.keys(value).length);

function put(holder, key, value) {
  if (value === undefined) delete holder[key];
  else holder[key] = value;
}

function shownDefault(spec) {
  if (spec.kind === "switch") return spec.default === true ? "On" : "Off";
  const found = spec.options?.find((option) => option.value === spec.default);
  if (found) return found.label;
  return Array.isArray(spec.default) ? spec.default.join(", ") : spec.default === null || spec.default === undefined ? "" : String(spec.default);
}
