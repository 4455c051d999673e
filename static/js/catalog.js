// Searches the catalog while somebody types, as the server does on "Search", and lets the keyboard do all of it.
const form = document.querySelector("[data-catalog-search]");
const input = form.elements.namedItem("q");
const keys = document.querySelector("[data-catalog-keys]");
const empty = document.querySelector("[data-catalog-empty]");
const cards = [...document.querySelectorAll("[data-card]")];
const link = (card) => card.querySelector(".card-link");
const shown = () => cards.filter((card) => !card.hidden);

function search() {
  const query = input.value.trim();
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  for (const card of cards) {
    card.hidden = !words.every((word) => card.dataset.card.includes(word));
    for (const deed of card.querySelectorAll("[data-deed]")) {
      deed.hidden = !words.some((word) => deed.textContent.toLowerCase().includes(word));
    }
  }
  const found = shown().length;
  empty.hidden = found > 0;
  empty.querySelector("[data-catalog-query]").textContent = query && ` matches “${query}”`;
  document.querySelector("[data-catalog-status]").textContent = `${found} found`;
}

// The nearest card in a direction: the next row's closest for up and down, the neighbour in reading order otherwise.
function neighbour(from, key) {
  const all = shown();
  const at = all.indexOf(from);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  const here = from.getBoundingClientRect();
  const isDown = key === "ArrowDown";
  const gap = (box) => (isDown ? box.top - here.bottom : here.top - box.bottom);
  const far = (card) => {
    const box = card.getBoundingClientRect();
    return gap(box) * 1000 + Math.abs(box.left - here.left);
  };
  return all.filter((card) => gap(card.getBoundingClientRect()) >= 0).sort((a, b) => far(a) - far(b))[0];
}

function walk(event) {
  const from = event.target.closest("[data-card]");
  const isDownFromSearch = event.target === input && event.key === "ArrowDown";
  if (!from && !isDownFromSearch) return;
  event.preventDefault();
  const to = from ? neighbour(from, event.key) : shown()[0];
  if (to) link(to).focus();
  else if (from && event.key === "ArrowUp") input.focus();
}

// A shortcut of one character can get in the way of voice control, so it can be switched off, and stays off.
const box = keys.querySelector("input");
try {
  box.checked = localStorage.getItem("slash") !== "off";
} catch {
  // Storage can be blocked; then the choice lasts for the page.
}
keys.hidden = false;
box.addEventListener("change", () => {
  try {
    localStorage.setItem("slash", box.checked ? "on" : "off");
  } catch {
    // See above.
  }
});

input.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.startsWith("Arrow")) walk(event);
  if (event.key !== "/" || !box.checked || event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  event.preventDefault();
  input.focus();
  input.select();
});
search();
