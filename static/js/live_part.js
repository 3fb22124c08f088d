// Renews #live-part, the part of a page that moves: reads it every data-seconds (5) from the URL in
// data-live and changes only what differs, so that focus and scroll position stay. It ends once the
// part that comes has no such URL. When the page leads elsewhere, such as to the sign-in, it reloads.
// The URL may be that of the page itself: the header keeps the messages to the person for a page
// that is shown (admin/base_site.html). Without this script the page reloads as a whole.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  let part = document.querySelector("[data-live]");

  // What a form or link does: where it leads, and with which hidden values. "" for other elements.
  function actOf(element) {
    if (element.nodeName === "A") return element.getAttribute("href");
    if (element.nodeName !== "FORM") return "";
    const hidden = element.querySelectorAll("input[type=hidden]:not([name=csrfmiddlewaretoken])");
    return [element.getAttribute("action"), ...[...hidden].map(each => each.value)].join(" ");
  }

  // Makes `old` like `fresh`. An element that does another thing or has another number of children is
  // replaced: a button that has the focus must not become one that does something else.
  function renew(old, fresh) {
    const before = [...old.childNodes], after = [...fresh.childNodes];
    const isOther = old.nodeName !== fresh.nodeName || actOf(old) !== actOf(fresh);
    if (isOther || before.length !== after.length) {
      old.replaceWith(fresh);
      return fresh;
    }
    if (old.nodeType === Node.TEXT_NODE && old.data !== fresh.data) old.data = fresh.data;
    for (const {name} of [...(old.attributes || [])]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name); // opened by hand
    }
    for (const {name, value} of fresh.attributes || []) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    before.forEach((child, at) => renew(child, after[at]));
    return old;
  }

  // What names a button or link again after it was replaced.
  function nameOf(element) {
    return [element.tagName, actOf(element.form || element), element.value].join(" ");
  }

  async function read() {
    const asked = {mode: "same-origin", headers: {"X-Live-Part": "1"}}; // no work of a person
    const response = await fetch(part.dataset.live, asked);
    if (response.redirected || [401, 403].includes(response.status)) { // signed out
      location.reload();
      return false;
    }
    if (!response.ok) return true; // the portal is away for a moment
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    await pointerUp();
    const focused = document.activeElement, name = nameOf(focused);
    part = renew(part, page.getElementById("live-part"));
    if (!focused.isConnected) {
      const same = [...part.querySelectorAll("a, input")].find(each => nameOf(each) === name);
      if (same) same.focus({preventScroll: true});
    }
    return Boolean(part.dataset.live);
  }

  async function run() {
    const goesOn = document.hidden || await read().catch(() => true);
    if (goesOn) wait();
  }

  function wait() {
    setTimeout(run, (part.dataset.seconds || 5) * 1000);
  }

  if (part) wait();
});
