// walk.js: what a page is asked once it is open. tests/pages/test_every_page.py runs it there as globalThis.look.
globalThis.look = (() => {
  const FOCUSABLE =
    "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex], [contenteditable=true]";
  const name = (each) => each.outerHTML.slice(0, 120);
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const walk = { wanted: [], seen: [], wrong: [] };

  // What sticks out of the window, so that the page would have to be moved sideways to be read.
  function wider() {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const out = shown("body *").filter((each) => each.getBoundingClientRect().right > room + 1);
    return [`${room} px: ${out.slice(-3).map(name).join(" | ")}`];
  }

  function headings() {
    if (document.documentElement.classList.contains("frame")) return []; // the portal is empty until it is told to show
    const levels = shown("h1, h2, h3, h4, h5, h6").map((each) => Number(each.tagName[1]));
    const jumps = levels.some((level, i) => i && level > levels[i - 1] + 1);
    return levels.filter((level) => level === 1).length === 1 && !jumps ? [] : [`headings: ${levels}`];
  }

  // What moves for somebody who wants nothing to move.
  function motion() {
    const moves = ({ animationName, transitionDuration }) =>
      animationName !== "none" || transitionDuration.split(", ").some((time) => parseFloat(time));
    return [...document.querySelectorAll("*")].filter((each) => moves(getComputedStyle(each))).map(name);
  }

  // By keyboard: write down what gets the focus, whether that shows, and whether something lies over it.
  function follow() {
    walk.wanted = [...document.querySelectorAll(FOCUSABLE)].filter(takesFocus);
    startAtTheTop();
    document.addEventListener("focusin", ({ target }) => {
      walk.seen.push(target);
      if (!showsFocus(target)) walk.wrong.push(`its focus does not show: ${name(target)}`);
      if (isCovered(target)) walk.wrong.push(`something lies over it: ${name(target)}`);
    });
    // A field for a date is several stops.
    const parts = { date: 3, "datetime-local": 6, time: 3 };
    return walk.wanted.reduce((stops, each) => stops + 1 + (parts[each.type] ?? 0), 0);
  }

  // A page can open with the focus further down, where a form has its first error: Tab would go on from there.
  function startAtTheTop() {
    const top = Object.assign(document.createElement("span"), { tabIndex: -1 });
    document.body.prepend(top);
    top.focus();
    top.remove();
  }

  function followed() {
    document.activeElement?.blur();
    // A list that is live may have been replaced under way; who had the focus has it still.
    const missed = walk.wanted.filter((each) => each.isConnected && !walk.seen.includes(each));
    const first = walk.seen.filter((each, i) => walk.seen.indexOf(each) === i && each.isConnected);
    const isBefore = (each, other) => each.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING;
    const late = first.filter((each, i) => i && isBefore(each, first[i - 1]));
    return [
      ...missed.map((each) => `Tab does not reach it: ${name(each)}`),
      ...late.map((each) => `it comes out of order: ${name(each)}`),
      ...walk.wrong,
    ].slice(0, 6);
  }

  function takesFocus(each) {
    if (!each.checkVisibility({ visibilityProperty: true }) || each.disabled || each.tabIndex < 0) return false;
    return !each.closest("[inert]") && (each.type !== "radio" || each === stopOf(each));
  }

  function stopOf(radio) {
    const group = [...document.querySelectorAll(`input[type=radio][name="${radio.name}"]`)];
    return group.find((each) => each.checked) ?? group[0];
  }

  function showsFocus(each) {
    const style = ring(each) ?? ring(each.closest("label") ?? each.parentElement);
    if (!style) return false;
    const [a, b] = [light(style.outlineColor), light(behind(each))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05) >= 3; // WCAG 2.2, 1.4.11
  }

  function ring(each) {
    const isRing = ({ outlineStyle, outlineWidth }) => outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    return [null, "::after"].map((part) => getComputedStyle(each, part)).find(isRing);
  }

  function behind(each) {
    for (let at = each.parentElement; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((numbers(color)[3] ?? 1) === 1) return color;
    }
    return getComputedStyle(document.documentElement).colorScheme.includes("dark") ? "rgb(0 0 0)" : "rgb(255 255 255)";
  }

  const numbers = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);

  function light(color) {
    const [r, g, b] = numbers(color)
      .map((each) => each / 255)
      .map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }

  function isCovered(each) {
    const box = each.getClientRects()[0];
    if (!box || box.bottom < 1 || box.top > innerHeight - 1) return true;
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const points = [0.5, 0.1, 0.9].flatMap((x) =>
      [0.5, 0.2, 0.8].map((y) => [box.x + box.width * x, top + (bottom - top) * y]),
    );
    return !points.some(([x, y]) => {
      const there = document.elementFromPoint(x, y);
      return there && (each.contains(there) || there.contains(each) || there.closest("label")?.control === each);
    });
  }

  return { wider, headings, motion, follow, followed };
})();
