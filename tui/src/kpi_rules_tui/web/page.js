// Around textual.js, which starts on load: the font first, the keyboard on the terminal without a click, and a question
// before the page is closed while something is not saved.
"use strict";

const start = window.onload;

window.onload = async (event) => {
  // The terminal measures its cells once, so the font has to be there; where it does not come, any other will do.
  const patience = new Promise((done) => setTimeout(done, 2000));
  await Promise.race([document.fonts.load('16px "Roboto Mono"').catch(() => null), patience]);
  try {
    start.call(window, event);
  } catch (error) {
    console.error(error);
    document.body.classList.add("-closed");
    return;
  }
  new MutationObserver(look).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  document.addEventListener("mouseup", look);
};

// Whether something is not saved comes over the line to the process, which textual.js opens and does not hand out.
let unsaved = false;

window.WebSocket = class extends window.WebSocket {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", hear);
  }
};

function hear(event) {
  const [what, some] = typeof event.data === "string" ? JSON.parse(event.data) : [];
  if (what === "unsaved") unsaved = some;
}

// The browser asks in its own words, and only where a key was pressed in the page.
window.addEventListener("beforeunload", (event) => {
  if (!unsaved || document.body.classList.contains("-closed")) return;
  event.preventDefault();
  event.returnValue = true; // what older browsers look at
});

// The keys go to the terminal as soon as there is one, and to the way back once it is over.
function look() {
  const over = document.body.classList.contains("-closed");
  document.querySelector(over ? "#over a" : ".xterm-helper-textarea")?.focus();
}
