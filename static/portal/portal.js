// portal.js: the Connect Portal inside its iframe. It shows what the SDK around it says is connected, and asks the SDK
// to act.
import { afterPress } from "../js/press.js";
import { showActivity } from "./activity.js";
import { element, fromTemplate, part as partOf, text as textOf } from "./dom.js";
import { ask, listen, page, refresh, send, wordsOf } from "./host.js";
import { applyLook } from "./look.js";
import { openSettings, renderSettings, settled } from "./settings.js";
import { dayOf, say } from "./words.js";

const dialog = document.querySelector("dialog");
const TABS = ["overview", "configuration", "activity"];
const isPreview = "preview" in page;

let state = { user: {}, modal: {} };
let tab = "";
let asking = ""; // the credential whose disconnection is to be confirmed
let opening = ""; // what a consent window was asked for, while nothing has been heard of it: a key of words
let trouble = "";
let shown = "";
const problems = new Map(); // what went wrong with a workflow, by credential and workflow

const part = (selector, within = dialog) => partOf(selector, within);
const text = (selector, words, within = dialog) => textOf(selector, words, within);

// What is shown ------------------------------------------------------------------------------------------------------

function update({ nextContext = {}, nextModalState = {} }) {
  const before = accounts();
  state = { user: nextContext.user ?? {}, modal: nextModalState };
  const { integration } = nextModalState;
  if (!integration || isHeadlessInstall(nextModalState)) return hide();
  const { type } = integration;
  const isNew = shown !== type;
  if (isNew) [asking, trouble, opening, tab] = ["", "", "", usualTab()];
  const error = wordsOf(nextModalState.connectionError);
  if (error) [trouble, opening] = [error, ""];
  if (JSON.stringify(accounts()) !== JSON.stringify(before)) {
    [trouble, opening] = [error, ""];
    if (!isNew && Boolean(before.length) !== Boolean(accounts().length)) tab = usualTab();
  }
  render();
  if (isNew) show(type);
}

function usualTab() {
  return accounts().length ? "configuration" : "overview";
}

function isHeadlessInstall({ apiInstallationOptions, shouldShowPortalAfterInstall }) {
  return Boolean(apiInstallationOptions?.isApiInstallation) && !shouldShowPortalAfterInstall;
}

async function show(type) {
  shown = type;
  if (isPreview) return dialog.setAttribute("open", ""); // beside a form that somebody types in: no focus is taken
  if (!dialog.open) dialog.showModal();
  await ask("updateContainerStyle", { isModalShown: true }).catch(() => {});
  part("#name").focus();
  ask("onOpen").catch(() => {});
}

function hide() {
  if (!shown) return;
  shown = "";
  if (dialog.open) dialog.close();
  ask("updateContainerStyle", { isModalShown: false }).catch(() => {});
}

function close() {
  if (!shown || isPreview) return;
  hide();
  ask("onClose", true).catch(() => {});
}

function accounts() {
  const type = state.modal.integration?.type;
  const known = state.user.integrations?.[type]?.allCredentials ?? [];
  return known.filter((credential) => !credential.isPreviewCredential);
}

/** What our server said of the integration: {logo, manageUrl, short, label, activity, …}, and its description. */
function look() {
  const type = state.modal.integration?.type;
  return [...document.querySelectorAll("template[data-provider]")].find((item) => item.dataset.provider === type);
}

function render() {
  const { integration } = state.modal;
  const own = look()?.dataset ?? {};
  const known = accounts();
  applyLook(dialog, own);
  part("[data-logo]").src = own.logo ?? "";
  part("[data-logo]").hidden = !own.logo;
  text("[data-name]", integration.name);
  text("[data-about]", own.short ?? configured().shortDescription ?? configured().description ?? "");
  text("[data-error]", trouble);
  text("[data-note]", opening ? say(opening, { name: integration.name }) : "");
  renderTabs("activity" in own && known.length > 0);
  if (tab === "overview") renderOverview();
  renderAccounts(known);
  const button = part("[data-act=connect]");
  button.textContent = buttonWords(own.label ?? integration.name, known);
  button.classList.toggle("primary", !known.length);
  part("[data-footer]").hidden = known.length > 0 && tab !== "configuration";
}

function buttonWords(label, known) {
  if (opening) return say("openAgain");
  return known.length ? say("addAccount") : label;
}

// Tabs ---------------------------------------------------------------------------------------------------------------

function renderTabs(hasActivity) {
  part("[data-tab=activity]").hidden = !hasActivity;
  if (tab === "activity" && !hasActivity) tab = usualTab();
  for (const name of TABS) {
    const button = part(`[data-tab=${name}]`);
    button.setAttribute("aria-selected", String(name === tab));
    button.tabIndex = name === tab ? 0 : -1;
    part(`#${name}`).hidden = name !== tab;
  }
}

function choose(name, { focus = false } = {}) {
  tab = name;
  render();
  part(".content").scrollTop = 0;
  if (focus) part(`[data-tab=${name}]`).focus();
  if (name === "activity") showActivity(part("#activity"), state.modal.integration.type);
}

/** Left and Right go to the neighbour, Home and End to the first and last tab. */
function steer(event) {
  const offered = TABS.filter((name) => !part(`[data-tab=${name}]`).hidden);
  const at = offered.indexOf(event.target.dataset.tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  choose(offered.at(to % offered.length), { focus: true });
}

// Overview -----------------------------------------------------------------------------------------------------------

function renderOverview() {
  const place = part("[data-description]");
  const source = look();
  // Safe markup of our own server, never of a message.
  if (source && place.dataset.from !== source.innerHTML) {
    place.dataset.from = source.innerHTML;
    place.replaceChildren(source.content.cloneNode(true));
  }
  const items = offered().map(({ name, infoText }) => element("li", {}, element("strong", { textContent: name }), element("small", { textContent: infoText ?? "" })));
  part("[data-offers] ul").replaceChildren(...items);
  part("[data-offers]").hidden = !items.length;
}

// Configuration: accounts ----------------------------------------------------------------------------------------------

function renderAccounts(known) {
  const list = part("[data-accounts]");
  // Someone is filling in settings: what they typed must not be drawn over.
  if (list.contains(document.activeElement) && document.activeElement.closest("[data-form]")) return;
  const focused = document.activeElement?.dataset.act;
  const row = document.activeElement?.closest("[data-credential]")?.dataset.credential;
  list.replaceChildren(...known.map(account));
  list.hidden = !known.length;
  part("[data-nothing]").hidden = known.length > 0;
  if (row && focused) list.querySelector(`[data-credential="${CSS.escape(row)}"] [data-act=${focused}]`)?.focus();
}

function account(credential) {
  const item = fromTemplate("account");
  const { accountName, siteName, siteUrl } = credential.providerData ?? {};
  const isValid = credential.status === "VALID";
  const who = accountName || credential.providerId || say("someAccount");
  item.dataset.credential = credential.id;
  text("[data-account]", who, item);
  text("[data-site]", [siteName, siteUrl?.replace(/^https:\/\//, "")].filter(Boolean).join(" · "), item);
  text("[data-since]", credential.dateCreated ? say("since", { date: dayOf(credential.dateCreated) }) : "", item);
  text("[data-state]", say(isValid ? "connected" : "lost"), item);
  part("[data-state]", item).classList.add(isValid ? "good" : "bad");
  text("[data-reason]", isValid ? "" : credential.reason || say("lostReason"), item);
  part("[data-act=reconnect]", item).hidden = isValid;
  part("[data-act=swap]", item).hidden = !isValid;
  renderQuestion(item, credential, who);
  if (isValid) renderWorkflows(item, credential);
  return item;
}

function renderQuestion(item, credential, account) {
  const { name } = state.modal.integration;
  const isAsked = asking === credential.id;
  part("[data-question]", item).hidden = !isAsked;
  part("[data-plain]", item).hidden = isAsked;
  text("[data-title]", say("disconnectTitle", { account }), item);
  const names = offered().filter((each) => settingsOf(credential, each).enabled).map((each) => each.name).join(", ");
  const told = [say("stops"), names && say("stopsWorkflows", { names }), say("stays", { name }), say("withdraw", { name })];
  part("[data-consequences]", item).replaceChildren(...told.filter(Boolean).map((words) => element("li", { textContent: words })));
  const { manageUrl } = look()?.dataset ?? {};
  const link = part("[data-manage]", item);
  link.hidden = !manageUrl;
  link.textContent = say("manage");
  if (manageUrl) link.href = manageUrl;
}

// Configuration: what the integration does for the user, each with a switch and settings ---------------------------------

function configured() {
  const { integration, config } = state.modal;
  return config ?? integration.configs?.[0]?.values ?? {};
}

/** Settings that are asked for once, for all workflows. */
function sharedInputs() {
  return configured().sharedMeta?.inputs ?? [];
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
  const settings = credential.configurations?.[0]?.sharedSettings ?? {};
  const toConfig = (chosen) => ({ sharedSettings: { ...settings, ...chosen } });
  renderForm(part("[data-shared]", item), credential, { key: `${credential.id} shared`, inputs: sharedInputs(), settings, toConfig });
}

function renderForm(details, credential, form) {
  const onSaved = (saved) => {
    for (const known of [...problems.keys()]) if (known.startsWith(`${credential.id} `)) problems.delete(known);
    for (const problem of saved.closest("[data-credential]").querySelectorAll("[data-problem]")) problem.hidden = true;
  };
  renderSettings(details, { credential, type: state.modal.integration.type, onSaved, ...form });
}

function workflowItem(credential, workflow) {
  const item = fromTemplate("workflow");
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
  renderForm(part("[data-settings]", item), credential, { key, inputs: workflow.inputs ?? [], settings, toConfig });
  return item;
}

// What can be done ---------------------------------------------------------------------------------------------------

const acts = {
  close,
  connect: () => start("goOn", { allowMultipleCredentials: accounts().length > 0 || state.modal.apiInstallationOptions?.allowMultipleCredentials === true }),
  reconnect: (id) => start("goOn", { selectedCredentialId: id }),
  swap: (id) => start("goOnSwitching", { selectedCredentialId: id }),
  ask: (id) => question(id),
  keep: () => question(""),
  disconnect,
  switch: flip,
  older: () => showActivity(part("#activity"), state.modal.integration.type, { older: true }),
};

async function start(words, wanted) {
  const { integration, apiInstallationOptions } = state.modal;
  const { externalId } = apiInstallationOptions ?? {};
  [trouble, asking, opening] = ["", "", words];
  // Asked before anything is drawn or awaited: the click still counts as the SDK's, which opens the window.
  const asked = ask("startOAuthFlow", integration.type, { isApiInstallation: false, externalId, ...wanted });
  render();
  part(".content").scrollTop = 0;
  try {
    await asked;
  } catch (error) {
    [trouble, opening] = [wordsOf(error), ""];
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

async function flip(id, button) {
  const workflow = offered().find((each) => each.id === button.closest("[data-workflow]").dataset.workflow);
  const credential = accounts().find((each) => each.id === id);
  const key = `${id} ${workflow.id}`;
  const isOn = button.getAttribute("aria-checked") !== "true";
  button.setAttribute("aria-checked", String(isOn));
  button.disabled = true;
  problems.delete(key);
  try {
    await settled(); // what was entered a moment ago may be what switching on needs
    await send(`/sdk/workflows/${workflow.id}`, credential, { method: isOn ? "POST" : "DELETE" });
    await refresh();
    const { id: integrationId, type: integrationType } = state.modal.integration;
    ask("triggerSDKEvent", { type: "onWorkflowChange", integrationId, integrationType, workflowId: workflow.id, workflowStateChange: isOn ? "ENABLED" : "DISABLED" }).catch(() => {});
  } catch (error) {
    problems.set(key, wordsOf(error));
    if ((workflow.inputs ?? []).length) openSettings(key);
    if (sharedInputs().length) openSettings(`${id} shared`);
  }
  render();
  dialog.querySelector(`[data-credential="${CSS.escape(id)}"] [data-workflow="${CSS.escape(workflow.id)}"] [data-act=switch]`)?.focus();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) return close(); // the backdrop
  const chosen = event.target.closest("[data-tab]");
  if (chosen) return choose(chosen.dataset.tab);
  const button = event.target.closest("[data-act]");
  if (button) acts[button.dataset.act](button.closest("[data-credential]")?.dataset.credential, button);
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  if (asking) question("");
  else close();
});
// A browser lets a dialog refuse Escape once only, and then closes it by itself.
dialog.addEventListener("close", () => dialog.open || close());
dialog.addEventListener("keydown", (event) => {
  if (event.target.role === "tab") steer(event);
  if (event.key !== "Tab" || isPreview) return;
  // The dialog keeps focus inside this frame, but not inside the page around it.
  const stops = [...dialog.querySelectorAll("button, a[href], summary, input, select, [tabindex='0']")].filter((item) => item.checkVisibility() && item.tabIndex >= 0);
  const [first, last] = event.shiftKey ? [stops.at(-1), stops[0]] : [stops[0], stops.at(-1)];
  if (document.activeElement !== last && !(event.shiftKey && document.activeElement.id === "name")) return;
  event.preventDefault();
  first.focus();
});
listen((message) => afterPress(() => update(message)));
