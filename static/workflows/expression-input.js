// expression-input.js: a text box in which {{ opens a menu of values; picks show as chips.
//
// expressionInput({ value, label, multiline, placeholder, entries, isKnown, choices, choiceLabel, onChange })
// `entries()` lists [{ path, preview, group }]; `choices(search)` resolves to { options: [{ value, label }], error };
// `onChange(text, label)` gets the text with its {{ }}, and the label of a choice where one was picked.
import { h, newId } from "./dom.js";
import { afterPress } from "../js/press.js";

const WHOLE = /\{\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\}\}/g;
const BEGUN = /\{\{([^{}]*)$/;
const NOTHING = "\u200b";
const MOST_SHOWN = 80;

export function expressionInput(options) {
  return new ExpressionInput(options).element;
}

class ExpressionInput {
  constructor(options) {
    this.options = options;
    this.listId = newId("menu");
    this.box = h("div", {
      class: `expression${options.multiline ? " expression-long" : ""}`,
      contenteditable: "true",
      role: "combobox",
      "aria-label": options.label,
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.listId,
      "aria-haspopup": "listbox",
      "data-placeholder": options.placeholder ?? "",
      spellcheck: "false",
      id: options.id,
      on: {
        input: () => this.changed(),
        keydown: (event) => this.keyDown(event),
        paste: (event) => this.paste(event),
        blur: () => this.left(),
        focus: () => this.entered(),
        click: () => this.entered(),
        dblclick: (event) => this.open(event.target.closest(".chip")),
      },
    });
    const opener = h("button", {
      type: "button", class: "expression-opener", title: "Insert a value", "aria-label": `Insert a value into ${options.label}`,
      on: { mousedown: (event) => event.preventDefault(), click: () => this.begin() },
    }, "{ }");
    this.list = h("div", { class: "expression-menu", role: "listbox", id: this.listId, hidden: true, "aria-label": "Values" });
    this.status = h("span", { class: "visually-hidden", role: "status" });
    this.element = h("div", { class: "expression-wrap" }, this.box, opener, this.list, this.status);
    this.show(options.value ?? "", options.choiceLabel);
    this.items = [];
    this.current = -1;
  }

  // Text and chips

  show(text, choiceLabel) {
    this.box.replaceChildren();
    if (choiceLabel && text && !text.includes("{{")) {
      this.box.append(this.chip(text, choiceLabel, "chip-choice"), NOTHING);
      return;
    }
    let position = 0;
    for (const match of text.matchAll(WHOLE)) {
      this.addText(text.slice(position, match.index));
      this.box.append(this.chip(match[0]));
      position = match.index + match[0].length;
    }
    this.addText(text.slice(position));
    if (this.box.lastChild instanceof HTMLElement && this.box.lastChild.matches(".chip")) this.box.append(NOTHING);
  }

  addText(text) {
    text.split("\n").forEach((line, number) => {
      if (number) this.box.append(h("br"));
      if (line) this.box.append(line);
    });
  }

  chip(expression, label, kind = "") {
    const words = label ?? expression.slice(2, -2).trim();
    const unknown = !kind && !this.options.isKnown?.(expression);
    const preview = kind ? "" : this.options.entries?.().find((entry) => entry.path === words)?.preview;
    return h("span", {
      class: `chip ${kind}${unknown ? " chip-unknown" : ""}`,
      contenteditable: "false",
      "data-expression": expression,
      title: unknown ? `${words}: nothing before this step has it` : preview ? `${words} = ${preview}` : words,
    }, words);
  }

  text() {
    let text = "";
    for (const node of this.box.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) text += node.data;
      else if (node.nodeName === "BR") text += "\n";
      else if (node.dataset?.expression !== undefined) text += node.dataset.expression;
      else text += `${text && !text.endsWith("\n") ? "\n" : ""}${node.textContent}`;
    }
    text = text.replaceAll(NOTHING, "").replaceAll("\u00a0", " ");
    // Chromium keeps a line break at the end that nobody typed.
    return this.box.lastChild?.nodeName === "BR" ? text.replace(/\n$/, "") : text;
  }

  changed() {
    const text = this.text();
    if (!text) this.box.replaceChildren();
    this.options.onChange(text, this.choiceLabel());
    const before = this.beforeCaret();
    const begun = BEGUN.exec(before);
    if (begun) this.openMenu(begun[1].trim());
    else if (/\}\}$/.test(before) && this.closeTyped()) this.closeMenu();
    else if (this.options.choices && !text.includes("{{")) this.openChoices(text);
    else this.closeMenu();
  }

  choiceLabel() {
    const chip = this.box.querySelector(".chip-choice");
    return chip && this.text() === chip.dataset.expression ? chip.textContent : undefined;
  }

  beforeCaret() {
    const selection = document.getSelection();
    const node = selection?.anchorNode;
    if (!node || node.nodeType !== Node.TEXT_NODE || !this.box.contains(node)) return "";
    return node.data.slice(0, selection.anchorOffset).replaceAll(NOTHING, "");
  }

  // A whole {{ … }} that was typed becomes a chip.
  closeTyped() {
    const selection = document.getSelection();
    const node = selection.anchorNode;
    const raw = node.data.slice(0, selection.anchorOffset);
    const found = [...raw.matchAll(WHOLE)].at(-1);
    if (!found || found.index + found[0].length !== raw.length) return false;
    this.put(node, found.index, raw.length, this.chip(found[0]));
    return true;
  }

  put(node, start, end, chip) {
    const range = document.createRange();
    range.setStart(node, start);
    range.setEnd(node, end);
    range.deleteContents();
    const after = document.createTextNode(NOTHING);
    range.insertNode(after);
    range.insertNode(chip);
    this.caretTo(after, 1);
    this.options.onChange(this.text(), this.choiceLabel());
  }

  caretTo(node, offset) {
    document.getSelection().collapse(node, offset);
  }

  // A chip becomes text again, to be edited.
  open(chip) {
    if (!chip?.classList?.contains("chip") || !this.box.contains(chip)) return;
    const text = document.createTextNode(chip.dataset.expression);
    chip.replaceWith(text);
    this.box.focus();
    this.caretTo(text, Math.max(0, text.data.length - 2));
  }

  chipBeforeCaret() {
    const { anchorNode: node, anchorOffset: offset } = document.getSelection();
    if (node === this.box) return this.box.childNodes[offset - 1];
    if (node?.nodeType !== Node.TEXT_NODE || node.data.slice(0, offset).replaceAll(NOTHING, "")) return null;
    let before = node.previousSibling;
    while (before?.nodeType === Node.TEXT_NODE && !before.data.replaceAll(NOTHING, "")) before = before.previousSibling;
    return before;
  }

  begin() {
    this.box.focus();
    const selection = document.getSelection();
    selection.selectAllChildren(this.box);
    selection.collapseToEnd();
    if (this.box.querySelector(".chip-choice")) this.box.replaceChildren();
    document.execCommand("insertText", false, "{{");
  }

  entered() {
    if (this.options.choices && this.list.hidden && !this.text().includes("{{")) {
      this.openChoices(this.choiceLabel() ? "" : this.text());
    }
  }

  left() {
    this.closeMenu();
    const text = this.text();
    if (!this.choiceLabel()) this.show(text);
  }

  paste(event) {
    event.preventDefault();
    let text = event.clipboardData.getData("text/plain");
    if (!this.options.multiline) text = text.replace(/\s*\n\s*/g, " ");
    document.execCommand("insertText", false, text);
  }

  // Keys

  keyDown(event) {
    const isOpen = !this.list.hidden;
    if (isOpen && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (isOpen && (event.key === "Enter" || event.key === "Tab") && this.current >= 0) {
      event.preventDefault();
      this.pick(this.items[this.current]);
    } else if (isOpen && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.closeMenu();
    } else if (!isOpen && event.key === "ArrowDown" && this.options.choices) {
      event.preventDefault();
      this.openChoices("");
    } else if (event.key === "F2") {
      event.preventDefault();
      this.open(this.chipBeforeCaret());
    } else if (event.key === "Backspace" && this.chipBeforeCaret()?.classList?.contains("chip")) {
      event.preventDefault();
      this.chipBeforeCaret().remove();
      this.changed();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (this.options.multiline) document.execCommand("insertLineBreak");
    }
  }

  move(by) {
    if (!this.items.length) return;
    this.current = (this.current + by + this.items.length) % this.items.length;
    this.mark();
  }

  mark() {
    [...this.list.querySelectorAll("[role=option]")].forEach((option, number) => {
      const isCurrent = number === this.current;
      option.setAttribute("aria-selected", isCurrent ? "true" : "false");
      if (isCurrent) {
        this.box.setAttribute("aria-activedescendant", option.id);
        option.scrollIntoView({ block: "nearest" });
      }
    });
  }

  // The menu

  openMenu(search) {
    const words = search.toLowerCase().split(/[\s|]+/).filter(Boolean);
    const all = this.options.entries?.() ?? [];
    const fits = (entry) => words.every((word) => `${entry.path} ${entry.group} ${entry.preview}`.toLowerCase().includes(word));
    const byName = (entry) => words.every((word) => entry.path.toLowerCase().includes(word));
    const matching = all.filter(fits);
    const found = [...matching.filter(byName), ...matching.filter((entry) => !byName(entry))].slice(0, MOST_SHOWN);
    this.draw(found.map((entry) => ({ ...entry, expression: `{{${entry.path}}}` })), "Nothing here has that name.");
  }

  async openChoices(search) {
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.draw([], "Looking…");
    await new Promise((done) => setTimeout(done, search ? 250 : 0));
    if (turn !== this.turn || document.activeElement !== this.box) return;
    const { options, error } = await this.options.choices(search);
    if (turn !== this.turn || document.activeElement !== this.box) return;
    const items = options.map((option) => ({ choice: option, path: option.label, preview: option.label === option.value ? "" : option.value, group: "Choices" }));
    this.draw(items, error ?? "Nothing to choose from. Type {{ for a value of the workflow.", false);
  }

  draw(items, emptyWords, selectFirst = true) {
    this.items = items;
    this.current = selectFirst && items.length ? 0 : -1;
    this.list.replaceChildren();
    let group = null;
    let holder = this.list;
    items.forEach((item, number) => {
      if (item.group !== group) {
        group = item.group;
        holder = h("div", { role: "group", "aria-label": group }, h("div", { class: "expression-group", "aria-hidden": "true" }, group));
        this.list.append(holder);
      }
      holder.append(h("div", {
        role: "option", id: `${this.listId}-${number}`, class: "expression-option",
        on: { mousedown: (event) => event.preventDefault(), click: () => this.pick(item) },
      }, h("span", { class: "expression-path" }, item.path), item.preview ? h("span", { class: "expression-preview" }, item.preview) : null));
    });
    if (!items.length) this.list.append(h("p", { class: "expression-none" }, emptyWords));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.status.textContent = items.length ? `${items.length} value${items.length === 1 ? "" : "s"}. Arrow keys choose, Enter inserts.` : emptyWords;
    afterPress(() => this.list.scrollIntoView({ block: "nearest" }));
    this.mark();
  }

  closeMenu() {
    this.turn = (this.turn ?? 0) + 1;
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  pick(item) {
    if (item.choice) {
      this.show(item.choice.value, item.choice.label);
      this.caretTo(this.box, this.box.childNodes.length);
      this.options.onChange(item.choice.value, item.choice.label);
      this.closeMenu();
      return;
    }
    const selection = document.getSelection();
    let node = selection.anchorNode;
    let offset = selection.anchorOffset;
    if (!node || node.nodeType !== Node.TEXT_NODE || !this.box.contains(node)) {
      node = this.box.appendChild(document.createTextNode(""));
      offset = 0;
    }
    const start = node.data.slice(0, offset).lastIndexOf("{{");
    this.put(node, start < 0 ? offset : start, offset, this.chip(item.expression));
    this.closeMenu();
  }
}
