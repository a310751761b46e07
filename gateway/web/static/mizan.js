// Everything works without this file. With it: a form is sent once, errors are where the reader is, and a page that
// waits for the bank moves on by itself.
(() => {
  "use strict";
  document.querySelector("#problem")?.focus();

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button?.dataset.once) return;
    if (button.getAttribute("aria-disabled") === "true") {
      event.preventDefault();
      return;
    }
    button.setAttribute("aria-disabled", "true");
    button.querySelector("span").textContent = button.dataset.once;
  });
  // Coming back by the browser's button shows the page as it was left: let it be sent again.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());

  // Copying needs the clipboard, which pages have only over a secure connection; without it the buttons stay hidden.
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) {
      const word = button.querySelector("span");
      const before = word.textContent;
      button.hidden = false;
      button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(button.dataset.copy);
        word.textContent = button.dataset.done;
        setTimeout(() => (word.textContent = before), 2500);
      });
    }
  }

  const listening = document.querySelector("[data-listen]");
  if (!listening) return;
  const until = Date.now() + 15 * 60 * 1000;
  const ask = async () => {
    try {
      const answer = await fetch(listening.dataset.listen, { headers: { Accept: "application/json" } });
      if (answer.ok && (await answer.json()).waiting === false) {
        window.location.reload();
        return;
      }
    } catch {
      // A phone between two masts: ask again.
    }
    if (Date.now() < until) setTimeout(ask, 3000);
  };
  ask();
})();
