// Subscribes this browser to push messages. Nothing is asked before the button is pressed.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-push-key]");
  const canPush = "serviceWorker" in navigator && "PushManager" in window;
  if (!form || !canPush) return;
  const button = form.querySelector("button");
  const show = name => {
    for (const text of form.querySelectorAll("[data-push-text]")) {
      text.hidden = text.dataset.pushText !== name;
    }
  };

  const subscribe = async () => {
    if (await Notification.requestPermission() !== "granted") return show("denied");
    const worker = await navigator.serviceWorker.register(form.dataset.pushWorker);
    const { pushManager } = worker;
    const old = await pushManager.getSubscription();
    if (old) await old.unsubscribe();  // it may belong to an earlier key of the portal
    const subscription = await pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: form.dataset.pushKey,
    });
    const { endpoint, keys } = subscription.toJSON();
    Object.assign(form.elements.endpoint, { value: endpoint });
    Object.assign(form.elements.p256dh, { value: keys.p256dh });
    Object.assign(form.elements.auth, { value: keys.auth });
    form.submit();
  };

  button.addEventListener("click", event => {
    event.preventDefault();
    button.disabled = true;
    subscribe().catch(() => show("failed")).finally(() => { button.disabled = false; });
  });
  show("offer");
  form.hidden = false;
});
