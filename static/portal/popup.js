// popup.js: hands what happened in the popup over to the page that opened it, and to no other origin.
import { applyLook } from "./look.js";

const page = document.body.dataset;
const POLL_MS = 500;
const GIVE_UP_MS = 60_000;
const STUCK_MS = 300;
const isParagon = page.protocol === "paragon";
const OWN_CHOICE = ["access_denied", "cancelled"]; // someone who said no has nothing to read

function tell(message) {
  // An exact target: a page on any other origin hears nothing, even if it is the opener.
  window.opener.postMessage(message, page.origin);
}

async function goWithoutOpener() {
  const giveUpAt = Date.now() + GIVE_UP_MS;
  while (Date.now() < giveUpAt) {
    const answer = await fetch(page.next);
    const body = await answer.json();
    if (!answer.ok) return say(body.message);
    if (body.redirectUrl) return location.replace(body.redirectUrl);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  say(page.silent);
}

function say(text) {
  document.querySelector("[data-status]").textContent = text;
}

function finish() {
  if (window.opener) {
    const { claim, session, integration } = page;
    tell(
      isParagon
        ? { type: "oauth_success_callback", credential: { integrationId: integration, payload: { claim } } }
        : { type: "patchbay:claim", sessionId: session, code: claim },
    );
    return window.close();
  }
  if (page.returnUrl && !isParagon) {
    // In the fragment, which is sent to no server; and worthless without the right user's token.
    return location.replace(`${page.returnUrl}#patchbay-claim=${encodeURIComponent(page.claim)}`);
  }
  const confirmation = document.querySelector("[data-confirm]");
  if (confirmation) {
    confirmation.hidden = false;
    return say("");
  }
  document.querySelector("[data-lost]").submit();
}

function fail() {
  if (!window.opener || !page.origin) return;
  const { code, message, session, integration } = page;
  tell(
    isParagon
      ? { type: "oauth_error_callback", error: message, errorResponse: message, integrationId: integration }
      : { type: "patchbay:failed", sessionId: session, code, message },
  );
  // Anything else stays on screen, because not every page shows what it is told.
  if (OWN_CHOICE.includes(code)) window.close();
}

applyLook(document.documentElement, page);
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-close]")) return;
  window.close();
  // Only a window that a script opened may be closed by one.
  setTimeout(() => document.querySelector("[data-stuck]")?.removeAttribute("hidden"), STUCK_MS);
});

if (page.mode === "nonce") {
  if (window.opener) tell({ type: "oauth-nonce-loaded" });
  else goWithoutOpener();
}
if (page.mode === "finish") finish();
if (page.mode === "failed") fail();
