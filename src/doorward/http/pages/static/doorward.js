// What a page can do more with JavaScript. Everything works without it.

const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

// Show what was typed into a password field.
for (const input of document.querySelectorAll('input[type="password"]')) {
  const label = document.querySelector(`label[for="${input.id}"]`).textContent.toLowerCase();
  const button = made("button", { type: "button", textContent: "Show" });
  const around = made("div", { className: "reveal" });
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent} ${label}`);
  };
  button.addEventListener("click", () => { show(input.type === "password"); input.focus(); });
  // Managers and the browser's own memory look for password fields.
  input.form.addEventListener("submit", () => show(false));
  input.replaceWith(around);
  around.append(input, button);
  show(false);
}

// Say how long a new password is. Code points, as the server counts them.
for (const input of document.querySelectorAll("input[data-least]")) {
  const least = Number(input.dataset.least);
  const meter = made("p", { className: "hint meter", hidden: true });
  meter.setAttribute("aria-live", "polite");
  input.addEventListener("input", () => {
    const length = [...input.value.normalize("NFC")].length;
    meter.hidden = length === 0;
    meter.textContent = length < least ? `${length} of ${least} characters` : `${length} characters: long enough`;
    meter.classList.toggle("enough", length >= least);
  });
  input.closest(".field").append(meter);
}

// Codes are often pasted with spaces inside.
for (const input of document.querySelectorAll('input[inputmode="numeric"]')) {
  input.addEventListener("input", () => {
    if (/\s/.test(input.value)) input.value = input.value.replace(/\s+/g, "");
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const said = button.textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.replace(/\s+/g, ""));
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 2000);
  });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// Times as this person's clock shows them, in the words of the page.
const { lang } = document.documentElement;
const locale = navigator.languages.find((one) => one.startsWith(`${lang}-`)) ?? lang;
for (const time of document.querySelectorAll("time[datetime]")) {
  const style = time.className === "day" ? { dateStyle: "long" } : { dateStyle: "long", timeStyle: "short" };
  time.textContent = new Date(time.dateTime).toLocaleString(locale, style);
}

// Send a form once. A page that comes back from the browser's memory can be sent again.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    form.querySelector("button:not([type])")?.setAttribute("aria-busy", "true");
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    form.querySelector("[aria-busy]")?.removeAttribute("aria-busy");
  }
});
