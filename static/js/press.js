// press.js: while a button of the mouse is down, or a finger, nothing under it may be replaced or moved: the click would
// be lost, because it goes to what was there both when it went down and when it came up.
const CLICK_MS = 50; // by then the click that follows has been heard
const waiting = [];
let isDown = false;

/** Do it now, or once what is being pressed has had its click. */
export function afterPress(act) {
  if (isDown) waiting.push(act);
  else act();
}

function released() {
  isDown = false;
  setTimeout(() => waiting.splice(0).forEach((act) => afterPress(act)), CLICK_MS);
}

addEventListener("pointerdown", ({ button }) => (isDown = button === 0), true);
// Where a menu opens or another window comes to the front, that it came up may never be heard.
for (const name of ["pointerup", "pointercancel", "contextmenu"]) addEventListener(name, released, true);
addEventListener("blur", released);
