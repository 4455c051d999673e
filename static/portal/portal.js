// portal.js: the Connect Portal inside its iframe. It shows what the SDK around it says is connected, and asks the SDK
// to act; it holds no token and calls no API itself. Data becomes text, never markup.
const page = document.body.dataset;
const dialog = document.querySelector("dialog");
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

let host = ""; // the origin of the page around us: the first that the project allows
let state = { user: {}, modal: {} };
let asking = ""; // the credential whose disconnection is to be confirmed
let isOpening = false; // a consent window was asked for, and nothing has been heard of it yet
let trouble = "";
let shown = "";
let calls = 0;
const opened = new Set(); // workflows whose settings are open, by credential and workflow
let saving = Promise.resolve(); // settings on their way to the server
const problems = new Map(); // what went wrong with a workflow, by credential and workflow
const waiting = new Map();

// The page around us -------------------------------------------------------------------------------------------------

function isAllowed(origin) {
  if ((page.origins ?? "").split(" ").includes(origin)) return true;
  return "loopback" in page && LOOPBACK.test(origin);
}

function hear({ source, origin, data }) {
  if (window === parent || source !== parent || typeof data !== "object" || data === null) return;
  if (!page.project) return becomeProject(data);
  if (!host && isAllowed(origin)) host = origin;
  if (!host || origin !== host) return;
  if (data.messageType === "UI_UPDATE") update(data);
  if (data.messageType === "SDK_FUNCTION_RESPONSE") waiting.get(data.id)?.resolve(data.result);
  if (data.messageType === "SDK_FUNCTION_ERROR") waiting.get(data.id)?.reject(new Error(data.message));
}

function becomeProject({ messageType, nextContext }) {
  // The shell may be framed by anyone; only the page with the project says by whom.
  const project = nextContext?.projectId;
  if (messageType === "UI_UPDATE" && project) location.replace(`/ui?projectId=${encodeURIComponent(project)}`);
}

function ask(type, ...parameters) {
  const id = `portal-${++calls}`;
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  parent.postMessage({ messageType: "SDK_FUNCTION_INVOCATION", type, parameters, id }, host);
  return answer.finally(() => waiting.delete(id));
}

// What is shown ------------------------------------------------------------------------------------------------------

function update({ nextContext = {}, nextModalState = {} }) {
  const was = JSON.stringify(accounts());
  state = { user: nextContext.user ?? {}, modal: nextModalState };
  const { integration } = nextModalState;
  if (!integration || isHeadlessInstall(nextModalState)) return hide();
  const type = integration.type;
  if (shown !== type) [asking, trouble, isOpening] = ["", "", false];
  const error = wordsOf(nextModalState.connectionError);
  if (error) [trouble, isOpening] = [error, false];
  if (JSON.stringify(accounts()) !== was) [trouble, isOpening] = [error, false];
  render();
  if (shown !== type) show(type);
}

function isHeadlessInstall({ apiInstallationOptions, shouldShowPortalAfterInstall }) {
  return Boolean(apiInstallationOptions?.isApiInstallation) && !shouldShowPortalAfterInstall;
}

function wordsOf(error) {
  if (!error) return "";
  const text = String(error.errorResponse ?? error.error ?? error.message ?? error);
  try {
    return JSON.parse(text).message ?? text; // one SDK makes the whole body of an answer its message
  } catch {
    return text;
  }
}

async function show(type) {
  shown = type;
  if (!dialog.open) dialog.showModal();
  await ask("updateContainerStyle", { isModalShown: true }).catch(() => {});
  document.querySelector("#name").focus();
  ask("onOpen").catch(() => {});
}

function hide() {
  if (!shown) return;
  shown = "";
  if (dialog.open) dialog.close();
  ask("updateContainerStyle", { isModalShown: false }).catch(() => {});
}

function close() {
  if (!shown) return;
  hide();
  ask("onClose", true).catch(() => {});
}

function accounts() {
  const type = state.modal.integration?.type;
  const known = state.user.integrations?.[type]?.allCredentials ?? [];
  return known.filter((credential) => !credential.isPreviewCredential);
}

function provider() {
  const type = state.modal.integration?.type;
  return [...document.querySelectorAll("template[data-provider]")].find((item) => item.dataset.provider === type)?.dataset ?? {};
}

function render() {
  const { integration, config } = state.modal;
  const values = config ?? integration.configs?.[0]?.values ?? {};
  const known = accounts();
  part("[data-logo]").src = provider().logo ?? "";
  part("[data-logo]").hidden = !provider().logo;
  text("[data-name]", integration.name);
  text("[data-about]", values.shortDescription ?? values.description ?? "");
  text("[data-error]", trouble);
  text("[data-note]", isOpening ? `Go on in the window that opened. It asks you there to allow access to ${integration.name}.` : "");
  renderAccounts(known);
  const button = part("[data-act=connect]");
  button.textContent = buttonWords(integration.name, known);
  button.classList.toggle("primary", !known.length);
  renderOverview(values.longDescription ?? values.overview ?? "");
}

function buttonWords(name, known) {
  if (isOpening) return "Open the window again";
  return known.length ? "Add another account" : `Connect ${name}`;
}

function part(selector, within = dialog) {
  return within.querySelector(selector);
}

function text(selector, words, within = dialog) {
  const element = part(selector, within);
  if (element.textContent !== words) element.textContent = words;
  element.hidden = !words;
}

function renderAccounts(known) {
  const list = part("[data-accounts]");
  // Someone is filling in settings: what they typed must not be drawn over.
  if (list.contains(document.activeElement) && document.activeElement.closest("[data-form]")) return;
  const focused = document.activeElement?.dataset.act;
  const row = document.activeElement?.closest("[data-credential]")?.dataset.credential;
  list.replaceChildren(...known.map(account));
  list.hidden = !known.length;
  if (row && focused) list.querySelector(`[data-credential="${CSS.escape(row)}"] [data-act=${focused}]`)?.focus();
}

function account(credential) {
  const item = document.querySelector("#account").content.cloneNode(true).firstElementChild;
  const { accountName, siteName, siteUrl } = credential.providerData ?? {};
  const isValid = credential.status === "VALID";
  const who = accountName || credential.providerId || "Connected account";
  item.dataset.credential = credential.id;
  text("[data-account]", who, item);
  text("[data-site]", siteName || siteUrl || "", item);
  text("[data-state]", isValid ? "Connected" : "Needs reconnect", item);
  part("[data-state]", item).classList.add(isValid ? "good" : "bad");
  text("[data-reason]", isValid ? "" : credential.reason || "Access was withdrawn or has run out.", item);
  part("[data-act=reconnect]", item).hidden = isValid;
  renderQuestion(item, credential.id, who);
  if (isValid) renderWorkflows(item, credential);
  return item;
}

function renderQuestion(item, id, who) {
  const name = state.modal.integration.name;
  const isAsked = asking === id;
  part("[data-question]", item).hidden = !isAsked;
  part("[data-plain]", item).hidden = isAsked;
  text("[data-title]", `Disconnect ${who}?`, item);
  text("[data-explain]", `Its stored access is deleted here. To withdraw the permission itself too, remove this app in your ${name} account.`, item);
  const link = part("[data-manage]", item);
  link.hidden = !provider().manageUrl;
  link.textContent = "Open your account’s connected apps";
  if (provider().manageUrl) link.href = provider().manageUrl;
}

// Workflows: what the integration does for the user, each with a switch and settings ----------------------------------

function configured() {
  const { integration, config } = state.modal;
  return config ?? integration.configs?.[0]?.values ?? {};
}

/** Settings that are asked for once, for all workflows. */
function sharedInputs() {
  return configured().sharedMeta?.inputs ?? [];
}

function sharedOf(credential) {
  return credential.configurations?.[0]?.sharedSettings ?? {};
}

function offered() {
  const { integration } = state.modal;
  const meta = configured().workflowMeta ?? {};
  const known = (integration.workflows ?? []).map((workflow) => ({ ...workflow, ...meta[workflow.id], name: workflow.description }));
  return known.filter((workflow) => meta[workflow.id] && !workflow.hidden).sort((a, b) => (a.order ?? 0) - (b.order ?? 0));
}

function settingsOf(credential, workflow) {
  return credential.configurations?.[0]?.workflowSettings?.[workflow.id] ?? { enabled: false, settings: {} };
}

function renderWorkflows(item, credential) {
  const list = part("[data-workflows]", item);
  const workflows = offered();
  list.hidden = !workflows.length;
  list.replaceChildren(...workflows.map((workflow) => workflowItem(credential, workflow)));
  const settings = sharedOf(credential);
  const toConfig = (chosen) => ({ sharedSettings: { ...settings, ...chosen } });
  renderSettings(part("[data-shared]", item), credential, `${credential.id} shared`, sharedInputs(), settings, toConfig);
}

/** A folded form of settings. `toConfig` makes what is sent of what was chosen. */
function renderSettings(details, credential, key, inputs, settings, toConfig) {
  details.hidden = !inputs.length;
  details.open = opened.has(key);
  details.addEventListener("toggle", () => {
    if (details.open) opened.add(key);
    else opened.delete(key);
    if (details.open) fillChoices(details, credential, inputs);
  });
  part("[data-inputs]", details).append(...inputs.map((input) => inputField(input, settings?.[input.id] ?? input.defaultValue)));
  part("[data-form]", details).addEventListener("submit", (event) => save(event, credential, inputs, toConfig));
  if (details.open) fillChoices(details, credential, inputs);
}

function workflowItem(credential, workflow) {
  const item = document.querySelector("#workflow").content.cloneNode(true).firstElementChild;
  const key = `${credential.id} ${workflow.id}`;
  const { enabled, settings, notice } = settingsOf(credential, workflow);
  item.dataset.workflow = workflow.id;
  text("[data-title]", workflow.name, item);
  text("[data-info]", workflow.infoText ?? "", item);
  text("[data-problem]", problems.get(key) ?? "", item);
  text("[data-notice]", notice?.text ?? "", item);
  part("[data-act=reconnect]", item).hidden = !notice?.reconnect;
  const toggle = part("[data-act=switch]", item);
  toggle.setAttribute("aria-checked", String(Boolean(enabled)));
  text("[data-switch-name]", workflow.name, item);
  const toConfig = (chosen) => ({ workflowSettings: { [workflow.id]: { settings: chosen } } });
  renderSettings(part("[data-settings]", item), credential, key, workflow.inputs ?? [], settings, toConfig);
  return item;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

let fields = 0;

function inputField(input, value) {
  const id = `field-${++fields}`;
  const field = element("div", { className: "field" });
  field.dataset.input = input.id;
  const title = `${input.title}${input.required ? "" : " (optional)"}`;
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
  const all = [{ value: "", label: "Choose…" }, ...options];
  if (value && !options.some((option) => option.value === value)) all.push({ value, label: String(value) });
  select.replaceChildren(...all.map((option) => new Option(option.label, option.value, false, option.value === (value ?? ""))));
  return select;
}

/** Ask the user's own account for what can be chosen; a choice that others depend on asks for those anew. */
async function fillChoices(item, credential, inputs) {
  const own = inputs.filter((input) => ["DYNAMIC_ENUM", "FIELD_MAPPER"].includes(input.type));
  for (const input of own) {
    const field = part(`[data-input="${CSS.escape(input.id)}"]`, item);
    const parents = input.dependsOn ?? [];
    for (const { key } of parents) {
      const parent = part(`[data-input="${CSS.escape(key)}"] select`, item);
      if (parent && !parent.dataset.watched) {
        parent.dataset.watched = "yes";
        parent.addEventListener("change", () => fillChoices(item, credential, inputs));
      }
    }
    const values = parents.map(({ key, as }) => [as, part(`[data-input="${CSS.escape(key)}"] :is(select, input)`, item)?.value ?? sharedOf(credential)[key]]);
    if (values.some(([, value]) => !value)) continue;
    const wanted = JSON.stringify(values);
    if (field.dataset.filled === wanted) continue;
    field.dataset.filled = wanted;
    await fill(field, credential, input, values);
  }
}

async function fill(field, credential, input, values) {
  const parameters = values.map(([key, value]) => ({ key, source: { type: "VALUE", value } }));
  const body = JSON.stringify({ action: state.modal.integration.type, sourceKey: input.source, parameters, paginationParameters: { pageCursor: 0, search: "" } });
  try {
    const { output } = await send("/sdk/actions", credential, { method: "POST", body });
    for (const select of field.querySelectorAll("select")) choices(select, output.records, select.value);
  } catch (error) {
    tell(field, wordsOf(error));
  }
}

function send(path, credential, init) {
  return ask("sendConnectRequest", path, { ...init, headers: { "X-Paragon-Credential": credential.id } });
}

/** Have the SDK around us know what is true now. */
async function refresh() {
  const { integrations, meta, resources } = await ask("sendConnectRequest", "/sdk/me", { method: "GET" });
  for (const each of Object.values(integrations)) each.allConfigurations = each.allCredentials.flatMap((credential) => credential.configurations);
  await ask("updateAuthenticatedUser", { integrations, meta, resources });
}

async function flip(id, button) {
  const workflow = offered().find((each) => each.id === button.closest("[data-workflow]").dataset.workflow);
  const credential = accounts().find((each) => each.id === id);
  const key = `${id} ${workflow.id}`;
  const isOn = button.getAttribute("aria-checked") !== "true";
  button.setAttribute("aria-checked", String(isOn));
  button.disabled = true;
  problems.delete(key);
  try {
    await saving.catch(() => {}); // what was entered a moment ago may be what switching on needs
    await send(`/sdk/workflows/${workflow.id}`, credential, { method: isOn ? "POST" : "DELETE" });
    await refresh();
    const { id: integrationId, type: integrationType } = state.modal.integration;
    ask("triggerSDKEvent", { type: "onWorkflowChange", integrationId, integrationType, workflowId: workflow.id, workflowStateChange: isOn ? "ENABLED" : "DISABLED" }).catch(() => {});
  } catch (error) {
    problems.set(key, wordsOf(error));
    if ((workflow.inputs ?? []).length) opened.add(key);
    if (sharedInputs().length) opened.add(`${id} shared`);
  }
  render();
  dialog.querySelector(`[data-credential="${CSS.escape(id)}"] [data-workflow="${CSS.escape(workflow.id)}"] [data-act=switch]`)?.focus();
}

async function save(event, credential, inputs, toConfig) {
  event.preventDefault();
  const form = event.target;
  const saved = part("[data-saved]", form);
  saved.textContent = "Saving…";
  for (const field of form.querySelectorAll("[data-input]")) tell(field, "");
  const settings = Object.fromEntries(inputs.map((input) => [input.id, valueOf(part(`[data-input="${CSS.escape(input.id)}"]`, form), input)]));
  const missing = inputs.filter((input) => input.required && [null, ""].includes(settings[input.id]));
  for (const input of missing) tell(part(`[data-input="${CSS.escape(input.id)}"]`, form), `${input.title} is required.`);
  if (missing.length) return (saved.textContent = "");
  try {
    const body = JSON.stringify({ config: toConfig(settings) });
    saving = send(`/sdk/credentials/${credential.id}`, credential, { method: "PATCH", body });
    const { errors = [] } = await saving;
    for (const error of errors) tell(part(`[data-input="${CSS.escape(error.inputId ?? "")}"]`, form), error.message);
    saved.textContent = errors.length ? "" : "Saved";
    for (const known of [...problems.keys()]) if (known.startsWith(`${credential.id} `)) problems.delete(known);
    for (const problem of form.closest("[data-credential]").querySelectorAll("[data-problem]")) problem.hidden = true;
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

/** The overview's “**Title.** text” paragraphs as a list. */
function renderOverview(markdown) {
  const paragraphs = String(markdown).split(/\n{2,}/).filter((item) => item.trim());
  const items = paragraphs.map((paragraph) => {
    const [, title, rest] = /^\*\*(.+?)\*\*\s*([^]*)$/.exec(paragraph.trim()) ?? [null, "", paragraph];
    const item = document.createElement("li");
    item.append(Object.assign(document.createElement("strong"), { textContent: title }), ` ${rest}`);
    return item;
  });
  part("[data-overview] ul").replaceChildren(...items);
  part("[data-overview]").hidden = !items.length;
}

// What can be done ---------------------------------------------------------------------------------------------------

const acts = {
  close,
  connect: () => start({ allowMultipleCredentials: accounts().length > 0 || state.modal.apiInstallationOptions?.allowMultipleCredentials === true }),
  reconnect: (id) => start({ selectedCredentialId: id }),
  ask: (id) => question(id),
  keep: () => question(""),
  disconnect,
  switch: flip,
};

async function start(wanted) {
  const { integration, apiInstallationOptions } = state.modal;
  const { externalId } = apiInstallationOptions ?? {};
  [trouble, asking, isOpening] = ["", "", true];
  // Asked before anything is drawn or awaited: the click still counts as the SDK's, which opens the window.
  const asked = ask("startOAuthFlow", integration.type, { isApiInstallation: false, externalId, ...wanted });
  render();
  try {
    await asked;
  } catch (error) {
    [trouble, isOpening] = [wordsOf(error), false];
    render();
  }
}

function question(id) {
  const was = asking;
  asking = id;
  render();
  const row = dialog.querySelector(`[data-credential="${CSS.escape(id || was)}"]`);
  row?.querySelector(id ? "[data-act=keep]" : "[data-act=ask]").focus();
}

async function disconnect(id) {
  const type = state.modal.integration.type;
  asking = "";
  try {
    await ask("uninstallIntegration", type, { selectedCredentialId: id });
    if (shown) part("#name").focus();
  } catch (error) {
    trouble = wordsOf(error);
  }
  if (shown) render();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) return close(); // the backdrop
  const button = event.target.closest("[data-act]");
  if (button) acts[button.dataset.act](button.closest("[data-credential]")?.dataset.credential, button);
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Tab") return;
  // The dialog keeps focus inside this frame, but not inside the page around it.
  const stops = [...dialog.querySelectorAll("button, a[href], summary, input, select")].filter((item) => item.checkVisibility());
  const [first, last] = event.shiftKey ? [stops.at(-1), stops[0]] : [stops[0], stops.at(-1)];
  if (document.activeElement !== last && !(event.shiftKey && document.activeElement.id === "name")) return;
  event.preventDefault();
  first.focus();
});
window.addEventListener("message", hear);
