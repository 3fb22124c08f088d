// Lets other scripts wait until no mouse button or finger is down. A page that moves between the press
// and the release takes the press away from its button, and the browser drops the click.
"use strict";

let isPointerDown = false;
const RELEASES = ["pointerup", "pointercancel"];
addEventListener("pointerdown", () => { isPointerDown = true; }, true);
for (const type of RELEASES) addEventListener(type, () => { isPointerDown = false; }, true);

// Resolves at once if nothing is pressed, else after the click that the release makes.
function pointerUp() {
  if (!isPointerDown) return Promise.resolve();
  return new Promise(resolve => {
    for (const type of RELEASES) addEventListener(type, () => setTimeout(resolve), {once: true});
  });
}
