// dom.js: the few ways in which the portal writes to its page. Data becomes text, never markup.
export function part(selector, within) {
  return within.querySelector(selector);
}

/** Write words; an element without any is hidden. */
export function text(selector, words, within) {
  const element = part(selector, within);
  if (element.textContent !== words) element.textContent = words;
  element.hidden = !words;
}

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function fromTemplate(id) {
  return document.getElementById(id).content.cloneNode(true).firstElementChild;
}
