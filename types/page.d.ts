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

  type Side = "BUY" | "SELL";

  /** The elements of a panel by their `data-slot` names. What kind each is the template says: see `ui/dom.js`. */
  type Slots = Record<string, any>;

  /** What a panel is drawn of. */
  type State = Wire.StateDocument;

  /** The part of a stream's fields in the state document that stands before `_color` and `_ts`. */
  type StreamName = keyof Wire.AssetState extends infer Field
    ? Field extends `${infer Before}renko_color`
      ? `${Before}renko`
      : never
    : never;

  /** The size of each stream's bricks in points, as text; the desk's own table, which the dashboard brings. */
  type Sizes = Record<string, string>;

  /** The page's colours by their names, and its font. */
  type Colors = Record<string, string>;

  /** What a chart's levels stand on: see `charts/levels.js`. */
  type Prices = "sent" | "some" | "none";

  /** A brick as a bar; its time is the brick's number. */
  interface Bar {
    time: number;
    open: number;
    high: number;
    low: number;
    close: number;
  }

  /** The bricks of one series, in the order of their numbers. */
  interface Bricks {
    bricks: Wire.BrickRow[];
  }

  /** The same as the dashboard keeps them: see `charts/book.js`. */
  interface Book extends Bricks {
    asset: string;
    size: string;
    fresh: Wire.BrickRow[];
    edition: number;
    isRead: boolean;
    isReading: boolean;
    isClosed: boolean;
    isOutdated: boolean;
    waiting: Wire.BrickRow[];
    whenChanged: () => void;
    timer?: ReturnType<typeof setTimeout>;
  }

  /** Something that a trade leaves on a chart: see `charts/trade_marks.js`. */
  interface Moment {
    at: Instant;
    kind: MarkKind;
    isBelow: boolean;
    text: string;
  }

  type MarkKind = "entry" | "added" | "exit" | "gap";

  /** The same on its brick; of a gap there is no moment. */
  interface Mark extends Omit<Moment, "at"> {
    at?: Instant;
    time: number;
  }

  interface PriceLine {
    kind: "average" | "stop" | "target" | "protect" | "exit";
    title: string;
    price: number;
  }

  /** What the axes of a chart are labelled by. */
  interface Axes {
    book: Bricks;
    prices: Prices;
    lines: PriceLine[];
    tickSize: number;
  }

  /** One chart: see `charts/renko_chart.js`. */
  interface ChartView extends Axes {
    element: HTMLElement;
    colors: Colors;
    isBig: boolean;
    priceLines: Library.PriceLine[];
    chart: Library.Chart;
    series: Library.Series;
    markers: Library.Markers;
  }

  /** A chart of the dashboard, and what was drawn of it last: see `panels/market/charts.js`. */
  interface Pane {
    figure: HTMLElement;
    slot: Slots;
    book: Book;
    view: ChartView;
    bars: Bar[];
    prices?: Prices;
    drawn: {
      edition?: number;
      height?: number;
      about?: string;
      marks?: Mark[] | null;
      isOpenEnded?: boolean;
      lines?: string | null;
    };
  }
}
