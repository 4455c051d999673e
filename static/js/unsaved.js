// unsaved.js: asks before a page is left with something typed into a form that was not sent. With a form marked
// data-saves-nothing nothing is lost, and a link among a form's buttons gives that form up.
const forms = [...document.querySelectorAll("form[method=post]:not([data-saves-nothing])")];
const asFound = new Map(forms.map((form) => [form, wasRefused(form) ? null : typed(form)]));
let done = null; // the form that is being sent, or was given up

function typed(form) {
  return new URLSearchParams(new FormData(form)).toString();
}

// What came back refused is kept nowhere else.
function wasRefused(form) {
  return form.querySelector(".field-wrong, .errorlist") !== null;
}

function isUnsaved(form) {
  return form !== done && form.isConnected && typed(form) !== asFound.get(form);
}

addEventListener("submit", (event) => {
  if (!event.defaultPrevented) done = event.target;
});
addEventListener("click", (event) => {
  const link = event.target.closest?.("form .buttons a[href]");
  if (link) done = link.closest("form");
});
addEventListener("beforeunload", (event) => {
  if (forms.some(isUnsaved)) event.preventDefault();
  done = null; // whoever decides to stay may type more
});
