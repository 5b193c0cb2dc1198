import assert from "node:assert/strict";
import { test } from "node:test";

import { isSilent } from "../../../static/js/reading/bridge.js";
import { gate, NOW, state } from "../documents.js";

const HEARD = Date.parse(NOW);

test("the bridge is silent at the gate's limit, not before", () => {
  assert.equal(isSilent(state(), HEARD + 29_999), false);
  assert.equal(isSilent(state(), HEARD + 30_000), true);
});

test("one that was never heard is silent", () => {
  assert.equal(isSilent(state({ desk: { rithmic_last_ts: null } }), HEARD), true);
});

test("one that is heard but sends no heartbeats is silent by its gate", () => {
  const refused = state({ es: { ladder: [gate({ gate: "bridge", code: "bridge_silent" })] } });
  assert.equal(isSilent(refused, HEARD), true);
});

test("another reason of the bridge's gate is no silence", () => {
  const refused = state({ es: { ladder: [gate({ gate: "bridge", code: "bridge_offline" })] } });
  assert.equal(isSilent(refused, HEARD), false);
});
