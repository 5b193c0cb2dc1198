/** What the pages beside the desk share: their keys. */

import { PAGE_KEYS } from "./page_keys.js";
import * as shortcuts from "./shortcuts.js";

shortcuts.start([PAGE_KEYS]);
