// Sets the chosen theme before the first paint, and cycles it: automatic, light, dark. Django's admin shares the choice.
(() => {
  const names = { auto: "automatic", light: "light", dark: "dark" };
  const read = () => {
    try {
      return localStorage.getItem("theme") || "auto";
    } catch {
      return "auto"; // Storage can be blocked; then the choice lasts for the page.
    }
  };
  const apply = (theme) => {
    document.documentElement.dataset.theme = theme in names ? theme : "auto";
    const name = document.querySelector("[data-theme-name]");
    if (name) name.textContent = `Theme: ${names[theme] || names.auto}. Change`;
  };
  apply(read());
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    if (!button) return;
    button.hidden = false;
    apply(read());
    button.addEventListener("click", () => {
      const order = ["auto", "light", "dark"];
      const next = order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length];
      try {
        localStorage.setItem("theme", next);
      } catch {
        // See above.
      }
      apply(next);
    });
  });
})();
