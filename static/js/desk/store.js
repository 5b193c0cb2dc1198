/**
 * The document the page draws, and the rule that an older one never replaces a newer one.
 *
 * Two are kept. `told` is what the stream has told so far: merge patches build on it and on nothing else.
 * `shown` is the newest known from anywhere; a command's answer or a poll may be ahead of the stream.
 */

const LOG_LINES_KEPT = 100;
const LEVEL_EXIT = "tv_level_exit";
const ANOTHER_DESK_AFTER_MS = 10_000; // a standby is never that far behind, and no message that late

let told = null;
let shown = null;
let logs = { tradingview: [], rithmic: [] };
let levelExits = {};
const quotes = new Map();

/** The newest document. */
export function current() {
  return shown;
}

/** What the stream has told so far as one document, logs and all; null before it told anything. */
export function whole() {
  return told === null ? null : { ...told, logs, level_exit_ts: levelExits };
}

/** The lines of one feed, newest first. */
export function logOf(feed) {
  return logs[feed] ?? [];
}

/** When an asset's last level exit was received, null when the log knows of none. */
export function levelExitOf(symbol) {
  return levelExits[symbol] ?? null;
}

/** The newest price of an asset and its time: the last quote, or the document's when that is newer. */
export function priceOf(symbol) {
  const asset = shown.assets[symbol];
  const quote = quotes.get(symbol);
  const isQuoteNewer = quote && (!asset.price_ts || Date.parse(quote.ts) > Date.parse(asset.price_ts));
  return isQuoteNewer ? { price: quote.price, at: quote.ts } : { price: asset.last_price, at: asset.price_ts };
}

/** Take a whole document from the stream. */
export function takeState(document) {
  told = document;
  takeLogs(document);
  return adopt(document);
}

/** Take a whole document from a poll or a command's answer. */
export function takeAnswer(document) {
  const isNewer = adopt(document);
  if (isNewer) takeLogs(document);
  return isNewer;
}

/** Take a change from the stream: `{version, now, patch}`. */
export function takeChange(change) {
  if (told === null) return false;
  told = { ...merge(told, change.patch), version: change.version, now: change.now };
  return adopt(told);
}

export function takeQuote(quote) {
  const known = quotes.get(quote.asset);
  if (known && Date.parse(known.ts) > Date.parse(quote.ts)) return;
  quotes.set(quote.asset, quote);
}

/** Take a line from the stream, unless a whole document has already brought it. */
export function takeLogLine({ feed, entry, replaces_last: replacesLast }) {
  const lines = logOf(feed);
  if (lines.some((line) => line.ts === entry.ts && line.kind === entry.kind && line.text === entry.text)) return;
  logs = { ...logs, [feed]: [entry, ...(replacesLast ? lines.slice(1) : lines)].slice(0, LOG_LINES_KEPT) };
  if (entry.kind === LEVEL_EXIT && entry.asset) levelExits = { ...levelExits, [entry.asset]: entry.ts };
}

/**
 * Same version, later `now`: only time went by (a lock ran out), and that is news too. A lower version that is much
 * later by the desk's own clock is another desk's: its store was restored, or is new.
 */
function adopt(document) {
  if (shown !== null && isOlder(document) && lead(document) < ANOTHER_DESK_AFTER_MS) return false;
  shown = document;
  return true;
}

function isOlder(document) {
  return document.version < shown.version || (document.version === shown.version && lead(document) < 0);
}

/** How much later a document is than the one shown, in ms of the desk's clock. */
function lead(document) {
  return Date.parse(document.now) - Date.parse(shown.now);
}

function takeLogs(document) {
  if (!document.logs) return;
  const newestFirst = (lines) => [...(lines ?? [])].sort((a, b) => Date.parse(b.ts) - Date.parse(a.ts));
  const { tradingview, rithmic } = document.logs;
  logs = { tradingview: newestFirst(tradingview), rithmic: newestFirst(rithmic) };
  levelExits = document.level_exit_ts ?? {};
}

/**
 * RFC 7396, but null is a value here: "no open trade" is null, and the desk never removes a field.
 * Objects merge, everything else (arrays too) replaces.
 */
function merge(target, patch) {
  if (!isObject(patch)) return patch;
  const merged = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) merged[name] = merge(merged[name], value);
  return merged;
}

function isObject(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
