/**
 * A button with two strengths: a click asks, holding for 1.5 s insists.
 *
 * Pointer and keyboard (Space or Enter held down) behave alike. Assistive technology that can only click
 * insists with a second click within a few seconds of the first: it gets there deliberately too.
 */

const HOLD_MS = 1_500;
const SECOND_CLICK_WITHIN_MS = 6_000;

/**
 * `whenHeld` runs after the full hold, `whenClicked` after a shorter press. `mayHold()` says whether holding
 * means anything right now; when not, every press is a click. `about()` names what the button acts on: a press that
 * began on something else does nothing but `whenOther`.
 */
export function makeHoldable(button, { mayHold, whenHeld, whenClicked, about = () => null, whenOther = () => {} }) {
  const press = { timer: null, wasHeld: false, byHand: false, clickedAt: -Infinity, about: null };

  const begin = () => {
    press.byHand = true;
    press.wasHeld = false;
    press.about = about();
    if (!mayHold() || press.timer !== null) return;
    button.dataset.holding = "";
    press.timer = setTimeout(() => {
      release();
      press.wasHeld = true;
      if (about() === press.about) whenHeld();
      else whenOther();
    }, HOLD_MS);
  };

  const release = () => {
    clearTimeout(press.timer);
    press.timer = null;
    delete button.dataset.holding;
  };

  const click = () => {
    const { byHand, wasHeld } = press;
    press.byHand = false;
    press.wasHeld = false;
    if (wasHeld) return;
    if (byHand && about() !== press.about) return whenOther();
    const isSecond = performance.now() - press.clickedAt < SECOND_CLICK_WITHIN_MS;
    press.clickedAt = performance.now();
    if (!byHand && mayHold() && isSecond) whenHeld();
    else whenClicked();
  };

  // A key pressed elsewhere and let go here (focus moved in between) never began on this button.
  const clickByKey = () => press.byHand && click();

  listen(button, { begin, release, click, clickByKey });
}

function listen(button, { begin, release, click, clickByKey }) {
  const isPress = (event) => event.key === " " || event.key === "Enter";
  button.addEventListener("pointerdown", (event) => event.button === 0 && begin());
  for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(end, release);
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch opens a menu
  button.addEventListener("click", click);
  button.addEventListener("keydown", (event) => {
    if (!isPress(event)) return;
    event.preventDefault(); // Enter would click at once and then again with every repeat
    if (!event.repeat) begin();
  });
  button.addEventListener("keyup", (event) => {
    if (!isPress(event)) return;
    event.preventDefault();
    release();
    clickByKey();
  });
}
