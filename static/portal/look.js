// look.js: puts an integration's accent colour and theme on an element. Set by script, because the page's policy allows
// no style attribute in its markup; every value comes from our own server.
export function applyLook(element, { accent, onAccent, onLight, onDark, theme } = {}) {
  element.dataset.theme = theme || "system";
  if (!accent) return;
  const readable = `light-dark(${onLight}, ${onDark})`;
  const colours = { "--pb-accent": accent, "--pb-on-accent": onAccent, "--pb-link": readable, "--pb-focus": readable };
  for (const [name, value] of Object.entries(colours)) element.style.setProperty(name, value);
}
