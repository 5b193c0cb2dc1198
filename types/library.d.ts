/** Types of the charts' library that the page's modules name. Read by the type checker alone. */
declare namespace Library {
  type AutoscaleInfo = import("lightweight-charts").AutoscaleInfo;
  type CandlestickData = import("lightweight-charts").CandlestickData;
  type BitmapScope = import("fancy-canvas").BitmapCoordinatesRenderingScope;
  type Chart = import("lightweight-charts").IChartApi;
  type ColorType = import("lightweight-charts").ColorType;
  type DrawTarget = import("fancy-canvas").CanvasRenderingTarget2D;
  type LineStyle = import("lightweight-charts").LineStyle;
  type Markers = import("lightweight-charts").ISeriesMarkersPluginApi<Time>;
  type MarkerShape = import("lightweight-charts").SeriesMarkerShape;
  type Module = typeof import("lightweight-charts");
  type PriceLine = import("lightweight-charts").IPriceLine;
  type Series = import("lightweight-charts").ISeriesApi<"Candlestick">;
  type Time = import("lightweight-charts").Time;
  type TimeScaleOptions = import("lightweight-charts").TimeScaleOptions;
}
