// calls.js: the builder's calls to its own pages. An answer that is an error is thrown, with its words and fields.
const token = () => document.querySelector("input[name=csrfmiddlewaretoken]").value;

export class CallError extends Error {
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body ?? {};
  }
}

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
  if (answer.redirected || found === null) throw new CallError("You are signed out, or the server is busy. Reload the page.", answer.status);
  if (!answer.ok) throw new CallError(found.message ?? "Something went wrong.", answer.status, found);
  return found;
}
