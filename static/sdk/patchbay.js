/*
 * Patchbay for the browser: connect your users' accounts, and call their providers' APIs in their name.
 *
 *   <script src="https://patchbay.example.com/static/sdk/patchbay.js"></script>              sets the global `patchbay`
 *   import { patchbay } from "https://patchbay.example.com/static/sdk/patchbay.mjs";          the same object
 *
 *   await patchbay.authenticate(projectId, userToken);
 *   <button data-patchbay-connect="acme"></button>                                            needs no more code
 *
 * It has no dependency, keeps tokens in memory only, talks to one exact origin, and may be loaded twice.
 */
(() => {
  "use strict";

  if (globalThis.patchbay?.isPatchbay) return;

  const SDK_EVENT = Object.freeze({
    ON_INTEGRATION_INSTALL: "onIntegrationInstall",
    ON_INTEGRATION_UNINSTALL: "onIntegrationUninstall",
    ON_PORTAL_OPEN: "onPortalOpen",
    ON_PORTAL_CLOSE: "onPortalClose",
    ON_WORKFLOW_CHANGE: "onWorkflowChange",
  });
  const CALLBACKS = {
    onIntegrationInstall: ["onSuccess", "onInstall"],
    onIntegrationUninstall: ["onUninstall"],
    onPortalOpen: ["onOpen"],
    onPortalClose: ["onClose"],
    onWorkflowChange: ["onWorkflowChange"],
  };
  const SCRIPT_PATH = /^(https?:\/\/.+?)\/static\/sdk\/patchbay\.m?js/;
  const CONNECT_MS = 10 * 60_000;
  const LOOK_MS = 50;
  const SEEN_MS = 200; // a popup that is about to be cut off is on another origin for a moment too
  const POLL_MS = 1000;
  const GRACE_MS = 600; // a popup's last message may still be on its way when it is seen closed
  const AWAY_MS = 60_000;

  /** What every method rejects with: `message` is for people, `code` for programs; `status` and `response` if answered. */
  class PatchbayError extends Error {
    constructor(message, { code = "failed", status, response } = {}) {
      super(message);
      this.name = "PatchbayError";
      Object.assign(this, { code, status, response });
    }
  }

  const hasPage = typeof document !== "undefined";
  let base = ownBase();
  let locale = "";
  let session = null; // {projectId, token, user, integrations}
  let signIns = 0;
  let returned = takeReturnedClaim();
  const attempts = new Map(); // integration type → AbortController of the consent that is under way
  const listeners = new Map(Object.values(SDK_EVENT).map((name) => [name, new Set()]));

  // Where we are from ------------------------------------------------------------------------------------------------

  function ownBase() {
    // A module has no currentScript, but its address stands in a stack trace.
    const address = (hasPage && document.currentScript?.src) || /https?:\/\/[^\s()@]+/.exec(new Error().stack ?? "")?.[0];
    return SCRIPT_PATH.exec(address ?? "")?.[1] ?? "";
  }

  /**
   * Say where Patchbay is, when this file was not loaded from there: {baseUrl: "https://patchbay.example.com"}; and which
   * language to speak, when it is not that of the page's own <html lang>: {locale: "de"}.
   */
  function configure({ baseUrl, locale: wanted }) {
    if (wanted !== undefined) locale = String(wanted);
    if (baseUrl === undefined) return;
    const url = new URL(baseUrl);
    if (!/^https?:$/.test(url.protocol)) throw new PatchbayError(`${baseUrl} is not a web address.`, { code: "bad_base_url" });
    const next = url.href.replace(/\/+$/, "");
    if (next === base) return;
    base = next;
    logout();
  }

  /** Return the language that is asked for, "" for the browser's own. */
  function language() {
    const asked = locale || (hasPage && document.documentElement.lang) || "";
    return /^[A-Za-z-]{2,20}$/.test(asked) ? asked : "";
  }

  function inLanguage(address) {
    const url = new URL(address);
    if (language()) url.searchParams.set("lang", language());
    return url.href;
  }

  // The HTTP API -----------------------------------------------------------------------------------------------------

  function current() {
    if (!session) throw new PatchbayError("Nobody is signed in. Call authenticate(projectId, userToken) first.", { code: "not_authenticated" });
    return session;
  }

  async function send(path, { prefix = "", method = "GET", headers = {}, body, as = current() } = {}) {
    const options = { method, headers: { Accept: "application/json", Authorization: `Bearer ${as.token}`, ...spoken(path), ...headers }, body };
    try {
      return await fetch(`${base}${prefix}/projects/${encodeURIComponent(as.projectId)}${path}`, {
        ...options,
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
    } catch (cause) {
      const words = `Patchbay at ${base} cannot be reached, or does not allow calls from ${globalThis.location?.origin}.`;
      throw Object.assign(new PatchbayError(words, { code: "unreachable" }), { cause });
    }
  }

  /** Patchbay's own messages are for the person in front; a provider's answer is the product's affair. */
  function spoken(path) {
    return language() && !path.startsWith("/sdk/proxy/") ? { "Accept-Language": language() } : {};
  }

  async function decoded(response) {
    const text = await response.text();
    if (!text) return undefined;
    if (!/\bjson\b/i.test(response.headers.get("Content-Type") ?? "")) return text;
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  function refusal(response, body) {
    const words = body?.message || (typeof body === "string" && body.slice(0, 300)) || `Patchbay answers ${response.status}.`;
    return new PatchbayError(words, { code: body?.code ?? `http_${response.status}`, status: response.status, response: body });
  }

  async function call(path, { json, ...options } = {}) {
    if (json !== undefined) {
      options.body = JSON.stringify(json);
      options.headers = { "Content-Type": "application/json", ...options.headers };
    }
    const response = await send(path, options);
    const body = await decoded(response);
    if (!response.ok) throw refusal(response, body);
    return body;
  }

  // Who is signed in -------------------------------------------------------------------------------------------------

  /** Sign an end user in with the token that your back end signed; `metadata` is stored with them. */
  async function authenticate(projectId, userToken, { metadata } = {}) {
    if (!projectId || !userToken) throw new PatchbayError("authenticate() needs a project ID and a user token.", { code: "bad_arguments" });
    if (!base) throw new PatchbayError("Call configure({baseUrl}) first: this file was not loaded from Patchbay.", { code: "no_base_url" });
    refuseUseless(userToken);
    const turn = ++signIns;
    const next = { projectId: String(projectId), token: String(userToken) };
    await load(next);
    if (metadata && differs(named(metadata), next.user.meta)) {
      next.user.meta = (await saveMetadata(metadata, next)).meta;
    }
    if (turn !== signIns) return; // someone else has been signed in meanwhile
    if (session && session.user.userId !== next.user.userId) logout();
    session = next;
    await claimReturned();
    paint();
  }

  function refuseUseless(token) {
    const bad = (words) => new PatchbayError(words, { code: "bad_user_token" });
    let claims;
    try {
      claims = JSON.parse(atob(String(token).split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
    } catch {
      throw bad("The user token is not a JWT. Your back end signs it: see the SDK guide.");
    }
    if (!(claims?.exp * 1000 > Date.now())) throw bad("The user token has expired. Ask your back end for a new one.");
  }

  async function load(as) {
    const [user, integrations] = await Promise.all([call("/sdk/me", { as }), call("/sdk/integrations", { as })]);
    as.integrations = integrations;
    keepUser(as, user);
  }

  function keepUser(as, user) {
    for (const state of Object.values(user.integrations)) {
      state.allConfigurations = state.allCredentials.flatMap((credential) => credential.configurations);
    }
    as.user = user;
  }

  async function reload() {
    const as = current();
    keepUser(as, await call("/sdk/me", { as }));
    paint();
    portal.update();
  }

  function logout() {
    session = null;
    for (const attempt of attempts.values()) attempt.abort();
    portal.close();
    paint();
  }

  /** Return who is signed in and what they are connected to, as it was last heard; no token is in it. */
  function getUser() {
    if (!session) return { authenticated: false };
    const { userId, integrations, meta, resources } = session.user;
    return structuredClone({ authenticated: true, userId, integrations, meta, resources });
  }

  /** Replace the user's metadata; resolves with the user. */
  async function setUserMetadata(metadata) {
    const as = current();
    await saveMetadata(metadata, as);
    await load(as);
    paint();
    return getUser();
  }

  function saveMetadata(metadata, as) {
    return call("/sdk/me", { method: "PATCH", json: { meta: named(metadata) }, as });
  }

  function named({ name, email, ...meta }) {
    return { ...meta, ...(name === undefined ? {} : { Name: name }), ...(email === undefined ? {} : { Email: email }) };
  }

  function differs(wanted, known) {
    return Object.entries(wanted).some(([key, value]) => JSON.stringify(value) !== JSON.stringify(known[key]));
  }

  // Integrations -----------------------------------------------------------------------------------------------------

  function found(type) {
    const integration = current().integrations.find((item) => item.type === type);
    if (!integration) throw new PatchbayError(`“${type}” has not been set up in this project yet. Add it in Patchbay's catalog.`, { code: "not_set_up" });
    if (!integration.isActive) throw new PatchbayError(`${integration.name} is not active in this project yet. Activate it in Patchbay.`, { code: "integration_inactive" });
    return integration;
  }

  function credentials(type) {
    return session?.user.integrations[type]?.allCredentials ?? [];
  }

  /** Return {type, name, icon, brandColor} of one integration, or of every active one. */
  function getIntegrationMetadata(type) {
    if (type !== undefined) return described(found(type));
    return current().integrations.filter((item) => item.isActive).map(described);
  }

  function described({ type, name, brandColor }) {
    return { type, name, brandColor, icon: `${base}/static/integrations/${encodeURIComponent(type)}.svg` };
  }

  /**
   * Open the consent window at once; resolves with {integrationId, integrationType, credentialId, credential}.
   * Call it from a click, or the browser blocks the window. Options: selectedCredentialId (reconnect that one),
   * allowMultipleCredentials, externalId, returnUrl, oauthTimeout (ms), and callbacks as of connect().
   */
  async function installIntegration(type, options = {}) {
    const integration = found(type);
    const isAnother = options.allowMultipleCredentials || options.selectedCredentialId;
    if (!isAnother && credentials(type).some((credential) => credential.status === "VALID")) {
      const words = `${integration.name} is already connected. Pass allowMultipleCredentials to add another account.`;
      throw new PatchbayError(words, { code: "already_connected" });
    }
    return consent(integration, options);
  }

  /** Disconnect one connection, or all of the integration's. */
  async function uninstallIntegration(type, { selectedCredentialId } = {}) {
    const integration = current().integrations.find((item) => item.type === type) ?? found(type);
    if (!credentials(type).length) throw new PatchbayError(`${integration.name} is not connected.`, { code: "not_connected" });
    await call(`/sdk/integrations/${integration.id}`, { method: "DELETE", headers: selecting(selectedCredentialId) });
    await reload();
    emit(SDK_EVENT.ON_INTEGRATION_UNINSTALL, { integrationId: integration.id, integrationType: type });
  }

  function selecting(credentialId) {
    return credentialId ? { "X-Paragon-Credential": credentialId } : {};
  }

  /**
   * Call the provider's API in the user's name. Resolves with the decoded JSON, text, or undefined for an empty answer;
   * rejects with an error that has .message, .status and .response (the provider's own body).
   */
  async function request(type, path, { method = "GET", body, headers = {}, selectedCredentialId } = {}) {
    const isAbsolute = /^https?:\/\//i.test(path);
    const below = isAbsolute ? "" : `/${String(path).replace(/^\/+/, "")}`;
    const isJson = body !== undefined && body !== null && isPlain(body);
    const answer = await call(`/sdk/proxy/${encodeURIComponent(type)}${below}`, {
      method: method.toUpperCase(),
      body: isJson ? JSON.stringify(body) : (body ?? undefined),
      headers: {
        ...(isJson ? { "Content-Type": "application/json" } : {}),
        ...(isAbsolute ? { "X-Paragon-Proxy-Url": path } : {}),
        ...selecting(selectedCredentialId),
        ...headers,
      },
    });
    return answer && typeof answer === "object" && "output" in answer ? answer.output : answer;
  }

  function isPlain(body) {
    const streams = [Blob, FormData, ArrayBuffer, URLSearchParams, ReadableStream];
    return typeof body !== "string" && !ArrayBuffer.isView(body) && !streams.some((kind) => body instanceof kind);
  }

  /** Tell Patchbay that something happened in your product. */
  async function event(name, payload = {}, { selectedCredentialId } = {}) {
    const headers = selecting(selectedCredentialId);
    await call("/sdk/events/trigger", { prefix: "/v2", method: "POST", json: { name, payload }, headers });
  }

  // Workflows --------------------------------------------------------------------------------------------------------

  function workflowOf(workflowId) {
    for (const integration of current().integrations) {
      const workflow = integration.workflows.find((item) => item.id === workflowId);
      if (workflow) return { integration, workflow };
    }
    throw new PatchbayError("This project has no such workflow, or it is not deployed.", { code: "no_workflow" });
  }

  /** Start a workflow with a request trigger; resolves with what its Response step says, or {id, status: "accepted"}. */
  async function workflow(workflowId, { body, query = {}, headers = {}, selectedCredentialId } = {}) {
    workflowOf(workflowId);
    const search = new URLSearchParams(query).toString();
    const path = `/sdk/triggers/${encodeURIComponent(workflowId)}${search ? `?${search}` : ""}`;
    return call(path, { method: "POST", json: body ?? {}, headers: { ...selecting(selectedCredentialId), ...headers } });
  }

  async function enableWorkflow(workflowId, options) {
    await switchWorkflow(workflowId, true, options);
  }

  async function disableWorkflow(workflowId, options) {
    await switchWorkflow(workflowId, false, options);
  }

  async function switchWorkflow(workflowId, isOn, { selectedCredentialId } = {}) {
    const { integration } = workflowOf(workflowId);
    const path = `/sdk/workflows/${encodeURIComponent(workflowId)}`;
    await call(path, { method: isOn ? "POST" : "DELETE", headers: selecting(selectedCredentialId) });
    await reload();
    const detail = { integrationId: integration.id, integrationType: integration.type, workflowId, workflowStateChange: isOn ? "ENABLED" : "DISABLED" };
    emit(SDK_EVENT.ON_WORKFLOW_CHANGE, detail);
  }

  /** Switch several at once: {workflowId: true or false}. Resolves with {user, errors: [{workflowId, message}]}. */
  async function updateWorkflowState(wanted, options) {
    const errors = [];
    for (const [workflowId, isOn] of Object.entries(wanted)) {
      await switchWorkflow(workflowId, isOn, options).catch((error) => errors.push({ workflowId, message: error.message }));
    }
    return { user: getUser(), errors };
  }

  /** Change settings that all workflows of the integration share. Resolves with {userState, errors}. */
  async function updateIntegrationUserSettings(type, settings, { selectedCredentialId } = {}) {
    const credential = credentialOf(type, selectedCredentialId);
    const shared = credential.configurations[0]?.sharedSettings ?? {};
    return updateSettings(credential, { sharedSettings: { ...shared, ...settings } });
  }

  /** Change one workflow's settings. Resolves with {userState, errors: [{workflowId, inputId, message}]}. */
  async function updateWorkflowUserSettings(type, workflowId, settings, { selectedCredentialId } = {}) {
    return updateSettings(credentialOf(type, selectedCredentialId), { workflowSettings: { [workflowId]: { settings } } });
  }

  async function updateSettings(credential, config) {
    const answer = await call(`/sdk/credentials/${credential.id}`, { method: "PATCH", json: { config } });
    await reload();
    return { userState: getUser(), errors: answer.errors ?? [] };
  }

  function credentialOf(type, credentialId) {
    const known = credentials(type);
    const credential = credentialId ? known.find((item) => item.id === credentialId || item.externalId === credentialId) : known[0];
    if (!credential) throw new PatchbayError(`${found(type).name} is not connected.`, { code: "not_connected" });
    return credential;
  }

  /** Read choices from the user's own account: {data: [{label, value}], nestedData, nextPageCursor}. */
  async function getFieldOptions({ integration, action, source, search = "", cursor = 0, parameters = [], selectedCredentialId }) {
    const type = integration ?? action;
    const json = { action: type, sourceKey: source?.key ?? source, parameters, paginationParameters: { pageCursor: cursor, search } };
    const { output } = await call("/sdk/actions", { method: "POST", json, headers: selecting(selectedCredentialId) });
    return { data: output.records, nestedData: [], nextPageCursor: output.nextPageCursor };
  }

  /** Return what an integration offers the user: {shortDescription, availableUserSettings, availableWorkflows, hiddenWorkflows}. */
  function getIntegrationConfig(type) {
    const integration = found(type);
    const { description, overview, workflowMeta, sharedMeta } = integration.configs[0].values;
    const all = integration.workflows.map(({ id, description: title }) => ({ id, description: title, ...workflowMeta[id] }));
    return structuredClone({
      shortDescription: description,
      longDescription: overview,
      availableUserSettings: sharedMeta.inputs,
      availableWorkflows: all.filter((item) => !item.hidden),
      hiddenWorkflows: all.filter((item) => item.hidden),
    });
  }

  /** A consent in steps, for a page that shows them itself: start(type, {onNext, onComplete, onError}), then next(). */
  const installFlow = (() => {
    let flow = null;

    function start(type, options = {}) {
      const integration = found(type);
      flow = { integration, options };
      safely(options.onNext, { stage: "oauth", done: false });
    }

    /** Go on; the consent window opens, so call it from a click. */
    async function next() {
      if (!flow) throw new PatchbayError("No install flow has been started.", { code: "no_flow" });
      const { integration, options } = flow;
      const { onComplete, onError, onNext, ...wanted } = options;
      try {
        const installed = await installIntegration(integration.type, wanted);
        flow = null;
        safely(onComplete, installed);
      } catch (error) {
        safely(onError, error, { stage: "oauth" });
      }
    }

    function cancel() {
      const type = flow?.integration.type;
      flow = null;
      attempts.get(type)?.abort();
    }

    return Object.freeze({ start, next, cancel });
  })();

  // Events -----------------------------------------------------------------------------------------------------------

  /** Call `listener(event, user)` on one of SDK_EVENT; returns a function that ends it. */
  function subscribe(name, listener) {
    if (!listeners.has(name)) throw new PatchbayError(`There is no event “${name}”.`, { code: "unknown_event" });
    listeners.get(name).add(listener);
    return () => unsubscribe(name, listener);
  }

  function unsubscribe(name, listener) {
    return listeners.get(name)?.delete(listener) ?? false;
  }

  function emit(name, detail, options = {}) {
    const own = CALLBACKS[name].map((callback) => options[callback]).filter(Boolean).slice(0, 1);
    for (const listener of [...own, ...listeners.get(name)]) safely(listener, detail, getUser());
  }

  function safely(listener, ...values) {
    try {
      listener?.(...values);
    } catch (error) {
      console.error(error); // a listener's mistake must not look like a failed connection
    }
  }

  // The consent window -----------------------------------------------------------------------------------------------

  function consent(integration, options) {
    // Before anything is awaited: only now does the browser know that a click asked for it.
    const popup = openPopup();
    attempts.get(integration.type)?.abort();
    const attempt = new AbortController();
    attempts.set(integration.type, attempt);
    words(integration.type, "");
    paint();
    return consented(integration, options, popup, attempt.signal)
      .catch((error) => {
        words(integration.type, error.message);
        safely(options.onError, error);
        throw error;
      })
      .finally(() => {
        if (attempts.get(integration.type) === attempt) attempts.delete(integration.type);
        paint();
      });
  }

  function openPopup() {
    const left = Math.max(0, Math.round(window.screenX + (window.outerWidth - 520) / 2));
    const top = Math.max(0, Math.round(window.screenY + (window.outerHeight - 680) / 2));
    const popup = window.open("", "", `popup,width=520,height=680,left=${left},top=${top}`);
    if (popup) popup.document.title = "Connecting…";
    return popup;
  }

  async function consented(integration, options, popup, signal) {
    if (!popup) {
      const hint = "The browser blocked the window. Allow pop-ups for this page, then press the button again.";
      throw new PatchbayError(hint, { code: "popup_blocked" });
    }
    const as = current();
    let begun;
    try {
      begun = await begin(integration, options, as);
      const until = Date.now() + Math.min(options.oauthTimeout || CONNECT_MS, CONNECT_MS);
      popup.location.replace(inLanguage(begun.startUrl));
      const credential = await credentialFrom(popup, begun, { as, until, signal, name: integration.name });
      return await installed(integration, credential, options);
    } catch (error) {
      if (!error.isTold) popup.close();
      if (begun && !error.isOver) giveUp(begun.sessionId, as);
      throw error;
    }
  }

  async function begin(integration, options, as) {
    const { returnUrl, selectedCredentialId, allowMultipleCredentials, externalId } = options;
    const json = { integration: integration.type, origin: location.origin, returnUrl, selectedCredentialId, allowMultipleCredentials, externalId };
    const begun = await call("/sdk/connect", { method: "POST", json, as });
    if (!/^https?:$/.test(new URL(begun.startUrl).protocol)) throw new PatchbayError("Patchbay sent an unusable address.");
    return begun;
  }

  async function credentialFrom(popup, begun, { as, until, signal, name }) {
    const seen = await watch(popup, begun, { until, signal });
    if (seen.code) return call("/sdk/connect/claim", { method: "POST", json: { code: seen.code }, as });
    return outcome(begun, { as, until, signal, name, wasCutOff: seen.wasCutOff });
  }

  /**
   * Resolve with {code} when the popup hands over the consent, or {wasCutOff} when it seems closed; reject when it failed.
   *
   * A page whose Cross-Origin-Opener-Policy is same-origin loses its popup as soon as that leaves the page's origin: the
   * popup then looks closed although it is open. It is told from a popup that a person closed, because that one was
   * seen on another origin first.
   */
  function watch(popup, { sessionId, startUrl }, { until, signal }) {
    const origin = new URL(startUrl).origin;
    let awaySince = 0;
    let wasAway = false;
    let closedAt = 0;
    return new Promise((resolve, reject) => {
      const timer = setInterval(look, LOOK_MS);
      window.addEventListener("message", hear);
      signal.addEventListener("abort", stopped);
      if (signal.aborted) stopped();

      function settle(result) {
        clearInterval(timer);
        window.removeEventListener("message", hear);
        signal.removeEventListener("abort", stopped);
        if (result instanceof Error) reject(result);
        else resolve(result);
      }
      function stopped() {
        settle(superseded());
      }
      function hear({ source, origin: from, data }) {
        if (source !== popup || from !== origin || data?.sessionId !== sessionId) return;
        if (data.type === "patchbay:claim") settle({ code: String(data.code) });
        // The popup tells it too, and closes itself where there is nothing to read.
        if (data.type === "patchbay:failed") settle(over(data.message, data.code, { isTold: true }));
      }
      function look() {
        if (Date.now() > until) return settle(timedOut());
        if (!popup.closed) {
          if (isAway(popup)) wasAway = Date.now() - (awaySince ||= Date.now()) > SEEN_MS;
          return;
        }
        closedAt ||= Date.now();
        if (Date.now() - closedAt > GRACE_MS) settle({ wasCutOff: !wasAway });
      }
    });
  }

  function isAway(popup) {
    try {
      return popup.location.href === undefined;
    } catch {
      return true; // on another origin, so still ours to watch
    }
  }

  /** Ask Patchbay how an attempt ended whose popup can no longer be seen. */
  async function outcome({ sessionId }, { as, until, signal, name, wasCutOff }) {
    let hereSince = Date.now();
    for (;;) {
      const state = await call(`/sdk/connect/${sessionId}`, { as });
      if (state.status === "claimed" && state.credential) return state.credential;
      if (state.status === "failed") throw over(state.message, state.code);
      if (signal.aborted) throw superseded();
      if (Date.now() > until) throw timedOut();
      if (!document.hasFocus()) hereSince = Date.now();
      // Someone who has been back on this page for a while has left the window, or closed it.
      if (!wasCutOff || Date.now() - hereSince > AWAY_MS) {
        throw new PatchbayError(`The window was closed before ${name} was connected. Nothing was connected.`, { code: "popup_closed" });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  function over(message, code, { isTold = false } = {}) {
    const error = new PatchbayError(message || "Nothing was connected.", { code: code || "connect_failed" });
    return Object.defineProperties(error, { isOver: { value: true }, isTold: { value: isTold } });
  }

  function superseded() {
    return new PatchbayError("Another attempt to connect took the place of this one.", { code: "superseded" });
  }

  function timedOut() {
    return new PatchbayError("Connecting took too long. Nothing was connected; please try again.", { code: "timeout" });
  }

  function giveUp(sessionId, as) {
    call(`/sdk/connect/${sessionId}`, { method: "DELETE", as }).catch(() => {}); // it ends by itself within ten minutes
  }

  async function installed(integration, credential, options = {}) {
    await reload();
    const ids = { integrationId: integration.id, integrationType: integration.type };
    const result = { ...ids, credentialId: credential.id, credential };
    emit(SDK_EVENT.ON_INTEGRATION_INSTALL, result, options);
    return result;
  }

  // Back through a return URL: the popup lost its opener and came to a page of the product instead ---------------------

  function takeReturnedClaim() {
    const code = hasPage && /^#patchbay-claim=([\w-]{20,200})$/.exec(location.hash)?.[1];
    // Gone from the address bar and the history before any other script can read it.
    if (code) history.replaceState(history.state, "", location.pathname + location.search);
    return code || null;
  }

  async function claimReturned() {
    const code = returned;
    returned = null;
    if (!code) return;
    try {
      const credential = await call("/sdk/connect/claim", { method: "POST", json: { code } });
      const integration = current().integrations.find((item) => item.id === credential.integrationId);
      await installed(integration, credential);
      words(integration.type, "Connected. You can close this window.");
      window.close();
    } catch (error) {
      for (const type of shownTypes()) words(type, error.message);
      console.error(error);
    }
  }

  // The Connect Portal: our page in an iframe, which shows what is connected and asks us to act -------------------------

  const portal = (() => {
    let frame = null;
    let isLoaded = false;
    let modal = null; // {integration, options, error, resolve, reject, isShown}
    const asked = {
      updateContainerStyle: ({ isModalShown }) => show(Boolean(isModalShown)),
      onOpen: opened,
      onClose: close,
      startOAuthFlow: start,
      uninstallIntegration: (type, options) => uninstallIntegration(type, { selectedCredentialId: options?.selectedCredentialId }),
      sendConnectRequest: forPortal,
      updateAuthenticatedUser: reload,
      triggerSDKEvent: ({ type, ...detail }) => emit(type, detail, modal?.options),
    };

    /** The portal switches workflows and saves settings; nothing else of the API is its business. */
    function forPortal(path, { method = "GET", headers = {}, body } = {}) {
      if (!/^\/sdk\/(me$|workflows\/|credentials\/|actions$|activity\?)/.test(path)) throw new PatchbayError(`The portal may not call ${path}.`);
      const selected = headers["X-Paragon-Credential"];
      return call(path, { method, json: body === undefined ? undefined : JSON.parse(body), headers: selecting(selected) });
    }

    function open(integration, options) {
      close();
      return new Promise((resolve, reject) => {
        modal = { integration, options, resolve, reject, error: undefined };
        if (frame?.isConnected) update();
        else build();
      });
    }

    function build() {
      frame = document.createElement("iframe");
      isLoaded = false;
      frame.id = "patchbay-portal";
      frame.title = "Connect an account";
      frame.allow = "clipboard-write";
      // color-scheme: of the page's own scheme, the browser would paint the frame opaque behind the dialog.
      const style = { position: "fixed", inset: "0", width: "100vw", height: "100vh", border: "0", zIndex: "2147483647", display: "none", colorScheme: "light" };
      Object.assign(frame.style, style);
      frame.addEventListener("load", () => {
        isLoaded = true;
        update();
      });
      frame.src = inLanguage(`${base}/ui?projectId=${encodeURIComponent(current().projectId)}`);
      document.body.append(frame);
    }

    function update() {
      if (!frame?.isConnected || !isLoaded) return;
      const user = getUser(); // without its token, which the portal has no use for
      const nextContext = { user, projectId: session?.projectId ?? null };
      const { selectedCredentialId, allowMultipleCredentials, externalId } = modal?.options ?? {};
      const nextModalState = {
        integration: modal?.integration ?? null,
        apiInstallationOptions: { allowMultipleCredentials, externalId },
        selectedCredentialId,
        connectionError: modal?.error && { message: modal.error.message },
      };
      frame.contentWindow.postMessage(plain({ messageType: "UI_UPDATE", nextContext, nextModalState }), new URL(base).origin);
    }

    function plain(message) {
      return JSON.parse(JSON.stringify(message));
    }

    async function hear({ source, origin, data }) {
      if (!frame || source !== frame.contentWindow || origin !== new URL(base).origin) return;
      if (data?.messageType !== "SDK_FUNCTION_INVOCATION") return;
      const { type, id, parameters = [] } = data;
      let answer;
      try {
        if (!Object.hasOwn(asked, type)) throw new PatchbayError(`The portal may not call ${type}.`);
        const result = await asked[type](...parameters);
        answer = { messageType: "SDK_FUNCTION_RESPONSE", id, type, result };
      } catch (error) {
        answer = { messageType: "SDK_FUNCTION_ERROR", error: true, message: error.message, id };
      }
      frame?.contentWindow?.postMessage(answer, origin);
    }

    /** Begin and answer at once: how it ends is told to the portal with its next update. */
    function start(type, wanted = {}) {
      const mine = modal;
      if (!mine || type !== mine.integration.type) throw new PatchbayError("The portal is closed.");
      mine.error = undefined;
      const { selectedCredentialId, allowMultipleCredentials } = wanted;
      const { onSuccess, onInstall, onError, externalId, returnUrl } = mine.options;
      const options = { selectedCredentialId, allowMultipleCredentials, externalId, returnUrl, onSuccess, onInstall, onError };
      consent(found(type), options).then(mine.resolve, (error) => {
        mine.error = error;
        if (mine === modal) update();
        else mine.reject(error);
      });
    }

    function show(isShown) {
      if (frame) frame.style.display = isShown && modal ? "block" : "none";
      if (isShown && modal) frame.focus();
    }

    function opened() {
      if (!modal || modal.isShown) return;
      modal.isShown = true;
      emit(SDK_EVENT.ON_PORTAL_OPEN, ids(modal.integration), modal.options);
    }

    function ids({ id, type }) {
      return { integrationId: id, integrationType: type };
    }

    function close() {
      if (!modal) return;
      const mine = modal;
      modal = null;
      show(false);
      update();
      if (mine.isShown) emit(SDK_EVENT.ON_PORTAL_CLOSE, ids(mine.integration), mine.options);
      if (attempts.has(mine.integration.type)) return; // its window is still open and will settle this
      const [credential] = credentials(mine.integration.type);
      // Someone who only looked at a connection has not failed to connect.
      if (credential) return mine.resolve({ ...ids(mine.integration), credentialId: credential.id, credential });
      const words = `The portal was closed before ${mine.integration.name} was connected.`;
      mine.reject(mine.error ?? new PatchbayError(words, { code: "portal_closed" }));
    }

    return { open, close, update, hear };
  })();

  /**
   * Open the Connect Portal, where the user connects, reconnects and disconnects. Resolves as installIntegration() does;
   * a portal closed on an existing connection resolves with that one, and without any it rejects.
   * Options: as installIntegration(), and onSuccess, onInstall, onUninstall, onError, onOpen, onClose.
   */
  async function connect(type, options = {}) {
    return portal.open(found(type), options);
  }

  function closePortal() {
    portal.close();
  }

  // <button data-patchbay-connect="acme"> ------------------------------------------------------------------------------

  const BUTTON = "[data-patchbay-connect]";
  const BUTTON_WORDS = {
    connect: "Connect {name}",
    connecting: "Connecting…",
    connected: "Connected as {account}",
    several: "Connected with {count} accounts",
    reconnect: "Reconnect {name}",
  };

  function buttons() {
    return hasPage ? [...document.querySelectorAll(BUTTON)] : [];
  }

  function shownTypes() {
    return new Set(buttons().map((button) => button.dataset.patchbayConnect));
  }

  function paint() {
    for (const button of buttons()) {
      const type = button.dataset.patchbayConnect;
      const [state, text] = stateOf(type, button);
      if (button.textContent !== text) button.textContent = text;
      button.dataset.patchbayState = state;
      button.disabled = state === "connecting" || state === "signed-out" || state === "unavailable";
      button.setAttribute("aria-busy", String(state === "connecting"));
    }
  }

  function stateOf(type, button) {
    if (!session) return ["signed-out", button.textContent.trim() || "Connect"];
    const integration = session.integrations.find((item) => item.type === type);
    const name = integration?.name ?? type;
    const said = (key, values) => buttonWords(integration, key, { name, ...values });
    if (attempts.has(type)) return ["connecting", said("connecting")];
    const known = credentials(type);
    if (known.some((credential) => credential.status !== "VALID")) return ["reconnect", said("reconnect")];
    if (known.length > 1) return ["connected", said("several", { count: known.length })];
    if (known.length) return ["connected", said("connected", { account: known[0].providerData.accountName || known[0].providerId })];
    if (!integration?.isActive) {
      words(type, integration ? `${name} is not active in this project yet.` : `“${type}” has not been set up in this project yet.`);
      return ["unavailable", `Connect ${name}`];
    }
    return ["disconnected", said("connect")];
  }

  /** Return what a button says: in the page's language, where that is known, as the server translated it. */
  function buttonWords(integration, key, values) {
    const text = (language() && integration?.buttonWords?.[key]) || BUTTON_WORDS[key];
    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  /** Say how it went, where the page has a place for it (data-patchbay-status="acme") or else after its button. */
  function words(type, text) {
    for (const place of places(type)) if (place.textContent !== text) place.textContent = text;
  }

  function places(type) {
    if (!hasPage) return [];
    const ofType = (element) => element.dataset.patchbayStatus === type;
    const known = [...document.querySelectorAll("[data-patchbay-status]")].filter(ofType);
    const button = buttons().find((item) => item.dataset.patchbayConnect === type);
    if (!known.length && button) {
      const place = Object.assign(document.createElement("span"), { role: "status" });
      place.dataset.patchbayStatus = type;
      button.after(" ", place);
      known.push(place);
    }
    for (const place of known) if (!place.hasAttribute("role")) place.setAttribute("role", "status");
    return known;
  }

  function press({ target }) {
    const button = target.closest?.(BUTTON);
    if (!button || button.disabled) return;
    const type = button.dataset.patchbayConnect;
    const lost = credentials(type).find((credential) => credential.status !== "VALID");
    const isConnected = credentials(type).length && !lost;
    const done = isConnected ? connect(type) : installIntegration(type, { selectedCredentialId: lost?.id });
    done.catch((error) => error.code !== "portal_closed" && words(type, error.message));
  }

  function watchPage() {
    document.addEventListener("click", press);
    window.addEventListener("message", portal.hear);
    const isNew = (node) => node.nodeType === 1 && (node.matches(BUTTON) || node.querySelector(BUTTON));
    const observer = new MutationObserver((changes) => {
      if (changes.some((change) => [...change.addedNodes].some(isNew))) paint();
    });
    observer.observe(document, { childList: true, subtree: true });
    paint();
  }

  globalThis.patchbay = Object.freeze({
    isPatchbay: true,
    SDK_EVENT,
    configure,
    authenticate,
    logout,
    getUser,
    setUserMetadata,
    getIntegrationMetadata,
    connect,
    closePortal,
    installIntegration,
    uninstallIntegration,
    request,
    event,
    workflow,
    enableWorkflow,
    disableWorkflow,
    updateWorkflowState,
    updateIntegrationUserSettings,
    updateWorkflowUserSettings,
    getFieldOptions,
    getIntegrationConfig,
    installFlow,
    subscribe,
    unsubscribe,
  });
  if (hasPage) watchPage();
})();
