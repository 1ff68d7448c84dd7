// Before anything is drawn: the colours that were chosen last time. It is no module, because modules come too late for that.
"use strict";
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark")
    document.documentElement.dataset.theme = chosen;
} catch {
  // Storage is switched off: the system's colours will do.
}
