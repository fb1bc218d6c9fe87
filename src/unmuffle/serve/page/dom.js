// Small helpers for the page's elements.

/** The element of an id. */
export const byId = (id) => document.getElementById(id);

/** Make an element with text and attributes; nothing is ever parsed as HTML. */
export function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** Have a screen reader say this when it is done with what it says. */
export function announce(text) {
  byId("announcer").textContent = text;
}

/** Seconds as m:ss.t */
export function clock(seconds) {
  const tenths = Math.max(0, Math.floor(seconds * 10 + 1e-6));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

/** Seconds as words: "1 minute 5 seconds". */
export function spoken(seconds) {
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = minutes && whole % 60 === 0 ? "" : ` ${whole % 60} second${whole % 60 === 1 ? "" : "s"}`;
  return `${minutes ? `${minutes} minute${minutes === 1 ? "" : "s"}` : ""}${rest}`.trim();
}

/** How long work will last that has come so far in so many seconds; nothing where that is short or cannot be told. */
export function leftInWords(share, seconds) {
  const left = share > 0 ? (seconds * (1 - share)) / share : 0;
  if (seconds < 2 || left < 3) return "";
  return left < 60 ? `about ${spoken(Math.ceil(left / 5) * 5)} left` : `about ${spoken(Math.ceil(left / 60) * 60)} left`;
}

/** A number with a true minus sign, or a dash for what is not known. */
export function figure(value, digits = 1, unit = "") {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value < 0 ? `−∞${unit && ` ${unit}`}` : `∞${unit && ` ${unit}`}`;
  const text = value.toFixed(digits).replace(/^-/, "−");
  return `${/^−0(\.0*)?$/.test(text) ? text.slice(1) : text}${unit && ` ${unit}`}`;
}

/** Let the browser draw and hear clicks, during long work. */
export const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** Offer bytes as a file to keep. */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  saveFrom(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Offer what an address of this server gives as a file to keep. */
export function saveFrom(url, name) {
  const link = make("a", "", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** Let files be dropped on an element. */
export function takeDrops(element, take) {
  let inside = 0;
  const over = (change) => {
    inside = Math.max(0, inside + change);
    element.classList.toggle("over", inside > 0);
  };
  element.addEventListener("dragenter", (event) => { event.preventDefault(); over(1); });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("dragleave", () => over(-1));
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    over(-inside);
    if (event.dataTransfer?.files.length) take(event.dataTransfer.files);
  });
}
