// words.js: what the portal says, in the language that the page came in.
const words = JSON.parse(document.querySelector("#words").textContent);
const { lang } = document.documentElement;
const day = new Intl.DateTimeFormat(lang, { dateStyle: "long" });
const moment = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });

/** Return a text of ours, with each {name} in it filled in. */
export function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function dayOf(iso) {
  return day.format(new Date(iso));
}

export function momentOf(iso) {
  return moment.format(new Date(iso));
}

export { lang };
