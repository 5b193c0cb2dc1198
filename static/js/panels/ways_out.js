/** Every rule that can end the trade, in the desk's order: what arms it, when it fires, where that is. */

import { averagePrice, points, price } from "../format.js";
import { pointsAway, targetPrice } from "./rail.js";

/** `{armed: [{name, when, where}], off: [names]}` of an open trade. */
export function waysOut(desk, asset, trade) {
  const all = rules(desk, asset, trade);
  return { armed: all.filter((way) => way.isArmed), off: all.filter((way) => !way.isArmed).map((way) => way.name) };
}

function rules(desk, asset, trade) {
  const opposite = trade.side === "BUY" ? "red" : "green";
  return [
    protectiveStop(asset, trade),
    { name: "Daily stop", isArmed: desk.daily_stop_enabled, when: `drawdown reaches ${desk.daily_stop_limit_pct} %` },
    { name: "Level", isArmed: true, when: "a TradingView level alert" },
    pointsTarget(asset, trade),
    { name: "Protect", isArmed: asset.protect_enabled, when: `open points ≤ ${points(asset.protect_threshold_points)}` },
    { name: "4pt invalidation", isArmed: asset.four_pt_invalidation_enabled, when: `a ${opposite} 4pt brick` },
    signalTarget(asset, opposite),
    { name: "6pt flip", isArmed: asset.main_flip_exit_enabled, when: `a ${opposite} 6pt brick` },
    { name: "8pt next bar", isArmed: asset.high_next_bar_exit_enabled, when: "the next 8pt brick" },
    { name: "Structure", isArmed: true, when: `a ${opposite} 8pt brick` },
  ];
}

function protectiveStop(asset, trade) {
  const at = averagePrice(trade.stop_price, asset.tick_size);
  return { name: "Stop at the broker", isArmed: true, when: `price reaches ${at}`, where: pointsAway(asset, trade.stop_price) };
}

function signalTarget(asset, opposite) {
  return {
    name: "Signal take-profit",
    isArmed: asset.tp_armed,
    when: `${asset.tp_target} ${opposite} 6pt bricks`,
    where: `${asset.tp_count} of ${asset.tp_target} counted`,
  };
}

function pointsTarget(asset, trade) {
  const at = targetPrice(asset, trade);
  return {
    name: "Points target",
    isArmed: asset.points_tp_enabled,
    when: `+${points(asset.points_tp_target)} pt, ${price(at, asset.tick_size)}`,
    where: pointsAway(asset, at),
  };
}
