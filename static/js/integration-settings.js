// With keys of one's own every permission can be chosen, so those that development keys lack open up with a client ID.
const form = document.querySelector("form[data-own-keys-form]");
const clientId = form?.elements.namedItem("client_id");

function update() {
  const hasOwnKeys = clientId.value.trim() !== "";
  for (const box of form.querySelectorAll("input[data-needs-own-keys]")) {
    if (box.disabled === !hasOwnKeys) continue;
    box.disabled = !hasOwnKeys;
    box.checked = hasOwnKeys && "wanted" in box.dataset;
    const row = box.closest(".scope");
    row.classList.toggle("scope-off", !hasOwnKeys);
    row.querySelector("[data-own-keys-reason]").hidden = hasOwnKeys;
  }
}

if (clientId) {
  clientId.addEventListener("input", update);
  update();
}
