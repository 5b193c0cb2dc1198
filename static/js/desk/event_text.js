// @ts-check

/** Server-sent events from text that arrives in pieces. */

const LONGEST_REST = 1_000_000; // letters of an event that does not end

/**
 * The events within a text, and what is left of it. An event without a JSON text is skipped.
 *
 * @param {string} text
 * @returns {{events: Page.ChatEvent[], rest: string}}
 */
export function eventsOf(text) {
  const blocks = text.split(/\r?\n\r?\n/);
  const rest = blocks.pop() ?? "";
  if (rest.length > LONGEST_REST) throw new RangeError("an event does not end");
  return { events: blocks.flatMap(eventOf), rest };
}

/**
 * @param {string} block
 * @returns {Page.ChatEvent[]}
 */
function eventOf(block) {
  const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  const text = lines.map((line) => line.slice(5).trimStart()).join("\n");
  try {
    const event = JSON.parse(text);
    return typeof event?.type === "string" ? [event] : [];
  } catch {
    return []; // a comment that keeps the line open, or the end mark of another dialect
  }
}
