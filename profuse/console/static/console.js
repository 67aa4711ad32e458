// What a page does beyond links and forms; without it every page still works.
"use strict";

let stopped = false;

// Screen readers say what is written anew, the same words too.
function tell(told, what) {
  if (told.textContent !== what) told.textContent = what;
}

function isWatched() {
  return !stopped && !document.hidden;
}

// Now: the server sends the live part whenever it has looked.
function follow(told) {
  const part = document.getElementById("live");
  let source = null;

  function begin() {
    if (source || !isWatched()) return;
    source = new EventSource(told.dataset.live);
    source.addEventListener("now", (event) => {
      tell(told, "live");
      htmx.swap({ text: event.data, target: part, sourceElement: part, swap: "innerMorph" });
    });
    source.addEventListener("trouble", (event) => tell(told, event.data));
    source.addEventListener("gone", () => { location.assign("/login"); });
    source.onerror = () => tell(told, "the console does not answer; it is asked again");
  }

  function end(why) {
    if (source) source.close();
    source = null;
    tell(told, why);
  }

  document.addEventListener("profuse:watched", () => { isWatched() ? begin() : end(stopped ? "stopped: press . to go on" : "not looked at"); });
  begin();
}

// Nobody looks at a hidden page, and nobody reads one that changes under his eyes.
document.addEventListener("visibilitychange", () => document.dispatchEvent(new Event("profuse:watched")));
document.addEventListener("htmx:before:request", (event) => {
  const source = event.detail.ctx && event.detail.ctx.sourceElement;
  if (source && (source.getAttribute("hx-trigger") || "").startsWith("every") && !isWatched()) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.shows) document.getElementById(button.dataset.shows).showModal();
  if ("copies" in button.dataset) copy(button);
  if ("stops" in button.dataset) keys["."]();
});

async function copy(button) {
  const code = button.parentElement.querySelector("code");
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    // Without TLS there is no clipboard: what is chosen can be copied by hand.
    getSelection().selectAllChildren(code);
    button.textContent = "Chosen: copy it";
  }
  setTimeout(() => { button.textContent = label; }, 2000);
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (!("once" in event.target.dataset)) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

let afterG = 0;

const keys = {
  "?": () => document.getElementById("keys")?.showModal(),
  "/": () => document.querySelector("main input:not([type=hidden]), main select")?.focus(),
  ".": () => { stopped = !stopped; document.dispatchEvent(new Event("profuse:watched")); },
  "g": () => { afterG = Date.now(); },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const page = Date.now() - afterG < 1500 && document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`);
  afterG = 0;
  if (page) {
    event.preventDefault();
    location.assign(page.href);
  } else if (Object.hasOwn(keys, event.key)) {
    event.preventDefault();
    keys[event.key]();
  }
});

const told = document.querySelector("[data-live]");
if (told) {
  // Without scripts there is nothing to stop.
  document.querySelectorAll("[data-stops]").forEach((button) => { button.hidden = false; });
  follow(told);
}
