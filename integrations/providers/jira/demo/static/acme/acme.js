// acme.js: everything that Acme Tasks does with Jira, with the calls of the SDK guide and nothing else.
const { patchbay } = globalThis;
const { project, name, email, patchbay: address } = document.body.dataset;
const $ = (selector) => document.querySelector(selector);
const RENEW_MS = 50 * 60_000; // a user token lives an hour
const PAGE = 20;
const FIELDS = "summary,status";

let isSignedIn = false;
let search = { jql: "", nextPageToken: "" };
let sent = ""; // the task that is being sent to Jira

// Signing in to Patchbay: our own back end says who we are -------------------------------------------------------------

async function signIn() {
  if (!patchbay) throw new Error(`Patchbay does not answer at ${address}. Start it with “make run”.`);
  const answer = await fetch("/token");
  const { token, message } = await answer.json();
  if (!answer.ok) throw new Error(message);
  await patchbay.authenticate(project, token, { metadata: { name, email } });
  isSignedIn = true;
}

function jiraState() {
  return patchbay.getUser().integrations?.jira;
}

function isReady() {
  return patchbay.getIntegrationMetadata().some((integration) => integration.type === "jira");
}

function accounts() {
  if (!isSignedIn) return [];
  return (jiraState()?.allCredentials ?? []).filter((account) => account.status === "VALID");
}

function chosen() {
  return accounts().find((account) => account.id === $("#account").value) ?? accounts()[0];
}

/** A task of our own, which Patchbay hears of: workflows take it from there. */
async function addTask() {
  const given = { title: $("#task-title").value, priority: $("#task-priority").value };
  const { id, title } = await acme("/tasks", given);
  await patchbay.event("task.created", { id, title, priority: given.priority });
  $("[data-task]").reset();
  say("[data-told]", "Added, and Patchbay was told.");
}

/** A change of ours: Patchbay hears of it where the task is an issue too. */
async function changeTask(id, change) {
  const { key, title, status } = await acme(`/tasks/${encodeURIComponent(id)}`, change);
  if (!key) return;
  await patchbay.event("task.changed", { id, key, title, status });
  say("[data-told]", "Changed, and Patchbay was told.");
}

/** A call to our own back end. */
async function acme(path, body) {
  const token = document.cookie.match(/(?:^|; )acme-csrf=([^;]+)/)?.[1] ?? "";
  const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
  const answer = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : {});
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.message);
  return found;
}

/** Show the tasks, then wait for the next change of them, for as long as the page is open. */
async function follow() {
  let version = "";
  for (;;) {
    try {
      const found = await acme(`/tasks?after=${version}`);
      if (found.version !== version) showTasks(found);
      version = found.version;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 2000)); // our own back end is starting again
    }
  }
}

function showTasks({ tasks, activity }) {
  if ($("[data-tasks]").contains(document.activeElement)) document.activeElement.blur();
  $("[data-tasks]").replaceChildren(...tasks.map(taskItem));
  $("[data-activity]").replaceChildren(...activity.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  $("[data-activity]").hidden = !activity.length;
}

function taskItem(task) {
  const item = $("#task").content.cloneNode(true).firstElementChild;
  const put = (place, text) => (item.querySelector(place).textContent = text);
  put("[data-task-title]", task.title);
  put("[data-detail]", task.detail);
  put("[data-comment]", task.comment);
  put("[data-when]", task.when);
  item.querySelector("[data-when]").classList.add(`tag-${task.when.toLowerCase()}`);
  const link = item.querySelector("[data-key]");
  link.hidden = !task.key;
  link.textContent = task.key;
  if (task.url) link.href = task.url;
  const status = item.querySelector("[data-status]");
  if (![...status.options].some((option) => option.value === task.status)) status.append(new Option(task.status));
  status.value = task.status;
  status.addEventListener("change", () => doing(null, "[data-told]", "Changing…", () => changeTask(task.id, { status: status.value })));
  const send = item.querySelector("[data-send]");
  send.dataset.send = task.title;
  send.dataset.task = task.id;
  send.dataset.detail = task.detail;
  showSend(item);
  return item;
}

/** What is an issue already is not sent to Jira again. */
function showSend(item) {
  item.querySelector("[data-send]").hidden = !accounts().length || !item.querySelector("[data-key]").hidden;
}

// What is on the page --------------------------------------------------------------------------------------------------

function notice(text) {
  $("[data-notice] span").textContent = text;
  $("[data-notice]").hidden = !text;
}

async function show() {
  const isConnected = accounts().length > 0;
  notice(isReady() || isConnected ? "" : "Jira is not set up and active in Patchbay yet: add it to this project there, and activate it.");
  for (const part of document.querySelectorAll("[data-connected]")) part.hidden = !isConnected;
  for (const item of $("[data-tasks]").children) showSend(item);
  $("[data-disconnect]").hidden = !jiraState()?.allCredentials.length;
  if (!isConnected) return;
  options($("#account"), accounts().map(({ id, providerData }) => [id, `${providerData.accountName} at ${providerData.siteName}`]));
  $("[data-account-field]").hidden = accounts().length < 2;
  await showProjects();
}

async function showProjects() {
  const { values } = await jira("/rest/api/3/project/search?maxResults=50&orderBy=name");
  options($("#project"), values.map(({ key, name: title }) => [key, `${title} (${key})`]));
  if (values.length) $("#jql").value ||= `project = ${values[0].key} ORDER BY created DESC`;
  $("[data-search] button").disabled = false;
  if (!values.length) return say("[data-created]", "This account sees no project on its site.");
  await showTypes();
}

async function showTypes() {
  const { issueTypes } = await jira(`/rest/api/3/issue/createmeta/${encodeURIComponent($("#project").value)}/issuetypes`);
  options($("#type"), issueTypes.filter((type) => !type.subtask).map(({ id, name: title }) => [id, title]));
  $("[data-create] button").disabled = false;
}

function options(select, pairs) {
  const was = select.value;
  select.replaceChildren(...pairs.map(([value, text]) => new Option(text, value)));
  if (pairs.some(([value]) => value === was)) select.value = was;
}

function say(place, text, link) {
  $(place).replaceChildren(text, ...(link ? [link] : []));
}

// Calls to Jira, in the user's name ------------------------------------------------------------------------------------

function jira(path, init = {}) {
  return patchbay.request("jira", path, { ...init, selectedCredentialId: chosen().id });
}

async function createIssue() {
  const fields = {
    project: { key: $("#project").value },
    issuetype: { id: $("#type").value },
    summary: $("#summary").value,
    ...($("#description").value.trim() ? { description: documentOf($("#description").value) } : {}),
  };
  const { key } = await jira("/rest/api/3/issue", { method: "POST", body: { fields } });
  say("[data-created]", "Created ", linkTo(key));
  if (sent) await acme(`/tasks/${encodeURIComponent(sent)}`, { key, url: linkTo(key).href });
  sent = "";
  $("[data-create]").reset();
  await find(`project = ${fields.project.key} ORDER BY created DESC`);
}

/** Jira's rich text: one paragraph a line. */
function documentOf(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  const content = lines.map((line) => ({ type: "paragraph", content: [{ type: "text", text: line }] }));
  return { type: "doc", version: 1, content };
}

async function find(jql) {
  $("#jql").value = jql;
  search = { jql, nextPageToken: "" };
  $("[data-issues]").replaceChildren();
  await findMore();
}

async function findMore() {
  const query = new URLSearchParams({ jql: search.jql, fields: FIELDS, maxResults: PAGE });
  if (search.nextPageToken) query.set("nextPageToken", search.nextPageToken);
  const { issues, nextPageToken = "" } = await jira(`/rest/api/3/search/jql?${query}`);
  search.nextPageToken = nextPageToken;
  $("[data-issues]").append(...issues.map(row));
  $("[data-more]").hidden = !nextPageToken;
  const count = $("[data-issues]").children.length;
  say("[data-found]", count === 0 ? "No issue matches." : `${count}${nextPageToken ? " or more" : ""} found.`);
}

function linkTo(key) {
  const href = `${chosen().providerData.siteUrl}/browse/${encodeURIComponent(key)}`;
  return Object.assign(document.createElement("a"), { href, textContent: key, target: "_blank", rel: "noopener noreferrer" });
}

function row({ key, fields }) {
  const item = $("#issue").content.cloneNode(true).firstElementChild;
  item.querySelector("a").href = linkTo(key).href;
  item.querySelector(".key").textContent = key;
  item.querySelector(".summary").textContent = fields.summary;
  item.querySelector(".tag").textContent = fields.status?.name ?? "";
  return item;
}

// What people press ----------------------------------------------------------------------------------------------------

/** Do it while the button waits; a failure is told in words at `place`. */
async function doing(button, place, busy, work) {
  const isFirst = button && !button.disabled;
  if (button && !isFirst) return;
  if (button) button.disabled = true;
  say(place, busy);
  try {
    await work();
  } catch (error) {
    say(place, error.message);
  } finally {
    if (button) button.disabled = false;
  }
}

$("[data-create]").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.submitter, "[data-created]", "Creating…", createIssue);
});
$("#summary").addEventListener("input", (event) => (sent = event.target.value ? sent : "")); // emptied: another issue
$("[data-search]").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.submitter, "[data-found]", "Searching…", () => find($("#jql").value));
});
$("[data-more]").addEventListener("click", (event) => doing(event.target, "[data-found]", "Searching…", findMore));
$("[data-disconnect]").addEventListener("click", (event) => {
  doing(event.target, "[data-patchbay-status]", "Disconnecting…", async () => {
    await patchbay.uninstallIntegration("jira");
    say("[data-patchbay-status]", "Disconnected. To withdraw the permission itself, remove the app in your Atlassian account under Connected apps.");
  });
});
$("#project").addEventListener("change", () => doing(null, "[data-created]", "", showTypes));
$("#account").addEventListener("change", () => doing(null, "[data-created]", "", showProjects));
$("[data-task]").addEventListener("submit", (event) => {
  event.preventDefault();
  doing(event.submitter, "[data-told]", "Adding…", addTask);
});
$("[data-submit]").addEventListener("change", (event) => event.target.form.submit());
document.addEventListener("click", ({ target }) => {
  const { send, detail, task } = target.dataset;
  if (send === undefined) return;
  sent = task;
  $("#summary").value = send;
  $("#description").value = detail;
  $("#summary").scrollIntoView({ block: "center" });
  $("#summary").focus();
});

async function begin() {
  follow();
  await signIn();
  for (const happened of ["onIntegrationInstall", "onIntegrationUninstall"]) patchbay.subscribe(happened, refresh);
  setInterval(() => signIn().catch((error) => notice(error.message)), RENEW_MS);
  await show();
}

function refresh() {
  show().catch((error) => notice(error.message));
}

begin().catch((error) => notice(error.message));
