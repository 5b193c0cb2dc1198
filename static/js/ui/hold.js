// @ts-check

/**
 * A button with two strengths: a click asks, holding for 1.5 s insists.
 *
 * What counts is the pointer, not where the layout has put the button meanwhile: a notice that appears above it moves
 * it away under a resting hand. A press that began counts until it strays: some way from where it went down, and off
 * the button. Pointer and keyboard (Space or Enter held down) behave alike. Assistive technology that can only click
 * insists with a second click within a few seconds of the first: it gets there deliberately too.
 */

const HOLD_MS = 1_500;
const SECOND_CLICK_WITHIN_MS = 6_000;
const STRAYS_PX = 24;
const OWN_CLICK_WITHIN_MS = 700; // browsers send a click after a press, touch screens a little later

/**
 * `whenHeld` runs after the full hold, `whenClicked` after a shorter press; it is told how a hold was cut short, empty
 * when none was begun. `whenCut` is told of a press that sends nothing. `mayHold()` says whether holding means anything
 * right now; when not, every press is a click. `about()` names what the button acts on: a press that began on something
 * else does nothing but `whenOther`.
 *
 * @param {HTMLElement} button
 * @param {Page.Acts} acts
 */
export function makeHoldable(button, acts) {
  const press = new Press(button, {
    ...acts,
    about: acts.about ?? (() => null),
    whenOther: acts.whenOther ?? (() => {}),
  });
  followPointers(button, press);
  followKeys(button, press);
}

/** One press after the other on a button, each answered by one act at most. */
class Press {
  #button;
  #acts;
  #isDown = false;
  #isHold = false;
  #wasHeld = false;
  #began = 0;
  /** @type {string | null} */
  #about = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #clickedAt = -Infinity;

  /**
   * @param {HTMLElement} button
   * @param {Required<Page.Acts>} acts
   */
  constructor(button, acts) {
    this.#button = button;
    this.#acts = acts;
  }

  /** Answers whether a press has begun: a second finger or key begins none. */
  begin() {
    if (this.#isDown) return false;
    this.#isDown = true;
    this.#wasHeld = false;
    this.#began = performance.now();
    this.#about = this.#acts.about();
    this.#isHold = this.#acts.mayHold();
    if (this.#isHold) this.#startHold();
    return true;
  }

  letGo() {
    if (!this.#end()) return;
    const { about, whenOther, whenClicked } = this.#acts;
    if (about() !== this.#about) {
      whenOther();
      return;
    }
    this.#clickedAt = performance.now();
    whenClicked(this.#isHold ? this.#cutSentence("let go") : "");
  }

  /** @param {string} how */
  cut(how) {
    if (this.#end()) this.#acts.whenCut(this.#cutSentence(how));
  }

  clickWithoutHand() {
    const isSecond = performance.now() - this.#clickedAt < SECOND_CLICK_WITHIN_MS;
    this.#clickedAt = performance.now();
    if (this.#acts.mayHold() && isSecond) this.#acts.whenHeld();
    else this.#acts.whenClicked("");
  }

  #startHold() {
    this.#button.dataset.holding = "";
    this.#timer = setTimeout(() => {
      this.#stopHold();
      this.#wasHeld = true;
      if (this.#acts.about() === this.#about) this.#acts.whenHeld();
      else this.#acts.whenOther();
    }, HOLD_MS);
  }

  #stopHold() {
    clearTimeout(this.#timer);
    delete this.#button.dataset.holding;
  }

  /** Answers whether the press is still to be answered. */
  #end() {
    const isOpen = this.#isDown && !this.#wasHeld;
    this.#isDown = false;
    this.#stopHold();
    return isOpen;
  }

  /**
   * "Not sent: let go after 0.9 s, hold 1.5 s." Never rounded up: that would name the time that it was short of.
   *
   * @param {string} how
   */
  #cutSentence(how) {
    const after = (Math.floor((performance.now() - this.#began) / 100) / 10).toFixed(1);
    return `Not sent: ${how} after ${after} s${this.#isHold ? `, hold ${HOLD_MS / 1000} s` : ""}.`;
  }
}

/**
 * @param {HTMLElement} button
 * @param {Press} press
 */
function followPointers(button, press) {
  let ownClickUntil = -Infinity; // the browser's click after a press is no second one
  button.addEventListener("pointerdown", (down) => {
    if (down.button !== 0 || !down.isPrimary || !press.begin()) return;
    ownClickUntil = Infinity;
    followPointer(button, down, press, () => {
      ownClickUntil = performance.now() + OWN_CLICK_WITHIN_MS;
    });
  });
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch opens a menu
  button.addEventListener("click", ({ detail }) => {
    const isOwn = detail > 0 && performance.now() < ownClickUntil;
    if (!isOwn) press.clickWithoutHand();
  });
}

/**
 * Follow one pointer from where it went down to its end, wherever it and the button go. Its press is answered once.
 *
 * @param {HTMLElement} button
 * @param {PointerEvent} down
 * @param {Press} press
 * @param {() => void} whenUp
 */
function followPointer(button, down, press, whenUp) {
  const listening = new AbortController();
  let isAnswered = false;
  /** @type {(target: EventTarget, name: string, act: (event: PointerEvent) => void) => void} */
  const on = (target, name, act) => {
    /** @param {Event} event one of the window has no pointer, and concerns them all */
    const hear = (event) => {
      const own = /** @type {PointerEvent} */ (event);
      if ((own.pointerId ?? down.pointerId) === down.pointerId) act(own);
    };
    target.addEventListener(name, hear, { capture: true, signal: listening.signal });
  };
  /** @param {() => void} act */
  const answer = (act) => {
    if (!isAnswered) act();
    isAnswered = true;
  };
  /** @param {() => void} act */
  const up = (act) => {
    listening.abort();
    whenUp();
    answer(act);
  };
  /** @param {PointerEvent} event */
  const isOff = (event) => distance(down, event) > STRAYS_PX && !isWithin(button.getBoundingClientRect(), event);
  const slide = () => press.cut("slid off the button");
  const interrupt = () => press.cut("interrupted");

  on(window, "pointermove", (event) => {
    if (isOff(event)) answer(slide);
  });
  on(window, "pointerup", (event) => up(isOff(event) ? slide : () => press.letGo()));
  on(window, "pointercancel", () => up(interrupt));
  on(button, "lostpointercapture", () => up(interrupt));
  on(window, "blur", ({ target }) => {
    if (target === window) answer(interrupt);
  });
  capture(button, down.pointerId);
}

/**
 * All that this pointer does now comes to the button, from beyond the window too.
 *
 * @param {HTMLElement} button
 * @param {number} pointerId
 */
function capture(button, pointerId) {
  try {
    button.setPointerCapture(pointerId);
  } catch (failure) {
    const hasLeft = failure instanceof DOMException && failure.name === "NotFoundError"; // its end is heard at the window
    if (!hasLeft) throw failure;
  }
}

/**
 * @param {MouseEvent} one
 * @param {MouseEvent} other
 */
function distance(one, other) {
  return Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
}

/**
 * @param {DOMRect} box
 * @param {MouseEvent} event
 */
function isWithin({ left, right, top, bottom }, { clientX, clientY }) {
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}

/**
 * @param {HTMLElement} button
 * @param {Press} press
 */
function followKeys(button, press) {
  /** @param {KeyboardEvent} event */
  const isPress = (event) => event.key === " " || event.key === "Enter";
  let isMine = false; // a key pressed elsewhere and let go here (focus moved in between) never began on this button
  /** @param {() => void} act */
  const finish = (act) => {
    if (isMine) act();
    isMine = false;
  };
  button.addEventListener("keydown", (event) => {
    if (!isPress(event)) return;
    event.preventDefault(); // Enter would click at once and then again with every repeat
    if (!event.repeat && press.begin()) isMine = true;
  });
  button.addEventListener("keyup", (event) => {
    if (!isPress(event)) return;
    event.preventDefault();
    finish(() => press.letGo());
  });
  button.addEventListener("blur", () => finish(() => press.cut("the focus moved on")));
}
