// The search in "my data": shows the lines of a part that hold each typed word, as the page shows
// them, masked or not. What is typed stays in the page: a field without a name is sent nowhere, and
// keep_typed.js does not keep it. Without this script there is no field.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const LINES = ".values > li, .place", HOLDERS = ".group, .group details, .group ul, .facts > div";
  const PAUSE = 400; // milliseconds after the last key, so that a screen reader reads one count

  // One spelling for letters of any width, case and composition; spaces, commas, hyphens and marks are
  // left out. Korean is in single letters, so that a syllable that is still being typed finds its word.
  const folded = text => text.normalize("NFKD").toLowerCase().replace(/[\s,.\p{Pd}\p{Cf}\p{M}]/gu, "");

  // The text of a line with the name of its kind of data, without the count in that name.
  function textOf(line) {
    const kind = line.matches(".place") ? null : line.closest(".facts > div, .group > details");
    const name = kind ? kind.firstElementChild.textContent.replace(/\p{Nd}/gu, "") : "";
    return folded(name + line.textContent);
  }

  function begin(box) {
    const part = box.parentElement, input = box.querySelector("input");
    const said = box.querySelector("[role=status]");
    const lines = [...part.querySelectorAll(LINES)];
    const holders = [...part.querySelectorAll(HOLDERS)].map(holder => [holder, [...holder.querySelectorAll(LINES)]]);
    let texts, wereOpen, timer;

    function find() {
      const words = input.value.split(/\s/).map(folded).filter(Boolean);
      texts ??= lines.map(textOf);
      lines.forEach((line, at) => { line.hidden = !words.every(word => texts[at].includes(word)); });
      for (const [holder, inside] of holders) holder.hidden = inside.every(line => line.hidden);
      openLists(words.length > 0);
      clearTimeout(timer);
      timer = setTimeout(say, PAUSE, words.length > 0);
    }

    // Opens the lists with what was found. An empty field leaves them as they were before.
    function openLists(isSearching) {
      const lists = holders.map(([holder]) => holder).filter(holder => holder.tagName === "DETAILS");
      if (isSearching) wereOpen ??= lists.map(list => list.open);
      lists.forEach((list, at) => { if (wereOpen) list.open = isSearching || wereOpen[at]; });
      if (!isSearching) wereOpen = null;
    }

    function say(isSearching) {
      const format = new Intl.NumberFormat(document.documentElement.lang).format;
      const found = lines.filter(line => !line.hidden).length;
      const text = box.dataset.found.replace("{found}", format(found)).replace("{total}", format(lines.length));
      said.textContent = isSearching ? text : "";
    }

    input.addEventListener("input", find);
    input.addEventListener("keydown", event => {
      if (event.key !== "Escape" || event.isComposing) return;
      input.value = "";
      find();
    });
    box.hidden = false;
  }

  document.querySelectorAll("[data-found]").forEach(begin);
});
