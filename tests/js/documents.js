// @ts-check

/** State documents for the tests: a quiet desk that trades ES, and what a story changes of it. */

export const NOW = "2031-01-06T15:00:00Z"; // 10:00:00 in New York

/**
 * One gate, closed unless a story says otherwise.
 *
 * @param {Partial<Wire.Rung>} more
 * @returns {Wire.Rung}
 */
export function gate(more) {
  return {
    gate: "tempo",
    state: "closed",
    sentence: null,
    reopens_at: null,
    retry_after_s: null,
    reopens: null,
    binds: ["market"],
    ...{ code: null, title: null, detail: null, facts: {} },
    ...more,
  };
}

/**
 * ES, flat, with every gate open.
 *
 * @param {Partial<Wire.AssetState>} more
 * @returns {Wire.AssetState}
 */
export function asset(more = {}) {
  return {
    ...{ symbol: "ES", contract: "MESH1", exchange: "CME", tick_size: 0.25, point_size: 1, point_value: 5 },
    ...{ roll: null, session_open: null, session_opens_ts: null, session_closes_ts: null },
    ...{
      position: 0,
      avg_price: null,
      pnl: null,
      rithmic_open_points: null,
      last_price: null,
      suspect_price: null,
      price_ts: null,
    },
    ...{ last_heartbeat_ts: null, heartbeat_flagged: false, simulated: true },
    ...{ pending_order_id: null, pending_kind: null, pending_side: null, pending_qty: null },
    ...{ pending_status: null, pending_source: null },
    ...{ one_renko_color: "neutral", one_renko_ts: null, two_half_renko_color: "neutral", two_half_renko_ts: null },
    ...{ renko_color: "neutral", renko_ts: null, main_renko_color: "neutral", main_renko_ts: null },
    ...{ high_renko_color: "neutral", high_renko_ts: null, macro_renko_color: "neutral", macro_renko_ts: null },
    ...{ one_renko_stale: false, two_half_renko_stale: false, renko_stale: false },
    ...{ main_renko_stale: false, high_renko_stale: false, macro_renko_stale: false },
    ...{ zone_type: "NONE", zone_direction: null, conflict_mode: false },
    ...{ tempo_ready: false, tempo_color: "neutral", tempo_ts: null, tempo_age_s: null },
    ...{ trade_mode: null, exit_mode: null, entry_zone: null, initial_exit_lock_active: false },
    initial_exit_lock_expires_ts: null,
    ...{ two_half_tp_lock_enabled: false, points_tp_enabled: false, points_tp_target: null },
    ...{ protect_enabled: false, protect_threshold_points: null, tp_armed: false, tp_target: null, tp_count: 0 },
    ...{ high_next_bar_exit_enabled: false, high_next_bar_exit_allowed: true, next_bar_exit_allowed: true },
    ...{ main_flip_exit_enabled: false, four_pt_invalidation_enabled: false, auto_exit_renko: "6pt" },
    ...{
      scale_in_available: false,
      scale_in_unlocked: false,
      scale_in_used: false,
      stop_loss_price: null,
      daily_stop_price: null,
      day_result_usd: 0,
      stop_resting: null,
      resting_stop: null,
    },
    ...{ intent_active: false, intent_status: "NONE" },
    ...{ preorder_active: false, preorder_direction: null, preorder_status: "NONE", preorder_reason: null },
    preorder_ends_ts: null,
    preorder_refusal: null,
    proposal: null,
    ...{ trade: null, due_exit: null, disagreement: null, doubt: null, words_awaited: [], first_closed_gate: null },
    ...{ may_enter: [], locks: [], ladder: [], feed: feed(), risk: assetRisk() },
    ...more,
  };
}

/**
 * What entries of ES risk: 5 or 3 micros at 12 points, and 1,000 USD left of the day.
 *
 * @param {Partial<Wire.AssetRisk>} more
 * @returns {Wire.AssetRisk}
 */
export function assetRisk(more = {}) {
  const sizes = {
    "6pt": orderRisk(),
    "9pt": orderRisk({ quantity: 3, risk_usd: 180, share_of_left_pct: 18, fits: 3 }),
  };
  return { ...{ sizes, scale_in: null, open_usd: 0, contracts: 0, max_contracts: null }, ...more };
}

/**
 * An entry of 5 micros that fits.
 *
 * @param {Partial<Wire.OrderRisk>} more
 * @returns {Wire.OrderRisk}
 */
export function orderRisk(more = {}) {
  return {
    ...{ quantity: 5, stop: { points: 12, price: 12, usd: 300 }, commission_usd: 0, risk_usd: 300 },
    ...{ share_of_left_pct: 30, fits: 5, gate: gate({ gate: "risk", state: "open", binds: ["market", "scale_in"] }) },
    ...more,
  };
}

/**
 * What is left of a day of 50,000 USD: all of its 2 %.
 *
 * @param {Partial<Wire.DeskRisk>} more
 * @returns {Wire.DeskRisk}
 */
export function deskRisk(more = {}) {
  return {
    ...{ start_equity_usd: 50_000, limit_usd: 1000, left_usd: 1000, left_by: "day", open_risk_usd: 0 },
    ...{ per_order_usd: 750, contracts: 0, max_contracts: null, correlated: 0, max_correlated: null },
    ...more,
  };
}

/**
 * A feed of bars of 15 s whose six chains are whole.
 *
 * @param {Partial<Wire.FeedState>} more
 * @returns {Wire.FeedState}
 */
export function feed(more = {}) {
  const streams = [1, 2.5, 4, 6, 8, 12].map((size) => chain(size));
  return { ...{ source: "15S", newest_bar: NOW, behind_s: 0, whole: true, streams, faults: [] }, ...more };
}

/**
 * One size of it.
 *
 * @param {number} size
 * @param {Partial<Wire.StreamFeedState>} more
 * @returns {Wire.StreamFeedState}
 */
export function chain(size, more = {}) {
  return { ...{ size, color: "green", lo: 5250, hi: 5250 + size, state: "whole", since: null, to_settle: 0 }, ...more };
}

/**
 * The desk in DEMO, as the writer, at the beginning of its day.
 *
 * @param {Partial<Wire.GlobalState>} more
 * @returns {Wire.GlobalState}
 */
export function desk(more = {}) {
  return {
    ...{ env: "DEMO", store: "up", role: "writer", writer: "a", simulated: true },
    account_belief: {
      ...{ balance_ts: null, name: null, suspect: null, suspect_balance: null, suspect_account: null },
      ...{ unexplained_usd: null, suspect_since: null, assumed_start_equity: null, result_by_balance_usd: null },
      ...{ result_by_broker_usd: null, result_by_books_usd: 0 },
      ...{ second_reading_awaited_ts: null, second_reading_loss_usd: null },
    },
    ...{ equity: null, open_pnl: null, realized_pnl: null, snapshot_ts: null, account: null, trade_route: null },
    ...{ connected: true, connected_count: 1, connected_expected: 1, tradingview_connected: true },
    ...{ rithmic_connected: true, rithmic_last_ts: NOW, ts_connected: true, md_connected: true },
    ...{ five_min_trade_lock_active: false, five_min_trade_lock_remaining_s: 0, five_min_trade_lock_expires_ts: null },
    ...{ post_exit_lock_active: false, post_exit_lock_remaining_s: 0, post_exit_lock_expires_ts: null },
    candle: { started_at: NOW, ends_at: "2031-01-06T15:05:00Z", seconds: 300 },
    ...{ trading_day: "2031-01-06", day_ends_ts: "2031-01-06T23:00:00Z" },
    ...{ daily_stop_enabled: true, daily_stop_limit_pct: 2, daily_stop_triggered: false },
    ...{ daily_stop_triggered_reason: null, daily_stop_warned_pct: 0 },
    ...{ daily_start_equity: null, daily_pnl_usd: null, daily_pnl_pct: null },
    ...{ max_trades_per_day: 10, trades_taken_today: 0, trades_remaining_today: 10, last_try_ts: null },
    ...{ overrides_taken_today: 0, overrides_left_today: 2, store_doubt: null, contracts_pending: {} },
    ...{ low_liquidity_today: false, low_liquidity_reason: null },
    bridge_fence: { holder: null, holder_ts: null, refused: null },
    foreign_positions: [],
    firm: null,
    limits: limits(),
    risk: deskRisk(),
    ...{ limits_pending: {}, limits_pending_from: {}, window: tradingWindow() },
    ...more,
  };
}

/**
 * A window that nothing closes.
 *
 * @param {Partial<Wire.WindowState>} more
 * @returns {Wire.WindowState}
 */
export function tradingWindow(more = {}) {
  return {
    ...{ lockout_until: null, lockout_ends_ts: null, flat_by_ts: null, flat_until_ts: null, flat_by_remaining_s: null },
    ...{ week_began_ts: "2031-01-05T23:00:00Z", week_net_usd: 0, week_left_usd: null, trades_this_week: 0 },
    ...{ day_best_usd: 0, losses_in_a_row: 0, news_title: null, news_from_ts: null, news_until_ts: null },
    news_fault: null,
    ...more,
  };
}

/** @returns {Wire.LimitsState} */
function limits() {
  return {
    ...{ cooldown_seconds: 180, candle_seconds: 300, entry_ttl_seconds: 60 },
    ...{ initial_lock_seconds: 600, preorder_seconds: 1800, overrides_per_day: 2 },
    ...{ fate_seconds: 60, exit_beside_seconds: 5, brick_max_age_hours: 23 },
    ...{ heartbeat_max_age_seconds: 120, bridge_max_age_seconds: 30, max_trades_per_day: 10, daily_stop_limit_pct: 2 },
    ...{ entry_qty_6pt: 5, entry_qty_9pt: 3, scale_in_qty: 2, stop_points: 12, points_tp_target: 12 },
    ...{ max_risk_per_order_pct: 1.5, max_contracts: null, max_contracts_correlated: null },
    ...{ two_half_filter: true, demo_equity: 50000, old_bridge_live: false, adopt: "keep", day_roll: "18:00" },
    firm_buffer_pct: 5,
    ...{ trading_hours: null, no_entry_after_open: null, no_entry_before_close: null, flat_by: null },
    ...{ loss_streak: null, loss_pause_minutes: 60, cooldown_after_loss: null, weekly_loss_pct: null },
    ...{ weekly_loss_usd: null, max_trades_per_week: null, give_back_usd: null, profit_lock_usd: null },
    commissions: {},
  };
}

/**
 * The whole document; `es` and `global` are what a story changes of the asset and of the desk.
 *
 * @param {Partial<Wire.StateDocument> & {es?: Partial<Wire.AssetState>, desk?: Partial<Wire.GlobalState>}} more
 * @returns {Wire.StateDocument}
 */
export function state({ es = {}, desk: ofDesk = {}, ...more } = {}) {
  return {
    ...{ version: 1, now: NOW, global: desk(ofDesk), assets: { ES: asset(es) } },
    ...{ orders: [], history: [], logs: { tradingview: [], rithmic: [] }, level_exit_ts: {}, alerts: [] },
    ...more,
  };
}

/**
 * An alert of ES that is not over.
 *
 * @param {Partial<Wire.AlertRow>} more
 * @returns {Wire.AlertRow}
 */
export function alert(more) {
  return {
    ...{ at: NOW, code: "bridge_silent", level: "critical", sentence: "BRIDGE SILENT", asset: "ES" },
    ...{ title: "BRIDGE SILENT", detail: "", facts: {} },
    ...{ over: false, over_at: null },
    ...more,
  };
}

/**
 * Long 5 at 5,250.25, opened a minute before NOW.
 *
 * @param {Partial<Wire.TradeState>} more
 * @returns {Wire.TradeState}
 */
export function trade(more = {}) {
  return {
    ...{ id: "t1", side: "BUY", contract: "MESH1", quantity: 5, entry_price: 5250.25 },
    ...{ opened_at: "2031-01-06T14:59:00Z", mode: "SCALP", zone: "NORMAL", override: false },
    ...{ open_points: null, mae_points: null, mfe_points: null, stop_points: 12, stop_price: 5238.25 },
    ...{ stop: { points: 12, price: 12, usd: 300 }, target: null, protect: null },
    ...more,
  };
}

/**
 * A trade that is over: short 5, 1.5 points lost, closed by hand.
 *
 * @param {Partial<Wire.TradeRow>} more
 * @returns {Wire.TradeRow}
 */
export function closedTrade(more = {}) {
  return {
    ...{ id: "t1", asset: "ES", contract: "MESH1", side: "SELL", size: 5, entry_price: 5250, exit_price: 5251.5 },
    ...{ entry_ts: "2031-01-06T14:50:00Z", exit_ts: NOW, pnl_points: -1.5, point_size: 1, pnl_usd: -37.5 },
    ...{ commission_usd: null, commission_known: false, pnl_net_usd: null, risk_usd: null, r: null },
    ...{ mae_usd: null, mfe_usd: null },
    ...{ mae_points: -1.5, mfe_points: 0.5, mode: "SCALP", zone: "NORMAL" },
    ...{ reason: "manual", env: "DEMO", override: false, forced_exit: false, exit_by: null, estimated: false },
    ...more,
  };
}

/**
 * An entry of five that no bridge has claimed.
 *
 * @param {Partial<Wire.OrderRow>} more
 * @returns {Wire.OrderRow}
 */
export function order(more = {}) {
  return {
    ...{ id: "o1", asset: "ES", symbol: "MESH1", exchange: "CME", side: "BUY", qty: 5, kind: "ENTRY" },
    ...{ status: "PENDING", source: "manual", mode: "SCALP", env: "DEMO", filled_qty: 0, created_at: NOW },
    ...{ expires_at: null, owner: null, reason: null },
    ...{ claimed_at: null, reported_at: null, fate_unknown_at: null, proposal: null, by: null },
    ...more,
  };
}

/**
 * A proposal to buy 5 at 5,250.25, by a program beside the desk; the desk's own stop is 12 points away.
 *
 * @param {Partial<Wire.ProposalRow>} more
 * @returns {Wire.ProposalRow}
 */
export function proposal(more = {}) {
  return {
    ...{ id: "p1", asset: "ES", direction: "BUY", entry: 5250.25, stop: 5240.25, target: 5270.25, contract: "MESH1" },
    ...{ quantity: 5, stop_points: 10, risk_usd: 250, desk_stop_points: 12, desk_risk_usd: 300 },
    ...{ valid_until: "2031-01-06T15:10:00Z", source: "auto", reason: "range break", status: "OPEN", created_at: NOW },
    ...{ env: "DEMO", proposer: "service", ended_at: null, gate: null, order_id: null, why: null },
    ...more,
  };
}

/**
 * Auto-trade on paper: two trades today, 24 that count.
 *
 * @param {Partial<Wire.AutoStatus>} more
 * @returns {Wire.AutoStatus}
 */
export function autoStatus(more = {}) {
  const own = { mean: 0.12, low: -0.31, high: 0.55 };
  return {
    ...{ enabled: true, mode: "paper", trades_today: 2, timeframe: "15m", rr_config: "rr_2_1", awaiting: 0 },
    last_decision: {
      ...{ symbol: "ES", action: "BUY", timestamp: "2031-01-06T14:45:00Z", reasoning: "the model gives it 0.4" },
      ...{ id: "d1", result: "blocked", blocked_by: "candle_lock" },
    },
    config: {
      ...{ enabled: true, symbols: ["ES"], max_risk_per_trade: 0.01, max_daily_trades: 5, min_confidence: 0.6 },
      ...{ paper_trading: true, require_confirmation: false },
    },
    results: {
      ...{ n: 24, won: 9, lost: 13, timed_out: 2, not_counted: 3, open: 1, r: own },
      always_flat: { mean: 0, better_by: own },
      coin_flip: { mean: -0.05, better_by: { mean: 0.17, low: 0.02, high: 0.32 } },
    },
    ...more,
  };
}
