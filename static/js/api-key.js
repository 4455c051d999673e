// api-key.js: ticks all that only read on the page as it is. The link itself asks for a fresh one.
document.querySelector("[data-tick-reading]").addEventListener("click", (event) => {
  event.preventDefault();
  for (const box of document.querySelectorAll("[data-only-reads]")) box.checked = true;
});
