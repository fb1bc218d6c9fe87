// The server's HTTP interface: uploads with progress, jobs and their events, errors in plain words, the key.
import { byId } from "./dom.js";

const KEY = "unmuffle-key";

/** What the server, or the way to it, refused. */
export class ServerError extends Error {
  constructor(status, code, message, { requestId = "", retryAfter = null } = {}) {
    super(message);
    Object.assign(this, { status, code, requestId, retryAfter });
  }
}

/** The key that was given for this tab, or nothing. */
export const givenKey = () => sessionStorage.getItem(KEY) ?? "";

const headers = () => (givenKey() ? { Authorization: `Bearer ${givenKey()}` } : {});

/** An address of the interface, wherever the page is mounted. */
export function address(path, query = {}) {
  const url = new URL(path, document.baseURI);
  for (const [name, value] of Object.entries(query)) {
    if (value !== "" && value !== null) url.searchParams.set(name, value);
  }
  return url;
}

/** Say what went wrong, and what to do, in a sentence or two. */
export function plainWords(error) {
  if (!(error instanceof ServerError)) return error.message || String(error);
  const wait = error.retryAfter ? ` Try again in ${error.retryAfter} s.` : " Try again in a moment.";
  const said = error.message ? sentence(error.message) : "";
  switch (error.status) {
    case 0: return "The server cannot be reached. Is it running, and is the network there?";
    case 401: return "This server asks for a key, and the one given is not right.";
    case 403: return `The server does not let this page in. ${said}`.trim();
    case 404: return `What was asked for is no longer there. ${said}`.trim();
    case 413: return `This is more than the server takes. ${said}`.trim();
    case 415:
    case 422: return `The server cannot read this as audio. ${said}`.trim();
    case 429: return `The server has been asked too often.${wait}`;
    case 503: return `The server has too much to do just now.${wait}`;
    default: return said || `The server failed (${error.status}).`;
  }
}

/** A message as a sentence; a file's name that it begins with is left as it is. */
function sentence(text) {
  const first = /^[a-z]+[ ,:;]/.test(text) ? text[0].toUpperCase() : text[0];
  const rest = text.slice(1).replace(/\b(\d{7,}) bytes\b/g, (_, bytes) => `${Math.round(bytes / 1e6)} MB`);
  return first + rest + (/[.!?]$/.test(text) ? "" : ".");
}

/** Show an error in its place; one of the server's own with the request's id, for whoever runs it. */
export function showError(element, error) {
  element.textContent = plainWords(error);
  if (error.requestId && error.status >= 500) {
    const id = document.createElement("span");
    id.className = "small";
    id.textContent = `Request ${error.requestId}`;
    element.append(id);
  }
  element.hidden = false;
}

function errorOf(status, text, header) {
  let told = {};
  try {
    told = JSON.parse(text).error ?? {};
  } catch {
    // A proxy in between answers in HTML.
  }
  return new ServerError(status, told.code ?? "", told.message ?? "", {
    requestId: told.request_id ?? header("X-Request-Id") ?? "",
    retryAfter: Number(header("Retry-After")) || null,
  });
}

async function fetched(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { ...options, headers: { ...headers(), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError(0, "unreachable", "");
  }
  if (!response.ok) throw errorOf(response.status, await response.text(), (name) => response.headers.get(name));
  return response;
}

/** Do something; if it fails for want of a key, ask for one and do it again. */
async function withKey(act) {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (error.status !== 401 || !(await askForKey())) throw error;
    }
  }
}

let asked = null;

/** Ask for a key; several requests that fail at once share the question. */
export function askForKey() {
  asked ??= new Promise((resolve) => {
    const dialog = byId("key-dialog");
    dialog.returnValue = "";
    byId("key").value = "";
    dialog.addEventListener("close", () => {
      asked = null;
      const use = dialog.returnValue === "use" && byId("key").value !== "";
      if (use) sessionStorage.setItem(KEY, byId("key").value);
      resolve(use);
    }, { once: true });
    dialog.showModal();
  });
  return asked;
}

/** Get or send something; the answer as a Response. */
export const request = (path, { query = {}, ...options } = {}) =>
  withKey(() => fetched(address(path, query), options));

/** Send a form, telling the share that has gone; the answer's text parsed as JSON, or as a Blob. */
export const send = (path, form, { query = {}, onProgress = () => {}, signal, blob = false } = {}) =>
  withKey(() => new Promise((resolve, reject) => {
    const exchange = new XMLHttpRequest();
    exchange.open("POST", address(path, query));
    for (const [name, value] of Object.entries(headers())) exchange.setRequestHeader(name, value);
    exchange.responseType = blob ? "blob" : "text";
    exchange.upload.onprogress = (event) => event.lengthComputable && onProgress(event.loaded / event.total);
    exchange.onerror = () => reject(new ServerError(0, "unreachable", ""));
    exchange.onabort = () => reject(new DOMException("cancelled", "AbortError"));
    exchange.onload = async () => {
      const header = (name) => exchange.getResponseHeader(name);
      const answer = exchange.response;
      if (exchange.status >= 400) reject(errorOf(exchange.status, blob ? await answer.text() : answer, header));
      else resolve(blob ? answer : JSON.parse(answer));
    };
    signal?.addEventListener("abort", () => exchange.abort(), { once: true });
    if (signal?.aborted) reject(new DOMException("cancelled", "AbortError"));
    else exchange.send(form);
  }));

/** A form with one file. */
export function formOf(file) {
  const form = new FormData();
  form.append("file", file, file.name ?? "recording.wav");
  return form;
}

/** Read server-sent events from a response; each as its parsed data. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const parts = (rest + value).split(/\r?\n\r?\n/);
      rest = parts.pop();
      for (const part of parts) {
        const data = part.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
        if (data.length) yield JSON.parse(data.join("\n"));
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Have a file enhanced in the background, and wait for it; the job's id once its result is there. */
export async function runJob(file, query, { onUpload, onProgress, signal }) {
  const job = await send("v1/jobs", formOf(file), { query, onProgress: onUpload, signal });
  const drop = () => forgetJob(job.id);
  signal?.addEventListener("abort", drop, { once: true });
  try {
    await jobDone(job.id, onProgress, signal);
  } finally {
    signal?.removeEventListener("abort", drop);
  }
  return job.id;
}

/** Cancel a job, or remove its result from the server; also while the page is being left. */
export function forgetJob(id) {
  request(`v1/jobs/${id}`, { method: "DELETE", keepalive: true }).catch(() => {});
}

async function jobDone(id, onProgress, signal) {
  for (;;) {
    try {
      const response = await request(`v1/jobs/${id}/events`, { signal, headers: { Accept: "text/event-stream" } });
      for await (const state of events(response)) if (isOver(state, onProgress)) return;
    } catch (error) {
      const lost = error.name === "TypeError" || (error instanceof ServerError && error.status === 0);
      if (!lost) throw error;
    }
    // The events broke off: a proxy's time limit, or a network that was away. The job itself goes on.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    if (isOver(await (await request(`v1/jobs/${id}`, { signal })).json(), onProgress)) return;
  }
}

function isOver(state, onProgress) {
  if (state.progress !== undefined) onProgress(state.progress, state.state);
  const { error } = state;
  const failed = state.state === "failed" || (!state.state && error);
  if (failed) throw new Error(sentence(error?.message ?? "the work failed"));
  if (state.state === "cancelled") throw new Error("The work was cancelled.");
  return state.state === "done";
}

/** Keep a job's result as a file: by the browser itself where no key is needed, so that memory does not matter. */
export async function resultLink(id) {
  const url = address(`v1/jobs/${id}/result`);
  if (!givenKey()) return { url, revoke() {} };
  const blob = await (await request(`v1/jobs/${id}/result`)).blob();
  const made = URL.createObjectURL(blob);
  return { url: made, revoke: () => URL.revokeObjectURL(made) };
}
