// Keeps what a visitor typed and did not send while they change the language of the page, in all
// forms of the page. Nothing leaves the tab: the text is stored for the next page only, and for a
// minute at most. Without this script the switch posts one form; see foundations/language_switch.py.
"use strict";

(() => {
  const KEY = "typed", MOST_MILLISECONDS = 60_000;
  const KEPT = "main :is(input:not([type=hidden], [type=password], [type=file]), textarea, select)";
  const withoutLanguage = path => path.replace(/^\/[^/]+/, "");
  // The same field in each language: its form's action, its name, and its place among its namesakes.
  const fields = () => {
    const seen = {};
    return [...document.querySelectorAll(KEPT)].filter(field => field.name && field.form).map(field => {
      const name = `${withoutLanguage(new URL(field.form.action).pathname)} ${field.name}`;
      seen[name] = (seen[name] ?? -1) + 1;
      return [`${name} ${seen[name]}`, field];
    });
  };
  const isTicked = field => field.type === "checkbox" || field.type === "radio";
  const valueOf = field => isTicked(field) ? field.checked : field.value;

  function keep() {
    const values = Object.fromEntries(fields().map(([name, field]) => [name, valueOf(field)]));
    sessionStorage.setItem(KEY, JSON.stringify({at: Date.now(), values}));
  }

  function restore() {
    const stored = sessionStorage.getItem(KEY);
    if (!stored) return;
    sessionStorage.removeItem(KEY);
    const {at, values} = JSON.parse(stored);
    if (Date.now() - at > MOST_MILLISECONDS) return;
    for (const [name, field] of fields()) {
      if (!(name in values) || valueOf(field) === values[name]) continue;
      if (isTicked(field)) field.checked = values[name];
      else field.value = values[name];
      for (let box = field.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    }
  }

  function go(event) {
    keep();
    const button = event.currentTarget;
    if (button.name !== "to_language") return; // a form is posted again, for its answer
    event.preventDefault();
    const page = new URL(button.formAction);
    const choice = new URLSearchParams({language: button.value, next: page.pathname + page.search});
    location.assign(`${button.closest(".languages").dataset.switch}?${choice}`);
  }

  document.addEventListener("DOMContentLoaded", () => {
    restore();
    for (const link of document.querySelectorAll(".languages a")) link.addEventListener("click", keep);
    for (const button of document.querySelectorAll(".languages button")) button.addEventListener("click", go);
  });
})();
