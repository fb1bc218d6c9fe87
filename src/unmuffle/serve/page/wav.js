// RIFF WAVE in and out: integers of 8 to 32 bits and floats, also streams whose length was not known when they began.

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;
const NOT_KNOWN = 0xffffffff;

/** Whether bytes begin as a WAVE file does. */
function isWav(view) {
  return view.byteLength >= 12 && ["RIFF", "RF64"].includes(word(view, 0)) && word(view, 8) === "WAVE";
}

const word = (view, at) => String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4));

/** Read the head of a WAVE file: { sampleRate, channels, bits, float, frameBytes, start, frames }, or null. */
export function readHead(buffer) {
  const view = new DataView(buffer);
  if (!isWav(view)) return null;
  let format = null;
  for (let at = 12; at + 8 <= buffer.byteLength;) {
    const name = word(view, at);
    const size = view.getUint32(at + 4, true);
    if (name === "fmt " && at + 24 <= buffer.byteLength) format = readFormat(view, at + 8, size);
    if (name === "data") {
      if (!format) return null;
      const start = at + 8;
      const there = buffer.byteLength - start;
      const bytes = size === NOT_KNOWN || size === 0 ? there : size;
      const framesIn = (size) => Math.floor(size / format.frameBytes);
      return { ...format, start, frames: framesIn(Math.min(bytes, there)), told: framesIn(bytes) };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

function readFormat(view, at, size) {
  let tag = view.getUint16(at, true);
  const bits = view.getUint16(at + 14, true);
  const channels = view.getUint16(at + 2, true);
  if (tag === EXTENSIBLE && size >= 26) tag = view.getUint16(at + 24, true);
  const known = (tag === PCM && [8, 16, 24, 32].includes(bits)) || (tag === FLOAT && [32, 64].includes(bits));
  if (!known || channels === 0) return null;
  const frameBytes = (channels * bits) / 8;
  return { sampleRate: view.getUint32(at + 4, true), channels, bits, float: tag === FLOAT, frameBytes };
}

/** Decode a WAVE file, or as many of its frames as are wanted, into an AudioBuffer; null where it is none. */
export function decodeWav(buffer, most = Infinity) {
  const head = readHead(buffer);
  const frames = Math.min(head?.frames ?? 0, most);
  if (!frames) return null;
  const audio = new AudioBuffer({ length: frames, numberOfChannels: head.channels, sampleRate: head.sampleRate });
  const read = sampleReader(new DataView(buffer, head.start), head);
  const step = head.bits / 8;
  for (let channel = 0; channel < head.channels; channel++) {
    const samples = audio.getChannelData(channel);
    for (let i = 0, at = channel * step; i < frames; i++, at += head.frameBytes) samples[i] = read(at);
  }
  return { audio, head };
}

function sampleReader(view, { bits, float }) {
  if (float) return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  switch (bits) {
    case 8: return (at) => (view.getUint8(at) - 128) / 128;
    case 16: return (at) => view.getInt16(at, true) / 32768;
    case 24: return (at) => ((view.getUint16(at, true) << 8) | (view.getUint8(at + 2) << 24)) / 2147483648;
    default: return (at) => view.getInt32(at, true) / 2147483648;
  }
}

/** The head of a WAVE file of so many frames. */
export function wavHead({ sampleRate, channels, bits, float = false }, frames) {
  const frameBytes = (channels * bits) / 8;
  const bytes = frames * frameBytes;
  const head = new DataView(new ArrayBuffer(44));
  const write = (at, text) => [...text].forEach((letter, i) => head.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  head.setUint32(4, 36 + bytes, true);
  write(8, "WAVEfmt ");
  head.setUint32(16, 16, true);
  head.setUint16(20, float ? FLOAT : PCM, true);
  head.setUint16(22, channels, true);
  head.setUint32(24, sampleRate, true);
  head.setUint32(28, sampleRate * frameBytes, true);
  head.setUint16(32, frameBytes, true);
  head.setUint16(34, bits, true);
  write(36, "data");
  head.setUint32(40, bytes, true);
  return head.buffer;
}

/** A sample as a 16-bit integer. */
export const toInt16 = (sample) => Math.max(-32768, Math.min(32767, Math.round(sample * 32768)));

/** Make a WAVE file of blocks; fill(start, [Float32Array]) writes each. It is a Blob, which may lie on disk. */
export function encodeWav(format, frames, fill) {
  const parts = [wavHead(format, frames)];
  const size = 1 << 16;
  const block = Array.from({ length: format.channels }, () => new Float32Array(size));
  for (let start = 0; start < frames; start += size) {
    const count = Math.min(size, frames - start);
    fill(start, block.map((channel) => channel.subarray(0, count)));
    parts.push(interleave(block, count, format));
  }
  return new Blob(parts, { type: "audio/wav" });
}

function interleave(block, count, { channels, bits, float }) {
  const step = bits / 8;
  const view = new DataView(new ArrayBuffer(count * channels * step));
  const write = sampleWriter(view, bits, float);
  for (let channel = 0; channel < channels; channel++) {
    for (let i = 0, at = channel * step; i < count; i++, at += channels * step) write(at, block[channel][i]);
  }
  return view.buffer;
}

function sampleWriter(view, bits, float) {
  if (float) return (at, value) => view.setFloat32(at, value, true);
  const full = 2 ** (bits - 1);
  const rounded = (value) => Math.max(-full, Math.min(full - 1, Math.round(value * full)));
  if (bits === 16) return (at, value) => view.setInt16(at, rounded(value), true);
  return (at, value) => {
    const whole = rounded(value);
    view.setUint16(at, whole & 0xffff, true);
    view.setUint8(at + 2, (whole >> 16) & 0xff);
  };
}
