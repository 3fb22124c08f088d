// Shows a push message, and opens its page when the reader presses it. It stores nothing, and sends
// only the browser's new address, to this portal.
"use strict";

self.addEventListener("push", event => {
  const { title, url, tag, lang } = event.data.json();
  event.waitUntil(self.registration.showNotification(title, { data: url, tag, lang }));
});

self.addEventListener("notificationclick", event => {
  event.notification.close();
  const url = new URL(event.notification.data, self.location.origin);
  if (url.origin === self.location.origin) event.waitUntil(self.clients.openWindow(url.href));
});

// The push service replaced the subscription. Its earlier secret proves whose it was, so the request
// needs no session.
const renew = async (old, given) => {
  const subscription = given || await self.registration.pushManager.subscribe(old.options);
  const { endpoint, keys: { p256dh, auth } } = subscription.toJSON();
  const { endpoint: oldEndpoint, keys: { auth: oldAuth } } = old.toJSON();
  const fields = { endpoint, p256dh, auth, old_endpoint: oldEndpoint, old_auth: oldAuth };
  const body = new URLSearchParams(fields);
  await self.fetch("/push/renewal/", { method: "POST", body, credentials: "omit" });
};

self.addEventListener("pushsubscriptionchange", event => {
  if (event.oldSubscription) {
    event.waitUntil(renew(event.oldSubscription, event.newSubscription));
  }
});
