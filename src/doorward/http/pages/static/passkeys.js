// Passkeys: what a form of ours asks for is made or used by the browser, put into the form, and sent as any other.
//
// A form says with `data-passkey` what it wants (`get` or `create`), with `data-begin` where the options come from, and
// with `data-asks` what else is sent there. Its sentences are the page's own, in `data-word-…` attributes.

const can = typeof PublicKeyCredential === "function" && "parseRequestOptionsFromJSON" in PublicKeyCredential;
const USED = "doorward-passkey";
let waiting = null; // the request that stands behind the fields that managers fill in

async function begun(form, more = {}) {
  const asks = { ...JSON.parse(form.dataset.asks || "{}"), ...more };
  const answer = await fetch(form.dataset.begin, {
    method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(asks),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.detail), { said });
  return said;
}

async function asked(form, { options }, more = {}) {
  if (form.dataset.passkey === "create") {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({ publicKey, ...more })).toJSON();
  }
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  const credential = (await navigator.credentials.get({ publicKey, ...more })).toJSON();
  // Only the page that comes next hears whether it was taken.
  sessionStorage.setItem(USED, JSON.stringify({ rpId: options.rpId, credentialId: credential.id }));
  return credential;
}

function send(form, { attempt }, credential) {
  form.elements.credential.value = JSON.stringify(credential);
  if (attempt) form.elements.attempt.value = attempt;
  const remember = document.getElementById("remember");
  if (remember && form.elements.remember) form.elements.remember.value = remember.checked ? "on" : "";
  form.requestSubmit();
}

function say(form, word) {
  const said = form.querySelector("[role=status]");
  said.textContent = form.dataset[`word${word}`] ?? "";
  said.hidden = !said.textContent;
}

// What went wrong, as one word of the form's: people change their minds, and devices are known already.
const words = { NotAllowedError: "Cancelled", AbortError: "Cancelled", InvalidStateError: "Known", NotSupportedError: "Unsupported" };

async function press(form) {
  const button = form.querySelector("button");
  waiting?.abort();
  button.setAttribute("aria-busy", "true");
  say(form, "");
  try {
    const answer = await begun(form);
    send(form, answer, await asked(form, answer));
  } catch (error) {
    if (error.said?.reason === "fresh_proof_required" && form.dataset.stepUp) {
      const here = new URLSearchParams({ return_to: location.pathname + location.search });
      return location.assign(`${form.dataset.stepUp}?${here}`);
    }
    const said = form.querySelector("[role=status]");
    say(form, words[error.name] ?? "Failed");
    if (error.said) said.textContent = error.said.detail;
    if (form === autofilled()) wait(form);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

const autofilled = () => document.querySelector("form[data-passkey=get][data-autofill]");

// Passkeys among what managers offer for the name field. A challenge is good for five minutes: ask anew before.
async function wait(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  while (true) {
    waiting?.abort();
    const mine = new AbortController();
    waiting = mine;
    const late = setTimeout(() => mine.abort("late"), 4 * 60 * 1000);
    try {
      const answer = await begun(form);
      const credential = await asked(form, answer, { mediation: "conditional", signal: mine.signal });
      return send(form, answer, credential);
    } catch (error) {
      if (mine.signal.reason !== "late") return;
    } finally {
      clearTimeout(late);
    }
  }
}

// After a sign-in by a password that the browser filled in, it may make a passkey by itself. Nobody is asked, so nobody
// is told if it does not.
async function upgrade(form) {
  const able = await PublicKeyCredential.getClientCapabilities?.();
  if (!able?.conditionalCreate || sessionStorage.getItem(form.dataset.once)) return;
  sessionStorage.setItem(form.dataset.once, "yes");
  try {
    const { options } = await begun(form, { conditional: true });
    const body = JSON.stringify({ credential: await asked(form, { options }, { mediation: "conditional" }) });
    await fetch(form.action, { method: "POST", headers: { "Content-Type": "application/json" }, body });
  } catch {
    // There is a password still.
  }
}

// Signal API: passkeys that are gone here go from people's managers, and names there stay right.
async function signal(refused) {
  if (refused && document.querySelector('[data-reason="unknown_passkey"]')) {
    await PublicKeyCredential.signalUnknownCredential?.(refused);
  }
  const kept = document.querySelector("[data-signal]");
  if (!kept) return;
  const { currentUserDetails, ...accepted } = JSON.parse(kept.dataset.signal);
  const { rpId, userId } = accepted;
  await PublicKeyCredential.signalAllAcceptedCredentials?.(accepted);
  await PublicKeyCredential.signalCurrentUserDetails?.({ rpId, userId, ...currentUserDetails });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  if (!can) {
    form.hidden = !form.dataset.wordUnsupported;
    say(form, "Unsupported");
    continue;
  }
  if ("silent" in form.dataset) { upgrade(form); continue; }
  form.hidden = false;
  button.hidden = false;
  button.addEventListener("click", () => press(form));
}
if (can) {
  const used = JSON.parse(sessionStorage.getItem(USED) ?? "null");
  sessionStorage.removeItem(USED);
  const refused = document.querySelector("[data-reason]") && used;
  signal(refused).catch(() => {});
  // One that was refused a moment ago is not asked for again by itself.
  if (autofilled() && !refused) wait(autofilled());
}
