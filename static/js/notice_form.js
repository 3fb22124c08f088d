// The form that drafts a notice: shows only the fields that matter for what is chosen, and whom the
// notice goes to. Without this script all fields are shown, and the saved draft says whom.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const place = document.querySelector("[data-audience]");
  if (!place) return;
  const form = place.closest("form");
  const ASKED = ["version", "kind", "topic", "channel", "audience", "batch", "follows"];
  const MATTERS = {
    topic: () => valueOf("kind") === "alert",
    batch: () => valueOf("audience") === "batch",
    follows: () => valueOf("audience") === "unreached",
    test_addresses: () => valueOf("audience") === "test" && valueOf("channel") !== "push",
    begins_at: () => valueOf("audience") !== "test",
    sending_plan: () => valueOf("channel") === "email",
  };
  let requests = 0;

  function valueOf(name) {
    return form.elements[name] ? form.elements[name].value : "";
  }

  function showWhatMatters() {
    for (const [name, matters] of Object.entries(MATTERS)) {
      const row = form.querySelector(`.field-${name}`);
      row.hidden = !matters();
      if (row.hidden) form.elements[name].value = ""; // the desk refuses it if it has a value
    }
  }

  async function count() {
    const number = ++requests;
    // The place keeps its height: if the page moved while a person presses "Save", the press is lost.
    place.style.minHeight = `${place.offsetHeight}px`;
    place.replaceChildren(); // the number of an earlier choice is not that of this one
    const query = new URLSearchParams(ASKED.map(name => [name, valueOf(name)]));
    const response = await fetch(`${place.dataset.audience}?${query}`, {mode: "same-origin"});
    if (!response.ok || response.redirected) return;
    const words = await response.text();
    await pointerUp();
    if (number === requests) place.innerHTML = words; // the desk's template rendered and escaped it
  }

  function renew() {
    showWhatMatters();
    count().catch(() => {});
  }

  form.addEventListener("change", event => {
    if (ASKED.includes(event.target.name)) renew();
  });
  renew();
});
