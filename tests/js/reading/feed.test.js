import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  brickWords,
  feedFact,
  recoveryWords,
  rollIsNear,
  rollWords,
  sourceWords,
  streamWords,
  verdictOf,
  verdictWords,
} from "../../../static/js/reading/feed.js";
import { asset, chain, feed, NOW } from "../documents.js";
import { event } from "../events.js";

const SIZES = { main: "6", high: "8", macro: "12" };
const FOUND = "2031-01-06T14:59:30Z";
/** So many seconds after NOW. */
const later = (seconds) => Date.parse(NOW) + seconds * 1000;
const silent = { kind: "silent", size: null, since: FOUND, sentence: "STREAM SILENT — no bar of ES is heard" };

describe("the feed in a line", () => {
  test("says where the bricks come from and when anything was heard", () => {
    assert.equal(sourceWords(asset(), later(27)), "bars of 15 s, the last ended 12 s ago");
    assert.equal(
      sourceWords(asset({ feed: feed({ source: "1" }) }), later(50)),
      "bars of 1 min, the last ended 0 s ago",
    );
    assert.equal(sourceWords(asset({ feed: feed({ source: null }) }), later(0)), "nothing heard yet");
  });

  test("prices that come another way make it no younger", () => {
    const heard = asset({ last_heartbeat_ts: new Date(later(3600)).toISOString() });
    assert.equal(sourceWords(heard, later(3600)), "bars of 15 s, the last ended 59 min ago");
  });

  test("tells of ticks and single alerts when the last brick came", () => {
    const ticks = feed({ source: "ticks", newest_bar: null });
    assert.equal(sourceWords(asset({ feed: ticks }), later(0)), "ticks of the bridge");
    const bricks = { renko_ts: FOUND, one_renko_ts: NOW };
    assert.equal(
      sourceWords(asset({ feed: ticks, ...bricks }), later(5)),
      "ticks of the bridge, the last brick 5 s ago",
    );
  });

  test("says whether it closes entries", () => {
    assert.equal(verdictWords(feed(), "DEMO", later(0)), "Whole");
    assert.equal(verdictWords(feed({ whole: false, faults: [silent] }), "LIVE", later(0)), "Closes entries");
    assert.equal(verdictWords(feed({ source: null }), "DEMO", later(0)), "Waiting");
    assert.equal(feedFact(feed(), later(0)), "bars of 15 s");
  });

  test("bars that no longer come are not called whole, though nothing is closed in DEMO", () => {
    assert.equal(verdictOf(feed(), later(194)), "whole");
    assert.equal(verdictOf(feed(), later(195)), "silent");
    assert.equal(verdictOf(feed({ source: "1" }), later(359)), "whole");
    assert.equal(verdictOf(feed({ source: "1" }), later(360)), "silent");
    assert.equal(verdictWords(feed(), "DEMO", later(1000)), "Open, though silent: closes nothing in DEMO");
    assert.equal(verdictWords(feed(), "LIVE", later(1000)), "Open, though silent");
    assert.equal(feedFact(feed(), later(1000)), "not heard for 16 min");
  });

  test("a feed of which no size is judged is not called whole", () => {
    const streams = [chain(6, { state: "unknown" }), chain(8, { state: "stale" })];
    const single = feed({ source: "single", newest_bar: null, streams });
    assert.equal(verdictWords(single, "LIVE", later(0)), "Not judged");
    assert.equal(feedFact(single, later(0)), "not judged");
    assert.equal(verdictOf({ ...single, streams: [...streams, chain(12)] }, later(0)), "whole");
  });
});

describe("one size", () => {
  test("shows its last brick with both ends, and no ends where none are known", () => {
    assert.equal(brickWords(chain(6), 0.25), "▲ G 5,250.00 to 5,256.00");
    assert.equal(brickWords(chain(6, { color: "red", lo: null, hi: null }), 0.25), "▼ R");
    assert.equal(brickWords(chain(6, { color: "neutral", lo: 5250, hi: 5250 }), 0.25), "none yet");
  });

  test("says since when bricks may be missing, and how many make it certain", () => {
    assert.equal(streamWords(chain(6)), "whole");
    assert.equal(streamWords(chain(6, { state: "gapped", since: FOUND })), "bricks may be missing, since 09:59:30");
    assert.equal(streamWords(chain(6, { state: "unsettled", to_settle: 2 })), "certain after 2 more");
  });
});

describe("how it recovered", () => {
  const ended = (id, data, ts = "2031-01-06T15:00:00Z") =>
    event(id, "FeedFaultEnded", { asset: "ES", kind: "broken_chain", how: "continued", ...data }, { ts });

  test("names the sizes that became whole together, and by what", () => {
    const words = recoveryWords(
      [ended(1, { stream: "main" }, FOUND), ended(2, { stream: "high" }), ended(3, { stream: "macro" })],
      SIZES,
    );
    const what = "a brick did not continue the one before, then the next message agreed";
    assert.equal(words, `8pt, 12pt whole again at 10:00:00: ${what}.`);
  });

  test("does not call whole what is only judged no longer", () => {
    const words = (how) => recoveryWords([ended(1, { how })], SIZES);
    for (const how of ["unjudged", "not_live", "aged", "other_source"]) {
      assert.match(words(how), /^no longer judged at 10:00:00: /);
    }
    for (const how of ["continued", "heard", "on_time", "own_contract", "settled", "confirmed"]) {
      assert.match(words(how), /^whole again at 10:00:00: /);
    }
  });

  test("names no size that ended another way at the same time", () => {
    const both = [ended(1, { stream: "main" }), ended(2, { stream: "high", how: "aged" })];
    assert.match(recoveryWords(both, SIZES), /^8pt no longer judged/);
  });

  test("says nothing when nothing ended", () => {
    assert.equal(recoveryWords([], SIZES), "");
  });
});

describe("the roll", () => {
  const roll = (days) => ({
    ...{ contract: "MESZ6", rolls_on: "2026-12-14", days },
    ...{ last_trade: "2026-12-18T14:30:00Z", next_contract: "MESH7" },
  });

  test("is said with its day and the days until then", () => {
    assert.equal(rollWords(roll(14)), "MESZ6 rolls on Mon 14 Dec, in 14 days");
    assert.equal(rollWords(roll(1)), "MESZ6 rolls on Mon 14 Dec, in 1 day");
    assert.equal(rollWords(roll(0)), "MESZ6 rolls today to MESH7");
    assert.equal(rollWords(roll(-2)), "MESZ6 rolled on Mon 14 Dec to MESH7");
    assert.equal(rollWords(null), "");
  });

  test("is near three days before", () => {
    assert.deepEqual(
      [4, 3, 0, -1].map((days) => rollIsNear(roll(days))),
      [false, true, true, true],
    );
    assert.equal(rollIsNear(null), false);
  });
});
