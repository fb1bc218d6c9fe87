// A jitter buffer: plays what comes from the server evenly, holds as little in reserve as the way needs.
//
// It begins when the reserve is there. When it runs dry that is a dropout: the sound fades, and the reserve grows by
// half; after a quarter of a minute without one it shrinks again. When more than the reserve has lain there for two
// seconds, the surplus is skipped in a crossfade.
const REPORT_S = 0.1;
const WATCH_S = 2;
const FADE_S = 0.005;
const MOST_RESERVE_S = 0.4;
const SLACK_S = 0.03;
const CALM_WATCHES = 8;
const SHRINK = 0.9;

class Playback extends AudioWorkletProcessor {
  constructor({ processorOptions: { reserve } }) {
    super();
    this.reserve = this.leastReserve = Math.round(reserve * sampleRate);
    this.calm = 0;
    this.fade = Math.round(FADE_S * sampleRate);
    this.queue = [];
    this.held = 0;
    this.origin = null;
    this.playing = false;
    this.ended = false;
    this.running = true;
    this.dropouts = 0;
    this.skipped = 0;
    this.last = 0;
    this.faded = 0;
    this.position = 0;
    this.watched = 0;
    this.least = Infinity;
    this.reportAt = 0;
    this.port.onmessage = ({ data }) => this.#told(data);
  }

  #told({ origin, samples, position, ended, stop }) {
    if (stop) this.running = false;
    if (ended) this.ended = true;
    if (origin !== undefined) this.origin = origin;
    if (!samples?.length) return;
    if (!this.held) this.position = position;
    this.queue.push({ samples, at: 0 });
    this.held += samples.length;
  }

  #take(target) {
    let filled = 0;
    while (filled < target.length && this.queue.length) {
      const block = this.queue[0];
      const count = Math.min(target.length - filled, block.samples.length - block.at);
      target.set(block.samples.subarray(block.at, block.at + count), filled);
      filled += count;
      block.at += count;
      if (block.at === block.samples.length) this.queue.shift();
    }
    this.held -= filled;
    this.position += filled;
    return filled;
  }

  process(_inputs, [[output]]) {
    if (!this.running) return false;
    if (!this.playing && (this.held >= this.reserve || (this.ended && this.held))) {
      this.playing = true;
      this.faded = 0;
    }
    const filled = this.playing ? this.#play(output) : 0;
    this.#decay(output, filled);
    this.#report();
    return true;
  }

  #play(output) {
    this.#skipSurplus(output.length);
    const begun = this.position;
    const filled = this.#take(output);
    for (let i = 0; i < filled && this.faded < this.fade; i++, this.faded++) output[i] *= this.faded / this.fade;
    if (filled < output.length) {
      this.playing = false;
      if (!this.ended) {
        this.dropouts += 1;
        this.calm = 0;
        this.reserve = Math.min(Math.round(this.reserve * 1.5), Math.round(MOST_RESERVE_S * sampleRate));
      }
    }
    this.late = this.origin === null ? null : currentFrame - this.origin - begun;
    if (filled) this.last = output[filled - 1];
    return filled;
  }

  /** Let the last sample die away, rather than fall to nothing in a click. */
  #decay(output, from) {
    for (let i = from; i < output.length; i++) output[i] = this.last *= 0.985;
    if (Math.abs(this.last) < 1e-5) this.last = 0;
  }

  #skipSurplus(block) {
    this.least = Math.min(this.least, this.held - block);
    this.watched += block;
    if (this.watched < WATCH_S * sampleRate) return;
    this.calm += 1;
    if (this.calm >= CALM_WATCHES) {
      this.calm = 0;
      this.reserve = Math.max(this.leastReserve, Math.round(this.reserve * SHRINK));
    }
    const surplus = this.least - this.reserve;
    this.watched = 0;
    this.least = Infinity;
    if (surplus < SLACK_S * sampleRate) return;
    const before = new Float32Array(this.fade);
    this.#take(before);
    this.#take(new Float32Array(surplus - 2 * this.fade));
    const after = new Float32Array(this.fade);
    this.#take(after);
    for (let i = 0; i < this.fade; i++) after[i] = (before[i] * (this.fade - i) + after[i] * i) / this.fade;
    this.queue.unshift({ samples: after, at: 0 });
    this.held += this.fade;
    this.position -= this.fade;
    this.skipped += surplus - this.fade;
  }

  #report() {
    if (currentFrame < this.reportAt) return;
    this.reportAt = currentFrame + REPORT_S * sampleRate;
    const { late = null, held, dropouts, reserve, skipped, playing } = this;
    this.port.postMessage({ late, held, dropouts, reserve, skipped, playing });
  }
}

registerProcessor("playback", Playback);
