// activity.js: what was done in the user's name, newest first, a page at a time.
import { fromTemplate, part, text } from "./dom.js";
import { ask } from "./host.js";
import { lang, momentOf, say } from "./words.js";

const GOOD = ["done"];
const BAD = ["refused", "failed", "uncertain"];
let next = "";
let turn = 0;

/** Show the newest entries of an integration; or, with `older`, add those before the last one shown. */
export async function showActivity(panel, type, { older = false } = {}) {
  const mine = ++turn;
  const list = part("[data-activity]", panel);
  const query = new URLSearchParams({ integration: type, lang, ...(older ? { after: next } : {}) });
  part("[data-activity-failed]", panel).hidden = true;
  try {
    const found = await ask("sendConnectRequest", `/sdk/activity?${query}`, { method: "GET" });
    if (mine !== turn) return;
    const rows = repeated(found.items).map(entry);
    if (older) list.append(...rows);
    else list.replaceChildren(...rows);
    next = found.next ?? "";
    if (older) rows[0]?.focus();
  } catch {
    if (mine !== turn) return;
    part("[data-activity-failed]", panel).hidden = false;
  }
  part("[data-activity-none]", panel).hidden = list.children.length > 0 || !part("[data-activity-failed]", panel).hidden;
  part("[data-act=older]", panel).hidden = !next;
}

/** Make one of what was done several times in a row, such as looking for changes every minute. */
function repeated(items) {
  const rows = [];
  for (const item of items) {
    const last = rows.at(-1);
    if (last && ["title", "detail", "outcome"].every((name) => last[name] === item[name])) last.count += 1;
    else rows.push({ ...item, count: 1 });
  }
  return rows;
}

function entry({ at, title, detail, outcome, count }) {
  const item = fromTemplate("done");
  item.tabIndex = -1;
  text("[data-title]", title, item);
  text("[data-count]", count > 1 ? say("times", { count }) : "", item);
  text("[data-detail]", detail ?? "", item);
  text("[data-outcome]", say(outcome), item);
  const kind = GOOD.includes(outcome) ? "good" : BAD.includes(outcome) ? "bad" : "open";
  part("[data-outcome]", item).classList.add(kind);
  const time = part("[data-at]", item);
  time.dateTime = at;
  time.textContent = momentOf(at);
  return item;
}
