// Light, dark or as the system says. Loaded before the first paint, so that nothing flashes.
(() => {
  "use strict";
  const KEY = "workbench.theme";
  const CHOICES = ["system", "light", "dark"];
  const root = document.documentElement;

  function stored() {
    try {
      const choice = localStorage.getItem(KEY);
      return CHOICES.includes(choice) ? choice : "system";
    } catch {
      return "system"; // storage is blocked: the system decides
    }
  }

  function apply(choice) {
    root.dataset.themeChoice = choice;
    if (choice === "system") {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.bsTheme = dark ? "dark" : "light";
    } else {
      root.dataset.bsTheme = choice;
    }
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.title = `Theme: ${choice}`;
      button.setAttribute("aria-label", `Theme: ${choice}`);
    }
    document.dispatchEvent(new CustomEvent("workbench:theme"));
  }

  apply(stored());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply(stored()));
  document.addEventListener("DOMContentLoaded", () => apply(stored()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = CHOICES[(CHOICES.indexOf(stored()) + 1) % CHOICES.length];
    try {
      localStorage.setItem(KEY, next);
    } catch {
      /* the choice lasts for this page */
    }
    apply(next);
  });
})();
