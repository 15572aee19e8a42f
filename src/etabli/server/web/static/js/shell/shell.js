/** The frame of every page: sidebar, tooltips, palette and keys. */

import "../core/tooltip.js";
import "../core/shortcuts.js";
import "./sidebar.js";
