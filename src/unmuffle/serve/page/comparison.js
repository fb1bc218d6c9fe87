// Two recordings of the same length, and all that lies between them.
//
// What is heard at a strength s is (1 - s)·original + s·enhanced, and what is removed s·(original - enhanced): both are
// mixes a·original + b·enhanced, so hearing, drawing, loudness and the file to keep all follow from a and b at once.
import { breathe } from "./dom.js";
import { LoudnessOfMixes } from "./loudness.js";
import { encodeWav } from "./wav.js";

const BLOCK = 1 << 17;
const MOST_GAIN_DB = 24;

/** The shares of original and enhanced in what is listened to: "original", "enhanced" or "removed". */
export function sharesOf(listen, strength) {
  if (listen === "original") return { a: 1, b: 0 };
  if (listen === "removed") return { a: strength, b: -strength };
  return { a: 1 - strength, b: strength };
}

export class Comparison {
  /** Of two AudioBuffers of one rate; what one has more than the other is left out. */
  constructor(original, enhanced) {
    if (original.sampleRate !== enhanced.sampleRate) throw new Error("Original and result differ in sample rate.");
    this.original = original;
    this.enhanced = enhanced;
    this.rate = original.sampleRate;
    this.channels = Math.min(original.numberOfChannels, enhanced.numberOfChannels);
    this.frames = Math.min(original.length, enhanced.length);
    this.seconds = this.frames / this.rate;
    this.peaks = { original: 0, enhanced: 0, difference: 0 };
    this.loudness = new LoudnessOfMixes(this.rate, this.channels, this.frames);
  }

  /** Hear all of it once, in pieces between which the page stays alive. */
  async hear(signal) {
    let rested = performance.now();
    for (let start = 0; start < this.frames; start += BLOCK) {
      const end = Math.min(start + BLOCK, this.frames);
      for (let channel = 0; channel < this.channels; channel++) {
        const x = this.original.getChannelData(channel).subarray(start, end);
        const y = this.enhanced.getChannelData(channel).subarray(start, end);
        this.loudness.hear(channel, start, x, y);
        this.#peaks(x, y);
      }
      if (performance.now() - rested > 40) {
        await breathe();
        signal?.throwIfAborted();
        rested = performance.now();
      }
    }
  }

  #peaks(x, y) {
    let { original, enhanced, difference } = this.peaks;
    for (let i = 0; i < x.length; i++) {
      original = Math.max(original, Math.abs(x[i]));
      enhanced = Math.max(enhanced, Math.abs(y[i]));
      difference = Math.max(difference, Math.abs(x[i] - y[i]));
    }
    this.peaks = { original, enhanced, difference };
  }

  /** Loudness in LUFS of what is listened to. */
  loudnessOf(listen, strength) {
    const { a, b } = sharesOf(listen, strength);
    return this.loudness.of(a, b);
  }

  /** A bound of the highest peak of what is listened to; exact at strengths 0 and 1. */
  peakOf(listen, strength) {
    if (listen === "original") return this.peaks.original;
    if (listen === "removed") return strength * this.peaks.difference;
    return (1 - strength) * this.peaks.original + strength * this.peaks.enhanced;
  }

  /** The highest peak of the clean one at a strength, found by looking at every sample. */
  exactPeak(strength) {
    const { a, b } = sharesOf("enhanced", strength);
    let peak = 0;
    for (let channel = 0; channel < this.channels; channel++) {
      const x = this.original.getChannelData(channel);
      const y = this.enhanced.getChannelData(channel);
      for (let i = 0; i < this.frames; i++) {
        const value = Math.abs(a * x[i] + b * y[i]);
        if (value > peak) peak = value;
      }
    }
    return peak;
  }

  /** The gain with which it is as loud as the quieter of original and clean, without going over full scale. */
  matchingGain(listen, strength) {
    const target = Math.min(this.loudnessOf("original", strength), this.loudnessOf("enhanced", strength));
    const own = this.loudnessOf(listen, strength);
    if (!Number.isFinite(target) || !Number.isFinite(own)) return 1;
    const gain = 10 ** (Math.min(target - own, MOST_GAIN_DB) / 20);
    const peak = this.peakOf(listen, strength);
    return peak > 0 ? Math.min(gain, Math.max(1, 1 / peak)) : gain;
  }

  /** Write a mix of one channel from a frame on. */
  fill(target, channel, start, { a, b }) {
    const x = this.original.getChannelData(channel).subarray(start, start + target.length);
    const y = this.enhanced.getChannelData(channel).subarray(start, start + target.length);
    // Not to be rounded twice: the ends are the signals themselves.
    if (b === 0 && a === 1) target.set(x);
    else if (a === 0 && b === 1) target.set(y);
    else for (let i = 0; i < target.length; i++) target[i] = a * x[i] + b * y[i];
  }

  /** The clean one at a strength as a WAVE file, of the sample format that the original has. */
  wav(strength, { bits, float }) {
    const shares = sharesOf("enhanced", strength);
    const depth = float ? 32 : Math.max(16, Math.min(24, bits));
    const format = { sampleRate: this.rate, channels: this.channels, bits: depth, float };
    return encodeWav(format, this.frames, (start, block) =>
      block.forEach((samples, channel) => this.fill(samples, channel, start, shares)));
  }
}
