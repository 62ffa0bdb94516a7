// The form for a meter: fields that do not matter for what is chosen are hidden, secrets show their exact octets.
// Without this file every field is there, and the server says which ones are missing.

function chosen(form, name) {
  const fields = form.querySelectorAll(`[name="${name}"]`);
  for (const field of fields) if (field.type !== "radio" || field.checked) return field.value;
  return "";
}

/** `kind=TCP`, `a=x y|b=z`: one of the values of one of the names. */
export function matters(form, when) {
  return when.split("|").some((part) => {
    const [name, values] = part.split("=");
    return values.split(" ").includes(chosen(form, name));
  });
}

export function applyConditions(form) {
  // What was refused stays in sight, whatever is chosen now.
  for (const field of form.querySelectorAll("[data-when]"))
    field.hidden = !matters(form, field.dataset.when) && !field.querySelector(".errors");
}

// -- octets ------------------------------------------------------------------------------------------------------------

function hexOctets(text) {
  const digits = text.replace(/[\s:-]/g, "").replace(/^0x/i, "");
  const strange = digits.match(/[^0-9a-f]/i);
  if (strange) return { error: `“${strange[0]}” is no hex digit` };
  if (digits.length % 2) return { error: `${digits.length} digits: one is missing or too many` };
  return { octets: digits.match(/../g) ?? [] };
}

function textOctets(text) {
  const strange = text.match(/[^\x00-\x7f]/);
  if (strange) return { error: `“${strange[0]}” is not ASCII: give it in hex` };
  return { octets: [...text].map((letter) => letter.charCodeAt(0).toString(16).padStart(2, "0")) };
}

function preview(form, output) {
  const input = document.getElementById(output.dataset.octetsOf);
  if (!input) return;
  const how = output.dataset.octetsAs;
  const written = how === "hex" ? "hex" : (document.getElementById(how)?.value ?? "text");
  const found = written === "hex" ? hexOctets(input.value) : textOctets(input.value);
  output.classList.toggle("bad", Boolean(found.error));
  if (found.error) output.textContent = found.error;
  else output.textContent = found.octets.length ? `${found.octets.join(" ")} · ${found.octets.length} octets` : "";
}

function refresh(form) {
  applyConditions(form);
  for (const output of form.querySelectorAll("[data-octets-of]")) preview(form, output);
}

function theForm() {
  return document.querySelector("[data-meter-form]");
}

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("[data-meter-form]");
    if (!form) return;
    // A serial line carries HDLC: the framing follows, the person can still look at it.
    const serial = kind === "change" && event.target.name === "kind" && ["SERIAL", "RFC2217"].includes(event.target.value);
    if (serial && form.elements.framing?.value === "WRAPPER") form.elements.framing.value = "HDLC";
    refresh(form);
  });
}
document.addEventListener("htmx:afterSettle", () => {
  const form = theForm();
  if (!form) return;
  refresh(form);
  document.getElementById("test-result")?.scrollIntoView({ block: "nearest" });
  const wrong = form.querySelector("[aria-invalid=true]");
  if (wrong && !form.querySelector("#test-result")) wrong.focus();
});
if (theForm()) {
  refresh(theForm());
  theForm().querySelector("[aria-invalid=true]")?.focus();
}
