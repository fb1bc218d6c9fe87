// Plays original and enhanced at the same time, on one clock; what is heard is a matter of two gains.
const RAMP_S = 0.012;
const EDGE_S = 0.008;

/** Wire two buffers so that a·original + b·enhanced is heard; gains move without a click. */
export function wire(context, original, enhanced, { a, b }, destination = context.destination) {
  const edge = new GainNode(context, { gain: 1 });
  edge.connect(destination);
  const sides = [[original, a], [enhanced, b]].map(([buffer, gain]) => {
    const source = new AudioBufferSourceNode(context, { buffer });
    const level = new GainNode(context, { gain });
    source.connect(level).connect(edge);
    return { source, level };
  });
  return {
    edge,
    first: sides[0].source,
    start: (when, offset) => sides.forEach(({ source }) => source.start(when, offset)),
    stop: (when) => sides.forEach(({ source }) => source.stop(when)),
    move: ({ a: nextA, b: nextB }, when) =>
      [nextA, nextB].forEach((gain, i) => sides[i].level.gain.setTargetAtTime(gain, when, RAMP_S / 3)),
  };
}

export class Player extends EventTarget {
  #context = null;
  #wired = null;
  #startedAt = 0;
  #offset = 0;
  #shares = { a: 0, b: 1 };

  constructor(comparison) {
    super();
    this.comparison = comparison;
  }

  get playing() {
    return this.#wired !== null;
  }

  /** Where the ear is, in seconds. */
  get position() {
    if (!this.#wired) return this.#offset;
    const late = this.#context.outputLatency || this.#context.baseLatency || 0;
    const run = this.#context.currentTime - late - this.#startedAt;
    return Math.min(this.comparison.seconds, this.#offset + Math.max(0, run));
  }

  /** Play on from where it was left; needs a click or a key of the user before it is ever called. */
  async play() {
    if (this.#wired) return;
    this.#context ??= new AudioContext({ latencyHint: "interactive" });
    await this.#context.resume();
    if (this.#wired) return;
    if (this.#offset >= this.comparison.seconds - 0.02) this.#offset = 0;
    this.#begin();
    this.dispatchEvent(new Event("change"));
  }

  pause() {
    if (!this.#wired) return;
    this.#offset = this.position;
    this.#end();
    this.dispatchEvent(new Event("change"));
  }

  /** Go to a time, playing on if it was playing. */
  seek(seconds) {
    const playing = this.playing;
    if (playing) this.#end();
    this.#offset = Math.min(Math.max(0, seconds), this.comparison.seconds);
    if (playing) this.#begin();
    this.dispatchEvent(new Event("change"));
  }

  /** Change what is heard, at once and without a gap. */
  setShares(shares) {
    this.#shares = shares;
    this.#wired?.move(shares, this.#context.currentTime);
  }

  close() {
    if (this.#wired) this.#end();
    this.#context?.close();
    this.#context = null;
  }

  #begin() {
    const { original, enhanced } = this.comparison;
    const wired = wire(this.#context, original, enhanced, this.#shares);
    const now = this.#context.currentTime + 0.01;
    wired.edge.gain.setValueAtTime(0, 0);
    wired.edge.gain.setValueAtTime(0, now);
    wired.edge.gain.linearRampToValueAtTime(1, now + EDGE_S);
    wired.start(now, this.#offset);
    wired.first.onended = () => {
      if (this.#wired !== wired) return;
      this.#wired = null;
      this.#offset = this.comparison.seconds;
      this.dispatchEvent(new Event("change"));
    };
    this.#startedAt = now;
    this.#wired = wired;
  }

  #end() {
    const wired = this.#wired;
    this.#wired = null;
    const now = this.#context.currentTime;
    wired.edge.gain.cancelScheduledValues(now);
    wired.edge.gain.setTargetAtTime(0, now, EDGE_S / 3);
    wired.stop(now + 2 * EDGE_S);
  }
}
