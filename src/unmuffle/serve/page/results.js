// What is shown of a result: the player and its pictures, the figures, the diagnosis.
import { sharesOf } from "./comparison.js";
import { announce, byId, clock, figure, make, spoken } from "./dom.js";
import { Pictures } from "./pictures.js";
import { Player } from "./player.js";
import { Timeline } from "./timeline.js";

const NAMES = { original: "Original", enhanced: "Clean", removed: "Removed" };
const KEYS = { 1: "original", 2: "enhanced", 3: "removed" };

/** The voice over the noise at a strength, from that of both ends: what noise stays is in phase with that of before. */
export function snrAt(strength, before, after) {
  return before - 20 * Math.log10(1 - strength + strength * 10 ** (-(after - before) / 20));
}

export class Results {
  #timeline = new Timeline(byId("timeline"));
  #pictures = new Pictures(this.#timeline);
  #player = null;
  #analysis = { before: null, after: null };
  #peakTimer = 0;
  comparison = null;
  listen = "enhanced";
  strength = 1;

  constructor(panel) {
    byId("play").addEventListener("click", () => this.#toggle());
    byId("listen").addEventListener("change", ({ target }) => this.setListen(target.value));
    byId("match").addEventListener("change", () => this.#mix());
    byId("strength").addEventListener("input", ({ target }) => this.setStrength(target.value / 100));
    byId("zoom-in").addEventListener("click", () => this.#timeline.zoom(1.6));
    byId("zoom-out").addEventListener("click", () => this.#timeline.zoom(1 / 1.6));
    byId("zoom-fit").addEventListener("click", () => this.#timeline.open(this.comparison.seconds));
    this.#timeline.addEventListener("seek", ({ detail }) => this.#player?.seek(detail));
    this.#timeline.addEventListener("view", () => this.#cursor());
    panel.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show a comparison. */
  open(comparison, { name, whole }) {
    this.close();
    this.comparison = comparison;
    this.#analysis = { before: null, after: null };
    this.#player = new Player(comparison);
    this.#player.addEventListener("change", () => this.#playing());
    byId("result-name").textContent = name;
    const kind = { 1: "mono", 2: "stereo" }[comparison.channels] ?? `${comparison.channels} channels`;
    byId("result-facts").textContent = `${clock(comparison.seconds)} · ${comparison.rate / 1000} kHz · ${kind}`;
    byId("result-excerpt").hidden = whole;
    const shown = spoken(comparison.seconds);
    byId("result-excerpt").textContent =
      `This recording is long. You hear and see its first ${shown}; what you download is all of it.`;
    byId("figures-note").textContent = (whole ? "" : "Loudness and peak are those of what is shown here. ") +
      "Voice over noise is estimated without a reference; between the ends of the strength it is calculated.";
    byId("findings").replaceChildren(make("li", "Looking at it …", { class: "quiet" }));
    byId("diagnosis").setAttribute("aria-busy", "true");
    byId("diagnosis-rest").hidden = true;
    byId("timeline").setAttribute("aria-valuemax", comparison.seconds.toFixed(1));
    this.#pictures.open(comparison);
    this.#timeline.open(comparison.seconds);
    this.setStrength(1);
    byId("strength").value = 100;
    this.setListen("enhanced");
    document.querySelector('#listen input[value="enhanced"]').checked = true;
    this.#playing();
  }

  close() {
    this.#player?.close();
    this.#player = null;
    this.comparison = null;
    this.#pictures.open(null);
  }

  pause() {
    this.#player?.pause();
  }

  setListen(listen) {
    this.listen = listen;
    byId("player").classList.toggle("listening-removed", listen === "removed");
    byId("heard-name").textContent = listen === "removed" ? "Removed" : "Clean";
    byId("wave-name").textContent = listen === "removed" ? "removed" : "clean";
    this.#mix();
  }

  setStrength(strength) {
    this.strength = strength;
    const text = `${Math.round(strength * 100)} %`;
    byId("strength-value").textContent = text;
    byId("download-strength").textContent = text;
    byId("strength").setAttribute("aria-valuetext", text);
    this.#mix();
    this.#figures();
    this.#found();
  }

  #mix() {
    const { comparison, listen, strength } = this;
    if (!comparison) return;
    const gain = byId("match").checked ? comparison.matchingGain(listen, strength) : 1;
    const { a, b } = sharesOf(listen, strength);
    this.#player.setShares({ a: gain * a, b: gain * b });
    Object.assign(this.#pictures, { listen, strength });
    this.#pictures.draw();
  }

  async #toggle() {
    if (this.#player.playing) this.#player.pause();
    else await this.#player.play();
  }

  #playing() {
    const playing = this.#player?.playing ?? false;
    byId("play").classList.toggle("playing", playing);
    byId("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    this.#cursor();
    if (playing) this.#follow();
  }

  /** Move the cursor for as long as there is sound, and the view with it. */
  #follow() {
    requestAnimationFrame(() => {
      if (!this.#player?.playing) return;
      const { position } = this.#player;
      const { start, end, span, duration } = this.#timeline;
      if (span < duration && position > end && position < end + 0.5) this.#timeline.show(position, position + span);
      else if (span < duration && position < start && this.#wasIn) this.#timeline.show(position, position + span);
      this.#cursor();
      this.#follow();
    });
  }

  #wasIn = true;

  #cursor() {
    if (!this.comparison || !this.#player) return;
    const { position } = this.#player;
    const { start, end, span } = this.#timeline;
    this.#wasIn = position >= start && position <= end;
    const cursor = byId("cursor");
    cursor.hidden = !this.#wasIn;
    cursor.style.transform = `translateX(${((position - start) / span) * byId("timeline").clientWidth}px)`;
    byId("time").textContent = `${clock(position)} / ${clock(this.comparison.seconds)}`;
    const line = byId("timeline");
    const words = `${spoken(position)} of ${spoken(this.comparison.seconds)}`;
    if (line.getAttribute("aria-valuetext") !== words) {
      line.setAttribute("aria-valuenow", position.toFixed(1));
      line.setAttribute("aria-valuetext", words);
    }
  }

  #key(event) {
    if (!this.comparison || byId("clean-result").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
    const onLine = event.target === byId("timeline");
    const typing = event.target.matches("select, input:not([type=radio]), button, a, [contenteditable]");
    if (event.key === " " && (onLine || !typing) && !event.target.matches("input")) this.#toggle();
    else if (event.key in KEYS && !event.target.matches("select")) this.#choose(KEYS[event.key]);
    else if (!onLine || !this.#timeline.key(event, this.#player.position)) return;
    event.preventDefault();
  }

  #choose(listen) {
    document.querySelector(`#listen input[value="${listen}"]`).checked = true;
    this.setListen(listen);
    announce(`${NAMES[listen]}.`);
  }

  #figures() {
    const { comparison, strength } = this;
    if (!comparison) return;
    const decibels = (value) => figure(20 * Math.log10(value), 1);
    byId("loudness-before").textContent = figure(comparison.loudnessOf("original", 1), 1);
    byId("loudness-after").textContent = figure(comparison.loudnessOf("enhanced", strength), 1);
    byId("peak-before").textContent = decibels(comparison.peaks.original);
    byId("peak-after").textContent = decibels(comparison.peakOf("enhanced", strength));
    clearTimeout(this.#peakTimer);
    this.#peakTimer = setTimeout(() => {
      if (this.comparison !== comparison) return;
      byId("peak-after").textContent = decibels(comparison.exactPeak(this.strength));
    }, 250);
    const before = this.#analysis.before?.info?.snr?.db;
    const after = this.#analysis.after?.info?.snr?.db;
    byId("snr-before").textContent = figure(before, 1);
    const known = typeof before === "number" && typeof after === "number";
    const about = strength > 0 && strength < 1 ? "≈ " : "";
    byId("snr-after").textContent = known ? about + figure(snrAt(strength, before, after), 1) : "–";
  }

  noAnalysis(why) {
    byId("diagnosis").setAttribute("aria-busy", "false");
    byId("findings").replaceChildren(make("li", `It could not be looked at. ${why}`, { class: "quiet" }));
  }

  /** Show what the server found before, and whether it is still there after. */
  showAnalysis(before, after) {
    this.#analysis = { before, after };
    this.#figures();
    byId("diagnosis").setAttribute("aria-busy", "false");
    this.#found();
  }

  #found() {
    const { before, after } = this.#analysis;
    if (!before) return;
    const { findings, warnings = [] } = before.diagnosis;
    const left = after && new Set(after.diagnosis.findings.map(({ key }) => key));
    const items = findings.map((finding) => itemOf(finding, left, this.strength));
    if (!items.length) items.push(make("li", "Nothing: this is a good recording.", { class: "quiet" }));
    byId("findings").replaceChildren(...items, ...warnings.map((text) => make("li", text, { class: "quiet small" })));
    const stays = left && findings.some(({ key, treated_by: by }) => left.has(key) && by?.length);
    byId("diagnosis-rest").hidden = !stays || byId("result-preset").value !== "";
  }
}

function itemOf({ key, text, severity }, left, strength) {
  const item = make("li");
  item.append(make("span", text[0].toUpperCase() + text.slice(1), { class: "first" }));
  const there = left && (left.has(key) ? ["still there", "stays"] : [strength < 1 ? "gone at 100 %" : "gone", "gone"]);
  if (there && strength > 0) item.append(make("span", there[0], { class: there[1] }));
  item.append(make("span", severity, { class: "severity" }));
  return item;
}
