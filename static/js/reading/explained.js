// @ts-check

/**
 * What the desk says of a closed gate or a refusal, composed of its title and detail. A sentence of the desk is shown
 * as it is and never taken apart: what a program wants to know is in `code` and `facts`.
 */

/**
 * Whether its sentence shows a time that runs.
 *
 * @param {Page.Explained} why
 */
export function countsDown({ facts }) {
  return facts?.remaining_s !== undefined;
}

/**
 * Title and detail, without the time that is left.
 *
 * @param {Page.Explained} why
 */
export function timeless({ title, detail }) {
  return [title, detail].filter(Boolean).join(" — ");
}

/**
 * What stands before and behind the time that is left.
 *
 * @param {Page.Explained} why
 * @returns {[string, string]}
 */
export function aroundTimeLeft(why) {
  return [`${timeless(why)} (`, " remaining)"];
}
