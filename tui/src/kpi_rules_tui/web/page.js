// Around textual.js, which starts on load: the font first, and the keyboard on the terminal without a click.
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

// The keys go to the terminal as soon as there is one, and to the way back once it is over.
function look() {
  const over = document.body.classList.contains("-closed");
  document.querySelector(over ? "#over a" : ".xterm-helper-textarea")?.focus();
}
