// The live lint: sends the forms of a draft to the desk while an editor types, and shows each
// finding at its section. Without this script the findings are shown after saving.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-live-lint]");
  if (!box) return;
  const form = box.closest("form");
  const PAUSE = 900; // milliseconds after the last input
  let timer, requests = 0;

  function placeOf(name) {
    if (name === "top" || name === "title") return document.querySelector(`[data-findings="${name}"]`);
    const section = document.getElementById(name);
    return section && section.querySelector("[data-findings]");
  }

  async function lint() {
    const number = ++requests;
    const response = await fetch(box.dataset.liveLint, {method: "POST", body: new FormData(form)});
    if (!response.ok) return;
    const {findings, blocking, summary} = await response.json();
    await pointerUp();
    if (number !== requests) return; // a later request is under way
    for (const [name, html] of Object.entries(findings)) {
      const place = placeOf(name);
      if (place) place.innerHTML = html; // the desk's templates rendered and escaped it
    }
    const line = box.querySelector("[data-blocking]");
    line.textContent = summary;
    line.className = blocking ? "errornote" : "help";
  }

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => lint().catch(() => {}), PAUSE);
  });
});
