// host.js: the messages between the portal and the SDK around it. The portal holds no token and calls no API itself.
export const page = document.body.dataset;
const LOOPBACK = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;
const waiting = new Map();
let host = ""; // the origin of the page around us: the first that the project allows
let calls = 0;
let refreshed = Promise.resolve();

function isAllowed(origin) {
  if ((page.origins ?? "").split(" ").includes(origin)) return true;
  return "loopback" in page && LOOPBACK.test(origin);
}

/** Have `update(message)` called with what the SDK says is to be shown. */
export function listen(update) {
  window.addEventListener("message", ({ source, origin, data }) => {
    if (window === parent || source !== parent || typeof data !== "object" || data === null) return;
    if (!page.project) return becomeProject(data);
    if (!host && isAllowed(origin)) host = origin;
    if (!host || origin !== host) return;
    if (data.messageType === "UI_UPDATE") update(data);
    if (data.messageType === "SDK_FUNCTION_RESPONSE") waiting.get(data.id)?.resolve(data.result);
    if (data.messageType === "SDK_FUNCTION_ERROR") waiting.get(data.id)?.reject(new Error(data.message));
  });
}

function becomeProject({ messageType, nextContext }) {
  // The shell may be framed by anyone; only the page with the project says by whom.
  const project = nextContext?.projectId;
  if (messageType !== "UI_UPDATE" || !project) return;
  const query = new URLSearchParams(location.search);
  query.set("projectId", project);
  location.replace(`/ui?${query}`);
}

/** Have the SDK call one of its functions; resolves with what that returns. */
export function ask(type, ...parameters) {
  const id = `portal-${++calls}`;
  const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }));
  parent.postMessage({ messageType: "SDK_FUNCTION_INVOCATION", type, parameters, id }, host);
  return answer.finally(() => waiting.delete(id));
}

/** Have the SDK call the API in the name of one connection. */
export function send(path, credential, init) {
  return ask("sendConnectRequest", path, { ...init, headers: { "X-Paragon-Credential": credential.id } });
}

/** Have the SDK know what is true now. */
export function refresh() {
  // One after the other: an SDK may answer two equal questions at once with what was true before the second.
  return (refreshed = refreshed.catch(() => {}).then(readAnew));
}

async function readAnew() {
  const { integrations, meta, resources } = await ask("sendConnectRequest", "/sdk/me", { method: "GET" });
  for (const each of Object.values(integrations)) each.allConfigurations = each.allCredentials.flatMap((credential) => credential.configurations);
  await ask("updateAuthenticatedUser", { integrations, meta, resources });
}

/** Return an error's words, whichever SDK it came through. */
export function wordsOf(error) {
  if (!error) return "";
  const text = String(error.errorResponse ?? error.error ?? error.message ?? error);
  try {
    return JSON.parse(text).message ?? text; // one SDK makes the whole body of an answer its message
  } catch {
    return text;
  }
}
