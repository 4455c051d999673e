// passkeys.js: shows [data-passkey] buttons where the browser has passkeys, and says in words why one did not work.
const WORDS = {
  NotAllowedError: "It was cancelled, or took too long. Try again.",
  InvalidStateError: "This device or key has a passkey for your account already.",
  SecurityError: "Your browser takes passkeys only on https:// addresses and on http://localhost.",
  NotSupportedError: "Your browser or key cannot make such a passkey. Try another one.",
};

if (window.PublicKeyCredential) {
  for (const button of document.querySelectorAll("[data-passkey]")) button.hidden = false;
} else {
  tell("This browser has no passkeys, or this page is not served over https.");
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const { name, message } = event.detail.exception;
  tell(WORDS[name] ?? `The passkey did not work: ${message}`);
});

function tell(words) {
  const place = document.getElementById("passkey-problem");
  place.textContent = words;
  place.hidden = false;
}
