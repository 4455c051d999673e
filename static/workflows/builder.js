// builder.js: puts the builder's page together.
import { call } from "./calls.js";
import { button, h, select } from "./dom.js";
import { Flow } from "./flow.js";
import { Forms } from "./forms.js";
import { isSample } from "./known.js";
import { Store } from "./store.js";

const data = JSON.parse(document.getElementById("builder-data").textContent);
const store = new Store(data);
const $ = (id) => document.getElementById(id);
const KEPT_CONNECTION = `patchbay-preview-${data.workflow.id}`;

// The preview connection: where choices come from, and whom tests run for.
const kept = sessionStorage.getItem(KEPT_CONNECTION);
store.connection = (data.connections.find((each) => each.id === kept) ?? data.connections.find((each) => !each.trouble) ?? data.connections[0])?.id ?? null;

const flow = new Flow(store, new Forms(store), $("flow"), (id) => test(id));
flow.draw();

// The bar stays on top: what gets the focus, or is shown, keeps clear of it, however many rows it takes.
const bar = document.querySelector(".builder-bar");
new ResizeObserver(() => document.documentElement.style.setProperty("--bar-height", `${bar.offsetHeight}px`)).observe(bar);

// Name and description

for (const key of ["name", "description"]) {
  const input = $(`workflow-${key}`);
  input.value = store.about[key];
  input.addEventListener("input", () => {
    store.change(() => (store.about[key] = input.value), { redraw: false, merge: `about.${key}` });
    if (key === "name") document.querySelector("[data-workflow-name]").textContent = input.value;
  });
}

// Saving

const STATES = {
  saved: "Saved", saving: "Saving…", changed: "Not saved yet", offline: "Not saved: no connection to the server. Trying again…",
  busy: "Not saved: the server is busy. Trying again…",
  conflict: "Not saved: changed elsewhere",
};

function showState() {
  const told = { refused: `Not saved: ${store.words}`, signed_out: store.words };
  $("save-state").textContent = told[store.state] ?? STATES[store.state] ?? "Saved";
  $("save-state").classList.toggle("save-bad", ["offline", "signed_out", "busy", "refused", "conflict"].includes(store.state));
  $("undo").disabled = !store.past.length;
  $("redo").disabled = !store.future.length;
}
store.addEventListener("state", showState);
store.addEventListener("draw", () => {
  $("workflow-name").value = store.about.name;
  $("workflow-description").value = store.about.description;
  showState();
});

function showConflict() {
  if (!store.conflict) return;
  const words = "This workflow was changed elsewhere meanwhile: in another tab, or by someone else. Your changes are kept here.";
  $("notes").replaceChildren(h("div", { class: "message message-warning", role: "alert" }, h("p", {}, words), h("div", { class: "small-buttons" },
    button("Keep mine", () => {
      $("notes").replaceChildren();
      store.keepMine();
    }), button("Take theirs", () => store.takeTheirs()))));
}
store.addEventListener("conflict", showConflict);
showConflict();
if (store.note) $("notes").replaceChildren(h("p", { class: "message" }, store.note));

$("undo").addEventListener("click", () => store.undo());
$("redo").addEventListener("click", () => store.redo());
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable]");
  if (!(event.ctrlKey || event.metaKey) || isTyping) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) store.redo();
  else store.undo();
});

// Forms of the page that act on the draft wait until it is saved.
for (const form of document.querySelectorAll("form[data-after-save]")) {
  form.addEventListener("submit", async (event) => {
    if (!store.isDirty()) return;
    event.preventDefault();
    await store.save();
    if (!store.isDirty()) form.submit();
  });
}

// Problems

function showProblems() {
  const { problems } = store;
  $("problems").hidden = !problems.length;
  const entry = (each) => h("li", {}, button(nameOf(each.where), () => flow.select(each.where), { class: "link-button" }), ` ${each.message}`);
  $("problem-list").replaceChildren(...problems.map(entry));
  if (!problems.length) document.querySelectorAll("[data-until-mended]").forEach((each) => each.remove());
  $("problem-count").textContent = `${problems.length} to mend before a deploy`;
}

function nameOf(where) {
  const step = store.step(where);
  return step ? store.titleOf(step) : where === "settings" ? "User settings" : "Trigger";
}
store.addEventListener("problems", showProblems);
showProblems();
showState();

// Tests

const payload = $("test-payload");
const declaredExample = () => store.data.integration_triggers.find((each) => store.draft.trigger.type === "integration" && each.slug === store.draft.trigger.name)?.sample;
const exampleOf = () => JSON.stringify((isSample(store.draft.trigger.sample) ? store.draft.trigger.sample : null) ?? store.samples.trigger ?? declaredExample() ?? {}, null, 2);
payload.value = exampleOf();
let example = payload.value;
// Until somebody writes a payload of their own, the trigger's example is it.
store.addEventListener("state", () => {
  if (payload.value === example) payload.value = example = exampleOf();
});
if (data.connections.length) {
  const options = data.connections.map((each) => ({ value: each.id, label: each.trouble ? `${each.label} (${each.trouble})` : each.label }));
  $("test-connection").append(select(options, store.connection, (chosen) => {
    store.connection = chosen;
    sessionStorage.setItem(KEPT_CONNECTION, chosen);
    flow.draw();
  }, { id: "preview-connection" }));
}
$("run-test")?.addEventListener("click", () => test());

async function test(step) {
  const result = $("test-result");
  let given;
  try {
    given = JSON.parse(payload.value || "{}");
  } catch (error) {
    payload.setCustomValidity(`This is not valid JSON: ${error.message}`);
    payload.reportValidity();
    payload.addEventListener("input", () => payload.setCustomValidity(""), { once: true });
    return;
  }
  store.begun = null;
  result.replaceChildren(h("p", { role: "status" }, step ? "Testing the step…" : "Testing…"));
  try {
    await store.save();
    const { url } = await call(data.urls.test, { connection: store.connection, payload: given, step });
    await follow(url, result);
  } catch (error) {
    result.replaceChildren(h("p", { class: "message message-error", role: "alert" }, error.message));
  }
}

async function follow(url, result) {
  for (let wait = 120; ; wait = Math.min(wait * 1.4, 1500)) {
    await new Promise((done) => setTimeout(done, wait));
    const found = await call(url);
    const earlier = store.results?.steps.filter((row) => !found.steps.some((each) => each.path === row.path)) ?? [];
    store.results = { ...found, steps: [...earlier, ...found.steps] };
    if (found.is_over) {
      store.samples = found.samples;
      store.problems = found.problems;
    }
    store.say("results");
    const kind = { done: "message-success", failed: "message-error", dead: "message-error" }[found.status] ?? "";
    result.replaceChildren(h("div", { class: `message ${kind}`, role: "status" }, h("p", {}, h("strong", {}, found.label), found.reason ? ` ${found.reason}` : ""), h("p", {}, h("a", { href: found.page }, "Open the run"))));
    if (found.is_over) {
      store.say("problems");
      return;
    }
  }
}
