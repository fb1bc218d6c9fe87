// Spectrograms of all mixes of two signals: analysed once a view, coloured anew for each strength.
import { addPowers, Fft } from "./fft.js";
import { breathe } from "./dom.js";

const WINDOW_S = 0.035;
const MOST_FRAMES_A_COLUMN = 3;
const RANGE_DB = 72;
const LEAST_HZ = 50;
const SLICE_MS = 12;

/** From dark to light through blue and green, even in lightness, safe for colour-blind eyes. */
const STOPS = [
  [0, 10, 15, 18],
  [0.25, 34, 40, 82],
  [0.45, 38, 82, 126],
  [0.62, 33, 133, 137],
  [0.8, 96, 190, 150],
  [1, 244, 250, 218],
];

const PALETTE = (() => {
  const colours = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const at = i / 255;
    const next = Math.max(1, STOPS.findIndex(([stop]) => stop >= at));
    const [low, high] = [STOPS[next - 1], STOPS[next]];
    const share = (at - low[0]) / (high[0] - low[0]);
    const [r, g, b] = [1, 2, 3].map((c) => Math.round(low[c] + share * (high[c] - low[c])));
    colours[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return colours;
})();

const mel = (hz) => 1127 * Math.log(1 + hz / 700);
const hertz = (m) => 700 * (Math.exp(m / 1127) - 1);

const topOf = (rate) => Math.min(rate / 2, 20000);

/** How high in a picture a frequency lies: 0 is its lower edge, 1 its upper one. */
export function heightOf(hz, rate) {
  return (mel(hz) - mel(LEAST_HZ)) / (mel(topOf(rate)) - mel(LEAST_HZ));
}

/** For each row of a picture, the bins it shows and with what weights; the lowest row is the last. */
function rowsOf(rows, rate, size) {
  const top = mel(topOf(rate));
  const bottom = mel(LEAST_HZ);
  const edge = (row) => (hertz(bottom + ((top - bottom) * row) / rows) * size) / rate;
  return Array.from({ length: rows }, (_, i) => {
    const row = rows - 1 - i;
    const [low, high] = [edge(row), edge(row + 1)];
    if (high - low < 2) {
      const middle = Math.min((low + high) / 2, size / 2 - 1);
      const bin = Math.floor(middle);
      return { from: bin, to: bin + 1, first: 1 - (middle - bin), last: middle - bin };
    }
    const from = Math.ceil(low);
    const to = Math.min(size / 2, Math.floor(high));
    const share = 1 / (to - from + 1);
    return { from, to, first: share, last: share, share };
  });
}

function reduce(bins, { from, to, first, last, share = 0 }) {
  let sum = bins[from] * first + bins[to] * last;
  for (let k = from + 1; k < to; k++) sum += bins[k] * share;
  return sum;
}

/** The powers of a view of a comparison, from which any mix can be coloured. */
export class Powers {
  constructor(comparison, start, end, columns, rows) {
    Object.assign(this, { comparison, start, end, columns, rows, done: 0 });
    const { rate } = comparison;
    this.size = 2 ** Math.round(Math.log2(WINDOW_S * rate));
    [this.xx, this.xy, this.yy] = Array.from({ length: 3 }, () => new Float32Array(columns * rows));
  }

  /** Analyse, column by column from left to right, with pauses; progress() is called before each of them. */
  async analyse(signal, progress) {
    const { size, columns, rows } = this;
    const fft = new Fft(size);
    const hann = (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size);
    const window = Float64Array.from({ length: size }, hann);
    const [re, im] = [new Float64Array(size), new Float64Array(size)];
    const bins = Array.from({ length: 3 }, () => new Float64Array(size / 2 + 1));
    const map = rowsOf(rows, this.comparison.rate, size);
    const hop = ((this.end - this.start) * this.comparison.rate) / columns;
    const frames = Math.max(1, Math.min(MOST_FRAMES_A_COLUMN, Math.round((2 * hop) / size)));
    let rested = performance.now();
    for (let column = 0; column < columns; column++) {
      bins.forEach((each) => each.fill(0));
      for (let frame = 0; frame < frames; frame++) {
        const middle = this.start * this.comparison.rate + hop * (column + (frame + 0.5) / frames);
        this.#load(Math.round(middle - size / 2), window, re, im);
        fft.transform(re, im);
        addPowers(re, im, ...bins);
      }
      for (let row = 0; row < rows; row++) {
        const at = row * columns + column;
        this.xx[at] = reduce(bins[0], map[row]) / frames;
        this.xy[at] = reduce(bins[1], map[row]) / frames;
        this.yy[at] = reduce(bins[2], map[row]) / frames;
      }
      this.done = column + 1;
      if (performance.now() - rested > SLICE_MS) {
        progress();
        await breathe();
        if (signal.aborted) return false;
        rested = performance.now();
      }
    }
    return true;
  }

  /** Load a window of both, channels averaged, silence beyond the ends. */
  #load(from, window, re, im) {
    const { comparison, size } = this;
    const share = 1 / comparison.channels;
    re.fill(0);
    im.fill(0);
    const first = Math.max(0, -from);
    const last = Math.min(size, comparison.frames - from);
    for (let channel = 0; channel < comparison.channels; channel++) {
      const x = comparison.original.getChannelData(channel);
      const y = comparison.enhanced.getChannelData(channel);
      for (let i = first; i < last; i++) {
        re[i] += x[from + i] * window[i] * share;
        im[i] += y[from + i] * window[i] * share;
      }
    }
  }

  /** The highest power of the original that was seen, in dB. */
  get peakDb() {
    let most = 1e-20;
    for (const power of this.xx) if (power > most) most = power;
    return 10 * Math.log10(most);
  }

  /** Colour the mix a·original + b·enhanced; `peakDb` is the lightest. */
  paint({ a, b }, peakDb) {
    const { columns, rows, xx, xy, yy } = this;
    const image = new ImageData(columns, rows);
    const pixels = new Uint32Array(image.data.buffer);
    const scale = 255 / RANGE_DB;
    const shift = 255 - peakDb * scale;
    const factor = 10 * Math.LOG10E * scale;
    const [aa, ab, bb] = [a * a, 2 * a * b, b * b];
    for (let i = 0; i < pixels.length; i++) {
      const power = aa * xx[i] + ab * xy[i] + bb * yy[i];
      const level = factor * Math.log(power + 1e-20) + shift;
      pixels[i] = PALETTE[level < 0 ? 0 : level > 255 ? 255 : level | 0];
    }
    return image;
  }
}
