// Renews the part of a page that moves: reads [data-live] from its URL every few seconds and changes
// only what differs, so that focus and scroll position stay. It ends once the part that comes has no
// such URL. Without this script the page reloads as a whole.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const EVERY = 5000; // milliseconds
  let part = document.querySelector("[data-live]");

  // Makes `old` like `fresh`. An element that has another number of children is replaced.
  function renew(old, fresh) {
    const before = [...old.childNodes], after = [...fresh.childNodes];
    if (old.nodeName !== fresh.nodeName || before.length !== after.length) {
      old.replaceWith(fresh);
      return fresh;
    }
    if (old.nodeType === Node.TEXT_NODE && old.data !== fresh.data) old.data = fresh.data;
    for (const {name} of [...(old.attributes || [])]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const {name, value} of fresh.attributes || []) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    before.forEach((child, at) => renew(child, after[at]));
    return old;
  }

  // What names a button or link again after it was replaced.
  function nameOf(element) {
    return [element.tagName, element.form && element.form.action, element.href, element.value].join(" ");
  }

  async function read() {
    const response = await fetch(part.dataset.live);
    if (response.redirected || response.status === 403) return false; // signed out
    if (!response.ok) return true; // the portal is away for a moment
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const focused = document.activeElement, name = nameOf(focused);
    part = renew(part, page.body.firstElementChild);
    if (!focused.isConnected) {
      const same = [...part.querySelectorAll("a, input")].find(each => nameOf(each) === name);
      if (same) same.focus({preventScroll: true});
    }
    return Boolean(part.dataset.live);
  }

  async function run() {
    const goesOn = document.hidden || await read().catch(() => true);
    if (goesOn) setTimeout(run, EVERY);
  }

  if (part) setTimeout(run, EVERY);
});
