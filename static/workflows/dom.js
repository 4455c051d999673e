// dom.js: h("p", { class: "help", on: { click: f } }, "text", child) makes an element. Nothing is ever parsed as HTML.
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") {
      element[name] = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

let made = 0;
export const newId = (prefix = "b") => `${prefix}-${++made}`;

export function select(options, value, onChange, props = {}) {
  const element = h("select", { ...props, on: { change: () => onChange(element.value) } });
  for (const option of options) {
    element.append(h("option", { value: option.value, selected: option.value === value }, option.label));
  }
  return element;
}

export function field(label, control, { help, optional, key } = {}) {
  const id = control.id || newId();
  control.id = id;
  const name = h("label", { for: id }, label, optional ? h("span", { class: "quiet" }, " (optional)") : null);
  return h("div", { class: "field", "data-field": key }, name, control, help ? h("p", { class: "help" }, help) : null);
}

export function textInput(value, onInput, props = {}) {
  const tag = props.rows ? "textarea" : "input";
  const element = h(tag, { ...props, value: value ?? "", on: { input: () => onInput(element.value) } });
  return element;
}

export function check(label, value, onChange) {
  const box = h("input", { type: "checkbox", checked: Boolean(value), on: { change: () => onChange(box.checked) } });
  return h("label", { class: "check" }, box, h("span", {}, label));
}

const ICONS = {
  up: "M8 13V3M4 7l4-4 4 4", down: "M8 3v10M4 9l4 4 4-4", move: "M5 3v10M2 6l3-3 3 3M11 13V3M8 10l3 3 3-3",
  copy: "M3 3h7v7H3zM6 12v1h7V6h-1", delete: "M4 4l8 8M12 4l-8 8",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", width: "16", height: "16", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const [key, value] of Object.entries({ d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": "1.6", "stroke-linecap": "round", "stroke-linejoin": "round" })) path.setAttribute(key, value);
  svg.append(path);
  return svg;
}

export function button(label, onClick, props = {}) {
  return h("button", { type: "button", class: "button button-small", ...props, on: { click: onClick } }, label);
}
