/** What the page's own modules hand to each other. Read by the type checker alone. */
declare namespace Page {
  /** An RFC 3339 time of the desk. */
  type Instant = string;

  /** Something that happened and is worth a tone or a notification. */
  interface Signal {
    kind: string;
    /** The happening's own: the same on every page of the browser. */
    id: string;
    title: string;
    body: string;
  }

  /** Why something is refused, in parts: see `reading/explained.js`. */
  interface Explained {
    title?: string | null;
    detail?: string | null;
    facts?: { [name: string]: string | number | boolean } | null;
  }

  /** What a press on a holdable button does: see `ui/hold.js`. */
  interface Acts {
    mayHold: () => boolean;
    whenHeld: () => void;
    whenClicked: (cut: string) => void;
    whenCut: (sentence: string) => void;
    about?: () => string | null;
    whenOther?: () => void;
  }

  /** One line of the table of keys: see `ui/shortcuts.js`. */
  interface KeyEntry {
    keys: string[];
    words: string;
    act: (key: string) => string | undefined;
  }

  interface KeyGroup {
    title: string;
    entries: KeyEntry[];
  }

  /** Messages of the stream. */
  interface Change {
    version: number;
    now: Instant;
    patch: object;
  }

  interface Quote {
    asset: string;
    price: number;
    ts: Instant;
  }

  interface LogLine {
    feed: "tradingview" | "rithmic";
    entry: Wire.LogRow;
    replaces_last: boolean;
  }

  interface Brick extends Wire.BrickRow {
    asset: string;
    size: number;
  }

  /** An event of the journal, from the stream or from `GET /api/events`. */
  interface Event {
    id: number;
    ts: Instant;
    type: string;
    asset: string | null;
    data: Record<string, any>;
  }

  /** What is new, as the stream says it. */
  type News = "document" | "price" | "log" | "clock" | "brick" | "event" | "opened";

  /** A way to hear the desk: see `desk/links.js`. */
  interface Link {
    isOwn?: boolean;
    isJoined: boolean;
    join: () => void;
    leave: () => void;
    watch: () => void;
  }

  /** One connection to the stream: see `desk/event_line.js`. */
  interface Line {
    source: EventSource | null;
    openedAt: number;
    heardAt: number;
    tell: (event: string, text: string) => void;
  }

  /** The account at an instant (epoch milliseconds). */
  interface Point {
    at: number;
    equity: number;
  }
}
