// What a page can do more with JavaScript. Everything works without it.

// The words are the page's: it has them in its language.
const words = document.body.dataset;
const made = (tag, properties) => Object.assign(document.createElement(tag), properties);

// Show what was typed into a password field.
for (const input of document.querySelectorAll('input[type="password"]')) {
  const label = document.querySelector(`label[for="${input.id}"]`).textContent;
  const button = made("button", { type: "button", textContent: words.show });
  const around = made("div", { className: "reveal" });
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? words.hide : words.show;
    button.setAttribute("aria-label", `${button.textContent}: ${label}`);
  };
  button.addEventListener("click", () => { show(input.type === "password"); input.focus(); });
  // Managers and the browser's own memory look for password fields.
  input.form.addEventListener("submit", () => show(false));
  input.replaceWith(around);
  around.append(input, button);
  show(false);
}

// Say what a new password is worth while it is typed: how long it is (in code points, as the server counts), and once
// it is long enough what `password.check` says of it. The sentences are the page's own.
for (const input of document.querySelectorAll("input[data-least]")) {
  const least = Number(input.dataset.least);
  const sentences = document.querySelector(`template[data-worth="${input.id}"]`)?.content;
  const sentence = (word) => sentences?.querySelector(`[data-word="${word}"]`)?.textContent ?? "";
  const meter = made("div", { className: "meter", hidden: true });
  const bars = made("span", { className: "bars", hidden: true });
  const said = made("p", { className: "hint" });
  bars.setAttribute("aria-hidden", "true");
  bars.append(...Array.from({ length: 4 }, () => document.createElement("i")));
  said.setAttribute("aria-live", "polite");
  meter.append(bars, said);
  input.closest(".field").append(meter);

  const show = (text, { enough = false, bad = false, score = null } = {}) => {
    said.textContent = text;
    meter.classList.toggle("enough", enough);
    meter.classList.toggle("bad", bad);
    bars.hidden = score === null;
    [...bars.children].forEach((bar, at) => bar.classList.toggle("full", at < score));
  };
  const showWorth = ({ accepted, reasons, score, warnings }) => {
    const why = (accepted ? warnings : reasons).map(({ reason, detail }) => sentence(reason) || detail);
    if (!accepted) show(why.join(" "), { bad: true });
    else if (score !== null) show([sentence(`score-${score}`), ...why].join(" "), { enough: score > 2, score });
  };
  const context = () => [...input.form.querySelectorAll('[autocomplete="name"], [autocomplete="username"]')]
    .map(({ value }) => value).join(" ").slice(0, 512);

  let waiting, asked;
  const ask = async (password, typing) => {
    asked = new AbortController();
    const body = JSON.stringify({ password, context: context(), typing });
    const headers = { "Content-Type": "application/json" };
    try {
      const answer = await fetch(input.dataset.check, { method: "POST", headers, body, signal: asked.signal });
      if (answer.ok) showWorth(await answer.json());
    } catch {
      // The length is said already, and the server looks at the password again when it is sent.
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    asked?.abort();
    const length = [...input.value.normalize("NFC")].length;
    meter.hidden = length === 0;
    const text = sentence(length < least ? "length" : "enough").replace("{length}", length).replace("{least}", least);
    show(text, { enough: length >= least });
    if (input.dataset.check && length >= least) waiting = setTimeout(ask, 400, input.value, true);
  });
  // It is whole: a service may be asked, where one is set.
  input.addEventListener("change", () => {
    clearTimeout(waiting);
    asked?.abort();
    if (input.dataset.check && [...input.value.normalize("NFC")].length >= least) ask(input.value, false);
  });
}

// Codes are often pasted with spaces inside.
for (const input of document.querySelectorAll('input[inputmode="numeric"]')) {
  input.addEventListener("input", () => {
    if (/\s/.test(input.value)) input.value = input.value.replace(/\s+/g, "");
  });
}

// A key without its spaces; of a list each item on a line of its own.
for (const button of document.querySelectorAll("[data-copy]")) {
  const said = button.textContent;
  const copied = document.getElementById(button.dataset.copy);
  const lines = copied.matches("ol") ? [...copied.children] : [copied];
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(lines.map((line) => line.textContent.replace(/\s+/g, "")).join("\n"));
    button.textContent = words.copied;
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

// Send a form once. A page that comes back from the browser's memory can be sent again; a download leaves its page.
for (const form of document.querySelectorAll("form:not(.download)")) {
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
