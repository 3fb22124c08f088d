// Ticks all rows of a list at once. Without this script a user ticks each row.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const label of document.querySelectorAll("[data-choose-all]")) {
    const all = label.querySelector("input");
    const each = document.querySelectorAll(`input[name="${label.dataset.chooseAll}"]`);
    all.addEventListener("change", () => each.forEach(one => { one.checked = all.checked; }));
    label.hidden = false;
  }
});
