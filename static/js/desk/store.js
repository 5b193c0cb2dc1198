// @ts-check

/**
 * The document the page draws, and the rule that an older one never replaces a newer one.
 *
 * Two are kept. `told` is what the stream has told so far: merge patches build on it and on nothing else.
 * `shown` is the newest known from anywhere; a command's answer or a poll may be ahead of the stream.
 */

const LOG_LINES_KEPT = 100;
const LEVEL_EXIT = "tv_level_exit";
const ANOTHER_DESK_AFTER_MS = 10_000; // a standby is never that far behind, and no message that late

/** @type {Wire.StateDocument | null} */
let told = null;
/** @type {Wire.StateDocument | null} */
let shown = null;
/** @type {Wire.Logs} */
let logs = { tradingview: [], rithmic: [] };
/** @type {Record<string, Page.Instant>} asset → when its last level exit was received */
let levelExits = {};
/** @type {Map<string, Page.Quote>} */
const quotes = new Map();

/** The newest document. A page takes the one that it was drawn from before it asks. */
export function current() {
  return /** @type {Wire.StateDocument} */ (shown);
}

/** What the stream has told so far as one document, logs and all; null before it told anything. */
export function whole() {
  return told === null ? null : { ...told, logs, level_exit_ts: levelExits };
}

/**
 * The lines of one feed, newest first.
 *
 * @param {keyof Wire.Logs} feed
 */
export function logOf(feed) {
  return logs[feed] ?? [];
}

/**
 * When an asset's last level exit was received, null when the log knows of none.
 *
 * @param {string} symbol
 */
export function levelExitOf(symbol) {
  return levelExits[symbol] ?? null;
}

/**
 * The newest price of an asset and its time: the last quote, or the document's when that is newer.
 *
 * @param {string} symbol
 */
export function priceOf(symbol) {
  const asset = current().assets[symbol];
  const quote = quotes.get(symbol);
  const isQuoteNewer = quote && (!asset.price_ts || Date.parse(quote.ts) > Date.parse(asset.price_ts));
  return isQuoteNewer ? { price: quote.price, at: quote.ts } : { price: asset.last_price, at: asset.price_ts };
}

/**
 * Take a whole document from the stream.
 *
 * @param {Wire.StateDocument} document
 */
export function takeState(document) {
  told = document;
  takeLogs(document);
  return adopt(document);
}

/**
 * Take a whole document from a poll or a command's answer.
 *
 * @param {Wire.StateDocument} document
 */
export function takeAnswer(document) {
  const isNewer = adopt(document);
  if (isNewer) takeLogs(document);
  return isNewer;
}

/**
 * Take a change from the stream: `{version, now, patch}`.
 *
 * @param {Page.Change} change
 */
export function takeChange(change) {
  if (told === null) return false;
  told = { .../** @type {Wire.StateDocument} */ (merge(told, change.patch)), version: change.version, now: change.now };
  return adopt(told);
}

/** @param {Page.Quote} quote */
export function takeQuote(quote) {
  const known = quotes.get(quote.asset);
  if (known && Date.parse(known.ts) > Date.parse(quote.ts)) return;
  quotes.set(quote.asset, quote);
}

/**
 * Take a line from the stream, unless a whole document has already brought it.
 *
 * @param {Page.LogLine} line
 */
export function takeLogLine({ feed, entry, replaces_last: replacesLast }) {
  const lines = logOf(feed);
  if (lines.some((line) => line.ts === entry.ts && line.kind === entry.kind && line.text === entry.text)) return;
  logs = { ...logs, [feed]: [entry, ...(replacesLast ? lines.slice(1) : lines)].slice(0, LOG_LINES_KEPT) };
  if (entry.kind === LEVEL_EXIT && entry.asset) levelExits = { ...levelExits, [entry.asset]: entry.ts };
}

/**
 * Same version, later `now`: only time went by (a lock ran out), and that is news too. A lower version that is much
 * later by the desk's own clock is another desk's: its store was restored, or is new.
 *
 * @param {Wire.StateDocument} document
 */
function adopt(document) {
  if (shown !== null && isOlder(document, shown) && lead(document, shown) < ANOTHER_DESK_AFTER_MS) return false;
  shown = document;
  return true;
}

/**
 * Whether a document is older than another one.
 *
 * @param {Wire.StateDocument} document
 * @param {Wire.StateDocument} other
 */
function isOlder(document, other) {
  return document.version < other.version || (document.version === other.version && lead(document, other) < 0);
}

/**
 * How much later a document is than another one, in ms of the desk's clock.
 *
 * @param {Wire.StateDocument} document
 * @param {Wire.StateDocument} other
 */
function lead(document, other) {
  return Date.parse(document.now) - Date.parse(other.now);
}

/** @param {Wire.StateDocument} document */
function takeLogs(document) {
  if (!document.logs) return;
  /** @param {Wire.LogRow[] | undefined} lines */
  const newestFirst = (lines) => [...(lines ?? [])].sort((a, b) => Date.parse(b.ts) - Date.parse(a.ts));
  const { tradingview, rithmic } = document.logs;
  logs = { tradingview: newestFirst(tradingview), rithmic: newestFirst(rithmic) };
  levelExits = document.level_exit_ts ?? {};
}

/**
 * RFC 7396, but null is a value here: "no open trade" is null, and the desk never removes a field.
 * Objects merge, everything else (arrays too) replaces.
 *
 * @param {unknown} target
 * @param {unknown} patch
 */
function merge(target, patch) {
  if (!isObject(patch)) return patch;
  /** @type {Record<string, unknown>} */
  const merged = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) merged[name] = merge(merged[name], value);
  return merged;
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
