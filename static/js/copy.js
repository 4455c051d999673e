// <button data-copy="text" data-copied="Copied"> copies its text; data-copy-from="id" copies that element's text.
for (const button of document.querySelectorAll("button[data-copy], button[data-copy-from]")) button.hidden = false;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (!button || button.dataset.busy) return;
  const source = button.dataset.copyFrom && document.getElementById(button.dataset.copyFrom);
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  const label = [...button.childNodes];
  button.dataset.busy = "yes";
  try {
    await copy(text, source);
    button.textContent = button.dataset.copied || "Copied";
  } catch {
    button.textContent = "Press Ctrl+C";
  }
  button.setAttribute("aria-live", "polite");
  setTimeout(() => {
    button.replaceChildren(...label);
    delete button.dataset.busy;
  }, 1600);
});

// The clipboard exists only on https and localhost; elsewhere the text is selected, ready for Ctrl+C.
async function copy(text, source) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  if (source) getSelection().selectAllChildren(source);
  throw new Error("no clipboard");
}
