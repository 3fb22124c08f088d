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
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  form.querySelector("[data-passkey-error]").hidden = false;
});
