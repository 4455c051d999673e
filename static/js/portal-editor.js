// portal-editor.js: shows the portal beside its form, as the form stands. The page plays the SDK: it tells the portal in
// the frame who is connected, and answers what the portal asks. What the draft looks like is decided by the server.
const form = document.querySelector("[data-portal-form]");
const frame = document.querySelector("[data-preview]");
const view = { state: "connected", language: "en", screen: "wide" };
const TYPING_MS = 300;
let sample = read(document);
let look = document.querySelector("template[data-provider]");
let isOn = sampleSwitches();
let turn = 0;
let timer = 0;

function read(page) {
  return JSON.parse(page.querySelector("#sample").textContent);
}

function sampleSwitches() {
  return sample.credential.configurations[0].workflowSettings;
}

// The draft ----------------------------------------------------------------------------------------------------------

function changed() {
  document.querySelector("[data-draft]").hidden = false;
  clearTimeout(timer);
  timer = setTimeout(draft, TYPING_MS);
}

/** Post the form without its Save button: the answer is this page, drawn for the draft. */
async function draft() {
  const mine = ++turn;
  const answer = await fetch(draftAddress(), { method: "POST", body: new FormData(form) });
  if (!answer.ok || mine !== turn) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.querySelector("#contrast").replaceWith(page.querySelector("#contrast"));
  sample = read(page);
  look = page.querySelector("template[data-provider]");
  draw();
}

function draftAddress() {
  return `${location.pathname}?lang=${encodeURIComponent(view.language)}`;
}

// The portal in the frame ----------------------------------------------------------------------------------------------

function draw() {
  const page = frame.contentDocument;
  const shown = page?.querySelector("template[data-provider]");
  if (!shown) return; // it is still loading, and asks for this once it is there
  shown.replaceWith(page.importNode(look, true));
  frame.contentWindow.postMessage(
    { messageType: "UI_UPDATE", nextContext: { user: user(), projectId: sample.integration.projectId }, nextModalState: { integration: sample.integration } },
    location.origin,
  );
}

function user() {
  const credential = structuredClone(sample.credential);
  credential.configurations[0].workflowSettings = isOn;
  if (view.state === "lost") Object.assign(credential, { status: "INVALID", reason: sample.reason });
  const known = view.state === "new" ? [] : [credential];
  return { integrations: { [sample.integration.type]: { enabled: known.length > 0, allCredentials: known } } };
}

function show(state) {
  view.state = state;
  document.querySelector("[data-preview-state]").value = state;
  draw();
}

const answers = {
  startOAuthFlow: () => show("connected"),
  uninstallIntegration: () => show("new"),
  sendConnectRequest: (path, { method }) => {
    if (path.startsWith("/sdk/activity")) return { items: sample.activity, next: null };
    const [, workflow] = /^\/sdk\/workflows\/(.+)$/.exec(path) ?? [];
    if (workflow) isOn = { ...isOn, [workflow]: { enabled: method === "POST", settings: {} } };
    if (path === "/sdk/actions") return { output: { records: [] } };
    return user();
  },
  updateAuthenticatedUser: draw,
};

window.addEventListener("message", ({ source, origin, data }) => {
  if (source !== frame.contentWindow || origin !== location.origin || data?.messageType !== "SDK_FUNCTION_INVOCATION") return;
  const result = answers[data.type]?.(...data.parameters);
  source.postMessage({ messageType: "SDK_FUNCTION_RESPONSE", id: data.id, type: data.type, result }, origin);
});

// The form -----------------------------------------------------------------------------------------------------------

const picker = form.querySelector("[data-picker]");
const colour = form.elements.namedItem("accent_color");

picker.addEventListener("input", () => (colour.value = picker.value));
form.addEventListener("input", ({ target }) => {
  if (target === colour && /^#[0-9a-f]{6}$/i.test(colour.value)) picker.value = colour.value;
  changed();
});
form.querySelector("[data-reset-colour]").addEventListener("click", () => {
  [colour.value, picker.value] = ["", colour.placeholder];
  changed();
});
form.addEventListener("click", (event) => {
  const button = event.target.closest("button[name=up], button[name=down]");
  if (!button) return;
  event.preventDefault();
  const row = button.closest("[data-offer]");
  if (button.name === "up") row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  for (const each of form.querySelectorAll("[data-offer]")) {
    each.querySelector("[name=up]").disabled = !each.previousElementSibling;
    each.querySelector("[name=down]").disabled = !each.nextElementSibling;
  }
  (button.disabled ? row.querySelector(".moves button:enabled") : button)?.focus();
  changed();
});

document.querySelector("[data-preview-state]").addEventListener("change", ({ target }) => show(target.value));
document.querySelector("[data-preview-screen]").addEventListener("change", ({ target }) => {
  document.querySelector(".preview").dataset.screen = target.value;
});
document.querySelector("[data-preview-language]").addEventListener("change", ({ target }) => {
  view.language = target.value;
  const address = new URL(frame.src);
  address.searchParams.set("lang", target.value);
  frame.src = address;
  draft();
});

for (const element of document.querySelectorAll("[data-preview], [data-preview-bar], [data-picker], [data-reset-colour]")) element.hidden = false;
for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;
frame.addEventListener("load", draw);
if (frame.contentDocument?.readyState === "complete") draw();
