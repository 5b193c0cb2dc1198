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

  /** What a mark can stand on: its number on the axis, and the instant that it reaches to. */
  interface Closing {
    n: number;
    ts: Instant;
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
    kind: "average" | "stop" | "target" | "protect" | "exit" | "next-stop" | "next-target" | "usual" | "usual-half";
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

  /** The usual range behind the bars, as pairs of prices: see `charts/band_shade.js`. */
  interface Shade {
    bands: number[][];
    color: string;
    redraw: () => void;
  }

  /** One chart: see `charts/renko_chart.js`. */
  interface ChartView extends Axes {
    element: HTMLElement;
    colors: Colors;
    isBig: boolean;
    priceLines: Library.PriceLine[];
    shade: Shade;
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

  /** A candle as the page holds it; `at` is its start in epoch milliseconds. */
  interface Candle {
    at: number;
    open: number;
    high: number;
    low: number;
    close: number;
    volume: number | null;
    isComplete: boolean;
    source: string;
  }

  /** From when until when there are no prices, epoch milliseconds. */
  interface Hole {
    from: number;
    to: number;
  }

  /** A place on the axis of a candle chart: a candle, or an empty one within a hole. */
  interface Place {
    time: number;
    at: number;
    candle: Candle | null;
    hole: Hole | null;
  }

  /** Why there was no answer; status 0 when nobody answered. */
  interface Trouble {
    status: number;
    code: string;
    sentence: string;
    againS?: number;
  }

  /** An answer, or why there is none; neither before the first one. */
  interface Told<T> {
    answer: T | null;
    trouble: Trouble | null;
  }

  /** What the advisor says of one asset and timeframe: see `desk/forecasts.js`. */
  interface Forecasts {
    asset: string;
    timeframe: string;
    range: Told<Wire.RangeBands>;
    signals: Told<Wire.ActiveSignals>;
    phase: Told<Wire.AmdAnswer>;
  }

  /** What a streamed answer consists of. */
  type ChatEvent =
    | { type: "token"; text: string }
    | { type: "tool_call"; tool: Wire.ToolCall["tool"]; arguments: Wire.ToolCall["arguments"] }
    | { type: "tool_result"; result: Wire.ToolResult }
    | ({ type: "done" } & Wire.ChatAnswer)
    | { type: "error"; error: string; detail: string; conversation_id?: string };

  /** Why a model's words were dropped: a code of the wire. */
  type WhyReplaced = NonNullable<Wire.ChatAnswer["why"]>;

  /** A question to the agent and what was heard of its answer: see `reading/chat.js`. */
  interface Turn {
    asked: string;
    said: string;
    results: Wire.ToolResult[];
    source: string | null;
    isReplaced: boolean;
    why: WhyReplaced | null;
    /** The desk's own words beside a model's; empty where the answer itself is the desk's. */
    facts: string;
    trouble: string;
    isOver: boolean;
  }

  interface Candles {
    asset: string;
    timeframe: string;
    candles: Candle[];
    isSimulated: boolean;
  }

  /** The candles of one asset and timeframe: see `charts/candle_book.js`. */
  interface CandleBook extends Candles {
    before: Instant | null;
    trouble: Trouble | null;
    edition: number;
    tries: number;
    minute: number;
    askedAt: number;
    isRead: boolean;
    isReading: boolean;
    isClosed: boolean;
    isOutdated: boolean;
    whenChanged: () => void;
    timer?: ReturnType<typeof setTimeout>;
  }

  /** The candle chart: see `charts/candle_chart.js`. */
  interface CandleView {
    view: ChartView;
    timeframe: string;
    places: Place[];
    byTime: Map<number, Place>;
  }
}
