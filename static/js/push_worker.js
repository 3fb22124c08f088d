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

const RENEWAL = "/push/renewal/";
// A browser ends a worker after about five minutes.
const MOST_TRIES = 3, MOST_WAIT_SECONDS = 120, USUAL_WAIT_SECONDS = 20;

// Posts `body`, and again if the portal is busy and says when to come back. A random wait on top
// keeps the browsers of a network from coming back together.
const post = async (body, tries = 1) => {
  const answer = await self.fetch(RENEWAL, { method: "POST", body, credentials: "omit" });
  const wait = Number(answer.headers.get("Retry-After")) || USUAL_WAIT_SECONDS;
  const isBusy = answer.status === 429 || answer.status === 503;
  if (!isBusy || tries === MOST_TRIES || wait > MOST_WAIT_SECONDS) return;
  await new Promise(resolve => setTimeout(resolve, wait * (1 + Math.random() / 2) * 1000));
  await post(body, tries + 1);
};

// The push service replaced the subscription. Its earlier secret proves whose it was, so the request
// needs no session.
const renew = async (old, given) => {
  const subscription = given || await self.registration.pushManager.subscribe(old.options);
  const { endpoint, keys: { p256dh, auth } } = subscription.toJSON();
  const { endpoint: oldEndpoint, keys: { auth: oldAuth } } = old.toJSON();
  const fields = { endpoint, p256dh, auth, old_endpoint: oldEndpoint, old_auth: oldAuth };
  await post(new URLSearchParams(fields));
};

self.addEventListener("pushsubscriptionchange", event => {
  if (event.oldSubscription) {
    event.waitUntil(renew(event.oldSubscription, event.newSubscription));
  }
});
