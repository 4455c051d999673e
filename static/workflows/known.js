// known.js: what an expression at some step may look up, with the values of the last test.
const MOST_ENTRIES = 250;
const MOST_DEPTH = 6;
const NAME = /^[A-Za-z_][A-Za-z0-9_-]*$/;

export function* walk(steps) {
  for (const step of steps ?? []) {
    yield step;
    for (const name of ["then", "else", "steps"]) yield* walk(step[name]);
  }
}

// The steps whose outputs exist before `id`, and whether it stands inside a fan out.
export function before(steps, id, seen = [], inFanOut = false) {
  for (const step of steps ?? []) {
    if (step.id === id) return { seen, inFanOut };
    for (const name of ["then", "else", "steps"]) {
      const found = before(step[name], id, seen, inFanOut || step.type === "fan_out");
      if (found) return found;
    }
    seen = [...seen, step, ...(step.type === "condition" ? [...walk(step.then), ...walk(step.else)] : [])];
  }
  return null;
}

// All that a schema declares, with the values of its sample where that has them.
function exampleOf(declared) {
  return declared ? over(declared.shape, declared.sample) : null;
}

function areObjects(...values) {
  return values.every((each) => each && typeof each === "object" && !Array.isArray(each));
}

function over(shape, sample) {
  if (!areObjects(shape, sample)) return sample ?? shape ?? null;
  const keys = Object.keys({ ...shape, ...sample });
  return Object.fromEntries(keys.map((key) => [key, over(shape[key], sample[key])]));
}

function shapeOf(step, data) {
  if (step.type === "action") return exampleOf(data.actions.find((each) => each.slug === step.action));
  if (step.type === "values") {
    return Object.fromEntries((step.input?.values ?? []).filter((row) => row.key).map((row) => [row.key, null]));
  }
  const shapes = {
    condition: { result: true }, fan_out: { count: 0, items: null }, delay: { until: "" },
    http: { status: 200, headers: null, body: null }, request: { status: 200, body: null },
    response: { status: 200, body: null },
  };
  return shapes[step.type] ?? null;
}

// An example as it was written, unless it is not JSON yet: then it is a text.
export function isSample(sample) {
  return Boolean(sample) && typeof sample === "object" && Object.keys(sample).length > 0;
}

function triggerSample(draft, data) {
  const trigger = draft.trigger ?? {};
  if (trigger.type === "integration") return exampleOf(data.integration_triggers.find((each) => each.slug === trigger.name));
  if (isSample(trigger.sample)) return trigger.sample;
  const declared = {
    request: { body: null, query: {}, headers: {} },
    schedule: { at: "2026-11-23T09:00:00+00:00" },
    connected: { account: "", site: "" },
  };
  return declared[trigger.type] ?? null;
}

// What the last test sent, and beside it what the written example has.
function triggerValue(draft, tested, data) {
  const declared = triggerSample(draft, data);
  return areObjects(declared, tested) ? { ...declared, ...tested } : (tested ?? declared);
}

// [{ root, title, value, tested }]: what can be looked up at a step, the trigger first.
export function rootsAt(store, stepId) {
  const { draft, data } = store;
  const { seen, inFanOut } = before(draft.steps, stepId) ?? { seen: [...walk(draft.steps)], inFanOut: false };
  const samples = store.samples;
  const settings = Object.fromEntries((draft.settings ?? []).map((each) => [each.key, each.default ?? ""]));
  const chosen = Object.keys(settings).length ? [{ root: "settings", title: "User settings", value: settings }] : [];
  const user = { root: "user", title: "User", value: { id: "", meta: null } };
  // A filter is asked before there is anything but the user who listens.
  if (stepId === "trigger") return [...chosen, user];
  const roots = [{ root: "trigger", title: "Trigger", value: triggerValue(draft, samples.trigger, data), tested: "trigger" in samples }];
  for (const step of seen) {
    const tested = step.id in samples;
    let value = tested ? samples[step.id] : shapeOf(step, data);
    if (step.continue_on_error && value && typeof value === "object") value = { ...value, error: { message: "" } };
    roots.push({ root: step.id, title: store.titleOf(step), value, tested });
  }
  if (inFanOut) {
    roots.push({ root: "item", title: "This item", value: null }, { root: "index", title: "Number of the item", value: 0 });
  }
  roots.push(...chosen, user);
  const account = { id: "", name: "", email: "" };
  roots.push({ root: "connection", title: "Connection", value: { id: "", account, site: { id: "", name: "", url: "" } } });
  if (data.secrets.length) {
    const secrets = Object.fromEntries(data.secrets.map((name) => [name, "•••"]));
    roots.push({ root: "secrets", title: "Secrets", value: secrets });
  }
  return roots;
}

export function entriesOf(roots) {
  return roots.flatMap((root) => {
    const found = [];
    collect(root.root, root.value, 0, found);
    return found.map((entry) => ({ ...entry, group: root.title, tested: root.tested }));
  });
}

function collect(path, value, depth, found) {
  if (found.length >= MOST_ENTRIES) return;
  found.push({ path, preview: preview(value), kind: kindOf(value) });
  if (depth >= MOST_DEPTH || value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    if (value.length) collect(`${path}[0]`, value[0], depth + 1, found);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    collect(NAME.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`, item, depth + 1, found);
  }
}

function kindOf(value) {
  if (value === null || value === undefined) return "";
  return Array.isArray(value) ? "list" : typeof value;
}

function preview(value) {
  if (value === null || value === undefined || value === "") return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

// Is the path of an expression, without its filters, one that can be looked up? Unknown depths are let pass.
export function isKnown(expression, roots) {
  const inner = expression.replace(/^\{\{|\}\}$/g, "").trim();
  if (/^["'\d-]/.test(inner) || /^(true|false|null)\b/.test(inner)) return true;
  const match = /^([A-Za-z_][A-Za-z0-9_-]*)((?:\s*\.\s*[A-Za-z_][A-Za-z0-9_-]*|\s*\[\s*(?:\d+|"[^"]*"|'[^']*')\s*\])*)\s*(\|[\s\S]*)?$/.exec(inner);
  if (!match) return false;
  const root = roots.find((each) => each.root === match[1]);
  if (!root) return false;
  if (/\bdefault\b/.test(match[3] ?? "")) return true;
  let value = root.value;
  for (const part of match[2].matchAll(/\.\s*([A-Za-z_][A-Za-z0-9_-]*)|\[\s*(?:(\d+)|"([^"]*)"|'([^']*)')\s*\]/g)) {
    if (value === null || value === undefined) return true;
    const key = part[1] ?? part[3] ?? part[4];
    if (part[2] !== undefined) {
      if (!Array.isArray(value)) return false;
      value = value[Number(part[2])] ?? value[0];
    } else {
      if (typeof value !== "object" || Array.isArray(value)) return false;
      if (!Object.keys(value).length) return true;
      if (!(key in value)) return false;
      value = value[key];
    }
  }
  return true;
}
