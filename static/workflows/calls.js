// calls.js: the builder's calls to its own pages. An answer that is an error is thrown, with its words and fields.
const TOKEN = "input[name=csrfmiddlewaretoken]";
const token = () => document.querySelector(TOKEN).value;

export class CallError extends Error {
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body ?? {};
  }
}

// `status` is 401 whenever signing in again helps, 0 when there was no answer.
const signedOut = () => new CallError("You are signed out. Sign in in another tab; your changes are kept here.", 401);

export async function call(url, body) {
  let answer;
  try {
    answer = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new CallError("No connection to the server.", 0);
  }
  const found = await answer.json().catch(() => null);
  if (answer.redirected || answer.status === 401 || answer.status === 403) throw signedOut();
  if (found === null) throw new CallError(answer.status < 500 ? "The server does not know this any more. Reload the page." : "The server is busy.", answer.status);
  if (!answer.ok) throw new CallError(found.message ?? "Something went wrong.", answer.status, found);
  return found;
}

// Signing in elsewhere changes the token that every form sends: take the new one from this page as it is now.
export async function signInAgain() {
  const answer = await fetch(location.href);
  if (answer.status === 403) throw new CallError("Your role does not let you change it any more.", 403);
  if (answer.redirected || !answer.ok) throw signedOut();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(TOKEN).value;
  for (const input of document.querySelectorAll(TOKEN)) input.value = fresh;
}
