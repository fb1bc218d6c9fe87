// Loudness after ITU-R BS.1770-5 of any mix of two signals, known for all mixes once it has been heard.
//
// K-weighting is linear, so the power of a·x + b·y in a block is a²·xx + 2ab·xy + b²·yy: three numbers a block tell the
// loudness of every mix. Parameters of the filters: B. De Man, AES Convention 145, 2018, as in
// unmuffle.level.k_weighting.

const OFFSET_DB = -0.691;
const ABSOLUTE_GATE = 10 ** ((-70 - OFFSET_DB) / 10);
const RELATIVE_GATE = 0.1;
const HOPS_A_BLOCK = 4;

/** The two sections of the K-weighting, each [b0, b1, b2, a1, a2]. */
export function kWeighting(rate) {
  let k = Math.tan((Math.PI * 1681.974450955533) / rate);
  const high = 10 ** (3.999843853973347 / 20);
  const middle = high ** 0.4996667741545416;
  const q = 0.7071752369554196;
  let norm = 1 + k / q + k * k;
  const shelf = [
    (high + (middle * k) / q + k * k) / norm,
    (2 * (k * k - high)) / norm,
    (high - (middle * k) / q + k * k) / norm,
    (2 * (k * k - 1)) / norm,
    (1 - k / q + k * k) / norm,
  ];
  const passNorm = (x) => 1 + x / 0.5003270373238773 + x * x;
  const tangent = (at) => Math.tan((Math.PI * 38.13547087602444) / at);
  k = tangent(rate);
  norm = passNorm(k);
  const gain = passNorm(tangent(48000)) / norm;
  return [shelf, [gain, -2 * gain, gain, (2 * (k * k - 1)) / norm, (1 - k / 0.5003270373238773 + k * k) / norm]];
}

/** Both sections over samples, in place; the state, four numbers, is kept. */
function weigh(samples, [first, second], state) {
  const [b0, b1, b2, a1, a2] = first;
  const [c0, c1, c2, d1, d2] = second;
  let [s1, s2, t1, t2] = state;
  for (let i = 0; i < samples.length; i++) {
    const x = samples[i];
    const y = b0 * x + s1;
    s1 = b1 * x - a1 * y + s2;
    s2 = b2 * x - a2 * y;
    const z = c0 * y + t1;
    t1 = c1 * y - d1 * z + t2;
    t2 = c2 * y - d2 * z;
    samples[i] = z;
  }
  state.set([s1, s2, t1, t2]);
}

/** Weights of channels: five are L R C Ls Rs, six L R C LFE Ls Rs, else all weigh the same. */
const LAYOUTS = { 5: [1, 1, 1, 1.41, 1.41], 6: [1, 1, 1, 0, 1.41, 1.41] };
const weights = (channels) => LAYOUTS[channels] ?? Array(channels).fill(1);

/** The loudness of every mix of two signals. */
export class LoudnessOfMixes {
  constructor(rate, channels, frames) {
    this.rate = rate;
    this.hops = Math.max(1, Math.ceil((frames * 10) / rate));
    this.xx = new Float64Array(this.hops);
    this.xy = new Float64Array(this.hops);
    this.yy = new Float64Array(this.hops);
    this.whole = Math.floor((frames * 10) / rate);
    this.sections = kWeighting(rate);
    this.weights = weights(channels);
    this.states = Array.from({ length: channels }, () => [new Float64Array(4), new Float64Array(4)]);
  }

  /** Hear the next samples of one channel of both, which begin at a frame. */
  hear(channel, start, x, y) {
    const wx = Float64Array.from(x);
    const wy = Float64Array.from(y);
    weigh(wx, this.sections, this.states[channel][0]);
    weigh(wy, this.sections, this.states[channel][1]);
    const weight = this.weights[channel];
    for (let i = 0; i < wx.length;) {
      const hop = Math.floor(((start + i) * 10) / this.rate);
      const end = Math.min(wx.length, Math.max(i + 1, Math.ceil(((hop + 1) * this.rate) / 10) - start));
      let [xx, xy, yy] = [0, 0, 0];
      for (; i < end; i++) {
        xx += wx[i] * wx[i];
        xy += wx[i] * wy[i];
        yy += wy[i] * wy[i];
      }
      this.xx[hop] += weight * xx;
      this.xy[hop] += weight * xy;
      this.yy[hop] += weight * yy;
    }
  }

  /** Integrated loudness of a·x + b·y in LUFS; -Infinity where nothing passes the gate. */
  of(a, b) {
    const blocks = [];
    const power = (hop) => a * a * this.xx[hop] + 2 * a * b * this.xy[hop] + b * b * this.yy[hop];
    const length = (HOPS_A_BLOCK * this.rate) / 10;
    for (let hop = 0; hop + HOPS_A_BLOCK <= this.whole; hop++) {
      blocks.push(Math.max(0, power(hop) + power(hop + 1) + power(hop + 2) + power(hop + 3)) / length);
    }
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const loud = blocks.filter((block) => block > ABSOLUTE_GATE);
    if (!loud.length) return -Infinity;
    const gate = RELATIVE_GATE * mean(loud);
    return OFFSET_DB + 10 * Math.log10(mean(loud.filter((block) => block > gate)));
  }
}
