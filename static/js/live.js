// live.js: an element with data-live="2000" is fetched again every two seconds and replaced, until it says no more.
// What is open stays open, and nothing is replaced while someone selects or types in it.
import { afterPress } from "./press.js";

async function refresh(id) {
  const element = document.getElementById(id);
  const wait = Number(element?.dataset.live);
  if (!wait) return;
  await new Promise((done) => setTimeout(done, wait));
  try {
    if (!document.hidden && !isBusy(element)) await replace(element);
  } catch {
    // The next time may go better.
  }
  refresh(id);
}

function isBusy(element) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  return selects || element.contains(document.activeElement?.closest("input, textarea, select") ?? null);
}

async function replace(element) {
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(element.id);
  if (fresh) afterPress(() => exchange(element, fresh));
}

function exchange(element, fresh) {
  const open = new Set([...element.querySelectorAll("details")].flatMap((each, i) => (each.open ? [i] : [])));
  fresh.querySelectorAll("details").forEach((each, i) => (each.open = open.has(i)));
  const focused = [...element.querySelectorAll("a, button, summary")].indexOf(document.activeElement);
  element.replaceWith(fresh);
  if (focused >= 0) fresh.querySelectorAll("a, button, summary")[focused]?.focus();
}

for (const element of document.querySelectorAll("[data-live]")) refresh(element.id);
