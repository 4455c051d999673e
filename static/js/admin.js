// admin.js: names for what Django's admin leaves without one, so that a screen reader can say what it is.
addEventListener("load", () => {
  // After the widgets, which jQuery makes when it finds the page ready: that may be later than this moment.
  if (globalThis.django?.jQuery) globalThis.django.jQuery(giveNames);
  else giveNames();
});

function giveNames() {
  for (const icon of document.querySelectorAll(".help-tooltip[aria-label]")) icon.setAttribute("role", "img");
  for (const field of document.querySelectorAll(".tabular td :is(input, select, textarea)")) {
    if (!field.labels?.length) field.setAttribute("aria-label", columnOf(field));
  }
  for (const box of document.querySelectorAll(".select2-selection[role=combobox]")) {
    const select = box.closest(".select2-container").previousElementSibling;
    const choice = box.querySelector("[role=textbox]"); // which is the text of the choice, and no text box
    for (const name of ["role", "aria-readonly"]) choice?.removeAttribute(name);
    box.removeAttribute("aria-labelledby");
    box.setAttribute("aria-label", select.labels[0]?.textContent.trim() || columnOf(select));
  }
}

function columnOf(field) {
  const cell = field.closest("td");
  const heads = cell?.closest("table").querySelectorAll("thead th");
  return heads?.[Math.max(0, cell.cellIndex - 1)]?.textContent.trim() || field.name.split("-").at(-1);
}
