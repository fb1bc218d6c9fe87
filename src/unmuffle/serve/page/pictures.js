// The ruler, the waveform and the two spectrograms over one timeline.
import { byId, clock } from "./dom.js";
import { sharesOf } from "./comparison.js";
import { heightOf, Powers } from "./spectrogram.js";

const MOST_COLUMNS = 1200;
const MOST_ROWS = 256;
const MOST_SAMPLES_A_WAVE = 3e6;
const MARKS = [[250, "250 Hz"], [500, "500 Hz"], [1000, "1 kHz"], [2000, "2 kHz"], [5000, "5 kHz"], [10000, "10 kHz"]];
const MARKS_APART_PX = 20;
const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];

export class Pictures {
  #powers = null;
  #analysis = null;
  #peakDb = null;
  #drawing = 0;
  #canvases = new Map();

  constructor(timeline) {
    this.timeline = timeline;
    this.comparison = null;
    this.listen = "enhanced";
    this.strength = 1;
    timeline.addEventListener("view", () => this.#viewChanged());
    new ResizeObserver(() => this.#viewChanged()).observe(timeline.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /** Show another comparison, or none. */
  open(comparison) {
    this.#analysis?.abort();
    Object.assign(this, { comparison });
    this.#powers = this.#peakDb = null;
  }

  /** What the lower spectrogram shows: what was removed while that is listened to, otherwise the clean one. */
  get #lower() {
    return this.listen === "removed" ? "removed" : "enhanced";
  }

  /** Draw all before the next frame, once however often it is called. */
  draw() {
    if (this.#drawing || !this.comparison) return;
    this.#drawing = requestAnimationFrame(() => {
      this.#drawing = 0;
      if (!this.comparison) return;
      this.#ruler();
      this.#waveform();
      this.#spectrogram("spectrogram-original", { a: 1, b: 0 });
      this.#spectrogram("spectrogram-heard", sharesOf(this.#lower, this.strength));
    });
  }

  #viewChanged() {
    if (!this.comparison || !this.timeline.element.clientWidth) return;
    this.draw();
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.#analyse(), 30);
  }

  /** Analyse what is in view; the pictures of before are stretched until it is done. */
  async #analyse() {
    this.#analysis?.abort();
    this.#analysis = new AbortController();
    const { signal } = this.#analysis;
    const [width, height] = this.#sizeOf(byId("spectrogram-original"));
    const { start, end } = this.timeline;
    const powers = new Powers(this.comparison, start, end, Math.min(width, MOST_COLUMNS), Math.min(height, MOST_ROWS));
    const first = this.#powers === null;
    const show = () => {
      this.#powers = powers;
      this.#peakDb = first ? powers.peakDb : this.#peakDb;
      this.#canvases.clear();
      this.draw();
    };
    if (await powers.analyse(signal, () => first && show())) {
      if (!signal.aborted) {
        show();
        this.timeline.element.dataset.drawn = String(Number(this.timeline.element.dataset.drawn ?? 0) + 1);
      }
    }
  }

  #sizeOf(canvas) {
    const dense = Math.min(2, devicePixelRatio || 1);
    return [Math.max(1, Math.round(canvas.clientWidth * dense)), Math.max(1, Math.round(canvas.clientHeight * dense))];
  }

  #fitted(id) {
    const canvas = byId(id);
    const [width, height] = this.#sizeOf(canvas);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, width, height);
    return { context, width, height };
  }

  #spectrogram(id, shares) {
    const { context, width, height } = this.#fitted(id);
    if (!this.#powers) return;
    const { start, end, columns, rows } = this.#powers;
    const key = `${id} ${shares.a} ${shares.b}`;
    let picture = this.#canvases.get(id);
    if (picture?.key !== key) {
      picture = picture ?? Object.assign(document.createElement("canvas"), { width: columns, height: rows });
      picture.key = key;
      picture.getContext("2d").putImageData(this.#powers.paint(shares, this.#peakDb), 0, 0);
      this.#canvases.set(id, picture);
    }
    const scale = width / this.timeline.span;
    context.drawImage(picture, (start - this.timeline.start) * scale, 0, (end - start) * scale, height);
    this.#frequencies(context, width, height, width / byId(id).clientWidth);
  }

  /** Mark frequencies at the right edge, as many as there is room for. */
  #frequencies(context, width, height, dense) {
    context.font = `${10 * dense}px system-ui, sans-serif`;
    context.textBaseline = "middle";
    let last = Infinity;
    for (const [hz, text] of MARKS) {
      const y = height * (1 - heightOf(hz, this.comparison.rate));
      if (y < 8 * dense || last - y < MARKS_APART_PX * dense || y > height - 8 * dense) continue;
      last = y;
      const wide = context.measureText(text).width;
      context.fillStyle = "rgb(11 18 21 / 65%)";
      context.fillRect(width - wide - 12 * dense, y - 7 * dense, wide + 12 * dense, 14 * dense);
      context.fillStyle = "#e7eeeb";
      context.fillRect(width - 4 * dense, y - dense / 2, 4 * dense, dense);
      context.fillText(text, width - wide - 7 * dense, y);
    }
  }

  #waveform() {
    const { context, width, height } = this.#fitted("waveform");
    const style = getComputedStyle(document.documentElement);
    const shares = sharesOf(this.#lower, this.strength);
    this.#wave(context, width, height, { a: 1, b: 0 }, style.getPropertyValue("--wave-original"));
    const colour = this.#lower === "removed" ? "--removed" : "--accent";
    this.#wave(context, width, height, shares, style.getPropertyValue(colour));
  }

  #wave(context, width, height, shares, colour) {
    const { comparison, timeline } = this;
    const from = timeline.start * comparison.rate;
    const step = (timeline.span * comparison.rate) / width;
    const stride = Math.max(1, Math.ceil((step * width * comparison.channels) / MOST_SAMPLES_A_WAVE));
    const sides = Array.from({ length: comparison.channels }, (_, c) =>
      [comparison.original.getChannelData(c), comparison.enhanced.getChannelData(c)]);
    context.fillStyle = colour;
    const middle = height / 2;
    const full = Math.max(1e-4, comparison.peaks.original, comparison.peaks.enhanced);
    const { a, b } = shares;
    for (let column = 0; column < width; column++) {
      const first = Math.max(0, Math.floor(from + column * step));
      const last = Math.min(comparison.frames, Math.max(first + 2, Math.ceil(from + (column + 1) * step)));
      let [low, high] = [Infinity, -Infinity];
      for (const [x, y] of sides) {
        for (let i = first; i < last; i += stride) {
          const value = a * x[i] + b * y[i];
          if (value < low) low = value;
          if (value > high) high = value;
        }
      }
      if (high < low) continue;
      const top = middle - (high / full) * middle;
      context.fillRect(column, top, 1, Math.max(1, middle - (low / full) * middle - top));
    }
  }

  #ruler() {
    const { context, width, height } = this.#fitted("ruler");
    const dense = width / byId("ruler").clientWidth;
    const wanted = (70 * dense * this.timeline.span) / width;
    const step = STEPS_S.find((seconds) => seconds >= wanted) ?? 2 * STEPS_S.at(-1);
    const style = getComputedStyle(document.documentElement);
    context.fillStyle = style.getPropertyValue("--quiet");
    context.font = `${11 * dense}px system-ui, sans-serif`;
    for (let time = Math.ceil(this.timeline.start / step) * step; time <= this.timeline.end; time += step) {
      const x = ((time - this.timeline.start) / this.timeline.span) * width;
      context.fillRect(x, height - 5 * dense, dense, 5 * dense);
      const text = step < 0.1 ? time.toFixed(2) : clock(time + 1e-4).replace(/\.0$/, step < 1 ? ".0" : "");
      const half = context.measureText(text).width / 2;
      context.fillText(text, Math.min(Math.max(x - half, 0), width - 2 * half), height - 8 * dense);
    }
  }
}
