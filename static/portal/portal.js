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
  const focused = document.activeElement?.dataset.act;
  const row = document.activeElement?.closest("li")?.dataset.credential;
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
  if (button) acts[button.dataset.act](button.closest("li")?.dataset.credential);
});
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});
dialog.addEventListener("keydown", (event) => {
  if (event.key !== "Tab") return;
  // The dialog keeps focus inside this frame, but not inside the page around it.
  const stops = [...dialog.querySelectorAll("button, a[href], summary")].filter((item) => item.checkVisibility());
  const [first, last] = event.shiftKey ? [stops.at(-1), stops[0]] : [stops[0], stops.at(-1)];
  if (document.activeElement !== last && !(event.shiftKey && document.activeElement.id === "name")) return;
  event.preventDefault();
  first.focus();
});
window.addEventListener("message", hear);
