// @ts-check

/** The meters of the trader's firm, shown only while its rules are kept. */

import { firmPending, firmRows } from "../../reading/firm.js";
import { byId, copyOf, follow, mark, show, slots, write } from "../../ui/dom.js";

const root = byId("firm");
const name = byId("firm-name");
const meters = byId("firm-meters");
const later = byId("firm-pending");

/** @param {Page.State} state */
export function draw({ global: { firm } }) {
  show(root, firm !== null);
  if (firm === null) return;
  write(name, firm.name);
  follow(meters, firmRows(firm), {
    key: ({ key }) => key,
    make: () => copyOf("firm-meter"),
    fill: (row, { title, left, detail, used, tone }) => {
      const part = slots(row);
      mark(row, "data-tone", tone);
      write(part["firm-title"], title);
      write(part["firm-left"], left);
      write(part["firm-detail"], detail);
      mark(part["firm-meter"], "hidden", used === null); // an SVG has no property of that name
      mark(part["firm-meter"], "aria-label", used === null ? null : `${title}: ${Math.round(used)} % used`);
      mark(part["firm-fill"], "width", String(Math.round(used ?? 0)));
    },
  });
  const pending = firmPending(firm);
  show(later, pending !== null);
  write(later, pending ?? "");
}
