// Chooses all that a list shows at once. Without this script each is ticked by hand.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const label of document.querySelectorAll("[data-choose-all]")) {
    const all = label.querySelector("input");
    const each = document.querySelectorAll(`input[name="${label.dataset.chooseAll}"]`);
    all.addEventListener("change", () => each.forEach(one => { one.checked = all.checked; }));
    label.hidden = false;
  }
});
