// Everything that has to do with htmx's events stands here: the CSRF token, failed requests, secrets that must survive a swap.
// `post` is the same for plain fetches.

export function csrfToken() {
  const input = document.querySelector("input[name=csrfmiddlewaretoken]");
  return input ? input.value : "";
}

/** A short message at the corner of the page. `level`: error, warning or success. */
export function toast(text, level = "error") {
  const place = document.getElementById("toasts");
  if (!place) return;
  const notice = document.createElement("div");
  notice.className = `notice notice-${level}`;
  notice.textContent = text;
  place.append(notice);
  setTimeout(() => notice.remove(), 8000);
}

const WHY = {
  403: "This page is no longer valid (signed out in another tab?). Reload it; nothing was changed.",
  404: "This is not there any more. Reload the page.",
};

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  toast(WHY[status] ?? `The workbench answered with an error (${status}). Nothing was asked of the meter.`);
});
document.addEventListener("htmx:sendError", () => toast("The workbench did not answer. Is the network there? Try again."));
document.addEventListener("htmx:timeout", () => toast("The workbench took too long to answer. Try again."));

// The server never sends a secret back. What was typed stays in the browser over the exchange of its form.
const typed = new Map();
document.addEventListener("htmx:beforeSwap", (event) => {
  const sent = event.detail.requestConfig?.elt?.closest?.("form");
  // A sign-in page in place of a part: the session has ended.
  if (event.detail.xhr.responseURL?.includes("/accounts/login/")) {
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
  if (!sent) return;
  typed.clear();
  for (const input of sent.querySelectorAll("[data-secret]")) if (input.value) typed.set(input.id, input.value);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, value] of typed) {
    const input = document.getElementById(id);
    if (!input || input.value) continue;
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  typed.clear();
});
