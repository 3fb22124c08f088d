// Shows a push message, and opens its page when the reader presses it. It stores nothing.
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
