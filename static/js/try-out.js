// The forms of the API reference: each calls its operation from this page, on this server only.
//
// The token is read from its field for each call and kept nowhere else; cookies are not sent, so a call can do what its
// token allows and nothing that the signed-in member may do.
const MOST_CHARACTERS = 200_000;
const DEADLINE_MS = 75_000;
const caller = document.querySelector("[data-caller]");
const project = document.getElementById("caller-project");
const token = document.getElementById("caller-token");
const testAccount = document.querySelector("[data-test-account]");
let madeHere = "";
const callerStatus = document.querySelector("[data-caller-status]");

if (caller) caller.hidden = false;

if (project) {
  for (const details of document.querySelectorAll("[data-try]")) {
    details.hidden = false;
    const form = details.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(details, form);
    });
    form.addEventListener("input", () => calm(form));
  }
  testAccount?.addEventListener("click", useTestAccount);
  token.addEventListener("input", callerChanged);
  project.addEventListener("change", projectChanged);
  token.form.addEventListener("submit", (event) => event.preventDefault());
  // A page that comes back with the Back button comes back as it was left.
  addEventListener("pagehide", () => (token.value = ""));
  projectChanged();
}

// What was pasted may be shown nowhere else any more, so it stays; a token that was made here is of one project only.
function projectChanged() {
  if (token.value === madeHere) token.value = "";
  callerChanged();
  if (!testAccount) return;
  testAccount.disabled = !project.selectedOptions[0].dataset.tokenUrl;
  if (testAccount.disabled) callerStatus.textContent = "A test account takes the role Developer in this project.";
}

// An answer tells of the project and the token that it was asked with.
function callerChanged() {
  callerStatus.textContent = "";
  for (const answer of document.querySelectorAll("[data-answer]")) answer.hidden = true;
}

async function useTestAccount() {
  testAccount.disabled = true;
  try {
    const url = project.selectedOptions[0].dataset.tokenUrl;
    const answer = await fetch(url, { method: "POST", body: new FormData(token.form), cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const { token: made, seconds } = await answer.json();
    token.value = madeHere = made;
    callerChanged();
    callerStatus.textContent = `Calls are made as your own test account for ${Math.round(seconds / 60)} minutes. Connect it on the integration’s Overview.`;
  } catch {
    callerStatus.textContent = "No token could be made. Sign in again, and check your role in this project.";
  }
  testAccount.disabled = false;
}

// What may change something asks once more, in the button itself.
function submit(details, form) {
  const method = form.querySelector("[data-method]").value;
  const button = form.querySelector("button[type=submit]");
  const status = form.querySelector("[data-try-status]");
  if (!token.value.trim() && form.dataset.schemes) {
    status.textContent = `Paste ${testAccount ? "a user token or use your test account" : "an API key"}, at the top of this page.`;
    token.focus();
    return;
  }
  if (method !== "GET" && method !== "HEAD" && !form.dataset.isSure) {
    form.dataset.isSure = "yes";
    button.textContent = `Yes, send ${method}`;
    status.textContent = `${method} can change something in ${project.selectedOptions[0].textContent}. Press again to send it.`;
    return;
  }
  calm(form);
  send(details, form, method, button, status);
}

function calm(form) {
  delete form.dataset.isSure;
  form.querySelector("button[type=submit]").textContent = "Send";
  form.querySelector("[data-try-status]").textContent = "";
}

async function send(details, form, method, button, status) {
  button.disabled = true;
  status.textContent = "Sending…";
  const began = performance.now();
  try {
    const answer = await fetch(address(form), {
      method,
      headers: headers(form),
      body: body(form, method),
      credentials: "omit",
      cache: "no-store",
      redirect: "manual",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
    const text = await answer.text();
    show(details, answer, text, performance.now() - began);
    status.textContent = "";
  } catch (error) {
    status.textContent =
      error.name === "TimeoutError" ? "No answer within 75 seconds." : "The server could not be reached, or a value cannot be sent.";
  }
  button.disabled = false;
}

function fields(form, place) {
  return [...form.querySelectorAll(`[data-in="${place}"]`)].filter((input) => input.value.trim() !== "");
}

function address(form) {
  const values = { projectId: project.value };
  for (const input of fields(form, "path")) values[input.dataset.name] = input.value.trim();
  // The rest of a provider's address keeps its slashes and its query; everything else is one segment.
  const filled = form.dataset.path.replace(/\{(\w+)\}/g, (_, name) =>
    name === "path" ? (values[name] ?? "").replace(/^\/+/, "") : encodeURIComponent(values[name] ?? ""),
  );
  const url = new URL(filled, location.origin);
  for (const input of fields(form, "query")) url.searchParams.set(input.dataset.name, input.value.trim());
  return url;
}

function headers(form) {
  const found = { Accept: "application/json" };
  if (form.querySelector("[data-body]")) found["Content-Type"] = "application/json";
  for (const input of fields(form, "header")) found[input.dataset.name] = input.value.trim();
  const [name, value] = scheme(form.dataset.schemes.split("|")).split(/:\s*(.*)/);
  if (name) found[name] = value.replace("{}", token.value.trim());
  return found;
}

// Where an operation takes several kinds of secrets with headers of their own, a JSON Web Token is for the first.
function scheme(choices) {
  const looksSigned = token.value.startsWith("eyJ") || token.value.startsWith("pbt_");
  return (looksSigned ? choices[0] : choices.at(-1)) ?? "";
}

function body(form, method) {
  const text = form.querySelector("[data-body]")?.value;
  return text && method !== "GET" && method !== "HEAD" ? text : undefined;
}

function show(details, answer, text, milliseconds) {
  const part = (name) => details.querySelector(`[data-answer${name}]`);
  const badge = part("-status");
  badge.textContent = `${answer.status} ${answer.statusText}`.trim();
  badge.className = `badge ${answer.ok ? "badge-good" : "badge-bad"}`;
  part("-time").textContent = `${Math.round(milliseconds)} ms`;
  part("-headers").textContent = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  part("-body").textContent = readable(text) || "(empty)";
  part("").hidden = false;
}

function readable(text) {
  let shown = text;
  try {
    shown = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not JSON: shown as it is.
  }
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS)}\n… cut here` : shown;
}
