// @ts-check

/** The browser's own notifications, while nobody sees the page. */

const REFUSED =
  "The browser refuses notifications from this page. Allow them in its settings for this site, then switch them on again.";
const NOT_ANSWERED = "Not switched on: the browser's question was not answered.";
const UNKNOWN =
  "This browser shows no notifications from a page like this. It needs https, and phones often know none.";

/** Whether the browser lets this page notify. */
export function isAllowed() {
  return isKnown() && Notification.permission === "granted";
}

/** Ask the browser's leave; answers why not, empty when it is given. */
export async function askLeave() {
  if (!isKnown()) return UNKNOWN;
  const leave = await Notification.requestPermission();
  if (leave === "granted") return "";
  return leave === "denied" ? REFUSED : NOT_ANSWERED;
}

/**
 * Show a signal. Its tag is the happening's: a second page cannot show it twice.
 *
 * @param {Page.Signal} signal
 * @param {boolean} isSilent
 */
export function notify({ id, title, body }, isSilent) {
  if (!document.hidden || !isAllowed()) return;
  try {
    const shown = new Notification(title, { body, tag: `lockstep ${id}`, silent: isSilent });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
    });
  } catch (failure) {
    if (!(failure instanceof TypeError)) throw failure; // a phone's browser wants a worker for it
    console.info(`no notification: ${failure.message}`);
  }
}

function isKnown() {
  return "Notification" in window && window.isSecureContext;
}
