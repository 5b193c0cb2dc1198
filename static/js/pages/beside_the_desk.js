// @ts-check

/** What the pages beside the desk share: their keys, and the way out of everything. */

import * as exitAll from "../panels/desk/exit_all.js";
import { PAGE_KEYS } from "../ui/page_keys.js";
import * as shortcuts from "../ui/shortcuts.js";

exitAll.start();
shortcuts.start([PAGE_KEYS]);
