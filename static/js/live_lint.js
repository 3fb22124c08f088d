// The check of a draft while it is written: what stands in the forms goes to the desk, and each
// section shows what is said of it. Without this script the same is shown after saving.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-live-lint]");
  if (!box) return;
  const form = box.closest("form");
  const PAUSE = 900; // milliseconds without a key pressed
  let timer, asked = 0;

  function placeOf(name) {
    if (name === "top" || name === "title") return document.querySelector(`[data-findings="${name}"]`);
    const section = document.getElementById(name);
    return section && section.querySelector("[data-findings]");
  }

  async function check() {
    const number = ++asked;
    const answer = await fetch(box.dataset.liveLint, {method: "POST", body: new FormData(form)});
    if (!answer.ok || number !== asked) return;
    const {findings, blocking, summary} = await answer.json();
    for (const [name, html] of Object.entries(findings)) {
      const place = placeOf(name);
      if (place) place.innerHTML = html; // made and escaped by the desk's own templates
    }
    const line = box.querySelector("[data-blocking]");
    line.textContent = summary;
    line.className = blocking ? "errornote" : "help";
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => check().catch(() => {}), PAUSE);
  });
});
