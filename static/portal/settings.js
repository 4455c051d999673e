// settings.js: the forms with which a user sets up what is done for them.
import { element, part } from "./dom.js";
import { refresh, send, wordsOf } from "./host.js";
import { say } from "./words.js";

const opened = new Set(); // forms that are open, by key
let fields = 0;
let saving = Promise.resolve();

/** Resolve when what was entered a moment ago has been stored, or refused. */
export function settled() {
  return saving.catch(() => {});
}

export function openSettings(key) {
  opened.add(key);
}

/**
 * Fill a folded form. `form` is {credential, type, key, inputs, settings, toConfig, onSaved}: `toConfig` makes what is
 * sent of what was chosen.
 */
export function renderSettings(details, form) {
  const { credential, key, inputs, settings } = form;
  details.hidden = !inputs.length;
  details.open = opened.has(key);
  details.addEventListener("toggle", () => {
    if (details.open) opened.add(key);
    else opened.delete(key);
    if (details.open) fillChoices(details, form);
  });
  part("[data-inputs]", details).append(...inputs.map((input) => inputField(input, settings?.[input.id] ?? input.defaultValue)));
  part("[data-form]", details).addEventListener("submit", (event) => save(event, credential, form));
  if (details.open) fillChoices(details, form);
}

function inputField(input, value) {
  const id = `field-${++fields}`;
  const field = element("div", { className: "field" });
  field.dataset.input = input.id;
  const title = input.required ? input.title : say("optional", { title: input.title });
  if (input.type === "BOOLEAN_INPUT") {
    field.append(element("label", { className: "check" }, element("input", { type: "checkbox", checked: value === true }), ` ${input.title}`));
  } else if (input.type === "FIELD_MAPPER") {
    const rows = (input.fields ?? []).map((each) => mapRow(each, value?.[each.value]));
    field.append(element("fieldset", {}, element("legend", { textContent: title }), ...rows));
  } else {
    field.append(element("label", { htmlFor: id, textContent: title }), control(input, value, id));
  }
  if (input.tooltip) field.append(element("small", { textContent: input.tooltip }));
  const wrong = element("p", { className: "reason", hidden: true });
  wrong.dataset.wrong = "";
  field.append(wrong);
  return field;
}

function control(input, value, id) {
  if (input.type === "ENUM") return choices(element("select", { id }), input.values ?? [], value);
  if (input.type === "DYNAMIC_ENUM") return chooser(id, value, input.source);
  return element("input", { id, type: input.type === "NUMBER" ? "number" : "text", step: "any", value: value ?? "" });
}

function mapRow({ value: key, label }, chosen) {
  const id = `field-${++fields}`;
  const select = chooser(id, chosen, "");
  select.dataset.maps = key;
  return element("div", { className: "map-row" }, element("label", { htmlFor: id, textContent: label }), select);
}

function chooser(id, value, source) {
  const select = choices(element("select", { id }), value ? [{ value, label: value }] : [], value);
  select.dataset.source = source;
  return select;
}

function choices(select, options, value) {
  const all = [{ value: "", label: say("choose") }, ...options];
  if (value && !options.some((option) => option.value === value)) all.push({ value, label: String(value) });
  select.replaceChildren(...all.map((option) => new Option(option.label, option.value, false, option.value === (value ?? ""))));
  return select;
}

function fieldOf(id, within) {
  return part(`[data-input="${CSS.escape(id)}"]`, within);
}

/** Ask the user's own account for what can be chosen; a choice that others depend on asks for those anew. */
async function fillChoices(item, form) {
  const { credential, inputs } = form;
  const shared = credential.configurations?.[0]?.sharedSettings ?? {};
  for (const input of inputs.filter((each) => ["DYNAMIC_ENUM", "FIELD_MAPPER"].includes(each.type))) {
    const field = fieldOf(input.id, item);
    const parents = input.dependsOn ?? [];
    for (const { key } of parents) {
      const parent = part(`[data-input="${CSS.escape(key)}"] select`, item);
      if (parent && !parent.dataset.watched) {
        parent.dataset.watched = "yes";
        parent.addEventListener("change", () => fillChoices(item, form));
      }
    }
    const values = parents.map(({ key, as }) => [as, part(`[data-input="${CSS.escape(key)}"] :is(select, input)`, item)?.value ?? shared[key]]);
    if (values.some(([, value]) => !value)) continue;
    const wanted = JSON.stringify(values);
    if (field.dataset.filled === wanted) continue;
    field.dataset.filled = wanted;
    await fill(field, form, input, values);
  }
}

async function fill(field, { credential, type }, input, values) {
  const parameters = values.map(([key, value]) => ({ key, source: { type: "VALUE", value } }));
  const body = JSON.stringify({ action: type, sourceKey: input.source, parameters, paginationParameters: { pageCursor: 0, search: "" } });
  try {
    const { output } = await send("/sdk/actions", credential, { method: "POST", body });
    for (const select of field.querySelectorAll("select")) choices(select, output.records, select.value);
  } catch (error) {
    tell(field, wordsOf(error));
  }
}

async function save(event, credential, { inputs, toConfig, onSaved }) {
  event.preventDefault();
  const form = event.target;
  const saved = part("[data-saved]", form);
  saved.textContent = say("saving");
  for (const field of form.querySelectorAll("[data-input]")) tell(field, "");
  const settings = Object.fromEntries(inputs.map((input) => [input.id, valueOf(fieldOf(input.id, form), input)]));
  const missing = inputs.filter((input) => input.required && [null, ""].includes(settings[input.id]));
  for (const input of missing) tell(fieldOf(input.id, form), say("required", { title: input.title }));
  if (missing.length) return (saved.textContent = "");
  try {
    const body = JSON.stringify({ config: toConfig(settings) });
    saving = send(`/sdk/credentials/${credential.id}`, credential, { method: "PATCH", body });
    const { errors = [] } = await saving;
    for (const error of errors) tell(fieldOf(error.inputId ?? "", form), error.message);
    saved.textContent = errors.length ? "" : say("saved");
    onSaved(form);
    await refresh();
  } catch (error) {
    saved.textContent = wordsOf(error);
  }
}

function valueOf(field, input) {
  if (input.type === "BOOLEAN_INPUT") return part("input", field).checked;
  if (input.type === "FIELD_MAPPER") return Object.fromEntries([...field.querySelectorAll("[data-maps]")].map((select) => [select.dataset.maps, select.value]));
  const { value } = part("input, select", field);
  if (value === "") return null;
  return input.type === "NUMBER" ? Number(value) : value;
}

function tell(field, words) {
  if (!field) return;
  const place = part("[data-wrong]", field);
  place.textContent = words;
  place.hidden = !words;
}
