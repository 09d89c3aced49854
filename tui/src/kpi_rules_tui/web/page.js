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
  document.addEventListener("mouseup", () => focus());
};

let drawn = false;

function look() {
  if (document.body.classList.contains("-closed")) {
    document.querySelector("#over a").focus();
  } else if (!drawn && document.body.classList.contains("-first-byte")) {
    drawn = true;
    focus();
  }
}

function focus() {
  // Away and back: only a change of the focus is told to the application, which begins without it.
  const keys = document.querySelector(".xterm-helper-textarea");
  if (keys !== null && !document.body.classList.contains("-closed")) {
    keys.blur();
    keys.focus();
  }
}
