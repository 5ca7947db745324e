// Who is signed in. Where holdfast asks nobody for a token, there is nothing to see of it. The token
// goes into a cookie that no script can read: this page forgets it at once.

import { ApiError, send } from "./api.js";
import { setText } from "./dom.js";

const dialog = document.getElementById("sign-in");
const form = document.getElementById("sign-in-form");
const notice = document.getElementById("sign-in-notice");
const who = document.getElementById("who");
const out = document.getElementById("sign-out");

/** start returns once somebody is signed in, or where nobody has to be. */
export async function start() {
  out.addEventListener("click", async () => {
    await send("DELETE", "/v1/session").catch(() => null);
    location.reload();
  });
  show((await current()) ?? (await signIn()));
}

/** current returns who is signed in; null where somebody has to, or where there is no answer. */
async function current() {
  try {
    return await send("GET", "/v1/session");
  } catch (error) {
    if (error.status !== 401 && error.status !== 429) say(error.message);
    return null;
  }
}

function signIn() {
  dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is nothing behind it to see
  dialog.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const token = form.elements.token.value.trim();
      try {
        if (!/^[\x21-\x7e]+$/.test(token)) throw new ApiError(0, "A token begins with hf_ and has 46 letters.");
        const session = await send("POST", "/v1/session", { Authorization: `Bearer ${token}` });
        form.reset();
        dialog.close();
        resolve(session);
      } catch (error) {
        say(error.message);
        form.elements.token.select();
      }
    });
  });
}

function say(text) {
  notice.hidden = false;
  setText(notice, text);
}

function show({ name, role }) {
  if (!name) return;
  who.hidden = out.hidden = false;
  setText(who, `${name}, ${role}`);
}
