// Connects the button of a page with a passkey to allauth's functions, and shows a failure in words.
"use strict";

const form = document.querySelector("[data-passkey]");
const ids = {
  add: "passkey-button",
  signup: "passkey-button",
  authenticate: "passkey-button",
  credential: form.querySelector("[name=credential]").id,
  data: "passkey-data",
};
window.allauth.webauthn.forms[form.dataset.passkey]({ ids });
// The Enter key does what the button does. A button with a name is one of the language switch.
form.addEventListener("submit", (event) => {
  if (event.submitter?.name) return;
  event.preventDefault();
  document.getElementById("passkey-button").click();
});
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  form.querySelector("[data-passkey-error]").hidden = false;
});
