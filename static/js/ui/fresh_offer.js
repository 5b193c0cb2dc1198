// @ts-check

/** An offer that changes under a hand is taken by no click for a moment: nobody has read the new one yet. */

const UNREAD_MS = 800;

/**
 * Watch what a panel offers. One's own choice (another `about`) is no surprise; `whenRead` runs once the new offer may
 * be taken.
 *
 * @param {() => void} whenRead
 */
export function watchOffer(whenRead) {
  /** @type {{about: string, offered: string} | null} */
  let known = null;
  let changedAt = -Infinity;
  return {
    /** @param {{about: string, offered: string}} present */
    follow(present) {
      if (known?.about === present.about && known.offered !== present.offered) {
        changedAt = performance.now();
        setTimeout(whenRead, UNREAD_MS);
      }
      known = present;
    },
    isUnread: () => performance.now() - changedAt < UNREAD_MS,
  };
}
